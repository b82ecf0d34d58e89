/**
 * Threads as actors: spawn, join, kill and exit are steps like any other, so they order, block and
 * appear in the log the same way. `choose` is the data choice: a thread asks the schedule for a number.
 */
import { ActorType } from "./Actor.ts"
import { aBoolean, anInt, anyValue } from "./Shape.ts"

export interface ThreadState {
  readonly id: number
  readonly phase: "unborn" | "running" | "done"
  readonly killed: boolean
}

export const threadType = new ActorType<ThreadState>("thread", {
  waitsFor: (s) => s.phase === "done" ? [] : [s.id],
  show: (s) => s.killed ? `${s.phase}, killed` : s.phase
})

/** Starts a thread that was declared with `start: "spawned"`; a second spawn is an error of the program. */
export const spawnThread = threadType.command("spawn", {
  access: "write",
  ordering: "release",
  decide(state) {
    if (state.phase !== "unborn") throw new Error("a thread can be spawned once per execution")
  },
  evolve: (state) => ({ ...state, phase: "running" })
})

export const joinThread = threadType.command("join", {
  access: "read",
  ordering: "acquire",
  blocked: (state) => state.phase !== "done"
})

/** Makes a fatal signal pending for a thread. */
export const killThread = threadType.command("kill", {
  access: "write",
  ordering: "release",
  evolve: (state) => ({ ...state, killed: true })
})

export const isThreadDone = threadType.command<void, boolean>("is_done", {
  access: "read",
  ordering: "acquire",
  decide: (state) => state.phase === "done",
  result: aBoolean
})

/** Logged by the engine when a thread's code ends; the result is what the code returned. */
export const exitThread = threadType.command<void, unknown>("exit", {
  access: "write",
  ordering: "release",
  evolve: (state) => ({ ...state, phase: "done" }),
  result: anyValue
})

export const choiceType = new ActorType<null>("choice")

/** `yield* ask(choice, chooseNumber, n)`: a number in 0..n-1 that the strategy picks and the schedule records. */
export const chooseNumber = choiceType.command<number, number>("choose", {
  access: "read",
  arg: anInt,
  result: anInt,
  show: (n, picked) => `${picked} of 0..${n - 1}`
})
