/** One execution as a test tells it: what broke, the interleaving, its schedule, and how to see it again. */
import * as Result from "effect/Result"
import { lassoOf } from "../analysis/Livelock.ts"
import { isFailure } from "../Campaign.ts"
import { Executor, type Log } from "../Execution.ts"
import { finalOf } from "../explore/finalOf.ts"
import type { Final } from "../explore/Outcomes.ts"
import { explainExecution } from "../explain/Explain.ts"
import { plainWords, whatBroke } from "../explain/Words.ts"
import type { Model } from "../Model.ts"
import { encodeSchedule } from "../Schedule.ts"
import { describeShrunk, shrink, type ShrinkOptions } from "../shrink/Shrink.ts"
import { FromChoices } from "../strategies/FromChoices.ts"
import { Recording } from "../strategies/Recording.ts"
import type { Strategy } from "../Strategy.ts"
import { failureId, type Verdict } from "../Verdict.ts"
import { type Place, replayCommand } from "./command.ts"

/** What an execution depends on besides model and schedule. */
export interface RunOptions {
  readonly maxSteps?: number
  readonly partialDeadlocks?: boolean
  readonly outcomeOf?: (final: Final) => string
}

export interface Told {
  readonly log: Log
  readonly verdict: Verdict
  /** `failureId`, or what `outcomeOf` says of a clean end. */
  readonly outcome: string
  readonly choices: ReadonlyArray<number>
  readonly token: string
}

/** Runs one schedule; of one that leads into a livelock, once round that. */
export const runOnce = (model: Model, strategy: Strategy, options: RunOptions): Told => {
  const limits = options.maxSteps === undefined ? {} : { maxSteps: options.maxSteps }
  const executor = new Executor(model, { ...limits, partialDeadlocks: options.partialDeadlocks ?? true })
  const recording = new Recording(strategy)
  const verdict = executor.run(recording)
  const choices = executor.copyChoices()
  const endless = verdict._tag === "StepLimit" ? onceRound(model, choices, options) : undefined
  if (endless !== undefined) return endless
  return {
    log: executor.copyLog(),
    verdict,
    outcome: failureId(verdict) ?? options.outcomeOf?.(finalOf(executor)) ?? "ok",
    choices,
    token: encodeSchedule(recording.schedule)
  }
}

/** Runs the schedule of a token: that of a livelock is one although threads may get out behind it. */
export const runToken = (model: Model, token: string, strategy: Strategy, options: RunOptions): Told => {
  const told = runOnce(model, strategy, options)
  if (isFailure(told.verdict)) return told
  const endless = onceRound(model, told.choices, options)
  return endless?.token === token ? endless : told
}

/** The livelock that the choices lead into if the schedule is fair behind them. */
const onceRound = (model: Model, choices: ReadonlyArray<number>, options: RunOptions): Told | undefined => {
  const lasso = lassoOf(model, choices, options)
  if (lasso === undefined) return undefined
  const { choices: round, executor, token, verdict } = lasso
  return { log: executor.copyLog(), verdict, outcome: failureId(verdict)!, choices: round, token }
}

/** A step limit and an end are no failures. */
export const hasFailed = isFailure

/** `owned:head broken: node 1 is on top of the stack, and recycler owns it`. */
export const headline = (verdict: Verdict): string =>
  verdict._tag === "Violation"
    ? `${failureId(verdict)} broken: ${whatBroke(verdict, plainWords)}`
    : `${verdict._tag.toLowerCase()}: ${whatBroke(verdict, plainWords)}`

/** Columns of a report: a worker of vitest does not know the terminal. */
const width = 100
/** Executions of up to so many steps are told whole. */
const shortLength = 40

/** The interleaving with the verdict, and how to run it again. `remarks` come before the schedule. */
export const tell = (
  model: Model,
  { log, token, verdict }: Told,
  place: Place,
  remarks: ReadonlyArray<string>
): string =>
  [
    explainExecution(model, { log, verdict }, { width, all: log.length <= shortLength }),
    ...remarks,
    `schedule ${token}`,
    replayCommand(token, place)
  ].join("\n")

/** A failure with its least schedule; the schedule given where it cannot be shrunk. */
export const tellFailure = (
  model: Model,
  failure: { readonly choices: ReadonlyArray<number>; readonly id: string },
  place: Place,
  remark: string,
  options: RunOptions & Pick<ShrinkOptions, "shouldStop">
): { readonly verdict: Verdict; readonly text: string } => {
  const shrunk = shrink(model, failure, {
    ...(options.maxSteps === undefined ? {} : { maxSteps: options.maxSteps }),
    ...(options.shouldStop === undefined ? {} : { shouldStop: options.shouldStop })
  })
  const strategy = new FromChoices(Result.isSuccess(shrunk) ? shrunk.success.choices : failure.choices)
  const run = runOnce(model, strategy, options)
  const told = isFailure(run.verdict) || failure.id !== "livelock" ? run : onceRound(model, run.choices, options) ?? run
  const least = Result.isSuccess(shrunk) ? describeShrunk(shrunk.success) : `not minimised: ${shrunk.failure.message}`
  const thrown = told.verdict._tag === "Crash" ? [told.verdict.error, ""] : []
  return { verdict: told.verdict, text: tell(model, told, place, [...thrown, least, remark]) }
}
