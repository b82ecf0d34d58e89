/** All schedules of a model, by counting through the choice streams; the oracle for the ports. */
import { Executor, type Model, type Strategy, TraceClasses, type Verdict, type View } from "@mmrace/core"

class Odometer implements Strategy {
  readonly name = "odometer"
  digits: Array<number> = []
  private widths: Array<number> = []

  begin(): void {
    this.widths = []
  }

  pick(view: View): number {
    return this.choose(view.enabledCount)
  }

  choose(n: number): number {
    this.widths.push(n)
    return this.digits[this.widths.length - 1] ?? 0
  }

  advance(): boolean {
    const used = this.widths.map((_, i) => this.digits[i] ?? 0)
    const at = used.findLastIndex((digit, i) => digit + 1 < this.widths[i]!)
    if (at < 0) return false
    this.digits = [...used.slice(0, at), used[at]! + 1]
    return true
  }

  /** Probability of the last execution under a uniform random walk. */
  get probability(): number {
    return this.widths.reduce((p, width) => p / width, 1)
  }
}

export interface Enumeration {
  readonly schedules: number
  readonly traces: number
  /** Probability that a uniform random walk fails. */
  readonly failure: number
}

/** Throws when there are more than `limit` schedules. */
export const enumerate = (model: Model, judge: (verdict: Verdict) => boolean, limit = 200_000): Enumeration => {
  const traces = new TraceClasses(model)
  const executor = new Executor(model, { observers: [traces] })
  const odometer = new Odometer()
  let schedules = 0
  let failure = 0
  do {
    const verdict = executor.run(odometer)
    if (judge(verdict)) failure += odometer.probability
    if (++schedules > limit) throw new Error(`${model.name} has more than ${limit} schedules`)
  } while (odometer.advance())
  return { schedules, traces: traces.counts.distinct, failure }
}
