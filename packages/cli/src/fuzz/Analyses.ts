/** What is gathered over all executions of a campaign. */
import type { LoadedProgram } from "@mmrace/actors"
import { Coverage, LockOrder, type Mergeable, TraceClasses } from "@mmrace/core"
import { Outcomes } from "./Outcomes.ts"

export interface Analyses {
  readonly coverage: Coverage
  readonly classes: TraceClasses
  readonly locks: LockOrder
  readonly outcomes: Outcomes
}

/** Empty analyses, for executions from number `from` on. */
export const makeAnalyses = (loaded: LoadedProgram, from = 0): Analyses => {
  const locks = new LockOrder(loaded.model)
  locks.nextExecution = from
  return {
    coverage: new Coverage(loaded.model),
    classes: new TraceClasses(loaded.model),
    locks,
    outcomes: new Outcomes(loaded)
  }
}

/** In a fixed order: results of slices are merged by position. */
export const asMergeables = ({ classes, coverage, locks, outcomes }: Analyses): ReadonlyArray<Mergeable> => [
  coverage,
  classes,
  locks,
  outcomes
]
