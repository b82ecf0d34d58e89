/** `mmrace replay`: a log again, event by event; or only its schedule, on another kernel. */
import {
  describeIntegrity,
  failureId,
  follow,
  type Followed,
  inModel,
  LogBuilder,
  type LogHeader,
  LogError,
  readLogFile,
  renderDivergence,
  replay as replayLog,
  waitingOf,
  type Integrity,
  type Log,
  type LogFooter,
  type Verdict,
  type Waiting
} from "@mmrace/core"
import { Command } from "effect/cli"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { getHeapStatistics } from "node:v8"
import { exit } from "../exit.ts"
import { judged } from "../fuzz/LogStore.ts"
import { asStated, type KernelOptions } from "../kernelOf.ts"
import * as O from "../options.ts"
import { printJson, replayDocument } from "../report/json.ts"
import { explanation, title, verdictLine } from "../report/summary.ts"
import { beQuiet, count, note, print, styled } from "../screen.ts"
import { type Job, load, openLog, readError, type Source } from "../Subject.ts"
import { type ExitCode, exitCodes, type UserError, userError } from "../UserError.ts"

/** A log read in terms of its program on its kernel. */
export interface OpenedLog {
  readonly path: string
  readonly job: Job
  readonly header: LogHeader
  readonly log: Log
  readonly footer: LogFooter | undefined
  readonly waiting: ReadonlyArray<Waiting>
  readonly integrity: Integrity
}

/** The kernel that a log was recorded on. */
export const recordedKernel = (header: LogHeader): KernelOptions => ({ ...asStated, kernel: header.kernel })

/** What an event takes in memory when its execution is run again: measured on logs of millions of events. */
const bytesPerEvent = 400

const tooLong = (path: string, most: number): UserError =>
  userError(
    `${path}: the log has more than ${count(most, "event")}, which is what fits into the memory Node may use.\n` +
      "Give it more, for example: NODE_OPTIONS=--max-old-space-size=16000 mmrace replay ..."
  )

/** Reads a log piece by piece. Its steps must be those of the model; what is not is told with its line. */
export const readWhole = (
  path: string,
  header: LogHeader,
  source: Source
): Effect.Effect<OpenedLog, UserError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const job = yield* Effect.mapError(load(source, recordedKernel(header)), (error) =>
      userError(`${path}:1: its kernel: ${error.message}`))
    const builder = new LogBuilder()
    const most = Math.floor(getHeapStatistics().heap_size_limit * 0.8 / bytesPerEvent)
    let end: { readonly footer: LogFooter | undefined; readonly integrity: Integrity } | undefined = undefined
    yield* readLogFile(
      path,
      inModel(() =>
        job.model
      )
    ).pipe(
      Stream.runForEach((item) =>
        Effect.sync(() => {
          if (item._tag === "Event") builder.add(item.event)
          else if (item._tag === "End") end = item
        }).pipe(Effect.andThen(builder.length > most ? Effect.fail(tooLong(path, most)) : Effect.void))
      ),
      Effect.mapError((error) => error._tag === "UserError" ? error : readError(path, error))
    )
    const { footer, integrity } = end as unknown as {
      readonly footer: LogFooter | undefined
      readonly integrity: Integrity
    }
    const waiting = yield* Effect.try({
      try: () => waitingOf(job.model, footer, builder.length + 2),
      catch: (error) => userError(error instanceof LogError ? `${path}: ${error.message}` : String(error))
    })
    return { path, job, header, log: builder.build(), footer, waiting, integrity }
  })

/** What the end of the file says about the rest, on stderr. */
export const warnOfDamage = ({ integrity, path }: OpenedLog): void => {
  const words = describeIntegrity(integrity)
  if (words !== undefined) note(`${path}: ${words}`)
}

/** How a strict replay went. */
export type StrictReplay =
  | { readonly _tag: "Identical"; readonly steps: number; readonly verdict: Verdict | undefined }
  | { readonly _tag: "Diverged"; readonly step: number; readonly text: string }

export const strictly = ({ footer, header, job, log }: OpenedLog): StrictReplay => {
  const { maxSteps } = header
  const outcome = replayLog(job.model, { log, verdict: footer?.verdict }, {
    maxSteps,
    judge: (verdict, executor) =>
      footer?.verdict._tag === "Livelock" ? judged(job, verdict, executor, maxSteps) : verdict
  })
  return Result.isSuccess(outcome)
    ? { _tag: "Identical", ...outcome.success }
    : { _tag: "Diverged", step: outcome.failure.step, text: renderDivergence(outcome.failure) }
}

