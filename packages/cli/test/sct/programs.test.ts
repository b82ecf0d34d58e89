/** The ports against what is known of the programs, and against themselves. */
import { runCampaign } from "@mmrace/core"
import { describe, expect, test } from "vitest"
import { kindOf } from "mmrace/bench/sct/Program"
import { programs } from "mmrace/bench/sct/programs/index"
import { programNamed } from "mmrace/bench/sct/trial"
import { enumerate } from "./enumerate.ts"

/**
 * Schedules in the whole tree, Mazurkiewicz traces, and the probability that a uniform random walk fails, of the flat
 * form; an execution ends at its failure. From another implementation of the same programs. Where traces are left out,
 * our primitive is one location (a mutex with its conditions, a reader-writer lock) and theirs several; where the
 * probability is left out, theirs was not given.
 */
const known: ReadonlyArray<readonly [name: string, schedules: number, traces: number | undefined, failure: number]> = [
  ["lost_update", 6, 4, 1 / 2],
  ["account", 6, 6, 1 / 3],
  ["bluetooth_driver", 73, 10, 0.03906],
  ["carter01", 4, 4, 1 / 2],
  ["circular_buffer", 467, 467, 0.9375],
  ["deadlock01", 6, 3, 1 / 2],
  ["din_phil3", 168, 7, 1 / 3],
  ["din_phil4", 98_184, 15, 0.2292],
  ["lazy01", 6, 6, 1 / 3],
  ["phase01", 6, 6, 1],
  ["reorder_3", 162, 52, 0.04938],
  ["reorder_4", 6573, 1089, 0.03809],
  ["stack", 68_677, 68_677, 0.6239],
  ["token_ring", 24, 24, 1 / 6],
  ["twostage", 8, 3, 1 / 16],
  ["wronglock_3", 71_844, 714, 0.3716],
  ["stringbuffer", 24, 6, 1 / 16],
  ["bad_flags", 88, 8, 0.1875],
  ["aba_toctou", 10, 4, 0.375],
  ["double_fetch", 16, 6, 1 / 2],
  ["rwsem_recursive_read", 6, undefined, 1 / 4],
  ["lostwakeup", 8, undefined, 1 / 4],
  ["cve_2009_3547", 2, 2, 1 / 2],
  ["cve_2011_2183", 8, 3, 1 / 2],
  ["cve_2015_7550", 6, 3, 1 / 2],
  ["cve_2016_7911", 9, 4, 1 / 4],
  ["cve_2016_9806", 42, undefined, 1 / 4],
  ["cve_2017_15265", 9, 3, 0.003906]
]

describe("the whole tree of a program is the one that is known", () => {
  test.each(known)("%s", (name, schedules, traces, failure) => {
    const program = programNamed(name)
    const found = enumerate(program.build("flat"), (verdict) => {
      if (verdict._tag !== "Ok") expect(kindOf(verdict)).toBe(program.fails)
      return verdict._tag !== "Ok"
    })
    expect(found.schedules).toBe(schedules)
    if (traces !== undefined) expect(found.traces).toBe(traces)
    expect(found.failure).toBeCloseTo(failure, 3)
  })
})

/** Nobody has found it within the executions that a test can do. */
const hard = new Set(["safestack"])

describe.each(["flat", "spawned"] as const)("in the %s form", (form) => {
  test.each(programs.filter((p) => !hard.has(p.name)))("$name fails as it should, and not otherwise", (program) => {
    const runs = program.always ? 200 : 5000
    const { report } = runCampaign(program.build(form), {
      runs,
      strategy: "portfolio",
      seed: 1,
      untilFailure: !program.always
    })
    expect(report.failures.length).toBeGreaterThan(0)
    for (const { verdict } of report.failures) expect(kindOf(verdict)).toBe(program.fails)
    if (program.always) expect(report.verdicts.Ok).toBe(0)
  })
})

test("a program that does not always fail has an execution that does not", () => {
  for (const program of programs.filter((p) => !p.always && !hard.has(p.name))) {
    const { report } = runCampaign(program.build("flat"), { runs: 300, strategy: "portfolio", seed: 2 })
    expect(report.verdicts.Ok, program.name).toBeGreaterThan(0)
  }
})

test("names are unique and there are as many programs as the page says", () => {
  expect(new Set(programs.map((p) => p.name)).size).toBe(programs.length)
  expect(programs.length).toBe(50)
})
