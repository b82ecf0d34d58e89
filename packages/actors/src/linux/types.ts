/** Words that many kernel paths share: include/linux/mm_types.h, include/linux/mm.h. */
import type { Pte } from "@mmrace/arch"
import type { Actor, Mutex } from "@mmrace/core"
import type { MmRef, RegionRef, TaskRef } from "../objects/World.ts"
import type { VmaState } from "../objects/Vma.ts"

/** enum fault_flag. */
export const FAULT_FLAG_WRITE = 1 << 0
export const FAULT_FLAG_ALLOW_RETRY = 1 << 2
export const FAULT_FLAG_RETRY_NOWAIT = 1 << 3
export const FAULT_FLAG_KILLABLE = 1 << 4
export const FAULT_FLAG_TRIED = 1 << 5
export const FAULT_FLAG_USER = 1 << 6
export const FAULT_FLAG_INTERRUPTIBLE = 1 << 9
export const FAULT_FLAG_UNSHARE = 1 << 10
export const FAULT_FLAG_ORIG_PTE_VALID = 1 << 11
/** The fault is handled under the per-VMA lock, not under mmap_lock. */
export const FAULT_FLAG_VMA_LOCK = 1 << 12

export const FAULT_FLAG_DEFAULT = FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_KILLABLE | FAULT_FLAG_INTERRUPTIBLE

/** vm_fault_t bits; 0 means the access can be repeated. */
export const VM_FAULT_OOM = 1 << 0
export const VM_FAULT_SIGBUS = 1 << 1
export const VM_FAULT_MAJOR = 1 << 2
export const VM_FAULT_HWPOISON = 1 << 4
export const VM_FAULT_SIGSEGV = 1 << 6
export const VM_FAULT_NOPAGE = 1 << 8
/** The callee has released whichever lock the fault was handled under (unless RETRY_NOWAIT). */
export const VM_FAULT_RETRY = 1 << 10
/** The fault is done and the lock released. */
export const VM_FAULT_COMPLETED = 1 << 14
export const VM_FAULT_ERROR = VM_FAULT_OOM | VM_FAULT_SIGBUS | VM_FAULT_SIGSEGV | VM_FAULT_HWPOISON

/** A VMA and its place in its mm. */
export interface VmaRef {
  /** Index into `mm.vmas`. */
  readonly number: number
  readonly actor: Actor<VmaState>
}

/** `struct vm_fault`. */
export interface Vmf {
  readonly task: TaskRef
  readonly mm: MmRef
  readonly vma: VmaRef
  /** The faulting address, as a page number. */
  readonly address: number
  readonly region: RegionRef
  readonly pte: Actor<Pte>
  readonly ptl: Actor<Mutex.Owner>
  flags: number
  /** Valid with FAULT_FLAG_ORIG_PTE_VALID. */
  orig_pte: Pte
}
