/**
 * The determinism check: every schedule is executed twice and must give the same steps. A model that keeps state
 * outside its actors, reads a clock or iterates over something unordered is caught at the first step that differs.
 */
import * as Equal from "effect/Equal"
import * as Result from "effect/Result"
import { defaultMaxSteps, Executor, type Log } from "./Execution.ts"
import type { Model } from "./Model.ts"
import { mix32 } from "./Prng.ts"
import { emptyProfile } from "./Profile.ts"
import { FromChoices } from "./strategies/FromChoices.ts"
import { defaultStrategy, parseStrategy } from "./strategies/parse.ts"
import { failureId } from "./Verdict.ts"

/** A step as the check names it. */
export interface NamedStep {
  readonly thread: string
  readonly actor: string
  readonly command: string
  readonly arg: unknown
  readonly result: unknown
}

export interface Divergence {
  /** Index of the execution in the check, and the choices that both runs were given. */
  readonly execution: number
  readonly choices: ReadonlyArray<number>
  /** The first step that differs; the length of the shorter log when one is a beginning of the other. */
  readonly step: number
  /** Undefined: this run had ended. */
  readonly first: NamedStep | undefined
  readonly second: NamedStep | undefined
  /** What differs, in one line. */
  readonly message: string
}

export interface DeterminismOptions {
  readonly seed?: number
  readonly strategy?: string
  /** Schedules to try, each executed twice. Default 100. */
  readonly runs?: number
  readonly maxSteps?: number
}

/** The first divergence, or undefined when every schedule gave the same steps and the same verdict twice. */
export const checkDeterminism = (model: Model, options: DeterminismOptions = {}): Divergence | undefined => {
  const plan = Result.getOrThrow(parseStrategy(options.strategy ?? defaultStrategy))
  const maxSteps = options.maxSteps ?? defaultMaxSteps
  const first = new Executor(model, { maxSteps })
  const second = new Executor(model, { maxSteps })
  const runs = options.runs ?? 100
  for (let execution = 0; execution < runs; execution++) {
    const verdict = first.run(plan.strategyFor(execution, emptyProfile), mix32(options.seed ?? 0, execution))
    const choices = first.copyChoices()
    const again = second.run(new FromChoices(choices))
    const step = firstDifference(first.log, second.log)
    if (step === undefined && failureId(verdict) === failureId(again)) continue
    const at = step ?? first.log.length
    const one = stepOf(model, first.log, at)
    const two = stepOf(model, second.log, at)
    return {
      execution,
      choices,
      step: at,
      first: one,
      second: two,
      message: describe(at, one, two, verdict._tag, again._tag)
    }
  }
  return undefined
}

/** Index of the first step at which two logs of one model differ; undefined when they are equal. */
export const firstDifference = (a: Log, b: Log): number | undefined => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const one = a.asks[i]!
    const two = b.asks[i]!
    const same = a.threads[i] === b.threads[i] && one.actor === two.actor && one.command === two.command &&
      Equal.equals(one.arg, two.arg) && Equal.equals(a.results[i], b.results[i])
    if (!same) return i
  }
  return a.length === b.length ? undefined : length
}

const stepOf = (model: Model, log: Log, i: number): NamedStep | undefined => {
  if (i >= log.length) return undefined
  const { actor, arg, command } = log.asks[i]!
  return {
    thread: model.threads[log.threads[i]!]!.name,
    actor: actor.name,
    command: command.name,
    arg,
    result: log.results[i]
  }
}

const describe = (
  step: number,
  first: NamedStep | undefined,
  second: NamedStep | undefined,
  one: string,
  two: string
): string => {
  if (first === undefined && second === undefined) {
    return `the same ${step} steps ended once as ${one} and once as ${two}`
  }
  return `step ${step} differs: first ${show(first)}, then ${show(second)}`
}

const show = (step: NamedStep | undefined): string =>
  step === undefined
    ? "the execution had ended"
    : `${step.thread} ${step.actor}.${step.command}(${text(step.arg)}) = ${text(step.result)}`

const text = (value: unknown): string => {
  if (value === undefined) return ""
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return String(value)
  }
}
