/** Fuzzing as a user sees it: campaign, logs, minimising. What is found is on disk before anything else is done with it. */
import { type Failure, isFailure, type RecordedExecution } from "@mmrace/core"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import { isInterrupted, listenForInterrupt } from "../interrupt.ts"
import { complain, count, endStatus, note, showStatus } from "../screen.ts"
import type { Job } from "../Subject.ts"
import { type UserError, userError } from "../UserError.ts"
import { type Fuzzed, fuzzOn, type FuzzOptions } from "./campaign.ts"
import { fileStem, headerOf, openFolder, pathFor, record, writeLogAt } from "./LogStore.ts"
import { Pool } from "./Pool.ts"
import type { ShrinkResult } from "./protocol.ts"

export interface SessionOptions extends FuzzOptions {
  readonly workers: number
  /** Where logs go; made when the first one is written, unless `checkFolder`. */
  readonly folder: string
  /** The user named the folder: find out now whether it can be written. */
  readonly checkFolder: boolean
  /** Minimise what is found. */
  readonly shrink: boolean
}

/** A failure and what became of it. */
export interface Found {
  readonly failure: Failure
  /** Log of the execution as it was found; undefined when it could not be written. */
  readonly log: string | undefined
  readonly minimal: Minimal | undefined
}

export interface Minimal {
  readonly result: ShrinkResult
  readonly log: string | undefined
  readonly recorded: RecordedExecution
}

export interface Session {
  readonly fuzzed: Fuzzed
  /** Failures of the campaign, by execution. An execution that reached the step limit is none. */
  readonly found: ReadonlyArray<Found>
}

export const runSession = (
  job: Job,
  options: SessionOptions
): Effect.Effect<Session, UserError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    if (options.checkFolder) yield* openFolder(options.folder)
    const run = Effect.runPromiseWith(yield* Effect.context<FileSystem.FileSystem>())
    // In a long campaign, and where somebody watches, what is found is told at once. Where the first failure ends it, a
    // file or pipe gets it a moment later, when it is known which one is the first: whatever the speed of the workers.
    const atOnce = options.keepGoing || process.stderr.isTTY === true
    /** By failure id: the execution that is on disk, and where. */
    const stored = new Map<string, { readonly execution: number; readonly path: string | undefined }>()
    const store = async (failure: Failure): Promise<void> => {
      const path = await run(storeFailure(job, options, failure))
      stored.set(failure.id, { execution: failure.execution, path })
      if (path !== undefined && atOnce) note(foundText(failure, path))
    }
    const pool = yield* Effect.acquireRelease(
      Effect.sync(() => new Pool(job, options.workers)),
      (opened) => Effect.promise(() => opened.close())
    )
    const writes: Array<Promise<void>> = []
    const fuzzed = yield* Effect.promise(() =>
      fuzzOn(pool, job, options, (failure) => {
        if (isFailure(failure.verdict)) writes.push(store(failure))
      })
    )
    yield* Effect.promise(() => Promise.all(writes))
    if (fuzzed.broken !== undefined) complain(`a worker failed, what was found until then is kept: ${fuzzed.broken}`)
    const failures = fuzzed.report.failures.filter((f) => isFailure(f.verdict))
    // Another worker may have seen the same failure in a later execution first; the first one counts.
    for (const failure of failures) {
      if (stored.get(failure.id)?.execution !== failure.execution) yield* Effect.promise(() => store(failure))
      const path = stored.get(failure.id)?.path
      if (path !== undefined && !atOnce) note(foundText(failure, path))
    }
    for (const [id, { path }] of stored) {
      if (path !== undefined && !failures.some((f) => f.id === id)) {
        note(`also seen behind the first failure: ${id}, log ${path}`)
      }
    }
    const found: Array<Found> = []
    for (const failure of failures) {
      const minimal = options.shrink && failure.reproduced && !isInterrupted() && fuzzed.broken === undefined
        ? yield* minimise(job, options, pool, failure)
        : undefined
      found.push({ failure, log: stored.get(failure.id)?.path, minimal })
    }
    return { fuzzed, found }
  }).pipe(Effect.scoped)

