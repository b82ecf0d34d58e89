/**
 * Trying schedules: does an execution still fail in the same way, and how good is it to read?
 */
import { classifyStepLimit } from "../analysis/Livelock.ts"
import type { Ask } from "../Ask.ts"
import { Executor } from "../Execution.ts"
import type { Model } from "../Model.ts"
import type { Schedule } from "../Schedule.ts"
import { Recording } from "../strategies/Recording.ts"
import type { Strategy } from "../Strategy.ts"
import { failureId, type Verdict } from "../Verdict.ts"

/** What makes one schedule better than another, most important first; the choice stream decides what is left. */
export interface Cost {
  /** Switches away from a thread that could have continued. */
  readonly preemptions: number
  /** Steps by another thread than the step before. */
  readonly switches: number
  readonly steps: number
  /** Threads that moved. */
  readonly threads: number
}

/** A failing execution as it really went. */
export interface Outcome {
  readonly verdict: Verdict
  readonly cost: Cost
  readonly choices: ReadonlyArray<number>
  readonly schedule: Schedule
  /** Thread and ask of each step, exits not counted, and which steps were preemptions. */
  readonly threads: ReadonlyArray<number>
  readonly asks: ReadonlyArray<Ask<unknown>>
  readonly preemptions: ReadonlyArray<number>
  /** The numbers each thread was given by data choices, by thread id. */
  readonly data: ReadonlyArray<ReadonlyArray<number>>
}

/** Negative when `a` is better. A total order: equal only for equal choice streams. */
export const compare = (a: Outcome, b: Outcome): number =>
  a.cost.preemptions - b.cost.preemptions ||
  a.cost.switches - b.cost.switches ||
  a.cost.steps - b.cost.steps ||
  a.cost.threads - b.cost.threads ||
  compareChoices(a.choices, b.choices)

const compareChoices = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number => {
  for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return a.length - b.length
}

/** How much may still be tried: executions and their steps. */
export class Budget {
  executions: number
  steps: number

  constructor(executions: number, steps: number) {
    this.executions = executions
    this.steps = steps
  }

  get spent(): boolean {
    return this.executions <= 0 || this.steps <= 0
  }
}

/** Executes one model again and again, looking for one failure. */
export class Trial {
  readonly model: Model
  readonly id: string
  readonly maxSteps: number
  /** The budget that attempts are charged to. */
  budget = new Budget(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
  executions = 0
  /** Asked after every attempt: true ends the work, with the best found so far. */
  shouldStop: (() => boolean) | undefined = undefined
  private stopped = false
  /** Steps and choices of the last attempt, whatever its verdict. */
  readonly executor: Executor

  constructor(model: Model, id: string, maxSteps: number) {
    this.model = model
    this.id = id
    this.maxSteps = maxSteps
    this.executor = new Executor(model, { maxSteps })
  }

  /** No further attempt: the budget is spent or the caller wants an end. */
  get done(): boolean {
    return this.stopped || this.budget.spent
  }

  /** Executes under `strategy`; the outcome when it failed in the way that is looked for. */
  attempt(strategy: Strategy): Outcome | undefined {
    const { executor } = this
    const recording = new Recording(strategy)
    const verdict = this.judge(executor.run(recording))
    this.executions++
    this.budget.executions--
    this.budget.steps -= executor.step
    if (this.shouldStop?.() === true) this.stopped = true
    return failureId(verdict) === this.id
      ? outcomeOf(executor, recording, verdict, this.model.threads.length)
      : undefined
  }

  private judge(verdict: Verdict): Verdict {
    if (verdict._tag !== "StepLimit" || this.id !== "livelock") return verdict
    return classifyStepLimit(this.model, this.executor.copyChoices(), { maxSteps: this.maxSteps })
  }
}

const outcomeOf = (executor: Executor, recording: Recording, verdict: Verdict, threadCount: number): Outcome => ({
  verdict,
  cost: {
    preemptions: recording.preemptions.length,
    switches: recording.switches,
    steps: executor.step,
    threads: new Set(recording.threads).size
  },
  choices: executor.copyChoices(),
  schedule: recording.schedule,
  threads: [...recording.threads],
  asks: [...recording.asks],
  preemptions: [...recording.preemptions],
  data: Array.from(
    { length: threadCount },
    (_, thread) => recording.data.filter((d) => d.thread === thread).map((d) => d.value)
  )
})
