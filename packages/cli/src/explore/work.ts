/** A worker's side of an exploration: one task at a time, until it is done, split or to be laid aside. */
import type { LoadedProgram } from "@mmrace/actors"
import { Explore } from "@mmrace/core"
import { endStates } from "./EndStates.ts"
import { Memory } from "./memory.ts"
import { type Ending, type ExploreDone, type ExploreMessage, type ExploreRequest, isTree } from "./protocol.ts"

export const progressEvery = 200

/** Executions that must be possible between two times that memory runs short. */
export const leastProgress = 100

/** States for each byte of memory that may be held, at most, and the part of it that their rows may take. */
export const statesPerByte = 1 / 100
export const rowsPart = 0.3

export interface Surroundings {
  readonly stopped: () => boolean
  readonly send: (message: ExploreMessage) => void
  /** The program loaded once more: the first one is in use while it is explored. */
  readonly twin: () => LoadedProgram
}

export const exploreTask = (loaded: LoadedProgram, request: ExploreRequest, around: Surroundings): ExploreDone => {
  const { plan, task } = request
  const { isFailure, model, outcomeOf } = endStates(loaded)
  const tree = isTree(plan)
  const memory = new Memory(request.memory)
  let saveAt = request.pause === undefined ? Infinity : performance.now() + request.pause * 1000
  let lastProgress = performance.now()
  let budget = request.budget ?? Infinity
  let { resume } = request
  for (;;) {
    const end: { why: Ending | "budget" } = { why: "done" }
    let least = 0
    const stop = (why: Ending | "budget"): string => end.why = why
    const interrupt: Explore.ExploreOptions["interrupt"] = (progress, save) => {
      const now = performance.now()
      const done = progress.executions + progress.blocked
      if (least === 0) least = done + leastProgress
      if (now - lastProgress >= progressEvery) {
        lastProgress = now
        const { executions, fraction, states, steps } = progress
        around.send({ _tag: "Exploring", progress: { executions, states, steps, fraction, memory: memory.used } })
      }
      if (tree ? done >= budget : progress.states >= budget) return stop(tree ? "budget" : "spent")
      if (around.stopped()) return stop("stopped")
      if (now >= saveAt) {
        saveAt = now + request.pause! * 1000
        const checkpoint = save()
        if (checkpoint !== undefined) around.send({ _tag: "Saved", checkpoint })
      }
      const pressure = memory.look()
      // The tree of executions needs little: what is remembered to save work can be had again.
      if (tree ? pressure !== "fine" && done >= least : pressure === "full") return stop("memory")
      return tree && pressure === "full" ? stop("memory") : undefined
    }
    const explored = Explore.explore(model, {
      outcomeOf,
      isFailure,
      interrupt,
      maxSteps: plan.maxSteps,
      onFailure: plan.untilFailure ? "stop" : "continue",
      maxStates: Math.ceil(request.memory * statesPerByte),
      fullBytes: Math.ceil(request.memory * rowsPart),
      tight: () => memory.look() !== "fine",
      found: (name, moves) =>
        around.send({ _tag: "Found", name, choices: choicesOf(around.twin(), moves, plan.maxSteps) }),
      ...(plan.cost === undefined ? { reduction: plan.reduction } : { cost: plan.cost }),
      ...(plan.bound === undefined ? {} : { bound: plan.bound }),
      ...(tree ? { task } : {}),
      ...(resume === undefined ? {} : { resume })
    })
    const { executions } = explored.counts
    if (end.why === "memory" && explored.checkpoint !== undefined && executions + explored.counts.blocked >= least) {
      resume = explored.checkpoint
      continue
    }
    if (end.why !== "budget") return { _tag: "Explored", explored, ending: end.why }
    const tasks = Explore.split(model, task, { maxSteps: plan.maxSteps, parts: request.parts })
    if (tasks.length > 1) return { _tag: "Split", tasks }
    budget = Infinity
    resume = explored.checkpoint
  }
}

export const choicesOf = (
  twin: LoadedProgram,
  moves: ReadonlyArray<Explore.Move>,
  maxSteps: number
): ReadonlyArray<number> =>
  Explore.witnessOf(endStates(twin).model, moves, { maxSteps, partialDeadlocks: true }).choices