const foundText = ({ execution, id }: Failure, path: string): string =>
  `found ${id} in execution ${execution}, log ${path}`

type Storing = Pick<SessionOptions, "folder" | "maxSteps">

/** Writes the log of a failure, or says why it cannot. Never fails: the campaign goes on. */
export const storeFailure = (
  job: Job,
  { folder, maxSteps }: Storing,
  failure: Failure
): Effect.Effect<string | undefined, never, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    yield* openFolder(folder)
    const path = yield* pathFor(folder, fileStem(job, failure.id), job)
    const executed = yield* recordSafely(job, failure.choices, maxSteps)
    const { choices, execution, seed, strategy, token } = failure
    const schedule = token === undefined ? choices : executed.token
    const header = headerOf(job, { strategy, seed, execution, schedule, maxSteps: executed.maxSteps })
    yield* writeLogAt(path, job, header, executed.recorded)
    return path
  }).pipe(
    Effect.catch((error) => {
      complain(
        `${error.message}\nThe failure ${failure.id} can be had again with --schedule ${
          failure.token ?? "(none: it does not repeat)"
        }`
      )
      return Effect.succeed(undefined)
    })
  )

const recordSafely = (job: Job, choices: ReadonlyArray<number>, maxSteps: number) =>
  Effect.try({
    try: () => record(job, choices, maxSteps),
    catch: (error) =>
      userError(`the execution cannot be repeated: ${error instanceof Error ? error.message : String(error)}`)
  })

/** Shrinks a failure on a worker and writes the result beside the log. */
export const minimise = (
  job: Job,
  options: Storing,
  pool: Pool,
  failure: Failure
): Effect.Effect<Minimal | undefined, never, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const done = yield* Effect.promise(() => shrinkOn(pool, job, failure, options.maxSteps, false))
    if (typeof done === "string") {
      complain(`${failure.id} could not be minimised: ${done}`)
      return undefined
    }
    const { shrunk } = done
    const { maxSteps, recorded, token } = yield* Effect.orDie(recordSafely(job, shrunk.choices, options.maxSteps))
    const header = headerOf(job, {
      strategy: "shrunk",
      seed: failure.seed,
      execution: failure.execution,
      schedule: token,
      maxSteps
    })
    const log = yield* Effect.gen(function*() {
      yield* openFolder(options.folder)
      const path = yield* pathFor(options.folder, `${fileStem(job, failure.id)}.min`, job)
      yield* writeLogAt(path, job, header, recorded)
      return path
    }).pipe(Effect.catch((error) => {
      complain(error.message)
      return Effect.succeed(undefined)
    }))
    return { result: done, log, recorded }
  })

/** Shrinks on the pool's first worker, with a status line; a string says why it cannot be done. */
export const shrinkOn = async (
  pool: Pool,
  job: Job,
  failure: { readonly id: string; readonly choices: ReadonlyArray<number> },
  maxSteps: number,
  program: boolean
): Promise<ShrinkResult | string> => {
  pool.resume()
  const unlisten = listenForInterrupt(() => pool.stop())
  pool.events = {
    onShrink: (preemptions, steps, executions) =>
      showStatus(
        `minimising ${failure.id} of ${job.program.name}: ${count(preemptions, "preemption")}, ${
          count(steps, "step")
        }, ${count(executions, "execution")} tried`
      )
  }
  try {
    const done = await pool.run(0, { _tag: "Shrink", choices: failure.choices, id: failure.id, maxSteps, program })
    if (done._tag === "ShrinkDone") return done.result
    return done._tag === "ShrinkFailed" ? done.message : "the worker gave no result"
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    unlisten()
    pool.events = {}
    endStatus()
  }
}
