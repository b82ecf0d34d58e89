/**
 * Shrinking: the same failure with as few preemptions, switches and steps as can be found, and where possible a proof
 * that fewer preemptions are not enough.
 *
 * A *preemption* is a switch away from a thread that could have continued. The same failure is one with the same
 * `failureId`. The result is the least in the order of `Cost`, ties by the choice stream, among all that was tried; when
 * the search below completes, it is the least of all schedules, whichever failing execution shrinking began with.
 */
import * as Data from "effect/Data"
import * as Result from "effect/Result"
import { classifyStepLimit, lassoOf } from "../analysis/Livelock.ts"
import { firstDifference } from "../Determinism.ts"
import { defaultMaxSteps, Executor } from "../Execution.ts"
import type { Model } from "../Model.ts"
import { encodeSchedule, type Schedule } from "../Schedule.ts"
import { FromChoices } from "../strategies/FromChoices.ts"
import type { Strategy } from "../Strategy.ts"
import { failureId, type Verdict } from "../Verdict.ts"
import { reduce } from "./reduce.ts"
import { search } from "./search.ts"
import { Budget, compare, type Cost, type Outcome, Trial } from "./Trial.ts"

export interface ShrinkOptions {
  readonly maxSteps?: number
  /** Executions for local reduction. Default 20,000. */
  readonly reduceExecutions?: number
  /** Executions for the search that proves the result minimal. Default 20,000. */
  readonly searchExecutions?: number
  /** Steps that each of the two may take. Default 10 million. */
  readonly steps?: number
  /** Told of every better schedule, with the executions it took so far. */
  readonly onProgress?: (cost: Cost, executions: number) => void
  /** Asked after every execution; true ends shrinking with the best schedule so far. */
  readonly shouldStop?: () => boolean
}

/** What is known about the result. */
export interface Proof {
  /** No schedule with fewer preemptions fails this way: all of them were executed. */
  readonly preemptionsMinimal: boolean
  /** Also no other schedule with this many preemptions is better. */
  readonly leastOfAll: boolean
  /** Schedules with fewer preemptions that were executed, none failing this way. */
  readonly exhausted: number
  /** All schedules that the search executed. */
  readonly searched: number
}

export interface Shrunk {
  readonly id: string
  readonly verdict: Verdict
  readonly choices: ReadonlyArray<number>
  readonly schedule: Schedule
  readonly token: string
  readonly before: Cost
  readonly after: Cost
  readonly proof: Proof
  /** Executions that shrinking took. */
  readonly executions: number
}

export class ShrinkError extends Data.TaggedError("ShrinkError")<{
  /** `passes`: the schedule does not fail; `other`: it fails in another way; `unstable`: it does not repeat. */
  readonly reason: "passes" | "other" | "unstable"
  readonly message: string
}> {}

const defaultExecutions = 20_000
const defaultSteps = 10_000_000

/** Shrinks the failure that `start` leads to. `id` is the failure expected, default whatever it is. */
export const shrink = (
  model: Model,
  start: { readonly choices: ReadonlyArray<number>; readonly id?: string },
  options: ShrinkOptions = {}
): Result.Result<Shrunk, ShrinkError> => {
  const maxSteps = options.maxSteps ?? defaultMaxSteps
  const original = openTrial(model, new FromChoices(start.choices), start.id, maxSteps)
  if (Result.isFailure(original)) return Result.fail(original.failure)
  const { outcome, trial } = original.success
  const steps = options.steps ?? defaultSteps
  trial.shouldStop = options.shouldStop

  const report = (better: Outcome): Outcome => {
    options.onProgress?.(better.cost, trial.executions)
    return better
  }
  trial.budget = new Budget(options.reduceExecutions ?? defaultExecutions, steps)
  let best = report(reduce(trial, outcome))

  // A search without end would not do for a schedule with many preemptions: the budget ends it.
  trial.budget = new Budget(options.searchExecutions ?? defaultExecutions, steps)
  const before = trial.executions
  const found = search(trial, { level: best.cost.preemptions })
  const searched = trial.executions - before
  if (found.best !== undefined && compare(found.best, best) < 0) {
    trial.budget = new Budget(options.reduceExecutions ?? defaultExecutions, steps)
    best = report(reduce(trial, found.best))
  }
  const { preemptions } = best.cost
  const proof: Proof = {
    preemptionsMinimal: found.complete >= preemptions,
    leastOfAll: found.complete > preemptions,
    exhausted: found.exhausted,
    searched
  }
  return verify(model, trial, best, maxSteps) ?? Result.succeed({
    id: trial.id,
    verdict: best.verdict,
    choices: best.choices,
    schedule: best.schedule,
    token: encodeSchedule(best.schedule),
    before: costOf(model, outcome, maxSteps),
    after: costOf(model, best, maxSteps),
    proof,
    executions: trial.executions
  })
}

