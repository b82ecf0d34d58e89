/**
 * The states that executions end in, as outcomes of an exploration. The final condition is taken out of the model and
 * judged here: as a monitor it would see the ends of all threads and make their order matter.
 */
import { finalCheck, Layout, type LoadedProgram, type Registers, wholeState } from "@mmrace/actors"
import type { Explore, Model } from "@mmrace/core"

/** How the name of an outcome begins that is a state; `*` where the condition holds. */
const holding = "*> "
const other = ":> "

export interface EndState {
  readonly state: string
  readonly holds: boolean
}

/** The state that an outcome is; undefined when it is a failure or a cut. */
export const endStateOf = (outcome: string): EndState | undefined =>
  outcome.startsWith(holding) || outcome.startsWith(other)
    ? { state: outcome.slice(other.length), holds: outcome.startsWith(holding) }
    : undefined

/** What of a program is explored, and how its ends are named. */
export const endStates = (
  loaded: LoadedProgram
): { readonly model: Model } & Required<Pick<Explore.ExploreOptions, "outcomeOf" | "isFailure">> => {
  const layout = new Layout(loaded.world)
  const check = finalCheck(layout)
  const quantifier = loaded.program.final?.quantifier
  return {
    model: { ...loaded.model, monitors: loaded.model.monitors.filter((monitor) => monitor.id !== check?.monitor.id) },
    outcomeOf: (final) => {
      const registers: Registers = Object.fromEntries(
        loaded.program.threads.flatMap((_, id) => {
          const returned = final.returned(id)
          return returned === undefined ? [] : [[id, returned as Registers[number]]]
        })
      )
      if (check === undefined) return other + wholeState(layout, registers)
      const { holds, text } = check.outcome({ registers })
      return (holds ? holding : other) + text
    },
    isFailure: (outcome) => {
      const state = endStateOf(outcome)
      if (state === undefined || quantifier === undefined || quantifier === "exists") return false
      return state.holds !== (quantifier === "forall")
    }
  }
}
