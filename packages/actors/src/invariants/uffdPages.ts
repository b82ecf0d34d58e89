/** I-27, I-34, I-41, I-43: what userfaultfd promises about pages. */
import { hasUffdWp, type Pte } from "@mmrace/arch"
import { commands, type Event, type Monitor, Mutex } from "@mmrace/core"
import {
  type Access,
  atomic_add_return,
  atomic_set,
  type Call,
  enter,
  event_begin,
  event_end,
  leave,
  page_write,
  ptep_get_and_clear,
  set_pte_at,
  translate,
  type World
} from "../objects/index.ts"
import { callCommands, type Calls, callsStep, covers, discards, fills, mmOf } from "./calls.ts"
import { filled, inInstruction, inRewrite, keyOf, lookUp, pageName, whereOf, withItem } from "./where.ts"

/** Not trapped; trapped; to be decided when the page-table lock is dropped. */
const OPEN = 0, ARMED = 1, UNDECIDED = 2

export interface Traps {
  readonly armed: ReadonlyArray<number>
  readonly calls: Calls
  /** By thread that write-protects: something that takes protection away overlapped with it. */
  readonly disturbed: ReadonlyArray<boolean>
  readonly page: ReadonlyArray<number>
}

/** Takes the write-protection of its pages away, by order of user space. */
const disarms = (call: Call): boolean =>
  discards(call) || call.name === "madvise_free" || call.name === "register" || call.name === "unregister" ||
  call.name === "close" || fills(call) || (call.name === "writeprotect" && call.mode === 0)

const arms = (call: Call): boolean => call.mode === 1 && (call.name === "writeprotect" || call.name === "copy")

const overlap = (a: Call, b: Call): boolean =>
  a.name === "close" || b.name === "close" || (a.page < b.page + b.pages && b.page < a.page + a.pages)

export const wpTrap = (world: World): Monitor<Traps> => {
  const where = whereOf(world)
  const initial: Traps = {
    armed: filled(world.mms.length * world.pages, OPEN),
    calls: filled(world.tasks.length, undefined),
    disturbed: filled(world.tasks.length, false),
    page: filled(world.tasks.length, -1)
  }
  const entered = (state: Traps, event: Event, call: Call): Traps => {
    const { thread } = event
    const mm = mmOf(world, thread, call)
    let { armed, disturbed } = state
    if (arms(call)) {
      const disturber = state.calls.some((other, t) =>
        other !== undefined && disarms(other) && mmOf(world, t, other) === mm && overlap(other, call)
      )
      disturbed = withItem(disturbed, thread, disturber)
    }
    if (disarms(call)) {
      const whole = call.name === "close"
      const from = whole ? 0 : call.page, to = whole ? world.pages : call.page + call.pages
      for (let page = from; page < to; page++) armed = withItem(armed, keyOf(world, mm.id, page), OPEN)
      state.calls.forEach((other, t) => {
        if (other !== undefined && arms(other) && mmOf(world, t, other) === mm && overlap(other, call)) {
          disturbed = withItem(disturbed, t, true)
        }
      })
    }
    return { ...state, calls: withItem(state.calls, thread, call), armed, disturbed }
  }

  const left = (state: Traps, event: Event): Traps => {
    const { thread } = event
    const call = state.calls[thread]
    const next = { ...state, calls: withItem(state.calls, thread, undefined) }
    if (call === undefined || !arms(call) || state.disturbed[thread]) return next
    if ((event.arg as { readonly result: number }).result < 0) return next
    const mm = mmOf(world, thread, call)
    for (let page = call.page; page < call.page + call.pages; page++) {
      const trap = inRewrite(world, mm, page) ? UNDECIDED : hasUffdWp(mm.ptes[page]!.state) ? ARMED : OPEN
      next.armed = withItem(next.armed, keyOf(world, mm.id, page), trap)
    }
    return next
  }

  return {
    id: "I-27",
    title: "WpTrap",
    on: commands(...callCommands, translate, page_write, Mutex.spinlock.unlock),
    initial: () => initial,
    step(state, event) {
      const command: unknown = event.command
      const { actor, thread } = event
      if (command === translate) {
        const { page, store } = event.arg as Access
        return store && state.page[thread] !== page ? { ...state, page: withItem(state.page, thread, page) } : state
      }
      if (command === page_write) {
        if (state.armed === initial.armed || !inInstruction(world, event)) return state
        const { mm } = world.tasks[thread]!
        const page = state.page[thread]!
        if (state.armed[keyOf(world, mm.id, page)] === ARMED) {
          event.violate(
            `${pageName(world, mm, page)} is stored to, but it is write-protected and nobody has resolved that`,
            "write-protected page"
          )
        }
        return state
      }
      if (command === Mutex.spinlock.unlock) {
        if (state.armed === initial.armed) return state
        const m = lookUp(where.ptlMm, actor.id)
        if (m < 0) return state
        let { armed } = state
        const { first, pages } = world.regions[where.ptlRegion[actor.id]!]!
        for (let page = first; page < first + pages; page++) {
          const key = keyOf(world, m, page)
          if (armed[key] !== UNDECIDED) continue
          armed = withItem(armed, key, hasUffdWp(world.mms[m]!.ptes[page]!.state) ? ARMED : OPEN)
        }
        return armed === state.armed ? state : { ...state, armed }
      }
      return command === enter ? entered(state, event, event.arg as Call) : left(state, event)
    }
  }
}

