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
  /** Give up after so many executions, also those outside the bound; default 1,000,000. */
  readonly maxExecutions?: number
  readonly outcomeOf?: (final: Final) => string
  /** Only schedules that cost at most `bound`; default preemptions. */
  readonly bound?: number
  readonly cost?: Cost
  /** After each execution within the bound. */
  readonly visit?: (executor: Executor, cost: number, verdict: Verdict) => void
}

export interface BruteForceResult {
  readonly complete: boolean
  readonly executions: number
  /** Outcome to number of executions. */
  readonly outcomes: ReadonlyMap<string, number>
}

class Odometer implements Strategy {
  readonly name = "odometer"
  digits: Array<number> = []
  spent = 0
  readonly widths: Array<number> = []
  private position = 0
  private readonly cost: Cost

  constructor(cost: Cost) {
    this.cost = cost
  }

  begin(): void {
    this.position = 0
    this.spent = 0
    this.widths.length = 0
  }

  pick(view: View): number {
    const index = this.choose(view.enabledCount)
    this.spent += this.cost === "preemptions" ? preemptionsOf(view, index) : delaysOf(view, index)
    return index
  }

  choose(n: number): number {
    this.widths.push(n)
    return this.digits[this.position++] ?? 0
  }

  /** The next stream; false after the last. */
  advance(used: ArrayLike<number>, length: number): boolean {
    for (let i = length - 1; i >= 0; i--) {
      if (used[i]! + 1 < this.widths[i]!) {
        this.digits = [...Array.from(used).slice(0, i), used[i]! + 1]
        return true
      }
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
  const odometer = new Odometer(options.cost ?? "preemptions")
  const outcomes = new Map<string, number>()
  const limit = options.maxExecutions ?? 1_000_000
  let executions = 0
  let runs = 0
  for (;;) {
    if (runs++ >= limit) return { complete: false, executions, outcomes }
    const verdict = executor.run(odometer)
    if (odometer.spent <= (options.bound ?? Infinity)) {
      executions++
      const name = failureId(verdict) ?? options.outcomeOf?.(finalOf(executor)) ?? "ok"
      outcomes.set(name, (outcomes.get(name) ?? 0) + 1)
      options.visit?.(executor, odometer.spent, verdict)
    }
    if (!odometer.advance(executor.choices, executor.choiceCount)) return { complete: true, executions, outcomes }
  }
}
