/** On random programs: the outcomes found with reduction are those of all schedules, and the classes are counted right. */
import type { Model } from "@mmrace/core"
import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { bruteForce } from "@mmrace/core/explore/BruteForce"
import { explore, type ExploreOptions } from "@mmrace/core/explore/Explore"
import { buildModel, type ProgramThread } from "../engine/randomModel.ts"
import { classesOf, denseProgram, everything, smallProgram } from "./support.ts"

const parameters = {
  numRuns: Number(process.env["EXPLORE_RUNS"] ?? 120),
  ...(process.env["EXPLORE_SEED"] === undefined ? {} : { seed: Number(process.env["EXPLORE_SEED"]) })
}

const variants: ReadonlyArray<ExploreOptions> = [
  { reduction: "stateful" },
  { reduction: "source" },
  { reduction: "optimal" },
  { reduction: "optimal", silentStores: "write" },
  { reduction: "states" },
  { cost: "preemptions" },
  { cost: "delays" }
]

const sorted = (names: Iterable<string>): ReadonlyArray<string> => [...names].toSorted()

/** Every way to explore the program: all schedules are tried once, what each way finds is held against that. */
const sameOutcomes = (program: ReadonlyArray<ProgramThread>): void => {
  const model = buildModel(program)
  const outcomeOf = everything(model)
  for (const partialDeadlocks of [true, false]) {
    const all = bruteForce(model, { outcomeOf, maxExecutions: 3000, partialDeadlocks })
    fc.pre(all.complete)
    for (const variant of variants) {
      const options = { ...variant, partialDeadlocks }
      const found = explore(model, { ...options, outcomeOf })
      expect(sorted(found.outcomes.map((o) => o.name)), JSON.stringify(options)).toEqual(sorted(all.outcomes.keys()))
    }
  }
}

test("outcomes of programs of all kinds", () => {
  fc.assert(fc.property(smallProgram, sameOutcomes), parameters)
})

test("outcomes of programs whose steps conflict a lot", () => {
  fc.assert(fc.property(denseProgram, sameOutcomes), parameters)
})

test("without what may follow a state that is not walked again, outcomes are lost", () => {
  const lost = fc.sample(denseProgram, { numRuns: 200, seed: 1 }).filter((program) => {
    const model = buildModel(program)
    const outcomeOf = everything(model)
    const options: ExploreOptions = { reduction: "stateful", outcomeOf, partialDeadlocks: false }
    return explore(model, options, { ignoreFutures: true }).outcomes.length < explore(model, options).outcomes.length
  })
  expect(lost.length).toBeGreaterThan(0)
})

describe("within a bound", () => {
  test.each(
    [[0, "preemptions"], [1, "preemptions"], [2, "preemptions"], [3, "preemptions"], [0, "delays"], [1, "delays"], [
      2,
      "delays"
    ]] as const
  )("the outcomes of at most %i %s", (bound, cost) => {
    fc.assert(
      fc.property(smallProgram, (program) => {
        const model = buildModel(program)
        const outcomeOf = everything(model)
        const all = bruteForce(model, { outcomeOf, maxExecutions: 3000, bound, cost })
        fc.pre(all.complete)
        const found = explore(model, { cost, bound, outcomeOf })
        expect(found.outcomes.map((o) => o.name).sort()).toEqual([...all.outcomes.keys()].sort())
        for (const outcome of found.outcomes) expect(outcome.preemptions).toBeLessThanOrEqual(bound)
      }),
      parameters
    )
  })

  test.each([[0, "preemptions"], [1, "preemptions"], [1, "delays"], [3, "delays"]] as const)(
    "all schedules of at most %i %s are those of all schedules that cost no more",
    (bound, cost) => {
      const within = (model: Model, most: number): ReadonlyArray<string> | undefined => {
        const schedules: Array<string> = []
        const { complete } = bruteForce(model, {
          cost,
          bound: most,
          maxExecutions: 3000,
          visit: (executor, spent) => {
            if (spent <= bound) schedules.push(executor.copyChoices().join())
          }
        })
        return complete ? schedules.toSorted() : undefined
      }
      fc.assert(
        fc.property(smallProgram, (program) => {
          const model = buildModel(program)
          const all = within(model, Infinity)
          fc.pre(all !== undefined)
          expect(within(model, bound)).toEqual(all)
        }),
        parameters
      )
    }
  )

  test("minimal: the first failure has the fewest preemptions of all failing schedules", () => {
    fc.assert(
      fc.property(smallProgram, (program) => {
        const model = buildModel(program)
        let fewest = Infinity
        const all = bruteForce(model, {
          maxExecutions: 3000,
          visit: (_, preemptions, verdict) => {
            if (verdict._tag !== "Ok") fewest = Math.min(fewest, preemptions)
          }
        })
        fc.pre(all.complete)
        const { verdict } = explore(model, { minimal: true })
        expect(verdict._tag === "Violated" ? verdict.first.preemptions : Infinity).toBe(fewest)
      }),
      parameters
    )
  })
})

describe("optimal: one execution for each class, none blocked", () => {
  test.each([{ name: "all kinds", arbitrary: smallProgram }, { name: "dense", arbitrary: denseProgram }])(
    "$name",
    ({ arbitrary }) => {
      fc.assert(
        fc.property(arbitrary, (program) => {
          const model = buildModel(program, false)
          const classes = classesOf(model, 3000)?.size
          // All numbers of a choice are tried wherever its thread is, which can be more than one each.
          fc.pre(classes !== undefined && !program.some(({ ops }) => ops.some((op) => op.kind === "choose")))
          const { counts: { blocked, executions }, outcomes } = explore(model, {
            reduction: "optimal",
            partialDeadlocks: false
          })
          // A thread that throws before its first ask: nothing runs.
          if (outcomes.some((o) => o.failed && o.choices.length === 0 && executions === 0)) return
          expect({ blocked, executions }).toEqual({ blocked: 0, executions: classes })
        }),
        parameters
      )
    }
  )
})