export const noOverwrite = (world: World): Monitor<Calls> => {
  const where = whereOf(world)
  const initial: Calls = filled(world.tasks.length, undefined)
  return {
    id: "I-34",
    title: "NoOverwrite",
    on: commands(...callCommands, set_pte_at, ptep_get_and_clear),
    initial: () => initial,
    step(state, event) {
      const command: unknown = event.command
      if (command === enter || command === leave) return callsStep(state, event)
      const call = state[event.thread]
      if (call === undefined || !fills(call)) return state
      const m = lookUp(where.pteMm, event.actor.id)
      const page = where.ptePage[event.actor.id]!
      const before = (event.before as Pte)._tag
      if (m === mmOf(world, event.thread, call).id && covers(call, page) && before !== "none" && before !== "marker") {
        event.violate(
          `${call.name} replaces the ${before} entry of ${pageName(world, world.mms[m]!, page)}`,
          "page-table entry"
        )
      }
      return state
    }
  }
}

export interface Events {
  /** By context: threads whose event is in flight. */
  readonly inFlight: ReadonlyArray<ReadonlyArray<number>>
  readonly calls: Calls
}

export const noEvents = (world: World): Events => ({
  inFlight: filled(world.ctxs.length, []),
  calls: filled(world.tasks.length, undefined)
})

export const eventCommands = [atomic_add_return, atomic_set, event_begin, event_end, enter, leave] as const

/** Which events are in flight: as the counter tells it, or as the flag that older kernels have does, or by marks. */
export const eventsStep = (world: World, state: Events, event: Event): Events => {
  const command: unknown = event.command
  if (command === enter || command === leave) return { ...state, calls: callsStep(state.calls, event) }
  const mark = command === event_begin || command === event_end
  const ctx = mark ? event.arg as number : lookUp(whereOf(world).mmapChanging, event.actor.id)
  if (ctx < 0) return state
  const begins = mark ? command === event_begin : (event.arg as number) > 0
  const threads = state.inFlight[ctx]!
  if (begins) return { ...state, inFlight: withItem(state.inFlight, ctx, [...threads, event.thread]) }
  const at = threads.indexOf(event.thread)
  return at < 0 ? state : { ...state, inFlight: withItem(state.inFlight, ctx, threads.toSpliced(at, 1)) }
}

/**
 * A fill that began before the event must be over when the event begins, and one that begins later must fail: so no
 * fill changes an entry while an event is in flight.
 */
export const eventOrdering = (world: World): Monitor<Events> => {
  const where = whereOf(world)
  const initial = noEvents(world)
  return {
    id: "I-41",
    title: "EventOrdering",
    on: commands(...eventCommands, set_pte_at),
    initial: () => initial,
    step(state, event) {
      if ((event.command as unknown) !== set_pte_at) return eventsStep(world, state, event)
      const call = state.calls[event.thread]
      if (call === undefined || call.ctx < 0 || !(fills(call) || call.name === "writeprotect")) return state
      const page = where.ptePage[event.actor.id]!
      const m = lookUp(where.pteMm, event.actor.id)
      if (m < 0 || !covers(call, page) || m !== mmOf(world, event.thread, call).id) return state
      if (state.inFlight[call.ctx]!.length > 0) {
        event.violate(
          `${call.name} changes ${pageName(world, world.mms[m]!, page)} while an event of its context is in flight`,
          "userfaultfd event"
        )
      }
      return state
    }
  }
}

export interface Registered {
  /** By key: the entry was a page, or a swap entry, when its page-table lock was last dropped. */
  readonly populated: ReadonlyArray<boolean>
  readonly calls: Calls
}

const isPopulated = (pte: Pte): boolean => pte._tag !== "none" && pte._tag !== "marker"

/** A fault that got its lock after REGISTER(MISSING) asks user space: only the context's own fills put a page there. */
export const registerVisibility = (world: World): Monitor<Registered> => {
  const where = whereOf(world)
  const initial: Registered = {
    populated: world.mms.flatMap((mm) => mm.ptes.map((pte) => isPopulated(pte.initial))),
    calls: filled(world.tasks.length, undefined)
  }
  return {
    id: "I-43",
    title: "RegisterVisibility",
    on: commands(...callCommands, Mutex.spinlock.unlock),
    initial: () => initial,
    step(state, event) {
      const { actor, thread } = event
      if ((event.command as unknown) !== Mutex.spinlock.unlock) {
        return { ...state, calls: callsStep(state.calls, event) }
      }
      const m = lookUp(where.ptlMm, actor.id)
      if (m < 0) return state
      const mm = world.mms[m]!
      const { first, pages } = world.regions[where.ptlRegion[actor.id]!]!
      let { populated } = state
      for (let page = first; page < first + pages; page++) {
        const key = keyOf(world, m, page)
        const now = isPopulated(mm.ptes[page]!.state)
        if (now === populated[key]) continue
        populated = withItem(populated, key, now)
        const vma = mm.mt.state[page] ?? -1
        if (!now || vma < 0) continue
        const { uffd, uffdMissing } = mm.vmas[vma]!.state.fields
        const call = state.calls[thread]
        if (uffd < 0 || !uffdMissing || call?.name === "fork" || (call !== undefined && fills(call))) continue
        event.violate(
          `${pageName(world, mm, page)} is registered for missing faults, but a fault put a page there by itself`,
          "VMA"
        )
      }
      return populated === state.populated ? state : { ...state, populated }
    }
  }
}
