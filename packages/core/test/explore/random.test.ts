/** On random programs the outcomes found with reduction are those of all schedules. */
import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { bruteForce } from "../../src/explore/BruteForce.ts"
import { explore, type ExploreOptions } from "../../src/explore/Explore.ts"
import { buildModel } from "../engine/randomModel.ts"
import { everything, smallProgram } from "./support.ts"

const variants: ReadonlyArray<ExploreOptions> = [
  { algorithm: "source" },
  { algorithm: "optimal" },
  { algorithm: "optimal", silentStores: "write" }
]

describe("the outcomes with reduction are those of all schedules", () => {
  test.each(variants.map((options) => ({ name: JSON.stringify(options), options })))("$name", ({ options }) => {
    let compared = 0
    fc.assert(
      fc.property(smallProgram, (program) => {
        const model = buildModel(program)
        const outcomeOf = everything(model)
        const all = bruteForce(model, { outcomeOf, maxExecutions: 3000, partialDeadlocks: false })
        fc.pre(all.complete)
        compared++
        const found = explore(model, { ...options, outcomeOf, partialDeadlocks: false })
        expect(found.outcomes.map((o) => o.name).sort()).toEqual([...all.outcomes.keys()].sort())
      }),
      { numRuns: Number(process.env["EXPLORE_RUNS"] ?? 300), ...(process.env["EXPLORE_SEED"] === undefined ? {} : { seed: Number(process.env["EXPLORE_SEED"]) }) }
    )
    expect(compared).toBeGreaterThan(100)
  })
})
