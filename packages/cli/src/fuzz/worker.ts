/** A worker thread: runs slices of a campaign, explores and shrinks failures, so that the main thread stays free for the user. */
import { check, Kernel, kernelWords, loadProgram, type Program, smallerPrograms } from "@mmrace/actors"
import { checkDeterminism, type Cost, runSlice, shrink, shrinkProgram, type Slice } from "@mmrace/core"
import * as Result from "effect/Result"
import { parentPort, workerData } from "node:worker_threads"
import { Rounds } from "../explore/Rounds.ts"
import { exploreTask } from "../explore/work.ts"
import { asMergeables, makeAnalyses } from "./Analyses.ts"
import {
  type DeterminismRequest,
  type Message,
  type ShrinkRequest,
  stopFlags,
  type Task,
  type WorkerSetup
} from "./protocol.ts"

const setup = workerData as WorkerSetup
const stop = new Int32Array(setup.stop)
const kernel = Result.getOrThrow(Kernel.parse(setup.kernel))
const loaded = loadProgram(setup.program, kernel)

const progressEvery = 100

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port of worker_threads, not a window
const send = (message: Message): void => parentPort!.postMessage(message)

const stopped = (): boolean => Atomics.load(stop, stopFlags.all) !== 0

const slice = (task: Slice): void => {
  const analyses = makeAnalyses(loaded, task.from)
  let last = performance.now()
  const result = runSlice(loaded.model, task, {
    analyses: () => asMergeables(analyses),
    onFailure: (failure) => send({ _tag: "Failure", failure }),
    shouldStop: (executions, steps) => {
      const now = performance.now()
      if (now - last >= progressEvery) {
        last = now
        const progress = {
          executions,
          steps,
          pairs: analyses.coverage.pairs,
          classes: analyses.classes.counts.distinct
        }
        send({ _tag: "Progress", progress })
      }
      return stopped() || (task.untilFailure && task.from > Atomics.load(stop, stopFlags.after))
    }
  })
  send({ _tag: "SliceDone", result })
}

const build = (program: Program): ReturnType<typeof loadProgram>["model"] | undefined =>
  check(program, kernelWords).length > 0 ? undefined : loadProgram(program, kernel).model

const shrinkFailure = ({ choices, id, maxSteps, program }: ShrinkRequest): void => {
  let last = 0
  const options = {
    maxSteps,
    shouldStop: stopped,
    onProgress: (
      cost: Cost,
      executions: number
    ) => {
      const now = performance.now()
      if (now - last < progressEvery) return
      last = now
      send({ _tag: "ShrinkProgress", cost, executions })
    }
  }
  const done = program
    ? Result.map(
      shrinkProgram({ program: setup.program, build, candidates: smallerPrograms }, { choices, id }, options),
      ({ accepted, failure, program: smaller, tried }) => ({ shrunk: failure, program: smaller, tried, accepted })
    )
    : Result.map(
      shrink(loaded.model, { choices, id }, options),
      (shrunk) => ({ shrunk, program: setup.program, tried: 0, accepted: 0 })
    )
  send(
    Result.isSuccess(done)
      ? { _tag: "ShrinkDone", result: done.success }
      : { _tag: "ShrinkFailed", message: done.failure.message }
  )
}

const determinism = (request: DeterminismRequest): void => {
  const divergence = checkDeterminism(loaded.model, request)
  send({ _tag: "DeterminismDone", message: divergence?.message, execution: divergence?.execution ?? -1 })
}

const load = (): typeof loaded => loadProgram(setup.program, kernel)
let second: typeof loaded | undefined
const twin = (): typeof loaded => second ??= load()
const rounds = new Rounds(load, { stopped, send, twin })

parentPort!.on("message", (task: Task) => {
  try {
    if (task._tag === "Slice") slice(task.slice)
    else if (task._tag === "Shrink") shrinkFailure(task)
    else if (task._tag === "Determinism") determinism(task)
    else if (task._tag === "Round") send(rounds.run(task))
    else send(exploreTask(loaded, task, { stopped, send, twin }))
  } catch (error) {
    send({ _tag: "Broken", error: error instanceof Error ? error.stack ?? error.message : String(error) })
  }
})
