/** The table of final states, in the manner of herd7. */
import { type Final, printCondition } from "@mmrace/actors"
import { count } from "../screen.ts"
import type { FinalState } from "../fuzz/Outcomes.ts"

export interface FinalSummary {
  readonly quantifier: Final["quantifier"]
  readonly condition: string
  readonly states: ReadonlyArray<FinalState>
  /** Executions whose final state satisfies the condition, and that do not. */
  readonly positive: number
  readonly negative: number
  /** What the quantifier asks for holds in the executions done. */
  readonly ok: boolean
  readonly observation: "Never" | "Sometimes" | "Always"
}

export const summarize = ({ condition, quantifier }: Final, states: ReadonlyArray<FinalState>): FinalSummary => {
  const sum = (holds: boolean): number => states.reduce((n, s) => n + (s.holds === holds ? s.count : 0), 0)
  const positive = sum(true)
  const negative = sum(false)
  return {
    quantifier,
    condition: printCondition(condition),
    states,
    positive,
    negative,
    ok: quantifier === "exists" ? positive > 0 : quantifier === "forall" ? negative === 0 : positive === 0,
    observation: positive === 0 ? "Never" : negative === 0 ? "Always" : "Sometimes"
  }
}

/** `others`: executions that an invariant, a deadlock or a crash ended; they are not in the table. */
export const renderFinal = (name: string, summary: FinalSummary, others: number): ReadonlyArray<string> => {
  const { condition, negative, observation, ok, positive, quantifier, states } = summary
  const width = Math.max(1, ...states.map((s) => String(s.count).length))
  return [
    `Test ${name}`,
    `States ${states.length}`,
    ...states.map((s) => `${String(s.count).padEnd(width)} ${s.holds ? "*" : ":"}> ${s.state}`),
    ok ? "Ok" : "No",
    "Witnesses",
    `Positive: ${positive} Negative: ${negative}`,
    `Condition ${quantifier} (${condition})`,
    `Observation ${name} ${observation} ${positive} ${negative}`,
    ...(others > 0 ? [`(${count(others, "execution")} ended before, by a failure or the step limit)`] : [])
  ]
}