/** Of a livelock the steps until it has gone once round: there it is cut. */
const costOf = (model: Model, { choices, cost, verdict }: Outcome, maxSteps: number): Cost =>
  verdict._tag === "Livelock"
    ? { ...cost, steps: lassoOf(model, choices, { maxSteps })?.verdict.step ?? cost.steps }
    : cost

/** Executes once to see what fails; afterwards the trial looks for that failure. */
export const openTrial = (
  model: Model,
  strategy: Strategy,
  expected: string | undefined,
  maxSteps: number
): Result.Result<{ readonly trial: Trial; readonly outcome: Outcome }, ShrinkError> => {
  const executor = new Executor(model, { maxSteps })
  let verdict = executor.run(strategy)
  if (verdict._tag === "StepLimit" && expected !== "step-limit") {
    verdict = classifyStepLimit(model, executor.copyChoices(), { maxSteps })
  }
  const id = failureId(verdict)
  if (id === undefined) {
    return fail(
      "passes",
      "the schedule does not fail: it belongs to another program or kernel, or the model has changed since it was recorded"
    )
  }
  if (expected !== undefined && id !== expected) {
    return fail(
      "other",
      `the schedule fails with ${id}, expected ${expected}: it belongs to another program or kernel, or the model has changed`
    )
  }
  const trial = new Trial(model, id, maxSteps)
  const outcome = trial.attempt(new FromChoices(executor.copyChoices()))
  return outcome === undefined ? unstable() : Result.succeed({ trial, outcome })
}

/** Strict replay, twice: the same failure, the same choices, step for step. */
const verify = (
  model: Model,
  trial: Trial,
  best: Outcome,
  maxSteps: number
): Result.Result<never, ShrinkError> | undefined => {
  const again = new Executor(model, { maxSteps })
  const follow = new FromChoices(best.choices)
  again.run(follow)
  const log = again.copyLog()
  const repeated = trial.attempt(new FromChoices(best.choices))
  const same = repeated !== undefined && compare(repeated, best) === 0 && follow.misfits === 0 &&
    firstDifference(log, trial.executor.log) === undefined
  return same ? undefined : unstable()
}

const unstable = (): Result.Result<never, ShrinkError> =>
  fail(
    "unstable",
    "the same schedule led to another execution: the model keeps state outside its actors; run the determinism check"
  )

const fail = (reason: ShrinkError["reason"], message: string): Result.Result<never, ShrinkError> =>
  Result.fail(new ShrinkError({ reason, message }))

const schedules = (n: number): string => n === 1 ? "1 schedule" : `${n} schedules`

/** `preemptions 7 -> 2 (proved minimal: 412 schedules exhausted), switches 31 -> 5, steps 90 -> 41`. */
export const describeShrunk = ({ after, before, proof }: Pick<Shrunk, "after" | "before" | "proof">): string => {
  const change = (key: keyof Cost): string => `${key} ${before[key]} -> ${after[key]}`
  const claim = after.preemptions === 0
    ? "none needed"
    : proof.preemptionsMinimal
    ? `proved minimal: ${schedules(proof.exhausted)} exhausted`
    : `not proved minimal: ${schedules(proof.searched)} searched, more are left`
  return `${change("preemptions")} (${claim}), ${change("switches")}, ${change("steps")}`
}
