/**
 * Marks in the step stream: where operations begin and end, and which page a reference or a copy belongs to.
 *
 * The kernel has no such steps; invariants need them, because "UFFDIO_WRITEPROTECT returned" or "this reference was
 * taken for page 3" cannot be told from the accesses alone. Each task has an actor of its own and a mark reads it only,
 * so a mark commutes with every step of every other thread.
 */
import { ActorType } from "@mmrace/core"
import { Schema } from "effect"

export const syscallType = new ActorType<null>("syscall", { fields: ["marks"] })

/** Statements that are bracketed by `enter` and `leave`: all but `load`, `store`, `join`, `choose` and control flow. */
export const CallName = Schema.Literals([
  "dma_load",
  "dma_store",
  "pin",
  "pin_fast",
  "get",
  "get_fast",
  "unpin",
  "put",
  "fork",
  "exit",
  "kill",
  "reclaim",
  "mprotect",
  "madvise_dontneed",
  "madvise_free",
  "munmap",
  "mmap",
  "api",
  "register",
  "unregister",
  "wake",
  "copy",
  "zeropage",
  "writeprotect",
  "read",
  "close"
])
export type CallName = typeof CallName.Type

export interface Call {
  readonly name: CallName
  /** First page number of the range it acts on, -1 for none. `exit` acts on every page: 0 and all. */
  readonly page: number
  /** Number of pages, 0 for none. */
  readonly pages: number
  /**
   * writeprotect: 1 protects, 0 resolves. copy: 1 with MODE_WP. pin, get: 1 for write. mprotect: 0 none, 1 r, 2 rw.
   * register: 1 missing + 2 wp. Otherwise 0.
   */
  readonly mode: number
  /** copy, zeropage, writeprotect: DONTWAKE was given. */
  readonly dontwake: boolean
  /** Number of the userfaultfd context, -1 for none. */
  readonly ctx: number
}

const showRange = (page: number, pages: number): string =>
  pages === 0 ? "" : pages === 1 ? ` page ${page}` : ` pages ${page}..${page + pages - 1}`

/** First step of a system call or other operation. */
export const enter = syscallType.command<Call>("enter", {
  access: "read",
  arg: Schema.Struct({
    name: CallName,
    page: Schema.Int,
    pages: Schema.Int,
    mode: Schema.Int,
    dontwake: Schema.Boolean,
    ctx: Schema.Int
  }),
  show: (c) =>
    `${c.name}${showRange(c.page, c.pages)}${c.ctx >= 0 ? ` uffd ${c.ctx}` : ""}${
      c.mode !== 0 ? ` mode ${c.mode}` : ""
    }`
})

export interface Return {
  readonly name: CallName
  /** What the caller gets: 0 or a count, or -errno. copy and zeropage: pages filled, when any was. */
  readonly result: number
}

/** Last step of it: whatever the operation promises to its caller holds from here on. */
export const leave = syscallType.command<Return>("leave", {
  access: "read",
  arg: Schema.Struct({ name: CallName, result: Schema.Int }),
  show: (r) => `${r.name} = ${r.result}`
})

/** A page reference that user space or a device holds: FOLL_PIN or FOLL_GET, taken through `page` of `mm`. */
export interface PinMark {
  readonly pin: "pin" | "get"
  readonly pfn: number
  readonly mm: number
  readonly page: number
  readonly write: boolean
}
const PinShape = Schema.Struct({
  pin: Schema.Literals(["pin", "get"]),
  pfn: Schema.Int,
  mm: Schema.Int,
  page: Schema.Int,
  write: Schema.Boolean
})
const showPin = (p: PinMark): string => `${p.pin} of pfn ${p.pfn} for page ${p.page}${p.write ? ", write" : ""}`

/** GUP returned success: right before the `leave` of pin, pin_fast, get, get_fast. */
export const pin_taken = syscallType.command<PinMark>("pin_taken", { access: "read", arg: PinShape, show: showPin })

/** The reference is about to be dropped: before the first step of unpin or put. */
export const pin_released = syscallType.command<PinMark>("pin_released", {
  access: "read",
  arg: PinShape,
  show: showPin
})

export interface CopyMark {
  /** Source page frame. */
  readonly pfn: number
  /** Address space and page number the copy is made for. */
  readonly mm: number
  readonly page: number
  /** Fork's early copy of a pinned page: the copy goes to the child, the source stays writable. */
  readonly forChild: boolean
}
const CopyShape = Schema.Struct({ pfn: Schema.Int, mm: Schema.Int, page: Schema.Int, forChild: Schema.Boolean })

/** Right before the `page_read` of a page that is being replaced by a copy (wp_page_copy, copy_present_page). */
export const copy_begin = syscallType.command<CopyMark>("copy_begin", {
  access: "read",
  arg: CopyShape,
  show: (c) => `pfn ${c.pfn} at page ${c.page}${c.forChild ? " for the child" : ""}`
})

/** The copy is installed (after its set_pte_at) or was given up. */
export const copy_end = syscallType.command("copy_end", { access: "read" })

/** dup_mmap is about to copy the first page table of `child`; asked with the parent's mmap_lock held for write. */
export const fork_begin = syscallType.command<number>("fork_begin", {
  access: "read",
  arg: Schema.Int,
  show: (child) => `child mm ${child}`
})

/** dup_mmap has flushed the parent's TLBs (or failed); asked before the parent's mmap_lock is dropped. */
export const fork_copied = syscallType.command<number>("fork_copied", {
  access: "read",
  arg: Schema.Int,
  show: (child) => `child mm ${child}`
})

/**
 * A userfaultfd event of this context is in flight, from where `mmap_changing` is incremented to where it is
 * decremented. Asked only on kernels without the counter (before df2cc96e7701): elsewhere the counter says it.
 */
export const event_begin = syscallType.command<number>("event_begin", { access: "read", arg: Schema.Int })
export const event_end = syscallType.command<number>("event_end", { access: "read", arg: Schema.Int })

export interface SignalMark {
  readonly page: number
  readonly signal: "SIGSEGV" | "SIGBUS"
}

/** An access of user space ended in a signal: after the fault handler returned. */
export const fault_signal = syscallType.command<SignalMark>("fault_signal", {
  access: "read",
  arg: Schema.Struct({ page: Schema.Int, signal: Schema.Literals(["SIGSEGV", "SIGBUS"]) }),
  show: (s) => `${s.signal} at page ${s.page}`
})
