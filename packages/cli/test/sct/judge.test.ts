import { describe, expect, test } from "vitest"
import { judge, mannWhitney } from "mmrace/bench/sct/judge"
import type { Outcome } from "mmrace/bench/sct/trial"

const outcome = (...executions: ReadonlyArray<number>): Outcome => ({
  trial: { program: "p", form: "flat", strategy: "random", limit: 100, seeds: executions.length },
  executions
})
const times = (n: number, value: number): ReadonlyArray<number> => Array.from({ length: n }, () => value)

describe("the Mann-Whitney test", () => {
  test("gives the p of the normal approximation", () => {
    const { less, p } = mannWhitney([1, 2, 3, 4, 5, 6, 7, 8], [5, 6, 7, 8, 9, 10, 11, 12])
    expect(less).toBe(true)
    // U = 8 of 64, variance 64 / 12 * (17 - 24 / 240) for four ties: z = 23.5 / 9.494.
    expect(p).toBeCloseTo(0.013313, 6)
  })

  test("does not depend on the order of the samples, and says nothing when all are equal", () => {
    const [a, b] = [[3, 1, 4, 1, 5], [9, 2, 6, 5, 3, 5]]
    expect(mannWhitney(a, b).p).toBeCloseTo(mannWhitney(b, a).p)
    expect(mannWhitney([2, 2], [2, 2, 2]).p).toBeCloseTo(1)
  })
})

describe("a strategy against the best of the others", () => {
  test("is no worse where its mean is not larger, and significant where that is no chance", () => {
    const rows = [
      { ours: outcome(...times(30, 1)), others: [outcome(...times(30, 4)), outcome(...times(30, 2))] },
      { ours: outcome(...times(30, 8)), others: [outcome(...times(30, 4)), outcome(...times(30, 50))] },
      { ours: outcome(1, 2, 3), others: [outcome(1, 2, 4)] }
    ]
    expect(judge(rows)).toMatchObject({ programs: 3, noWorse: 2, better: 1, worse: 1 })
    expect(judge(rows.slice(0, 2)).ratio).toBeCloseTo(1)
  })

  test("counts a failure that was not found as more executions than the limit", () => {
    const rows = [{ ours: outcome(...times(20, 0)), others: [outcome(...times(20, 90))] }]
    expect(judge(rows)).toMatchObject({ noWorse: 0, worse: 1 })
  })
})
