/** Exploring the parts of a split tree is exploring the tree. */
import { Explore, type Model } from "@mmrace/core"
import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { buildModel, type Op } from "../engine/randomModel.ts"
import * as P from "./oracles.ts"
import { denseProgram, everything, smallProgram } from "./support.ts"

const maxSteps = 10_000
const numRuns = Number(process.env["EXPLORE_RUNS"] ?? 40)

/** The parts explored each for itself, through JSON as between processes; some of them split again. */
const inParts = (model: Model, options: Explore.ExploreOptions, parts: number): Explore.Explored => {
  const splitting = { ...options, maxSteps, parts }
  const tasks = Explore.split(model, Explore.wholeTree, splitting)
    .flatMap((task, i) => i % 3 === 1 ? Explore.split(model, task, { ...splitting, parts: 3 }) : [task])
    .map((task) => JSON.parse(JSON.stringify(task)) as Explore.Task)
  expect(tasks.reduce((sum, { share }) => sum + share, 0)).toBeLessThanOrEqual(1 + 1e-9)
  return Explore.merge(tasks.map((task) => Explore.explore(model, { reduction: "optimal", ...options, task })), {
    untilFailure: false
  })
}

const countsOf = ({ outcomes }: Explore.Explored): ReadonlyArray<readonly [string, number]> =>
  outcomes.map(({ count, name }) => [name, count] as const).toSorted(([a], [b]) => a < b ? -1 : 1)
const namesOf = (explored: Explore.Explored): ReadonlyArray<string> => countsOf(explored).map(([name]) => name)

const isInitial = ({ counts }: Explore.Explored): boolean => counts.executions === 0

const opOf = (kind: Op["kind"], index = 0): Op => ({ kind, index, value: 0 })

test("a circle of waiters that a kill undoes is none, wherever an execution is cut short", () => {
  const threads = [
    [opOf("mutex"), opOf("join", 1), opOf("load")],
    [opOf("mutexKillable")],
    [opOf("kill", 1), opOf("load")],
    [opOf("load"), opOf("load")]
  ]
  const model = buildModel(threads.map((ops) => ({ spawned: false, daemon: true, ops })))
  const options = { reduction: "source", outcomeOf: everything(model) } as const
  const whole = Explore.explore(model, options)
  expect(whole.verdict._tag).toBe("Complete")
  for (let parts = 2; parts <= 24; parts++) {
    expect(namesOf(inParts(model, options, parts))).toEqual(namesOf(whole))
  }
})

describe.each([{ name: "all kinds", arbitrary: smallProgram }, { name: "dense", arbitrary: denseProgram }])(
  "programs of $name",
  ({ arbitrary }) => {
    test.each(["optimal", "source"] as const)("%s: the same outcomes and verdict", (reduction) => {
      fc.assert(
        fc.property(arbitrary, fc.integer({ min: 2, max: 24 }), (program, parts) => {
          const model = buildModel(program)
          const options = { reduction, outcomeOf: everything(model) }
          const whole = Explore.explore(model, options)
          fc.pre(!isInitial(whole))
          const split = inParts(model, options, parts)
          expect(namesOf(split)).toEqual(namesOf(whole))
          expect(split.verdict._tag).toBe(whole.verdict._tag)
        }),
        { numRuns }
      )
    })

    test("optimal: exactly as many executions", () => {
      fc.assert(
        fc.property(arbitrary, fc.integer({ min: 2, max: 24 }), (program, parts) => {
          // All numbers of a choice are tried wherever its thread is, which can be more than one each.
          fc.pre(!program.some(({ ops }) => ops.some((op) => op.kind === "choose")))
          const model = buildModel(program, false)
          const options = { reduction: "optimal", partialDeadlocks: false } as const
          const whole = Explore.explore(model, options)
          fc.pre(!isInitial(whole))
          expect(inParts(model, options, parts).counts.executions).toBe(whole.counts.executions)
        }),
        { numRuns }
      )
    })
  }
)

test.each([
  [P.counters(3, 3), 216],
  [P.lastZero(5), 64],
  [P.indexer(12), 8],
  [P.filesystem(16), 8],
  [P.casRot(6), 144],
  [P.philosophers(3), 7],
  [P.lockInc(3), 6]
] as ReadonlyArray<readonly [Model, number]>)("published counts in parts, %#", (model, executions) => {
  expect(inParts(model, {}, 64).counts.executions).toBe(executions)
})

test("a part is interrupted and resumed like a whole", () => {
  fc.assert(
    fc.property(smallProgram, fc.integer({ min: 1, max: 4 }), (program, every) => {
      const model = buildModel(program)
      const options = { reduction: "optimal", outcomeOf: everything(model) } as const
      fc.pre(!isInitial(Explore.explore(model, options)))
      for (const task of Explore.split(model, Explore.wholeTree, { maxSteps, parts: 4 })) {
        const whole = Explore.explore(model, { ...options, task })
        let pieces: Explore.Explored | undefined
        do {
          let asked = 0
          pieces = Explore.explore(model, {
            ...options,
            task,
            interrupt: () => asked++ >= every ? "piece" : undefined,
            ...(pieces?.checkpoint === undefined ? {} : { resume: pieces.checkpoint })
          })
        } while (pieces.checkpoint !== undefined)
        expect(countsOf(pieces)).toEqual(countsOf(whole))
        expect(pieces.counts.executions).toBe(whole.counts.executions)
      }
    }),
    { numRuns: 30 }
  )
})

test("after the first part that failed nothing counts, when that is asked for", () => {
  const model = P.stack(3)
  const tasks = Explore.split(model, Explore.wholeTree, { maxSteps, parts: 8 })
  const results = tasks.map((task) => Explore.explore(model, { task, reduction: "optimal", onFailure: "stop" }))
  const failing = results.findIndex(({ verdict }) => verdict._tag === "Violated")
  expect(failing).toBeGreaterThanOrEqual(0)
  const expected = Explore.merge(results.slice(0, failing + 1), { untilFailure: true })
  expect(Explore.merge(results, { untilFailure: true })).toEqual(expected)
  expect(expected.verdict._tag === "Violated" && expected.verdict.exhaustive).toBe(false)
})

test("the part explored grows from 0 to 1", () => {
  const seen: Array<number> = []
  Explore.explore(P.counters(3, 2), {
    reduction: "optimal",
    interrupt: ({ fraction }) => {
      seen.push(fraction!)
      return undefined
    }
  })
  expect(seen[0]).toBe(0)
  expect(Math.max(...seen)).toBeLessThan(1)
  expect(seen.at(-1)).toBeGreaterThan(0.5)
})
