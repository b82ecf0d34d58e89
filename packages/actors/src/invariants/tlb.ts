/** I-51, I-53: TLB entries and the flushes that are owed for them. */
import { commands, type Event, type Monitor, Mutex } from "@mmrace/core"
import {
  atomic_add_return,
  atomic_cmpxchg,
  atomic_set,
  type Call,
  enter,
  type Fill,
  fork_begin,
  fork_copied,
  leave,
  type MmRef,
  swap_write_data,
  tlb_fill,
  type TlbEntry,
  type World
} from "../objects/index.ts"
import { mmOf } from "./calls.ts"
import { filled, inRewrite, lookUp, pageName, whereOf, withItem } from "./where.ts"

/** What an operation saw in the TLBs when it began: its return promises that stale ones of these are gone. */
interface Promise {
  readonly call: Call
  readonly mm: number
  /** By CPU of the mm, and page: an entry was cached then, and none has been filled since. */
  readonly cached: ReadonlyArray<ReadonlyArray<boolean>>
}

export interface Owed {
  /** By thread: a bit for each mm whose flush its reclaim deferred (tlb_ubc). */
  readonly batched: ReadonlyArray<number>
  /** By mm: threads copying its page tables in fork, before their flush. */
  readonly forking: ReadonlyArray<number>
  /** By thread. */
  readonly promises: ReadonlyArray<Promise | undefined>
}

const promisesFlush = (call: Call): boolean =>
  call.name === "munmap" || call.name === "madvise_dontneed" || call.name === "mprotect" ||
  (call.name === "writeprotect" && call.mode === 1)

/** The entry is backed by the page table. */
const backed = (mm: MmRef, page: number, entry: TlbEntry): boolean => {
  const pte = mm.ptes[page]!.state
  return pte._tag === "present" && !pte.protnone && pte.pfn === entry.pfn && (pte.write || !entry.write)
}

const batchedBy = (state: Owed, mm: MmRef): boolean => {
  for (let t = 0; t < state.batched.length; t++) if ((state.batched[t]! & (1 << mm.id)) !== 0) return true
  return false
}

const protAt = (mm: MmRef, page: number): string => {
  const vma = mm.mt.state[page] ?? -1
  return vma < 0 ? "unmapped" : mm.vmas[vma]!.state.fields.prot
}

