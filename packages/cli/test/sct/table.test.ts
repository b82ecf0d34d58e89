import { describe, expect, test } from "vitest"
import { cell, expected, geometricMean, replaceBetween, summarise } from "mmrace/bench/sct/table"
import { type Outcome, runTrial } from "mmrace/bench/sct/trial"

const outcome = (...executions: ReadonlyArray<number>): Outcome => ({
  trial: { program: "p", form: "flat", strategy: "random", limit: 100, seeds: executions.length },
  executions
})

describe("the table", () => {
  test("the mean is over the seeds that found it, and says of how many", () => {
    expect(summarise(outcome(2, 4, 0))).toMatchObject({ found: 2, trials: 3, mean: 3 })
    expect(cell(outcome(2, 4, 0))).toBe("3.0 ± 1.4 (2/3)")
    expect(cell(outcome(2, 4))).toBe("3.0 ± 1.4")
    expect(cell(outcome(0, 0))).toBe("–")
  })

  test("executions cut off at the limit count as done", () => {
    expect(expected(outcome(2, 4, 0))).toBe(53)
    expect(expected(outcome(0, 0))).toBe(200)
    expect(geometricMean([1, 100])).toBeCloseTo(10)
  })

  test("what stands between the markers is replaced, and nothing else", () => {
    expect(replaceBetween("a\n<!-- t -->\nold\n<!-- /t -->\nb", "t", "new")).toBe(
      "a\n<!-- t -->\n\nnew\n\n<!-- /t -->\nb"
    )
    expect(() => replaceBetween("a", "t", "new")).toThrow("markers")
  })
})

test("a trial is the same every time and stops at its limit", () => {
  const trial = { program: "reorder_3", form: "spawned", strategy: "surw", limit: 20, seeds: 6 } as const
  const first = runTrial(trial)
  expect(runTrial(trial)).toEqual(first)
  expect(Math.max(...first.executions)).toBeLessThanOrEqual(20)
  expect(runTrial({ ...trial, program: "safestack" }).executions).toEqual([0, 0, 0, 0, 0, 0])
})
