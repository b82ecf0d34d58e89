/** Exhaustive exploration of a model: all its executions, up to what cannot make a difference. */
import { defaultMaxSteps } from "../Execution.ts"
import type { Model } from "../Model.ts"
import { Dependence, type DependenceOptions, type Rule } from "./Dependence.ts"
import { type Algorithm, Dpor } from "./Dpor.ts"
import { Machine } from "./Machine.ts"
import { type Final, type Outcome, Outcomes } from "./Outcomes.ts"
import { Values } from "./Values.ts"

export interface ExploreOptions extends DependenceOptions {
  readonly algorithm?: Algorithm
  readonly maxSteps?: number
  readonly partialDeadlocks?: boolean
  readonly outcomeOf?: (final: Final) => string
  readonly unordered?: ReadonlySet<string>
  /** What to do after a failure: stop everything, end this execution, or let the other threads go on (default). */
  readonly afterFailure?: "stop" | "cut" | "continue"
  readonly broken?: Rule
  readonly ignoreWaiting?: boolean
}

export interface Explored {
  readonly executions: number
  readonly blocked: number
  readonly steps: number
  readonly outcomes: ReadonlyArray<Outcome>
}

export const explore = (model: Model, options: ExploreOptions = {}): Explored => {
  const maxSteps = options.maxSteps ?? defaultMaxSteps
  const machine = new Machine(model, new Values(), new Dependence(model, options, options.broken), {
    ...(options.unordered === undefined ? {} : { unordered: options.unordered })
  })
  const outcomes = new Outcomes(model, {
    maxSteps,
    partialDeadlocks: options.partialDeadlocks ?? true,
    outcomeOf: options.outcomeOf ?? (() => "ok")
  })
  const dpor = new Dpor(machine, {
    algorithm: options.algorithm ?? "optimal",
    maxSteps,
    ...(options.ignoreWaiting === undefined ? {} : { ignoreWaiting: options.ignoreWaiting })
  })
  try {
    if (machine.initialFailure !== undefined) outcomes.noteInitial(machine.initialFailure)
    else {
      dpor.run({
        ended(end, trace) {
          outcomes.note(machine, trace, end)
          return options.afterFailure !== "stop" || !outcomes.failed
        },
        ...(options.afterFailure === undefined || options.afterFailure === "continue"
          ? {}
          : { stepped: (step) => step.failure === undefined })
      })
    }
  } finally {
    machine.close()
  }
  return { ...dpor.counts, outcomes: outcomes.settle() }
}
