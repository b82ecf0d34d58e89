/** Schedules until a search finds the failure: those that another implementation of the same searches needs. */
import { describe, expect, test } from "vitest"
import { searchedElsewhere } from "mmrace/bench/sct/published"
import { systematic } from "mmrace/bench/sct/systematic"
import { programNamed, runTrial, type Trial } from "mmrace/bench/sct/trial"

const limit = 5000

const trialOf = (program: string, strategy: string): Trial => ({ program, form: "flat", strategy, limit, seeds: 1 })

/**
 * Where the numbers of schedules differ in the whole, too, or the first schedule: a mutex with its conditions is one
 * location here, and some programs were written from descriptions (docs/strategies.md).
 */
const otherwise = new Set([
  "circular_buffer",
  "queue",
  "wsq",
  "bad_flags",
  "boundedbuf",
  "cve_2013_1792",
  "cve_2016_1972",
  "cve_2016_1973",
  "cve_2017_6346"
])

const same = [...searchedElsewhere].filter(([name]) => !otherwise.has(name) && programNamed(name).limit === undefined)

describe.each(["preemptions", "delays", "depth first"] as const)("%s", (search) => {
  test.each(same)("%s", (name, found) => {
    const known = found[search]
    const [schedules, bound] = typeof known === "number" ? [known, undefined] : known
    const outcome = runTrial(trialOf(name, search))
    if (schedules > limit || schedules === 0) expect(outcome.executions).toEqual([0])
    else expect([outcome.executions, outcome.bound]).toEqual([[schedules], bound])
  })
})

test("a program without a failing schedule within the bound ends the search by itself", () => {
  for (const [, search] of systematic) {
    expect(search(programNamed("lost_update").build("flat"), 1000, 1000, () => false)).toBeUndefined()
  }
})
