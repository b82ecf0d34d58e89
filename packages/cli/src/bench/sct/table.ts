/** The tables of docs/strategies.md, written between markers. */
import type { Outcome } from "./trial.ts"

export interface Summary {
  readonly found: number
  readonly trials: number
  /** Over the trials that found it; NaN when none did. */
  readonly mean: number
  readonly spread: number
}

export const summarise = ({ executions }: Outcome): Summary => {
  const hits = executions.filter((n) => n > 0)
  const mean = hits.reduce((sum, n) => sum + n, 0) / hits.length
  const spread = Math.sqrt(hits.reduce((sum, n) => sum + (n - mean) ** 2, 0) / Math.max(1, hits.length - 1))
  return { found: hits.length, trials: executions.length, mean, spread }
}

/**
 * The mean as it would be if executions were independent: all executions done, by failures found. What was cut off at
 * the limit counts as done.
 */
export const expected = ({ executions, trial }: Outcome): number => {
  const hits = executions.filter((n) => n > 0)
  const done = hits.reduce((sum, n) => sum + n, 0) + (executions.length - hits.length) * trial.limit
  return done / Math.max(1, hits.length)
}

const short = (value: number): string => value < 9.95 ? value.toFixed(1) : value.toFixed(0)

export const cell = (outcome: Outcome): string => {
  const { found, mean, spread, trials } = summarise(outcome)
  if (found === 0) return "–"
  return `${short(mean)} ± ${short(spread)}${found === trials ? "" : ` (${found}/${trials})`}`
}

export const geometricMean = (values: ReadonlyArray<number>): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)

export const markdown = (heading: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [heading, heading.map((_, i) => i === 0 ? "---" : "--:"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n")

/** Replaces what stands between `<!-- NAME -->` and `<!-- /NAME -->`. Throws when the markers are not there. */
export const replaceBetween = (text: string, name: string, body: string): string => {
  const from = text.indexOf(`<!-- ${name} -->`)
  const to = text.indexOf(`<!-- /${name} -->`)
  if (from < 0 || to < from) throw new Error(`the markers <!-- ${name} --> and <!-- /${name} --> are missing`)
  return `${text.slice(0, from)}<!-- ${name} -->\n\n${body}\n\n${text.slice(to)}`
}
