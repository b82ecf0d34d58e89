/** I-37, I-38, I-39: those who wait for user space. */
import { commands, type Event, type Monitor, Mutex, type Quiescence } from "@mmrace/core"
import {
  type Call,
  type CtxRef,
  enter,
  fault_signal,
  leave,
  queue_add,
  queue_del,
  schedule,
  type SignalMark,
  try_to_wake_up,
  type Waiter,
  type World
} from "../objects/index.ts"
import { type Calls, covers, discards, mmOf, wakes } from "./calls.ts"
import { filled, keyOf, pageName, withItem } from "./where.ts"

/** A thread in handle_userfault, from queueing to taking itself off. */
export interface Waiting {
  readonly ctx: number
  readonly page: number
  readonly wp: boolean
  /** An operation that began later has woken everybody who waits for the page. */
  readonly owed: boolean
}

export interface Waits {
  readonly waiting: ReadonlyArray<Waiting | undefined>
  readonly calls: Calls
  /**
   * By thread whose operation may wake others: a bit for each thread that waited already when it began, and has waited ever
   * since.
   */
  readonly present: ReadonlyArray<number>
  /** By key: an operation that wakes has returned when the page was resolved. */
  readonly answered: ReadonlyArray<boolean>
}

/** The context by one of its wait queues. */
const byActor = (world: World, pick: (ctx: CtxRef) => unknown): Map<unknown, CtxRef> =>
  new Map(world.ctxs.map((ctx) => [pick(ctx), ctx]))

const sleeps = (quiescence: Quiescence, thread: number): boolean =>
  quiescence.waiting.some((w) => w.thread === thread && (w.command as unknown) === schedule)

/** Closed while operations on the file were in progress: the last of them releases the context, and has not done so yet. */
const pinned = (world: World, ctx: number): boolean => {
  const { file, open } = world.ctxs[ctx]!.ctx.state
  return !open && file > 0
}

const mayAnswer = (call: Call): boolean => call.name === "close" || call.name === "unregister" || wakes(call)

const answers = (world: World, call: Call, result: number): boolean =>
  mayAnswer(call) && (call.name === "close" ? !pinned(world, call.ctx) : result >= 0)

const waitersOf = ({ waiting }: Waits): number =>
  waiting.reduce((bits, w, t) => w === undefined ? bits : bits | (1 << t), 0)

export const noLostWakeup = (world: World): Monitor<Waits> => {
  const pending = byActor(world, (ctx) => ctx.pending)
  const initial: Waits = {
    waiting: filled(world.tasks.length, undefined),
    calls: filled(world.tasks.length, undefined),
    present: filled(world.tasks.length, 0),
    answered: filled(world.mms.length * world.pages, false)
  }

  /** Nothing keeps the fault from going on: the page is there, may be written, or is no longer registered. */
  const resolved = (ctx: number, page: number, wp: boolean): boolean => {
    const mm = mmOf(world, 0, { name: "wake", page, pages: 1, mode: 0, dontwake: false, ctx })
    const vma = mm.mt.state[page] ?? -1
    const pte = mm.ptes[page]!.state
    if (wp) return pte._tag === "present" && !pte.uffdWp
    return (pte._tag !== "none" && pte._tag !== "marker") || vma < 0 || mm.vmas[vma]!.state.fields.uffd !== ctx
  }

  const left = (state: Waits, event: Event, call: Call): Waits => {
    const { thread } = event
    const mm = mmOf(world, thread, call)
    let { answered, waiting } = state
    if (call.ctx >= 0 && answers(world, call, (event.arg as { readonly result: number }).result)) {
      const all = call.name === "close"
      state.waiting.forEach((w, t) => {
        if (w === undefined || w.ctx !== call.ctx || !(all || covers(call, w.page))) return
        // Unregistering wakes those who wait for a missing page only.
        if (call.name === "unregister" && w.wp) return
        if ((state.present[thread]! & (1 << t)) !== 0) waiting = withItem(waiting, t, { ...w, owed: true })
      })
      const from = all ? 0 : call.page, to = all ? world.pages : call.page + call.pages
      for (let page = from; page < to; page++) answered = withItem(answered, keyOf(world, mm.id, page), true)
    }
    return {
      waiting,
      answered,
      calls: withItem(state.calls, thread, undefined),
      present: withItem(state.present, thread, 0)
    }
  }

  const entered = (state: Waits, event: Event, call: Call): Waits => {
    let { answered } = state
    if (
      discards(call) || call.name === "register" || (call.name === "writeprotect" && call.mode === 1) || call.dontwake
    ) {
      const { id } = mmOf(world, event.thread, call)
      for (let page = call.page; page < call.page + call.pages; page++) {
        answered = withItem(answered, keyOf(world, id, page), false)
      }
    }
    return {
      ...state,
      answered,
      calls: withItem(state.calls, event.thread, call),
      present: mayAnswer(call) ? withItem(state.present, event.thread, waitersOf(state)) : state.present
    }
  }

  return {
    id: "I-37",
    title: "NoLostWakeup",
    on: commands(enter, leave, queue_add, queue_del),
    initial: () => initial,
    step(state, event) {
      const command: unknown = event.command
      if (command === enter) return entered(state, event, event.arg as Call)
      if (command === leave) {
        const call = state.calls[event.thread]
        return call === undefined ? state : left(state, event, call)
      }
      const ctx = pending.get(event.actor)
      if (ctx === undefined) return state
      if (command === queue_add) {
        const { message, thread } = event.arg as Waiter
        const waiting: Waiting = { ctx: ctx.id, page: message.page, wp: message.wp, owed: false }
        const present = state.present.some((bits) => (bits & (1 << thread)) !== 0)
          ? state.present.map((bits) => bits & ~(1 << thread))
          : state.present
        return { ...state, present, waiting: withItem(state.waiting, thread, waiting) }
      }
      return event.arg === event.thread
        ? { ...state, waiting: withItem(state.waiting, event.thread, undefined) }
        : state
    },
    end(state, quiescence) {
      state.waiting.forEach((w, thread) => {
        if (w === undefined || !sleeps(quiescence, thread)) return
        const mm = mmOf(world, thread, { name: "wake", page: w.page, pages: 1, mode: 0, dontwake: false, ctx: w.ctx })
        const who = `${world.tasks[thread]!.name} sleeps for ${w.wp ? "write-protected" : "missing"} ${
          pageName(world, mm, w.page)
        }`
        if (w.owed) {
          quiescence.violate(`${who}, although an operation that began later woke everybody there`, "userfaultfd wait")
        } else if (state.answered[keyOf(world, mm.id, w.page)] && resolved(w.ctx, w.page, w.wp)) {
          quiescence.violate(`${who}, which is resolved, and who resolved it has done its waking`, "userfaultfd wait")
        } else {
          const { fault, pending: unread } = world.ctxs[w.ctx]!
          const queued = [...fault.state, ...unread.state].some((q) => q.thread === thread && !q.waken)
          if (!queued) quiescence.violate(`${who}, but is on no wait queue: nobody can wake it`, "userfaultfd wait")
        }
      })
    }
  }
}

