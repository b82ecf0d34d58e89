/**
 * Searches that leave nothing to chance: one number for each program, and no seed.
 *
 * - `preemptions`, `delays`: all schedules with a cost of 0, then of 1, and so on: iterative context bounding (Musuvathi,
 *   Qadeer, PLDI 2007) and delay bounding (Emmi, Qadeer, Rakamaric, POPL 2011), as the studies of SCTBench have them. No
 *   reduction; a schedule counts once, where its own cost is the bound.
 * - `depth first`: all schedules, the first thread first.
 * - `explore`, `explore --minimal`: what the commands do, up to the first failure.
 */
import { Explore, isFailure, type Model, type Verdict } from "@mmrace/core"

export interface Found {
  /**
   * Executions up to and including the first that failed; with state matching also those that ended in a state from which
   * all was explored.
   */
  readonly executions: number
  /** The cost at which it was found, where schedules are searched by cost. */
  readonly bound?: number
}

/** Undefined: none within `limit` executions. */
export type Systematic = (
  model: Model,
  limit: number,
  maxSteps: number,
  counts: (verdict: Verdict) => boolean
) => Found | undefined

const byCost = (cost: "preemptions" | "delays"): Systematic => (model, limit, maxSteps, counts) => {
  let executions = 0
  for (let bound = 0;; bound++) {
    const before = executions
    let found = false
    Explore.bruteForce(model, {
      cost,
      bound,
      maxSteps,
      visit: (_, spent, verdict) => {
        if (spent < bound) return true
        executions++
        found = isFailure(verdict) && counts(verdict)
        return !found && executions < limit
      }
    })
    if (found) return { executions, bound }
    // Nothing costs as much: there is no other schedule.
    if (executions >= limit || executions === before) return undefined
  }
}

const depthFirst: Systematic = (model, limit, maxSteps, counts) => {
  let found = false
  const { executions } = Explore.bruteForce(model, {
    maxSteps,
    maxExecutions: limit,
    visit: (_, __, verdict) => !(found = isFailure(verdict) && counts(verdict))
  })
  return found ? { executions } : undefined
}

/** For an exploration, most of whose executions end a few steps behind where they left the one before. */
const mostSteps = 1_000_000

const executionsOf = ({ blocked, executions, matched }: Explore.Counts): number => executions + matched + blocked

const exploring = (options: Explore.ExploreOptions): Systematic => (model, limit, maxSteps, counts) => {
  const { counts: done, verdict } = Explore.explore(model, {
    ...options,
    maxSteps,
    interrupt: ({ executions, steps }) => executions >= limit || steps >= mostSteps ? "limit" : undefined
  })
  return verdict._tag === "Violated" && counts(verdict.first.verdict) ? { executions: executionsOf(done) } : undefined
}

export const systematic: ReadonlyMap<string, Systematic> = new Map([
  ["preemptions", byCost("preemptions")],
  ["delays", byCost("delays")],
  ["depth first", depthFirst],
  ["explore", exploring({ onFailure: "stop" })],
  ["explore --minimal", exploring({ minimal: true })]
])
