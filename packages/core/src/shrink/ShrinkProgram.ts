/**
 * Shrinking the program itself. What a program is, only the caller knows: it proposes smaller ones and builds models.
 */
import * as Result from "effect/Result"
import { defaultMaxSteps } from "../Execution.ts"
import type { Model } from "../Model.ts"
import { FromChoices } from "../strategies/FromChoices.ts"
import { search } from "./search.ts"
import { FromSegments, type Segment, segmentsOf } from "./Segments.ts"
import { openTrial, shrink, type ShrinkError, type Shrunk, type ShrinkOptions } from "./Shrink.ts"
import { Budget, type Outcome, Trial } from "./Trial.ts"

export interface ProgramReduction<P> {
  readonly program: P
  /** The model of a program; undefined for one that makes no sense (a thread joins one that is gone). */
  readonly build: (program: P) => Model | undefined
  /**
   * Smaller programs, the most promising ones first: without a thread, without an operation, with a smaller number.
   * Each must be smaller than `program` in some order that has an end.
   */
  readonly candidates: (program: P) => Iterable<P>
}

export interface ProgramOptions extends ShrinkOptions {
  /** Executions to look for the failure in one smaller program. Default 2,000. */
  readonly executionsPerProgram?: number
  /** Smaller programs to try at most. Default 1,000. */
  readonly programs?: number
}

export interface ShrunkProgram<P> {
  readonly program: P
  readonly model: Model
  /** The shrunk schedule of that program; `before` is the schedule that shrinking began with. */
  readonly failure: Shrunk
  /** Programs tried, and those that replaced the one before. */
  readonly tried: number
  readonly accepted: number
}

/**
 * Shrinks the schedule, then the program, then the schedule of what is left. A smaller program is accepted when it fails
 * in the same way with no more preemptions. Throws a TypeError when `build` refuses the program to begin with.
 */
export const shrinkProgram = <P>(
  reduction: ProgramReduction<P>,
  start: { readonly choices: ReadonlyArray<number>; readonly id?: string },
  options: ProgramOptions = {}
): Result.Result<ShrunkProgram<P>, ShrinkError> => {
  let { program } = reduction
  const first = reduction.build(program)
  if (first === undefined) throw new TypeError("the program to shrink cannot be built")
  let model = first
  const shrunk = shrink(model, start, options)
  if (Result.isFailure(shrunk)) return Result.fail(shrunk.failure)
  const maxSteps = options.maxSteps ?? defaultMaxSteps
  const { before, id } = shrunk.success
  const opened = openTrial(model, new FromChoices(shrunk.success.choices), id, maxSteps)
  if (Result.isFailure(opened)) return Result.fail(opened.failure)
  let { outcome } = opened.success
  let tried = 0
  let accepted = 0

  /** The first candidate that still fails, or undefined. */
  const smaller = (): { readonly program: P; readonly model: Model; readonly outcome: Outcome } | undefined => {
    for (const candidate of reduction.candidates(program)) {
      if (tried >= (options.programs ?? 1000) || options.shouldStop?.() === true) return undefined
      const candidateModel = reduction.build(candidate)
      if (candidateModel === undefined) continue
      tried++
      const trial = new Trial(candidateModel, id, maxSteps)
      trial.shouldStop = options.shouldStop
      trial.budget = new Budget(options.executionsPerProgram ?? 2000, options.steps ?? Number.POSITIVE_INFINITY)
      const found = failing(trial, model, outcome)
      if (found !== undefined) return { program: candidate, model: candidateModel, outcome: found }
    }
    return undefined
  }

  for (let next = smaller(); next !== undefined; next = smaller()) {
    accepted++
    ;({ model, outcome, program } = next)
    options.onProgress?.(outcome.cost, accepted)
  }
  return Result.map(shrink(model, { choices: outcome.choices, id }, options), (failure) => ({
    program,
    model,
    failure: { ...failure, before },
    tried,
    accepted
  }))
}

/** The same failure in a smaller program: first the known schedule as far as it fits, then a search. */
const failing = (trial: Trial, known: Model, outcome: Outcome): Outcome | undefined => {
  const threadOf = known.threads.map((t) => trial.model.threads.findIndex((other) => other.name === t.name))
  const segments: Array<Segment> = []
  for (const segment of segmentsOf(outcome)) {
    const thread = threadOf[segment.thread]!
    if (thread >= 0) segments.push({ ...segment, thread })
  }
  const data = trial.model.threads.map((t) => outcome.data[known.threads.findIndex((k) => k.name === t.name)] ?? [])
  const direct = trial.attempt(new FromSegments(segments, data))
  if (direct !== undefined && direct.cost.preemptions <= outcome.cost.preemptions) return direct
  return search(trial, { level: outcome.cost.preemptions, first: true }).best
}
