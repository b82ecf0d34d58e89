import {
  chao1,
  claimsOf,
  type ClassCounts,
  type CleanRun,
  CountTable,
  failureRateBound,
  pctMissBound,
  Prng,
  renderClaims,
  unseenMass,
  unseenMassBound
} from "@mmrace/core"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"

describe("bounds on the failure probability", () => {
  it("is the rate at which a clean run has probability delta", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e7 }), fc.double({ min: 1e-6, max: 0.5, noNaN: true }), (n, delta) => {
        const p = failureRateBound(n, delta)
        expect(Math.exp(n * Math.log1p(-p)) / delta).toBeCloseTo(1, 6)
      })
    )
  })

  it("is three over N at 95%", () => {
    expect(failureRateBound(1_000_000) * 1_000_000).toBeCloseTo(2.9957, 3)
    expect(failureRateBound(1)).toBeCloseTo(0.95, 12)
    expect(failureRateBound(0)).toBe(1)
  })

  it("of PCT follows its theorem", () => {
    expect(pctMissBound(10, 1, 2, 50)).toBeCloseTo(0.5 ** 10, 15)
    expect(pctMissBound(1, 2, 2, 50)).toBeCloseTo(0.99, 12)
    expect(pctMissBound(1000, 3, 4, 10)).toBeCloseTo((1 - 1 / 400) ** 1000, 12)
    expect(pctMissBound(5, 1, 1, 0)).toBe(0)
    expect(pctMissBound(0, 1, 1, 0)).toBe(1)
  })
})

/** Draws from 200 classes with weights 1/1, 1/2, 1/3, ...; returns what was seen and what was missed. */
const draw = (seed: number, executions: number) => {
  const weights = Array.from({ length: 200 }, (_, i) => 1 / (i + 1))
  const total = weights.reduce((a, b) => a + b)
  const prng = new Prng(seed)
  const table = new CountTable()
  for (let n = 0; n < executions; n++) {
    let rest = prng.unit() * total
    let i = 0
    while (i < 199 && (rest -= weights[i]!) >= 0) i++
    table.add(i)
  }
  const missed = weights.reduce((sum, weight, i) => table.countOf(i) === 0 ? sum + weight / total : sum, 0)
  const classes: ClassCounts = { distinct: table.distinct, once: table.once, twice: table.twice }
  return { classes, missed }
}

const mean = (list: ReadonlyArray<number>): number => list.reduce((a, b) => a + b, 0) / list.length

describe("estimates of what was not seen, against a distribution that is known", () => {
  const samples = Array.from({ length: 200 }, (_, seed) => draw(seed, 400))

  it("Good-Turing is right on average", () => {
    const estimate = mean(samples.map((s) => unseenMass(400, s.classes)))
    const truth = mean(samples.map((s) => s.missed))
    expect(truth).toBeGreaterThan(0.05)
    expect(Math.abs(estimate - truth)).toBeLessThan(0.01)
  })

  it("the upper bound holds", () => {
    expect(samples.filter((s) => s.missed > unseenMassBound(400, s.classes)).length).toBeLessThanOrEqual(10)
    // Not by being trivial: with more executions it comes down.
    expect(unseenMassBound(100_000, { distinct: 200, once: 0, twice: 0 })).toBeLessThan(0.03)
  })

  it("Chao1 lies between what was seen and what exists, on average", () => {
    const estimate = mean(samples.map((s) => chao1(s.classes)))
    expect(estimate).toBeGreaterThan(mean(samples.map((s) => s.classes.distinct)) + 20)
    expect(estimate).toBeLessThan(200)
  })
})

const run: CleanRun = {
  executions: 12_345,
  stop: { _tag: "Capped", by: "60 s" },
  stepLimited: 0,
  independent: 12_345,
  threads: 3,
  choices: 40,
  pct: [{ depth: 2, executions: 1000 }],
  classes: { distinct: 2000, once: 500, twice: 249 }
}

