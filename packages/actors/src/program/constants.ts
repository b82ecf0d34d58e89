/**
 * Names of the values that system calls and faulting accesses give.
 *
 * A register holds one number. System calls give 0 or more, or a negative errno as in the kernel.
 * A load or store that the process may not do gives the signal it would get, as `-1000 - number`:
 * below every errno the model uses, and never the content of a page.
 */

/** include/uapi/asm-generic/errno-base.h and errno.h: the errnos that mm paths return. */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  EINVAL: 22,
  ENOSPC: 28,
  EMLINK: 31,
  EHWPOISON: 133
} as const

/** include/uapi/asm-generic/signal.h: the signals a memory access can raise. */
export const SIGNAL = { SIGBUS: 7, SIGSEGV: 11 } as const

export type ErrnoName = keyof typeof ERRNO
export type SignalName = keyof typeof SIGNAL

/** The value a system call gives when it fails, e.g. `errno("EAGAIN")` is -11. */
export const errno = (name: ErrnoName): number => -ERRNO[name]

/** The value a load or store gives instead of this signal, e.g. `signal("SIGBUS")` is -1007. */
export const signal = (name: SignalName): number => -1000 - SIGNAL[name]

const nameByValue: ReadonlyMap<number, string> = new Map([
  ...Object.entries(ERRNO).map(([name, code]) => [-code, `-${name}`] as const),
  ...Object.entries(SIGNAL).map(([name, number]) => [-1000 - number, name] as const)
])

/** A value as programs write it: `7`, `-EAGAIN`, `SIGBUS`. */
export const formatValue = (value: number): string => nameByValue.get(value) ?? String(value)
