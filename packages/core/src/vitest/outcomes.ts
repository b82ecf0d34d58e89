/** Outcomes that were met against those that were expected, as herd7 lists states: all of them, then the answer. */
import type { Outcome } from "../explore/Outcomes.ts"

export interface OutcomeDifference {
  readonly unexpected: ReadonlyArray<Outcome>
  readonly missing: ReadonlyArray<string>
}

/** Undefined when the same outcomes were met as were expected. */
export const differenceOf = (
  met: ReadonlyArray<Outcome>,
  expected: ReadonlyArray<string>
): OutcomeDifference | undefined => {
  const unexpected = met.filter(({ name }) => !expected.includes(name))
  const missing = expected.filter((name) => !met.some((outcome) => outcome.name === name))
  return unexpected.length + missing.length === 0 ? undefined : { unexpected, missing }
}

/** A line for each outcome, the expected ones first: its name, how often it was met, what is wrong with it. */
export const outcomeTable = (met: ReadonlyArray<Outcome>, expected: ReadonlyArray<string>): string => {
  const names = [...new Set([...expected, ...met.map(({ name }) => name)])]
  const width = Math.max(...names.map((name) => name.length))
  const counts = names.map((name) => String(met.find((outcome) => outcome.name === name)?.count ?? 0))
  const digits = Math.max(...counts.map((count) => count.length))
  const lines = names.map((name, i) => {
    const remark = counts[i] === "0" ? "expected, never met" : expected.includes(name) ? "" : "not expected"
    return `  ${counts[i]!.padStart(digits)}  ${name.padEnd(width)}  ${remark}`.trimEnd()
  })
  return [`Outcomes ${met.length}, by executions explored`, ...lines].join("\n")
}
