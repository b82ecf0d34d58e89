/** Is a strategy no worse than the best of the others? By the means, and by a test that knows what is chance. */
import { expected, geometricMean } from "./table.ts"
import type { Outcome } from "./trial.ts"

/** One program: what the strategy in question did, and all others. */
export interface Row {
  readonly ours: Outcome
  readonly others: ReadonlyArray<Outcome>
}

export interface Judgement {
  readonly programs: number
  /** Programs on which the mean is at most the least mean of the others. */
  readonly noWorse: number
  /** Programs on which it needs significantly fewer, and significantly more, than the other with the least mean. */
  readonly better: number
  readonly worse: number
  /** Geometric mean over the programs of its mean divided by the least mean of the others. */
  readonly ratio: number
}

const significant = 0.05

export const judge = (rows: ReadonlyArray<Row>): Judgement => {
  let noWorse = 0
  let better = 0
  let worse = 0
  const ratios: Array<number> = []
  for (const { others, ours } of rows) {
    const best = others.reduce((a, b) => expected(b) < expected(a) ? b : a)
    // Means are compared as they are printed: with one decimal.
    if (rounded(expected(ours)) <= rounded(expected(best))) noWorse++
    ratios.push(expected(ours) / expected(best))
    const { less, p } = mannWhitney(sample(ours), sample(best))
    if (p < significant && less) better++
    if (p < significant && !less) worse++
  }
  return { programs: rows.length, noWorse, better, worse, ratio: geometricMean(ratios) }
}

const rounded = (value: number): number => Math.round(value * 10)

/** What was cut off at the limit is larger than all that was not. */
const sample = ({ executions, trial }: Outcome): ReadonlyArray<number> =>
  executions.map((n) => n === 0 ? trial.limit + 1 : n)

/**
 * The Mann-Whitney U test, two-sided, by the normal approximation with correction for ties and continuity; `less` when
 * the first sample is the smaller one.
 */
export const mannWhitney = (
  first: ReadonlyArray<number>,
  second: ReadonlyArray<number>
): { readonly less: boolean; readonly p: number } => {
  const all = [...first.map((value) => ({ value, own: 1 })), ...second.map((value) => ({ value, own: 0 }))]
    .sort((a, b) => a.value - b.value)
  const n = all.length
  let rankSum = 0
  let ties = 0
  for (let from = 0; from < n;) {
    let to = from
    let own = 0
    while (to < n && all[to]!.value === all[from]!.value) own += all[to++]!.own
    const count = to - from
    rankSum += own * (from + 1 + to) / 2
    ties += count ** 3 - count
    from = to
  }
  const u = rankSum - first.length * (first.length + 1) / 2
  const middle = first.length * second.length / 2
  const variance = first.length * second.length / 12 * (n + 1 - ties / (n * (n - 1)))
  const z = variance === 0 ? 0 : Math.max(0, Math.abs(u - middle) - 0.5) / Math.sqrt(variance)
  return { less: u < middle, p: Math.min(1, 2 * upperTail(z)) }
}

/** P(Z > z) for a standard normal Z (Abramowitz and Stegun 7.1.26; error below 1.5e-7). */
const upperTail = (z: number): number => {
  const x = z / Math.SQRT2
  const t = 1 / (1 + 0.3275911 * x)
  const poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
  return poly * Math.exp(-x * x) / 2
}
