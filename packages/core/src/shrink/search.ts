/**
 * Exhaustive search by number of preemptions (iterative context bounding: Musuvathi, Qadeer, PLDI 2007).
 *
 * Level c holds the schedules with exactly c preemptions; each schedule is executed once. Switches away from threads
 * that wait or have ended, and data choices, cost nothing and are all tried within a level.
 */
import type { Strategy, View } from "../Strategy.ts"
import { continueLast } from "../strategies/Sequential.ts"
import { compare, type Outcome, type Trial } from "./Trial.ts"

export interface SearchResult {
  /** The best failing schedule seen; undefined when none failed. */
  readonly best: Outcome | undefined
  /** Levels 0 .. complete-1 were searched completely. */
  readonly complete: number
  /** Schedules executed on complete levels without a failure among them. */
  readonly exhausted: number
}

interface Todo {
  /** The choices of the schedule this one branches off from. */
  readonly choices: ReadonlyArray<number>
  /** The point at which it takes `choice` instead. */
  readonly point: number
  readonly choice: number
}

export interface SearchOptions {
  /** The last level to search. */
  readonly level: number
  /** Stop at the first failing schedule instead of looking for the best one of its level. */
  readonly first?: boolean
}

/** Searches level after level; ends with the first level that holds a failing schedule, or when the budget is spent. */
export const search = (trial: Trial, options: SearchOptions): SearchResult => {
  const strategy = new Branch()
  let todo: Array<Todo> = [{ choices: [], point: -1, choice: 0 }]
  let best: Outcome | undefined
  let exhausted = 0
  for (let level = 0; level <= options.level; level++) {
    const next: Array<Todo> = []
    let onLevel = 0
    let lost = false
    for (let item = todo.pop(); item !== undefined; item = todo.pop()) {
      if (trial.done) return { best, complete: level, exhausted }
      strategy.follow(item)
      const outcome = trial.attempt(strategy)
      onLevel++
      if (outcome !== undefined) {
        if (best === undefined || compare(outcome, best) < 0) best = outcome
        if (options.first === true) return { best, complete: level, exhausted }
      }
      const choices = trial.executor.copyChoices()
      // Last point first: the stack then tries deviations near the end first and stays small.
      for (let point = item.point + 1; point < choices.length; point++) {
        const costs = strategy.preemptive[point] === 1
        if (costs && level === options.level) continue
        for (let choice = 0; choice < strategy.widths[point]!; choice++) {
          if (choice === choices[point]) continue
          if (!costs) todo.push({ choices, point, choice })
          // More than can ever be tried need not be remembered.
          else if (next.length < trial.budget.executions) next.push({ choices, point, choice })
          else lost = true
        }
      }
    }
    if (best !== undefined) return { best, complete: level + 1, exhausted }
    exhausted += onLevel
    if (lost) return { best, complete: level + 1, exhausted }
    todo = next
  }
  return { best, complete: options.level + 1, exhausted }
}

/** Follows the schedule a Todo branches off from, branches, and goes on by default. */
class Branch implements Strategy {
  readonly name = "branch"
  /** By point: how many choices there were, and whether any other than the default is a preemption. */
  readonly widths: Array<number> = []
  readonly preemptive: Array<number> = []
  private item: Todo = { choices: [], point: -1, choice: 0 }

  follow(item: Todo): void {
    this.item = item
  }

  begin(): void {
    this.widths.length = 0
    this.preemptive.length = 0
  }

  pick(view: View): number {
    const point = this.note(view.enabledCount, view.last >= 0 && view.isEnabled(view.last))
    return this.recorded(point) ?? continueLast(view)
  }

  choose(n: number): number {
    return this.recorded(this.note(n, false)) ?? 0
  }

  private note(width: number, preemptive: boolean): number {
    this.preemptive.push(preemptive ? 1 : 0)
    return this.widths.push(width) - 1
  }

  private recorded(point: number): number | undefined {
    const { choice, choices, point: branch } = this.item
    return point < branch ? choices[point] : point === branch ? choice : undefined
  }
}