/** By thread: 1 + number of the context it waits for and has not been woken from; 0 for none. */
export type Members = ReadonlyArray<number>

/** Looked at when fault_pending_wqh's lock is dropped: a reader moves entries from one queue to the other under it. */
export const queueMembership = (world: World): Monitor<Members> => {
  const pending = byActor(world, (ctx) => ctx.pending)
  const lock = byActor(world, (ctx) => ctx.pending_lock)
  const task = new Map<unknown, number>(world.tasks.map((t) => [t.task, t.id]))
  const nobody = filled(world.tasks.length, 0)
  return {
    id: "I-38",
    title: "QueueMembership",
    on: commands(queue_add, queue_del, try_to_wake_up, Mutex.spinlock.unlock),
    initial: () => nobody,
    step(state, event) {
      const command: unknown = event.command
      const { actor, thread } = event
      if (command === queue_add) {
        const ctx = pending.get(actor)
        return ctx === undefined ? state : withItem(state, (event.arg as Waiter).thread, ctx.id + 1)
      }
      if (command === queue_del) {
        return event.arg === thread && pending.has(actor) ? withItem(state, thread, 0) : state
      }
      if (command === try_to_wake_up) {
        const woken = task.get(actor)
        return event.result === true && woken !== undefined ? withItem(state, woken, 0) : state
      }
      if (state === nobody) return state
      const ctx = lock.get(actor)
      if (ctx === undefined) return state
      for (let t = 0; t < state.length; t++) {
        if (state[t] !== ctx.id + 1) continue
        const unread = ctx.pending.state.filter((w) => w.thread === t).length
        const read = ctx.fault.state.filter((w) => w.thread === t).length
        if (unread + read !== 1) {
          event.violate(
            `${world.tasks[t]!.name} waits, and is ${unread} times on fault_pending_wqh and ${read} times on fault_wqh`,
            "wait queue"
          )
        }
      }
      return state
    }
  }
}

export const releaseDrains = (world: World): Monitor<Calls> => {
  const initial: Calls = filled(world.tasks.length, undefined)
  return {
    id: "I-39",
    title: "ReleaseDrains",
    on: commands(enter, leave, fault_signal),
    initial: () => initial,
    step(state, event) {
      const command: unknown = event.command
      const { thread } = event
      if (command === enter) {
        const call = event.arg as Call
        return call.name === "close" ? withItem(state, thread, call) : state
      }
      if (command === fault_signal) {
        const { page, signal } = event.arg as SignalMark
        if (signal !== "SIGBUS") return state
        const { mm } = world.tasks[thread]!
        const pte = mm.ptes[page]!.state
        if ((pte._tag === "marker" && pte.poisoned) || pte._tag === "hwpoison") return state
        for (const { ctx, name } of world.ctxs) {
          if (ctx.state.released && ctx.state.mm === mm.id && ctx.state.features?.sigbus !== true) {
            event.violate(
              `${world.tasks[thread]!.name} gets SIGBUS at ${pageName(world, mm, page)} because ${name} is closed`,
              "close"
            )
          }
        }
        return state
      }
      const call = state[thread]
      if (call === undefined) return state
      if (call.ctx >= 0 && !pinned(world, call.ctx)) {
        for (const mm of world.mms) {
          const vma = mm.mt.state.find((v) => v >= 0 && mm.vmas[v]!.state.fields.uffd === call.ctx)
          if (vma !== undefined) {
            event.violate(
              `${world.ctxs[call.ctx]!.name} is closed, but ${mm.vmas[vma]!.name} still refers to it`,
              "close"
            )
          }
        }
      }
      return withItem(state, thread, undefined)
    },
    end(_state, quiescence) {
      for (const { ctx, event, fault, name, pending } of world.ctxs) {
        if (!ctx.state.released) continue
        for (const { thread } of [...pending.state, ...fault.state, ...event.state]) {
          if (sleeps(quiescence, thread)) {
            quiescence.violate(`${name} is closed, but ${world.tasks[thread]!.name} still sleeps on it`, "close")
          }
        }
      }
    }
  }
}
