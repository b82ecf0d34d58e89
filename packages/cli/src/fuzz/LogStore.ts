/** Failures on disk: one log each, complete or not there at all. */
import {
  classifyStepLimit,
  encodeSchedule,
  Executor,
  FromChoices,
  lassoOf,
  LogEncodeError,
  type LogHeader,
  makeHeader,
  type RecordedExecution,
  Recording,
  recordingOf,
  readLogHeader,
  type Strategy,
  type Verdict,
  writeLogFile
} from "@mmrace/core"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import { createHash } from "node:crypto"
import { dirname, extname, join, resolve } from "node:path"
import { fileProblem, type Job, logSuffix } from "../Subject.ts"
import { type UserError, userError } from "../UserError.ts"
import { version } from "../version.ts"

/** How an execution came to be: what a log says of it besides its steps. */
export interface Provenance {
  readonly strategy: string
  readonly seed: number
  readonly execution: number
  /** The schedule as a token; where there is none, the choices. */
  readonly schedule: string | ReadonlyArray<number>
  readonly maxSteps: number
}

/** One execution, as commands show and keep it. */
export interface Executed {
  readonly recorded: RecordedExecution
  readonly token: string
  /** The limit that it is repeated with. */
  readonly maxSteps: number
}

export interface ExecuteOptions {
  readonly maxSteps: number
  /** Default 0. */
  readonly seed?: number
  /** The token that the strategy follows: that of a livelock is one although threads may get out behind it. */
  readonly given?: string | undefined
}

/** Runs a schedule; of one that leads into a livelock, once round that. */
export const execute = (job: Job, strategy: Strategy, { given, maxSteps, seed = 0 }: ExecuteOptions): Executed => {
  const executor = new Executor(job.model, { maxSteps })
  const recording = new Recording(strategy)
  const verdict = executor.run(recording, seed)
  const isCut = verdict._tag === "StepLimit"
  const lasso = isCut || (given !== undefined && verdict._tag === "Ok")
    ? lassoOf(job.model, executor.copyChoices(), { maxSteps })
    : undefined
  return lasso !== undefined && (isCut || lasso.token === given)
    ? { recorded: recordingOf(lasso.executor, lasso.verdict), token: lasso.token, maxSteps: lasso.verdict.step }
    : { recorded: recordingOf(executor, verdict), token: encodeSchedule(recording.schedule), maxSteps }
}

/** Runs `choices` and keeps the execution. */
export const record = (job: Job, choices: ReadonlyArray<number>, maxSteps: number): Executed =>
  execute(job, new FromChoices(choices), { maxSteps })

/** The verdict as campaigns give it: a step limit may be a livelock. */
export const judged = (job: Job, verdict: Verdict, executor: Executor, maxSteps: number): Verdict =>
  verdict._tag === "StepLimit" ? classifyStepLimit(job.model, executor.copyChoices(), { maxSteps }) : verdict

export const headerOf = (job: Job, from: Provenance): LogHeader =>
  makeHeader(job.model, {
    tool: version,
    program: job.source.text,
    kernel: String(job.kernel),
    strategy: from.strategy,
    seed: from.seed,
    execution: from.execution,
    schedule: from.schedule,
    maxSteps: from.maxSteps
  })

const longestStem = 100

/** `gupfast-vs-fork-5.10-I-04-pinned-page`: the program, the release and the failure, as a file name. */
export const fileStem = (job: Job, failureId: string): string => {
  const stem = `${job.program.name}-${String(job.kernel).split(",")[0]}-${failureId}`
    .replaceAll(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/-+$/, "")
  if (stem.length <= longestStem) return stem
  return `${stem.slice(0, longestStem)}-${createHash("sha256").update(failureId).digest("hex").slice(0, 8)}`
}

/** Writes beside the target and then renames, so that a log is there whole or not at all. Errors are for the user. */
export const writeLogAt = (
  path: string,
  job: Job,
  header: LogHeader,
  recorded: RecordedExecution
): Effect.Effect<void, UserError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const unfinished = `${path}.${process.pid}.tmp`
    yield* writeLogFile(unfinished, job.model, header, recorded).pipe(
      Effect.andThen(fs.rename(unfinished, path)),
      Effect.onError(() => Effect.ignore(fs.remove(unfinished))),
      Effect.mapError((error) => writeError(path, error))
    )
  })

const writeError = (path: string, error: PlatformError | LogEncodeError): UserError =>
  userError(`cannot write ${path}: ${error instanceof LogEncodeError ? error.message : fileProblem(error)}`)

/** Level by level: the recursive mkdir of Node never returns for a path in /proc. */
const makeFolders = (folder: string): Effect.Effect<void, PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    if (yield* fs.exists(folder)) return
    if (dirname(folder) !== folder) yield* makeFolders(dirname(folder))
    yield* fs.makeDirectory(folder)
  })

/** Makes sure that logs can be written into `folder`, before hours are spent on finding something. */
export const openFolder = (folder: string): Effect.Effect<void, UserError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const problem = (error: PlatformError): UserError => userError(`cannot write to ${folder}: ${fileProblem(error)}`)
    yield* Effect.mapError(makeFolders(resolve(folder)), problem)
    const trial = join(folder, `.mmrace-${process.pid}`)
    yield* Effect.mapError(Effect.andThen(fs.writeFileString(trial, ""), fs.remove(trial)), problem)
  })

/**
 * The path for a log in `folder`. An older log is replaced when it is of the same program and kernel; another one that
 * happens to have the name is kept, and the new log gets a number.
 */
export const pathFor = (folder: string, stem: string, job: Job): Effect.Effect<string, never, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    for (let n = 1;; n++) {
      const path = join(folder, `${stem}${n === 1 ? "" : `-${n}`}${logSuffix}`)
      if (!(yield* Effect.orElseSucceed(fs.exists(path), () => false))) return path
      const header = yield* Effect.option(readLogHeader(path))
      const same = header._tag === "Some" && header.value.program === job.source.text &&
        header.value.kernel === String(job.kernel)
      if (same) return path
    }
  })

/** Whether `--out` names a file: it has an extension. */
export const isFileName = (out: string): boolean => extname(out) !== ""
