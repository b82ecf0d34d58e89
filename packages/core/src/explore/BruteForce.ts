/**
 * Every schedule, one after the other, each from its beginning, by counting through the choice streams like an
 * odometer. The oracle for everything else in this directory, and independent of it.
 */
import { Executor } from "../Execution.ts"
import type { Model } from "../Model.ts"
import type { Strategy, View } from "../Strategy.ts"
import { failureId, type Verdict } from "../Verdict.ts"
import { finalOf } from "./finalOf.ts"
import type { Final } from "./Outcomes.ts"
import type { Cost } from "./States.ts"

export interface BruteForceOptions {
  readonly maxSteps?: number
  readonly partialDeadlocks?: boolean
  /** Give up after so many executions; default 1,000,000. */
  readonly maxExecutions?: number
  readonly outcomeOf?: (final: Final) => string
  /** Only schedules that cost at most `bound`; default preemptions. */
  readonly bound?: number
  readonly cost?: Cost
  /** After each execution; `false` ends the search. */
  readonly visit?: (executor: Executor, cost: number, verdict: Verdict) => unknown
}

export interface BruteForceResult {
  readonly complete: boolean
  readonly executions: number
  /** Outcome to number of executions. */
  readonly outcomes: ReadonlyMap<string, number>
}

/** Counts through what can be afforded at each point: a digit is a number among these choices. */
class Odometer implements Strategy {
  readonly name = "odometer"
  spent = 0
  private digits: Array<number> = []
  private readonly widths: Array<number> = []
  private position = 0
  private readonly cost: (view: View, index: number) => number
  private readonly bound: number

  constructor(cost: Cost, bound: number) {
    this.cost = cost === "preemptions" ? preemptionsOf : delaysOf
    this.bound = bound
  }

  begin(): void {
    this.position = 0
    this.spent = 0
  }

  pick(view: View): number {
    const left = this.bound - this.spent
    let affordable = 0
    for (let index = 0; index < view.enabledCount; index++) if (this.cost(view, index) <= left) affordable++
    let digit = this.choose(affordable)
    for (let index = 0;; index++) {
      const cost = this.cost(view, index)
      if (cost > left || digit-- > 0) continue
      this.spent += cost
      return index
    }
  }

  choose(n: number): number {
    const at = this.position++
    this.widths[at] = n
    return this.digits[at] ??= 0
  }

  /** On to the next execution; false after the last. */
  advance(): boolean {
    for (let at = this.position - 1; at >= 0; at--) {
      if (this.digits[at]! + 1 >= this.widths[at]!) continue
      this.digits[at]!++
      this.digits.length = at + 1
      return true
    }
    return false
  }
}

const preemptionsOf = (view: View, index: number): number =>
  view.last >= 0 && view.enabled[index] !== view.last && view.isEnabled(view.last) ? 1 : 0

/** Enabled threads passed over, going round from the last one. */
const delaysOf = (view: View, index: number): number => {
  let delays = 0
  for (let thread = Math.max(0, view.last); thread !== view.enabled[index]; thread = (thread + 1) % view.threadCount) {
    if (view.isEnabled(thread)) delays++
  }
  return delays
}

/** Executes every schedule of the model. */
export const bruteForce = (model: Model, options: BruteForceOptions = {}): BruteForceResult => {
  const executor = new Executor(model, {
    ...(options.maxSteps === undefined ? {} : { maxSteps: options.maxSteps }),
    partialDeadlocks: options.partialDeadlocks ?? true
  })
  const odometer = new Odometer(options.cost ?? "preemptions", options.bound ?? Infinity)
  const outcomes = new Map<string, number>()
  const limit = options.maxExecutions ?? 1_000_000
  let executions = 0
  do {
    if (executions >= limit) return { complete: false, executions, outcomes }
    const verdict = executor.run(odometer)
    executions++
    const name = failureId(verdict) ?? options.outcomeOf?.(finalOf(executor)) ?? "ok"
    outcomes.set(name, (outcomes.get(name) ?? 0) + 1)
    if (options.visit?.(executor, odometer.spent, verdict) === false) return { complete: false, executions, outcomes }
  } while (odometer.advance())
  return { complete: true, executions, outcomes }
}
