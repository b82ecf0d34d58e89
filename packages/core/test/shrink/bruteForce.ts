/** Every schedule of a model, by counting through the choice streams like an odometer. */
import { type Cost, Executor, failureId, type Model, Recording, type Strategy, type View } from "@mmrace/core"

class Odometer implements Strategy {
  readonly name = "odometer"
  digits: Array<number> = []
  readonly widths: Array<number> = []
  private position = 0
  begin(): void {
    this.position = 0
    this.widths.length = 0
  }
  pick(view: View): number {
    return this.choose(view.enabledCount)
  }
  choose(n: number): number {
    this.widths.push(n)
    return this.digits[this.position++] ?? 0
  }
  /** The next stream; false after the last. */
  advance(used: ReadonlyArray<number>): boolean {
    for (let i = used.length - 1; i >= 0; i--) {
      if (used[i]! + 1 < this.widths[i]!) {
        this.digits = [...used.slice(0, i), used[i]! + 1]
        return true
      }
    }
    return false
  }
}

export interface Found {
  readonly cost: Cost
  readonly choices: ReadonlyArray<number>
}

/** The failing schedules of each failure id, and how many schedules there are with each number of preemptions. */
export const bruteForce = (
  model: Model
): { readonly failing: Map<string, Array<Found>>; readonly total: number; readonly byPreemptions: Array<number> } => {
  const odometer = new Odometer()
  const recording = new Recording(odometer)
  const executor = new Executor(model)
  const failing = new Map<string, Array<Found>>()
  const byPreemptions: Array<number> = []
  let total = 0
  for (;;) {
    const id = failureId(executor.run(recording))
    const choices = executor.copyChoices()
    const { preemptions: { length: preemptions }, switches, threads } = recording
    total++
    byPreemptions[preemptions] = (byPreemptions[preemptions] ?? 0) + 1
    if (id !== undefined) {
      const cost: Cost = { preemptions, switches, steps: executor.step, threads: new Set(threads).size }
      const list = failing.get(id)
      if (list === undefined) failing.set(id, [{ cost, choices }])
      else list.push({ cost, choices })
    }
    if (!odometer.advance(choices)) return { failing, total, byPreemptions }
  }
}

/** Least in the order of costs; ties by the choice stream. */
export const least = (found: ReadonlyArray<Found>): Found =>
  found.toSorted((a, b) =>
    a.cost.preemptions - b.cost.preemptions || a.cost.switches - b.cost.switches || a.cost.steps - b.cost.steps ||
    a.cost.threads - b.cost.threads ||
    Number(a.choices.join("") > b.choices.join("")) - Number(a.choices.join("") < b.choices.join(""))
  )[0]!
