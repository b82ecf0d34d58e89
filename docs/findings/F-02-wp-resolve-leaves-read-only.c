/*
 * A write-protect fault against UFFDIO_WRITEPROTECT that resolves it, on a page shared with a forked child: does the
 * store ever end when nobody reads messages?
 *
 *   cc -O2 -pthread F-02-wp-resolve-leaves-read-only.c -o f02 && ./f02 [SECONDS]
 *
 * Needs a kernel with userfaultfd write protection and the right to handle faults from user space.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define PAGES 2048
#define PATIENCE_NS 200000000L
#define ENOUGH 3

static volatile char *page, *area;
static atomic_int round_started, round_done, delay;

static void *storer(void *unused)
{
	for (int round = 1;; round++) {
		while (atomic_load(&round_started) < round)
			;
		for (volatile int i = 0; i < atomic_load(&delay); i++)
			;
		area[(long)((round - 1) % PAGES) * PAGE] = 2;
		atomic_store(&round_done, round);
	}
	return unused;
}

static long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

static int done_within(int round, long patience_ns)
{
	long limit = now_ns() + patience_ns;

	while (atomic_load(&round_done) < round && now_ns() < limit)
		sched_yield();
	return atomic_load(&round_done) >= round;
}

/* Bit 57 of a pagemap entry: the page is write-protected by userfaultfd. */
static int is_protected(void)
{
	unsigned long long entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY);

	if (fd < 0 || pread(fd, &entry, 8, (unsigned long)page / PAGE * 8) != 8)
		perror("pagemap");
	close(fd);
	return (int)((entry >> 57) & 1);
}

static void writeprotect(int fd, volatile char *start, long pages, unsigned long mode)
{
	struct uffdio_writeprotect wp = { .range = { (unsigned long)start, pages * PAGE }, .mode = mode };

	if (ioctl(fd, UFFDIO_WRITEPROTECT, &wp)) {
		perror("UFFDIO_WRITEPROTECT");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	long end = now_ns() + (argc > 1 ? atol(argv[1]) : 20) * 1000000000L;
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	struct uffdio_register arm = { .mode = UFFDIO_REGISTER_MODE_WP };
	int rounds = 0, hangs = 0;
	unsigned int seed = 1;
	struct uffd_msg message;
	pthread_t thread;
	pid_t child = -1;

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api)) {
		perror("userfaultfd");
		return 2;
	}
	area = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	madvise((void *)area, PAGES * PAGE, MADV_NOHUGEPAGE);
	for (int i = 0; i < PAGES; i++)
		area[i * PAGE] = 1;
	arm.range = (struct uffdio_range){ (unsigned long)area, PAGES * PAGE };
	if (ioctl(fd, UFFDIO_REGISTER, &arm)) {
		perror("UFFDIO_REGISTER");
		return 2;
	}
	pthread_create(&thread, NULL, storer, NULL);

	while (now_ns() < end && hangs < ENOUGH) {
		if (rounds % PAGES == 0) {
			if (child > 0) {
				kill(child, SIGKILL);
				waitpid(child, NULL, 0);
			}
			child = fork();
			if (child == 0)
				for (;;)
					pause();
			writeprotect(fd, area, PAGES, UFFDIO_WRITEPROTECT_MODE_WP);
		}
		page = area + (long)(rounds % PAGES) * PAGE;
		seed = seed * 1103515245 + 12345;
		atomic_store(&delay, (seed >> 16) % 400);
		atomic_store(&round_started, ++rounds);
		for (volatile unsigned int i = 0; i < (seed >> 8) % 2000; i++)
			;
		writeprotect(fd, page, 1, 0);
		if (!done_within(rounds, PATIENCE_NS)) {
			hangs++;
			printf("round %d: the store sleeps, 200 ms after it was resolved; protected: %s\n", rounds,
			       is_protected() ? "yes" : "no");
			writeprotect(fd, page, 1, 0);
			printf("  resolved again: %s\n", done_within(rounds, 1000000000L) ? "it goes on" : "still asleep");
		}
		while (read(fd, &message, sizeof(message)) > 0)
			;
	}
	if (child > 0)
		kill(child, SIGKILL);
	printf("%d rounds, %d hangs\n", rounds, hangs);
	return hangs > 0;
}
