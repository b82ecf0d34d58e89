/** The tables of docs/exploration.md. */
import { markdown } from "../sct/table.ts"
import type { Outcome } from "./cell.ts"

const grouped = (n: number): string => n.toLocaleString("en-US")

const time = (seconds: number): string => seconds < 9.95 ? `${seconds.toFixed(1)} s` : `${seconds.toFixed(0)} s`

/** `1,754 in 1.1 s`, executions or states; what was cut off is in italics and behind a `>`. */
export const cell = (outcome: Outcome | undefined): string => {
  if (outcome === undefined) return ""
  if (outcome.error !== undefined) return `*${outcome.error}*`
  const { complete, executions, seconds, states } = outcome
  const text = `${states > 0 ? `${grouped(states)} states` : grouped(executions)} in ${time(seconds)}`
  return complete ? text : `*> ${text}*`
}

/** What is known of one program on one kernel: the unbounded exploration, and those with bounds. */
export interface Row {
  readonly name: string
  readonly kernel: "before" | "fixed"
  readonly whole: Outcome | undefined
  /** With 1, 2, 3 preemptions, as far as they were tried. */
  readonly bounded: ReadonlyArray<Outcome>
}

const bounds = ["1 preemption", "2 preemptions", "3 preemptions"]

/** The unbounded one if it was complete, else the one with the largest bound that was. */
export const best = ({ bounded, whole }: Row): { readonly outcome: Outcome | undefined; readonly bound: string } => {
  if (whole?.complete === true) return { outcome: whole, bound: "none" }
  const at = bounded.findLastIndex((outcome) => outcome.complete)
  return at < 0 ? { outcome: undefined, bound: "" } : { outcome: bounded[at], bound: bounds[at]! }
}

const verdictOf = (row: Row, complete: Outcome | undefined): string => {
  const all = [row.whole, ...row.bounded]
  if (all.some((outcome) => outcome?.violated === true)) return "violated"
  return complete === undefined ? "*incomplete*" : "complete"
}

const failures = (row: Row): string =>
  [...new Set([row.whole, ...row.bounded].flatMap((outcome) => outcome?.error ?? []))].join("; ")

export const verdicts = (rows: ReadonlyArray<Row>): string =>
  markdown(
    ["program", "kernel", "verdict", "bound", "executions", "states", "time", "cut off without a bound"],
    rows.map((row) => {
      const { bound, outcome } = best(row)
      const found = outcome === undefined
        ? ["", "", ""]
        : [grouped(outcome.executions), grouped(outcome.states), time(outcome.seconds)]
      const error = failures(row)
      const verdict = `${verdictOf(row, outcome)}${error === "" ? "" : ` (${error})`}`
      return [row.name, row.kernel, verdict, bound, ...found, row.whole?.complete === true ? "" : cell(row.whole)]
    })
  )

export const comparison = (
  names: ReadonlyArray<string>,
  methods: ReadonlyArray<string>,
  find: (name: string, method: string) => Outcome | undefined
): string =>
  markdown(
    ["program", ...methods],
    names.map((name) => [
      name,
      ...methods.map((method) => cell(find(name, method)))
    ])
  )
