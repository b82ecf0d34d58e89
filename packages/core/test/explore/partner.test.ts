/** Two explorations that help each other find what one finds. */
import { Explore, type Model } from "@mmrace/core"
import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { bruteForce } from "@mmrace/core/explore/BruteForce"
import type { Tampering } from "@mmrace/core/explore/Explore"
import { Partner } from "@mmrace/core/explore/Partner"
import { buildModel } from "../engine/randomModel.ts"
import { loopers, loopsOf } from "./loopers.ts"
import { denseProgram, denseProgramOf, everything, smallProgram } from "./support.ts"

const parameters = {
  numRuns: Number(process.env["EXPLORE_RUNS"] ?? 120),
  ...(process.env["EXPLORE_SEED"] === undefined ? {} : { seed: Number(process.env["EXPLORE_SEED"]) })
}

interface Pace {
  /** Steps before the helper comes in, and from then on between two times that they tell each other. */
  readonly first: number
  readonly round: number
}

const pace: fc.Arbitrary<Pace> = fc.record({ first: fc.nat(30), round: fc.integer({ min: 1, max: 12 }) })

/** What they tell goes through a copy, as between processes. */
const inPair = (
  build: () => Model,
  options: Explore.ExploreOptions,
  { first, round }: Pace,
  tampering?: Tampering
): Explore.Explored & { readonly rounds: number; readonly helped: number } => {
  const models = [build(), build()] as const
  const [leader, helper] = (["leader", "helper"] as const).map((role, i) =>
    new Partner(models[i]!, role, { ...options, outcomeOf: everything(models[i]!) }, tampering)
  ) as [Partner, Partner]
  let rounds = 0
  let helped = 0
  for (let end = leader.run(first); end === "spent"; end = leader.run(round)) {
    rounds++
    if (rounds > 1) helper.run(round)
    const news = structuredClone(leader.tell())
    const back = structuredClone(helper.tell())
    helped += back.told.counts.steps
    leader.learn(back)
    helper.learn(news)
    if (leader.hasFailedEnough) break
  }
  helper.release()
  return { ...leader.close(), rounds, helped }
}

const namesOf = ({ outcomes }: Explore.Explored): ReadonlyArray<string> => outcomes.map(({ name }) => name).toSorted()

describe.each([{ name: "of all kinds", arbitrary: smallProgram }, {
  name: "whose steps conflict a lot",
  arbitrary: denseProgram
}])(
  "programs $name",
  ({ arbitrary }) => {
    test("the outcomes are those of all schedules", () => {
      let helped = 0
      fc.assert(
        fc.property(arbitrary, pace, fc.boolean(), (program, when, partialDeadlocks) => {
          const model = buildModel(program)
          const all = bruteForce(model, { outcomeOf: everything(model), maxExecutions: 3000, partialDeadlocks })
          fc.pre(all.complete)
          const found = inPair(() => buildModel(program), { partialDeadlocks }, when)
          helped += found.helped
          expect(namesOf(found)).toEqual([...all.outcomes.keys()].toSorted())
        }),
        parameters
      )
      expect(helped).toBeGreaterThan(0)
    })
  }
)

/** Too large for all schedules: one that explores alone is the judge. States at most. */
const most = 4000

/** What one finds alone; undefined when that takes too long. */
const alone = (model: Model, options: Explore.ExploreOptions = {}): ReadonlyArray<string> | undefined => {
  const found = Explore.explore(model, {
    ...options,
    outcomeOf: everything(model),
    interrupt: ({ states }) => states > most ? "too many" : undefined
  })
  return found.verdict._tag === "Incomplete" || (found.verdict._tag === "Violated" && !found.verdict.exhaustive)
    ? undefined
    : namesOf(found)
}

const larger = { ...parameters, numRuns: Math.ceil(parameters.numRuns / 2) }

test("larger programs: the outcomes are those that one finds alone", () => {
  fc.assert(
    fc.property(
      denseProgramOf({ minLength: 3, maxLength: 4 }, { minLength: 3, maxLength: 6 }),
      pace,
      fc.boolean(),
      (program, when, partialDeadlocks) => {
        const names = alone(buildModel(program), { partialDeadlocks })
        fc.pre(names !== undefined)
        expect(namesOf(inPair(() => buildModel(program), { partialDeadlocks }, when))).toEqual(names)
      }
    ),
    larger
  )
})

test("threads that go round and fail: the outcomes are those that one finds alone", () => {
  fc.assert(
    fc.property(loopsOf(2), pace, (threads, when) => {
      const names = alone(loopers(threads))
      fc.pre(names !== undefined)
      expect(namesOf(inPair(() => loopers(threads), {}, when))).toEqual(names)
    }),
    larger
  )
})
