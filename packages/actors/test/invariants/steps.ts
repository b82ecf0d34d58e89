/** Short forms of steps and programs for the table of invariant cases. */
import { present, type Pte } from "@mmrace/arch"
import { ask, Mutex, Rwsem } from "@mmrace/core"
import * as O from "@mmrace/actors/objects/index"
import { program, type Step } from "./play.ts"

// Threads of the test program, and short forms of steps. Region A is page 0, pfn 1 at first, in main (mm 0).
export const t0 = 0, t1 = 1, c0 = 2
export type W = O.World

type AnyAsk = Step[1]
export const lock = (w: W, mm = 0): AnyAsk => ask(w.mms[mm]!.ptls[0]!, Mutex.spinlock.lock)
export const unlock = (w: W, mm = 0): AnyAsk => ask(w.mms[mm]!.ptls[0]!, Mutex.spinlock.unlock)
export const set = (w: W, pte: Pte, mm = 0): AnyAsk => ask(w.mms[mm]!.ptes[0]!, O.set_pte_at, pte)
export const clear = (w: W, mm = 0): AnyAsk => ask(w.mms[mm]!.ptes[0]!, O.ptep_get_and_clear)
export const folio = (w: W, pfn: number) => w.folios[pfn]!.folio
export const slot = (w: W, offset = 0) => w.slots[offset]!.actor
export const mark = (w: W, t: number) => w.tasks[t]!.syscall
export const call = (name: O.CallName, more: Partial<O.Call> = {}): O.Call => ({
  name,
  page: 0,
  pages: 1,
  mode: 0,
  dontwake: false,
  ctx: -1,
  ...more
})
export const enter = (
  w: W,
  t: number,
  name: O.CallName,
  more: Partial<O.Call> = {}
): Step => [t, ask(mark(w, t), O.enter, call(name, more))]
export const leave = (
  w: W,
  t: number,
  name: O.CallName,
  result = 0
): Step => [t, ask(mark(w, t), O.leave, { name, result })]
export const pin: O.PinMark = { pin: "pin", pfn: 1, mm: 0, page: 0, write: true }
export const get: O.PinMark = { ...pin, pin: "get" }
export const taken = (w: W, t: number, p = pin): Step => [t, ask(mark(w, t), O.pin_taken, p)]
export const released = (w: W, t: number, p = pin): Step => [t, ask(mark(w, t), O.pin_released, p)]

/** A section of thread t under the page-table lock. */
export const section = (w: W, t: number, steps: ReadonlyArray<AnyAsk>, mm = 0): ReadonlyArray<Step> =>
  [lock(w, mm), ...steps, unlock(w, mm)].map((a) => [t, a] as const)

/** A load or store of user space that finds its translation in the TLB, as far as the model goes. */
export const store = (w: W, t: number, pfn: number, value: number): ReadonlyArray<Step> => {
  const cpu = w.tasks[t]!.cpu.actor
  return [
    [t, ask(cpu, O.translate, { page: 0, store: true })],
    [t, ask(w.folios[pfn]!.page, O.page_write, value)],
    [t, ask(cpu, O.retire)]
  ]
}
export const load = (w: W, t: number, pfn: number): ReadonlyArray<Step> => {
  const cpu = w.tasks[t]!.cpu.actor
  return [
    [t, ask(cpu, O.translate, { page: 0, store: false })],
    [t, ask(w.folios[pfn]!.page, O.page_read)],
    [t, ask(cpu, O.retire)]
  ]
}
export const fill = (w: W, t: number, pfn: number, write: boolean): Step => [
  t,
  ask(w.tasks[t]!.cpu.actor, O.tlb_fill, { page: 0, pfn, write, dirty: write })
]
export const flush = (w: W, t: number): Step => [t, ask(w.tasks[t]!.cpu.actor, O.flush_tlb_ipi, 0)]
export const dma = (w: W, t: number, pfn: number, value: number): ReadonlyArray<Step> => [
  enter(w, t, "dma_store", { page: -1, pages: 0 }),
  [t, ask(w.folios[pfn]!.page, O.page_write, value)],
  leave(w, t, "dma_store")
]
export const dmaLoad = (w: W, t: number, pfn: number): ReadonlyArray<Step> => [
  enter(w, t, "dma_load", { page: -1, pages: 0 }),
  [t, ask(w.folios[pfn]!.page, O.page_read)],
  leave(w, t, "dma_load")
]
export const forked = (w: W): ReadonlyArray<Step> => [
  enter(w, t0, "fork"),
  [t0, ask(mark(w, t0), O.fork_begin, 1)],
  [t0, ask(mark(w, t0), O.fork_copied, 1)],
  leave(w, t0, "fork")
]
export const rw = (pfn: number): Pte => present(pfn, { write: true, dirty: true, young: true })
export const ro = (pfn: number): Pte => present(pfn, { dirty: true, young: true })

export const withUffd = program({
  uffds: [{ name: "U", features: ["remove", "wp", "fork"] }],
  registrations: [{ uffd: "U", range: { region: "A" }, modes: { missing: true, wp: true } }]
})
export const swapped = program({
  regions: [{ name: "A", kind: "anon", protection: "rw", pages: 1, content: 1, swapped: true }]
})
export const empty = program({
  ...withUffd,
  regions: [{ name: "A", kind: "anon", protection: "rw", pages: 1, swapped: false }]
})
export const message = (wp: boolean): O.Message => ({ event: "pagefault", page: 0, pages: 1, write: wp, wp, ctx: -1 })
export const ctx = (w: W) => w.ctxs[0]!
/** Thread t goes to sleep in handle_userfault. */
export const waits = (w: W, t: number, wp = false): ReadonlyArray<Step> => [
  [t, ask(ctx(w).pending_lock, Mutex.spinlock.lock)],
  [t, ask(ctx(w).pending, O.queue_add, { thread: t, message: message(wp), waken: false })],
  [t, ask(w.tasks[t]!.task, O.set_current_state, "TASK_INTERRUPTIBLE")],
  [t, ask(ctx(w).pending_lock, Mutex.spinlock.unlock)]
]
export const sleeps = (w: W, t: number): Step => [t, ask(w.tasks[t]!.task, O.schedule)]
export const counter = (a: { mm?: "tlb_flush_pending" | "mm_users" | "batched_pending" | "batched_flushed" }, w: W) =>
  w.mms[0]![a.mm!]
export const mmapWrite = (w: W, t: number): Step => [t, ask(w.mms[0]!.mmap_lock, Rwsem.rwsem.downWrite)]
export const vma = (w: W) => w.mms[0]!.vmas[0]!
export const locksVma = (w: W, t: number): ReadonlyArray<Step> => [
  [t, ask(w.mms[0]!.mm_lock_seq, O.mm_lock_seq_read)],
  [t, ask(vma(w), O.vma_refcount_inc)],
  [t, ask(w.mms[0]!.mm_lock_seq, O.mm_lock_seq_read)]
]
export const setFields = (w: W, t: number, change: Partial<O.VmaFields>): Step => [
  t,
  ask(vma(w), O.vma_set_fields, { ...vma(w).initial.fields, ...change })
]
