/**
 * Wraps a strategy and keeps what the choice stream alone does not say: the default at each point, which thread
 * made each step, and which switches were preemptions.
 *
 * A *switch* is a step by another thread than the step before it. A *preemption* is a switch away from a thread
 * that could have continued: it was enabled when the other one was chosen. Switching away from a thread that waits
 * or has ended is not one, nor is the choice of the first thread.
 */
import type { Ask } from "../Ask.ts"
import type { Profile } from "../Profile.ts"
import { type Schedule, scheduleOf } from "../Schedule.ts"
import type { Strategy, View } from "../Strategy.ts"
import { continueLast } from "./Sequential.ts"

const noData = -1

export class Recording implements Strategy {
  readonly name: string
  readonly choices: Array<number> = []
  /** What the default continuation would have chosen, point by point. */
  readonly defaults: Array<number> = []
  /** The thread of each step, exits not counted. */
  readonly threads: Array<number> = []
  /** The ask of each step. */
  readonly asks: Array<Ask<unknown>> = []
  /** The data choices, with the thread that asked. */
  readonly data: Array<{ readonly thread: number; readonly value: number }> = []
  /** Step numbers (index into `threads`) that were preemptions. */
  readonly preemptions: Array<number> = []
  switches = 0
  private readonly inner: Strategy
  private preempting = false
  private waitingData = noData

  constructor(inner: Strategy) {
    this.inner = inner
    this.name = inner.name
  }

  begin(seed: number, profile: Profile): void {
    this.choices.length = 0
    this.defaults.length = 0
    this.threads.length = 0
    this.asks.length = 0
    this.data.length = 0
    this.preemptions.length = 0
    this.switches = 0
    this.preempting = false
    this.waitingData = noData
    this.inner.begin(seed, profile)
  }

  pick(view: View): number {
    const choice = this.inner.pick(view)
    this.choices.push(choice)
    this.defaults.push(continueLast(view))
    this.preempting = view.last >= 0 && view.enabled[choice] !== view.last && view.isEnabled(view.last)
    return choice
  }

  choose(n: number, view: View): number {
    const choice = this.inner.choose(n, view)
    this.choices.push(choice)
    this.defaults.push(0)
    this.waitingData = choice
    return choice
  }

  ran(thread: number, ask: Ask<unknown>, view: View): void {
    const step = this.threads.length
    if (step > 0 && this.threads[step - 1] !== thread) this.switches++
    if (this.preempting) this.preemptions.push(step)
    this.preempting = false
    if (this.waitingData !== noData) this.data.push({ thread, value: this.waitingData })
    this.waitingData = noData
    this.threads.push(thread)
    this.asks.push(ask)
    this.inner.ran?.(thread, ask, view)
  }

  get schedule(): Schedule {
    return scheduleOf(this.choices, this.defaults)
  }
}
