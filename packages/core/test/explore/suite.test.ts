/** On every program of the suite each way of exploring finds the outcomes of all schedules. */
import { Explore } from "@mmrace/core"
import { describe, expect, test } from "vitest"
import { suite } from "./suite.ts"
import { everything } from "./support.ts"

const ways: ReadonlyArray<Explore.ExploreOptions> = [
  { reduction: "optimal" },
  { reduction: "optimal", silentStores: "write" },
  { reduction: "source" },
  { reduction: "states" },
  { reduction: "stateful" },
  { cost: "preemptions" },
  { cost: "delays" }
]

const programs = suite()

test("the suite has at least 60 programs", () => {
  expect(programs.length).toBeGreaterThanOrEqual(60)
})

describe.each(programs.map((model) => ({ name: model.name, model })))("$name", ({ model }) => {
  const outcomeOf = everything(model)

  test.each(ways)("%j", (options) => {
    const all = Explore.bruteForce(model, { outcomeOf })
    expect(all.complete).toBe(true)
    const { counts, outcomes, verdict } = Explore.explore(model, { ...options, outcomeOf })
    expect(outcomes.map((outcome) => outcome.name).sort()).toEqual([...all.outcomes.keys()].sort())
    expect(verdict._tag).toBe(outcomes.some((outcome) => outcome.failed) ? "Violated" : "Complete")
    // After a failure an exploration goes on where an execution ends.
    if (verdict._tag === "Complete") expect(counts.executions).toBeLessThanOrEqual(all.executions)
  })
})
