/**
 * A mutex with condition variables (a monitor in Hoare's sense, with the rules of Mesa and POSIX: a signal is a hint,
 * whoever gets the mutex first runs first). `wait` gives the mutex up and joins the condition in one step; that one
 * step is why mutex and conditions are one actor. Conditions are numbered from 0.
 */
import { type Actor, ActorType, type LockEffect, type ThreadRef } from "../Actor.ts"
import { ask, type Ask, type Path } from "../Ask.ts"
import { anInt } from "../Shape.ts"

export interface ConditionState {
  /** Thread id of the mutex's owner; -1 when free. */
  readonly owner: number
  /** Threads waiting for a signal, in the order they came. */
  readonly waiting: ReadonlyArray<{ readonly thread: number; readonly condition: number }>
}

const free = -1

export const unlocked: ConditionState = { owner: free, waiting: [] }

const acquired: LockEffect = { action: "acquire", mode: "write" }
const released: LockEffect = { action: "release", mode: "write" }

const waits = (state: ConditionState, thread: number): boolean => state.waiting.some((w) => w.thread === thread)

const type = new ActorType<ConditionState>("condition", {
  waitsFor: (state, waiter) => state.owner === free || waits(state, waiter) ? [] : [state.owner],
  show: (state) => {
    const owner = state.owner === free ? "free" : `held by thread ${state.owner}`
    if (state.waiting.length === 0) return owner
    return `${owner}; waiting: ${state.waiting.map((w) => `thread ${w.thread} (condition ${w.condition})`).join(", ")}`
  }
})

const mustOwn = (state: ConditionState, thread: ThreadRef, what: string): void => {
  if (state.owner !== thread.id) {
    throw new Error(`${thread.name}: ${what} without holding the mutex; it is ${type.show!(state)}`)
  }
}

const countWaiting = (state: ConditionState, condition: number): number =>
  state.waiting.reduce((n, w) => w.condition === condition ? n + 1 : n, 0)

/** The steps. `wait`, `signal` and `broadcast` take the number of the condition. */
export const condition = {
  type,
  lock: type.command("lock", {
    access: "write",
    ordering: "acquire",
    blocked: (state) => state.owner !== free,
    evolve: (state, _arg, _result, thread) => ({ ...state, owner: thread }),
    lock: () => acquired
  }),
  unlock: type.command("unlock", {
    access: "write",
    ordering: "release",
    decide: (state, _arg, thread) => mustOwn(state, thread, "unlock"),
    evolve: (state) => ({ ...state, owner: free }),
    lock: () => released
  }),
  /** Gives the mutex up and waits for a signal from now on; `relock` follows. */
  wait: type.command<number>("wait", {
    access: "write",
    ordering: "release",
    decide: (state, _arg, thread) => mustOwn(state, thread, "wait"),
    evolve: (state, which, _result, thread) => ({
      owner: free,
      waiting: [...state.waiting, { thread, condition: which }]
    }),
    lock: () => released,
    arg: anInt
  }),
  /** The second half of a wait: waits for the signal, then for the mutex. */
  relock: type.command("relock", {
    access: "write",
    ordering: "acquire",
    blocked: (state, _arg, thread) => state.owner !== free || waits(state, thread.id),
    evolve: (state, _arg, _result, thread) => ({ ...state, owner: thread }),
    lock: () => acquired
  }),
  /** Wakes the thread that has waited longest; returns how many were woken, 0 or 1. */
  signal: type.command<number, number>("signal", {
    access: "write",
    ordering: "acq_rel",
    decide: (state, which) => Math.min(1, countWaiting(state, which)),
    evolve: (state, which, woken) =>
      woken === 0
        ? state
        : { ...state, waiting: state.waiting.toSpliced(state.waiting.findIndex((w) => w.condition === which), 1) },
    arg: anInt,
    result: anInt
  }),
  /** Wakes all threads that wait for the condition; returns how many. */
  broadcast: type.command<number, number>("broadcast", {
    access: "write",
    ordering: "acq_rel",
    decide: countWaiting,
    evolve: (state, which, woken) =>
      woken === 0 ? state : { ...state, waiting: state.waiting.filter((w) => w.condition !== which) },
    arg: anInt,
    result: anInt
  })
}

export const lock = (mutex: Actor<ConditionState>): Ask<void> => ask(mutex, condition.lock)
export const unlock = (mutex: Actor<ConditionState>): Ask<void> => ask(mutex, condition.unlock)
export const signal = (mutex: Actor<ConditionState>, which = 0): Ask<number> => ask(mutex, condition.signal, which)
export const broadcast = (mutex: Actor<ConditionState>, which = 0): Ask<number> =>
  ask(mutex, condition.broadcast, which)

/** Call with the mutex held; returns with it held, after a signal. Check what was waited for again, in a loop. */
export function* wait(mutex: Actor<ConditionState>, which = 0): Path<void> {
  yield* ask(mutex, condition.wait, which)
  yield* ask(mutex, condition.relock)
}
