/*
 * UFFDIO_UNREGISTER against a missing fault: does the fault ever end?
 *
 *   cc -O2 -pthread F-03-unregister-wakes-too-early.c -o f03 && ./f03 [SECONDS]
 *
 * Needs a kernel with userfaultfd and the right to handle faults from user space (root, or CAP_SYS_PTRACE).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define PATIENCE_NS 200000000L
#define ENOUGH 3

static volatile char *page;
static atomic_int round_started, round_done, delay;

static void *toucher(void *unused)
{
	for (int round = 1;; round++) {
		while (atomic_load(&round_started) < round)
			;
		for (volatile int i = 0; i < atomic_load(&delay); i++)
			;
		(void)*page;
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

int main(int argc, char **argv)
{
	long end = now_ns() + (argc > 1 ? atol(argv[1]) : 20) * 1000000000L;
	struct uffdio_api api = { .api = UFFD_API };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	int rounds = 0, hangs = 0;
	unsigned int seed = 1;
	struct uffd_msg message;
	pthread_t thread;

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api)) {
		perror("userfaultfd");
		return 2;
	}
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*page = 1; /* an anon_vma, so that faults can run under the VMA lock */
	madvise((void *)page, PAGE, MADV_DONTNEED);
	pthread_create(&thread, NULL, toucher, NULL);

	while (now_ns() < end && hangs < ENOUGH) {
		struct uffdio_range range = { .start = (unsigned long)page, .len = PAGE };
		struct uffdio_register arm = { .range = range, .mode = UFFDIO_REGISTER_MODE_MISSING };

		if (ioctl(fd, UFFDIO_REGISTER, &arm)) {
			perror("UFFDIO_REGISTER");
			return 2;
		}
		seed = seed * 1103515245 + 12345;
		atomic_store(&delay, (seed >> 16) % 400);
		atomic_store(&round_started, ++rounds);
		for (volatile unsigned int i = 0; i < (seed >> 8) % 2000; i++)
			;
		if (ioctl(fd, UFFDIO_UNREGISTER, &range)) {
			perror("UFFDIO_UNREGISTER");
			return 2;
		}
		if (!done_within(rounds, PATIENCE_NS)) {
			hangs++;
			printf("round %d: the fault sleeps, 200 ms after UNREGISTER returned\n", rounds);
			ioctl(fd, UFFDIO_WAKE, &range);
			printf("  UFFDIO_WAKE: %s\n", done_within(rounds, 1000000000L) ? "it goes on" : "still asleep");
		}
		while (read(fd, &message, sizeof(message)) > 0)
			;
		madvise((void *)page, PAGE, MADV_DONTNEED);
	}
	printf("%d rounds, %d hangs\n", rounds, hangs);
	return hangs > 0;
}