export const replay = Command.make("replay", {
  log: O.logArgument,
  ...O.kernelFlags,
  tolerant: O.toggle("tolerant", "Follow the schedule only (implied by --kernel, --with, --without, --fixed)"),
  maxSteps: O.maxStepsOption,
  explain: O.toggle("explain", "Print the interleaving too"),
  json: O.json,
  quiet: O.quiet
}, (input) =>
  Effect.gen(function*() {
    if (input.quiet) beQuiet()
    const { header, path, source } = yield* openLog(input.log)
    const changed = input.kernel !== undefined || input.fixed || input.with.length > 0 || input.without.length > 0
    if (changed || input.tolerant) {
      const job = yield* load(source, { ...input, kernel: input.kernel ?? header.kernel })
      return yield* replayTolerantly(path, job, input.maxSteps ?? header.maxSteps, input)
    }
    const opened = yield* readWhole(path, header, source)
    warnOfDamage(opened)
    const done = strictly(opened)
    if (input.json) yield* printJson(replayDocument(opened, done))
    else if (done._tag === "Diverged") {
      print(styled("red", `${path}: the replay diverged`))
      print(done.text)
    } else {
      print(`${title(opened.job)}`)
      print(
        `replayed ${count(done.steps, "step")}: ${
          done.verdict === undefined
            ? styled("yellow", "identical as far as the log goes")
            : styled("green", "identical, every event and the verdict")
        }`
      )
      if (done.verdict !== undefined) print(verdictLine(done.verdict))
      if (input.explain) {
        print()
        print(explanation(opened.job, { log: opened.log, verdict: done.verdict ?? { _tag: "Ok" } }))
      }
    }
    yield* exit(exitOf(done))
  })).pipe(
    Command.withDescription("Run a log again and compare every event"),
    Command.withExamples([
      { command: "mmrace replay failure.ndjson" },
      { command: "mmrace replay failure.ndjson --fixed", description: "The same schedule on the kernel with the fix" }
    ])
  )

/** A replay of a failure that is identical shows a violation. */
const exitOf = (done: StrictReplay): ExitCode =>
  done._tag === "Diverged"
    ? exitCodes.diverged
    : done.verdict !== undefined && failureId(done.verdict) !== undefined && done.verdict._tag !== "StepLimit"
    ? exitCodes.violation
    : exitCodes.clean

/** The log's switches of threads on a kernel that may be another one. Nothing can diverge; what did not fit is counted. */
const replayTolerantly = (
  path: string,
  job: Job,
  maxSteps: number,
  input: { readonly json: boolean; readonly explain: boolean }
) =>
  Effect.gen(function*() {
    const followed = yield* followLog(path, job, maxSteps)
    const { extra, firstDifference, fitted, misfits, unused, verdict } = followed
    const recorded = fitted + misfits + unused
    const failed = failureId(verdict)
    if (input.json) yield* printJson(replayDocument({ path, job }, { _tag: "Followed", ...followed }))
    else {
      print(title(job))
      print(
        firstDifference === undefined && misfits + unused + extra === 0
          ? `followed the schedule: all ${count(recorded, "step")} took place as recorded`
          : `followed the schedule: ${fitted} of ${count(recorded, "step")} took place as recorded` +
            (firstDifference === undefined ? "" : `, the first difference is at step ${firstDifference}`) +
            `; ${misfits} did not fit, ${unused} were left over, ${extra} came in addition`
      )
      print(verdictLine(verdict))
      if (input.explain) {
        print()
        print(explanation(job, followed))
      }
    }
    yield* exit(failed === undefined || verdict._tag === "StepLimit" ? exitCodes.clean : exitCodes.violation)
  })

/** Reads names only, so that the log's values need not fit the model. */
const followLog = (
  path: string,
  job: Job,
  maxSteps: number
): Effect.Effect<Followed, UserError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const lines: Array<Parameters<typeof follow>[1] extends Iterable<infer L> ? L : never> = []
    yield* readLogFile(path, () => ({ a, c, r, t }) => ({ a, c, t, ...(typeof r === "number" ? { r } : {}) })).pipe(
      Stream.runForEach((item) =>
        Effect.sync(() => {
          if (item._tag === "Event") lines.push(item.event)
        })
      ),
      Effect.mapError((error) => readError(path, error))
    )
    return follow(job.model, lines, { maxSteps })
  })
