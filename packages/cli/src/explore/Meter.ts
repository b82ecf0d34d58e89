/** The status line of an exploration. */
import { count, duration, grouped, showStatus } from "../screen.ts"
import type { Progress } from "./search.ts"

/** Longer estimates than this say nothing. */
const longest = 1000 * 3600

export class Meter {
  failures = 0
  private readonly began = performance.now()
  /** Seconds; undefined: no limit. */
  private readonly time: number | undefined
  /** What rates are counted from: an earlier run had done something already, and a split begins anew. */
  private from: { readonly at: number; readonly executions: number; readonly fraction: number } | undefined

  constructor(time: number | undefined) {
    this.time = time
  }

  show(progress: Progress): void {
    const now = performance.now()
    const { executions, fraction = 0, memory, states } = progress
    if (this.from === undefined || fraction < this.from.fraction || executions < this.from.executions) {
      this.from = { at: this.from === undefined ? this.began : now, executions, fraction }
    }
    const elapsed = (now - this.began) / 1000
    const seconds = Math.max(0.001, (now - this.from.at) / 1000)
    showStatus(
      [
        `${grouped(executions)} executions`,
        `${grouped((executions - this.from.executions) / seconds)}/s`,
        ...(states > 0 ? [count(states, "state")] : []),
        ...this.left(progress, seconds),
        count(this.failures, "failure"),
        `${duration(elapsed)} so far`,
        ...(this.time === undefined ? [] : [`${duration(this.time - elapsed)} left of --time`]),
        `${Math.ceil(memory / 2 ** 20)} MiB`
      ].join(", ")
    )
  }

  /** A lower estimate: branches of the tree that are not known yet come on top. */
  private left({ fraction }: Progress, seconds: number): ReadonlyArray<string> {
    if (fraction === undefined) return []
    const percent = `at most ${(100 * fraction).toFixed(fraction < 0.1 ? 2 : 0)}% done`
    const rest = seconds * (1 - fraction) / (fraction - this.from!.fraction)
    return rest < longest ? [percent, `at least ${duration(rest)} more`] : [percent]
  }
}