describe("claims of a clean run", () => {
  it("are spelled out when it was capped", () => {
    expect(renderClaims(run)).toEqual([
      "12,345 executions, no failure; 2,000 classes of equivalent executions",
      "CAPPED at 60 s: schedules are left that were not executed",
      "an execution fails with probability at most 0.00025 (95% confidence)",
      "PCT missed a bug with probability at most 0.00024 at depth 1, 0.00024 at depth 2 (n = 3 threads, k = 40 choices)",
      "the next execution is of an unseen class with probability about 0.041, at most 0.124 (95% confidence; 500 seen once, 249 twice)",
      "about 2,499 classes or more exist (Chao1)"
    ])
  })

  it("speak of one class as of one", () => {
    const once: CleanRun = {
      ...run,
      executions: 1,
      independent: 1,
      pct: [],
      classes: { distinct: 1, once: 1, twice: 0 }
    }
    expect(renderClaims(once).at(-1)).toBe("about 1 class or more exists (Chao1)")
  })

  it("are certain, and no estimates, when every schedule was executed", () => {
    const exhausted: CleanRun = {
      ...run,
      executions: 1,
      independent: 1,
      classes: { distinct: 1, once: 1, twice: 0 },
      stop: { _tag: "Exhausted" }
    }
    expect(renderClaims(exhausted)).toEqual([
      "1 execution, no failure; 1 class of equivalent executions",
      "EXHAUSTED: every schedule of this program was executed"
    ])
    expect(renderClaims({ ...exhausted, stop: { _tag: "Exhausted", within: "2 preemptions" }, stepLimited: 1 }))
      .toEqual([
        "1 execution, no failure; 1 class of equivalent executions",
        "EXHAUSTED within 2 preemptions: every schedule up to the step limit inside that bound was executed, none outside it",
        "1 execution ended at the step limit: what would have come later is not covered"
      ])
  })

  it("never mix capped and exhausted", () => {
    const stops = fc.oneof(
      fc.constant({ _tag: "Exhausted" } as const),
      fc.constant({ _tag: "Capped", by: "10 executions" } as const)
    )
    const runs = fc.record({
      executions: fc.nat(1e6),
      stop: stops,
      stepLimited: fc.nat(3),
      independent: fc.nat(1e6),
      threads: fc.nat(9),
      choices: fc.nat(999),
      pct: fc.array(fc.record({ depth: fc.integer({ min: 1, max: 5 }), executions: fc.nat(1e5) }), { maxLength: 3 }),
      classes: fc.record({ distinct: fc.nat(99), once: fc.nat(99), twice: fc.nat(99) })
    })
    fc.assert(fc.property(runs, (any) => {
      const text = renderClaims(any).join("\n")
      const exhausted = any.stop._tag === "Exhausted"
      expect(text.includes("EXHAUSTED")).toBe(exhausted)
      expect(text.includes("CAPPED")).toBe(!exhausted)
      expect(text.includes("probability at most")).toBe(
        !exhausted && (any.independent > 0 || claimsOf(any).pctMissBounds.length > 0)
      )
      expect(text).not.toMatch(/NaN|undefined|Infinity/)
    }))
  })

  it("omit what is not valid when executions learn from each other, and PCT depths that were not run", () => {
    const claims = claimsOf({ ...run, independent: 0 })
    expect(claims).toMatchObject({ failureRateBound: undefined, unseenMass: undefined, chao1: undefined })
    expect(claims.pctMissBounds.map((b) => b.depth)).toEqual([1, 2])
    const some = claimsOf({ ...run, independent: 1000 })
    expect(some).toMatchObject({ failureRateBound: failureRateBound(1000), unseenMass: undefined, chao1: undefined })
    expect(renderClaims({ ...run, independent: 1000 })[2]).toBe(
      "an execution fails with probability at most 0.003 (95% confidence, by the 1,000 executions that did not learn from others)"
    )
    expect(claimsOf({ ...run, pct: [] }).pctMissBounds).toEqual([])
  })

  it("count PCT executions for a bug of their depth or less, each with the odds of its own depth", () => {
    const bounds = claimsOf({ ...run, pct: [{ depth: 1, executions: 2 }, { depth: 3, executions: 50 }] }).pctMissBounds
    const third = pctMissBound(50, 3, 3, 40)
    expect(bounds).toEqual([
      { depth: 1, bound: pctMissBound(2, 1, 3, 40) * third },
      { depth: 2, bound: third },
      { depth: 3, bound: third }
    ])
  })
})