export const tlbContract = (world: World): Monitor<Owed> => {
  const where = whereOf(world)
  const initial: Owed = {
    batched: filled(world.tasks.length, 0),
    forking: filled(world.mms.length, 0),
    promises: filled(world.tasks.length, undefined)
  }

  const owed = (state: Owed, mm: MmRef, page: number): boolean =>
    inRewrite(world, mm, page) || mm.tlb_flush_pending.state > 0 || state.forking[mm.id]! > 0 ||
    batchedBy(state, mm)

  const complain = (mm: MmRef, page: number, entry: TlbEntry, cpu: number, event: Event, why: string): void =>
    event.violate(
      `cpu ${cpu} has ${entry.write ? "a writable" : "a"} TLB entry for ${
        pageName(world, mm, page)
      } to pfn ${entry.pfn}, ${why}`,
      "TLB entry"
    )

  const checkPage = (state: Owed, mm: MmRef, page: number, event: Event): void => {
    for (const { actor, id } of mm.cpumask) {
      const entry = actor.state.tlb[page]
      if (entry !== undefined && !backed(mm, page, entry) && !owed(state, mm, page)) {
        complain(mm, page, entry, id, event, "which the page table does not back, and nobody owes a flush")
      }
    }
  }

  const checkMm = (state: Owed, mm: MmRef, event: Event): void => {
    for (let page = 0; page < world.pages; page++) checkPage(state, mm, page, event)
  }

  /** try_to_unmap_flush_dirty() comes before I/O: who still has a dirty entry would write behind its back. */
  const checkBeforeIo = (batch: number, event: Event): void => {
    for (const mm of world.mms) {
      if ((batch & (1 << mm.id)) === 0) continue
      for (const { actor, id } of mm.cpumask) {
        actor.state.tlb.forEach((entry, page) => {
          const pte = mm.ptes[page]!.state
          if (entry === undefined || !entry.write || !entry.dirty || pte._tag !== "swap") return
          if (world.slots[pte.offset]!.actor !== (event.actor as unknown)) return
          complain(mm, page, entry, id, event, "and the page is being written to swap")
        })
      }
    }
  }

  /** What is cached from now on is no older than the operations in progress. */
  const filledAgain = (state: Owed, mm: MmRef, cpu: number, page: number): Owed => {
    let { promises } = state
    state.promises.forEach((promise, t) => {
      if (promise === undefined || promise.mm !== mm.id || promise.cached[cpu]?.[page] !== true) return
      const cached = withItem(promise.cached, cpu, withItem(promise.cached[cpu], page, false))
      promises = withItem(promises, t, { ...promise, cached })
    })
    return promises === state.promises ? state : { ...state, promises }
  }

  const checkPromise = ({ cached, call, mm: m }: Promise, event: Event): void => {
    const mm = world.mms[m]!
    mm.cpumask.forEach(({ actor, id }, c) => {
      for (let page = call.page; page < call.page + call.pages; page++) {
        const entry = actor.state.tlb[page]
        if (entry === undefined || !cached[c]![page]) continue
        const broken = call.name === "mprotect"
          ? (entry.write && protAt(mm, page) === "r") || protAt(mm, page) === "none"
          : !backed(mm, page, entry)
        if (broken) complain(mm, page, entry, id, event, `although ${call.name} of it has returned`)
      }
    })
  }

  return {
    id: "I-51",
    title: "TlbContract",
    on: commands(
      Mutex.spinlock.unlock,
      tlb_fill,
      atomic_add_return,
      atomic_set,
      atomic_cmpxchg,
      fork_begin,
      fork_copied,
      swap_write_data,
      enter,
      leave
    ),
    initial: () => initial,
    step(state, event) {
      const command: unknown = event.command
      const { actor, thread } = event
      if (command === Mutex.spinlock.unlock) {
        const m = lookUp(where.ptlMm, actor.id)
        if (m < 0) return state
        const { first, pages } = world.regions[where.ptlRegion[actor.id]!]!
        for (let page = first; page < first + pages; page++) checkPage(state, world.mms[m]!, page, event)
        return state
      }
      const task = world.tasks[thread]
      if (task === undefined) return state
      if (command === tlb_fill) {
        const { page } = event.arg as Fill
        checkPage(state, task.mm, page, event)
        return filledAgain(state, task.mm, task.mm.cpumask.findIndex((cpu) => (cpu.actor as unknown) === actor), page)
      }
      if (command === atomic_add_return || command === atomic_set || command === atomic_cmpxchg) {
        const pending = lookUp(where.flushPending, actor.id)
        if (pending >= 0) {
          if (actor.state === 0) checkMm(state, world.mms[pending]!, event)
          return state
        }
        const m = lookUp(where.batched, actor.id)
        if (m < 0 || actor !== (world.mms[m]!.batched_pending as unknown)) return state
        return { ...state, batched: withItem(state.batched, thread, state.batched[thread]! | (1 << m)) }
      }
      if (command === fork_begin || command === fork_copied) {
        const n = state.forking[task.mm.id]! + (command === fork_begin ? 1 : -1)
        const next = { ...state, forking: withItem(state.forking, task.mm.id, Math.max(0, n)) }
        if (n <= 0) checkMm(next, task.mm, event)
        return next
      }
      if (command === enter) {
        const call = event.arg as Call
        if (!promisesFlush(call)) return state
        const mm = mmOf(world, thread, call)
        return {
          ...state,
          promises: withItem(state.promises, thread, {
            call,
            mm: mm.id,
            cached: mm.cpumask.map((cpu) => cpu.actor.state.tlb.map((entry) => entry !== undefined))
          })
        }
      }
      const batch = state.batched[thread]!
      if (command === swap_write_data) {
        if (batch !== 0) checkBeforeIo(batch, event)
        return state
      }
      // try_to_unmap_flush() comes before reclaim ends.
      let next = state
      if (batch !== 0) {
        next = { ...next, batched: withItem(next.batched, thread, 0) }
        for (const mm of world.mms) if ((batch & (1 << mm.id)) !== 0) checkMm(next, mm, event)
      }
      const promise = state.promises[thread]
      if (promise !== undefined) {
        if ((event.arg as { readonly result: number }).result >= 0) checkPromise(promise, event)
        next = { ...next, promises: withItem(next.promises, thread, undefined) }
      }
      return next
    }
  }
}

/** By mm and thread: gathers it has begun and not finished. */
export type Gathers = ReadonlyArray<number>

export const tlbPendingBalance = (world: World): Monitor<Gathers> => {
  const where = whereOf(world)
  const threads = world.tasks.length
  const none = filled(world.mms.length * threads, 0)
  return {
    id: "I-53",
    title: "TlbPendingBalance",
    on: commands(atomic_add_return, atomic_set, atomic_cmpxchg, leave),
    initial: () => none,
    step(state, event) {
      const { actor, thread } = event
      if ((event.command as unknown) === leave) {
        for (let m = 0; m < world.mms.length; m++) {
          const n = state[m * threads + thread] ?? 0
          if (n !== 0) event.violate(`tlb_flush_pending is off by ${n} when the operation returns`, "tlb_flush_pending")
        }
        return state
      }
      const m = lookUp(where.flushPending, actor.id)
      if (m >= 0) {
        const value = actor.state as number
        const change = value - (event.before as number)
        if (value < 0) event.violate(`tlb_flush_pending is ${value}`, "tlb_flush_pending")
        return withItem(state, m * threads + thread, state[m * threads + thread]! + change)
      }
      const b = lookUp(where.batched, actor.id)
      if (b >= 0) {
        const pending = world.mms[b]!.batched_pending.state
        const flushed = world.mms[b]!.batched_flushed.state
        if (pending < flushed) {
          event.violate(
            `batched unmap: generation ${flushed} is flushed, but only ${pending} is pending`,
            "tlb_flush_batched"
          )
        }
      }
      return state
    }
  }
}
