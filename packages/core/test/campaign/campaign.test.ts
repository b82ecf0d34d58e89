import {
  ask,
  Campaign,
  type CampaignOptions,
  type CampaignReport,
  Cell,
  Coverage,
  decodeSchedule,
  Executor,
  type Failure,
  failureId,
  FromChoices,
  FromSchedule,
  makeModel,
  type MakeAnalyses,
  type Mergeable,
  mix32,
  type Model,
  roundSize,
  runCampaign,
  runSlice,
  splitRound,
  TraceClasses
} from "@mmrace/core"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import {
  bluetooth,
  deadlock,
  finalCheck,
  lostUpdate,
  straightLines,
  stringBuffer,
  twostage
} from "../strategies/models.ts"

const analyses: MakeAnalyses = (model) => [new Coverage(model), new TraceClasses(model)]

interface Outcome {
  readonly report: CampaignReport
  readonly analyses: ReadonlyArray<unknown>
}

/** Every slice on a model of its own, its data cloned both ways, the results handed over in a scrambled order. */
const onWorkers = (make: () => Model, options: CampaignOptions, workers: number): Outcome => {
  const campaign = new Campaign(options, analyses(make()))
  for (let round = campaign.next(); round !== undefined; round = campaign.next()) {
    const results = splitRound(round, workers).map((slice) =>
      structuredClone(runSlice(make(), structuredClone(slice), { analyses }))
    )
    campaign.merge(results.toSorted((a, b) => mix32(a.from, 1) - mix32(b.from, 1)))
  }
  return { report: campaign.report, analyses: campaign.analyses.map((a) => a.export()) }
}

const inProcess = (make: () => Model, options: CampaignOptions): Outcome => {
  const { report, analyses: merged } = runCampaign(make(), options, { analyses })
  return { report, analyses: merged.map((a) => a.export()) }
}

/** Whoever comes second to x, and it alone, touches y: no single execution shows that y is shared. */
const latecomer = (): Model =>
  makeModel("latecomer", (m) => {
    const x = m.actor(Cell.cellType, "x", 0)
    const y = m.actor(Cell.cellType, "y", 0)
    for (const name of ["A", "B"]) {
      m.thread(name, function*() {
        if ((yield* ask(x, Cell.fetchAdd, 1)) === 1) yield* ask(y, Cell.fetchAdd, 1)
      })
    }
  })

/** Two counters that can each lose an update. */
const twoBugs = () =>
  makeModel("two bugs", (m) => {
    const x = m.actor(Cell.cellType, "x", 0)
    const y = m.actor(Cell.cellType, "y", 0)
    for (const name of ["A", "B"]) {
      m.thread(name, function*() {
        for (const cell of [x, y]) {
          const value = yield* ask(cell, Cell.read)
          yield* ask(cell, Cell.write, value + 1)
        }
      })
    }
    m.monitor(finalCheck("lost-x", () => x.state === 2 ? undefined : "x"))
    m.monitor(finalCheck("lost-y", () => y.state === 2 ? undefined : "y"))
  })

/** A waits for a flag in a loop; with B it comes after a while. */
const spin = (endless: boolean) =>
  makeModel("spin", (m) => {
    const flag = m.actor(Cell.cellType, "flag", 0)
    m.thread("A", function*() {
      while ((yield* ask(flag, Cell.load)) === 0);
    })
    if (!endless) {
      m.thread("B", function*() {
        for (let i = 0; i < 30; i++) yield* ask(flag, Cell.load)
        yield* ask(flag, Cell.store, 1)
      })
    }
  })

const use = (strategy: string) => runCampaign(lostUpdate(), { runs: 120, strategy }).report.strategies

describe("a campaign", () => {
  test.each(
    [
      ["bluetooth", bluetooth, "portfolio", 3000, false],
      ["bluetooth under the default", bluetooth, "directed", 3000, false],
      ["twostage with the default to the first failure", () => twostage(9), "directed", 3000, true],
      ["bluetooth to the first failure", bluetooth, "portfolio", 3000, true],
      ["stringbuffer under SURW to the first failure", stringBuffer, "surw", 3000, true],
      ["twostage under PCT", () => twostage(2), "pct:3", 1500, false],
      ["no failure at all", () => straightLines([3, 4]), "urw", 1000, true]
    ] as const
  )("has the same result with 1, 2 and 7 slices: %s", (_, make, strategy, runs, untilFailure) => {
    for (const seed of [1, 2, 3]) {
      const options = { seed, strategy, runs, untilFailure }
      const one = inProcess(make, options)
      expect(onWorkers(make, options, 1)).toEqual(one)
      expect(onWorkers(make, options, 2)).toEqual(one)
      expect(onWorkers(make, options, 7)).toEqual(one)
    }
  })

  test("knows a location as shared although no slice saw two threads touch it", () => {
    const options = { seed: 1, strategy: "surw", runs: 200 }
    const one = inProcess(latecomer, options)
    expect(one.report.profile.sharedSteps.size).toBe(2)
    expect(onWorkers(latecomer, options, 200)).toEqual(one)
  })

  test("however a round is cut, its slices cover it exactly", () => {
    fc.assert(
      fc.property(
        fc.nat(10_000),
        fc.integer({ min: 1, max: 9000 }),
        fc.integer({ min: 1, max: 64 }),
        (from, size, parts) => {
          const round = { ...new Campaign({ strategy: "random" }).next()!, from, to: from + size }
          const slices = splitRound(round, parts)
          expect(slices.length).toBe(Math.min(parts, size))
          expect(slices[0]!.from).toBe(from)
          expect(slices.at(-1)!.to).toBe(from + size)
          slices.forEach((slice, i) => {
            expect(slice.to).toBeGreaterThan(slice.from)
            if (i > 0) expect(slice.from).toBe(slices[i - 1]!.to)
          })
        }
      )
    )
  })

  test("rounds grow and then stay", () => {
    expect(Array.from({ length: 11 }, (_, i) => roundSize(i))).toEqual([
      1,
      15,
      64,
      128,
      256,
      512,
      1024,
      2048,
      4096,
      8192,
      8192
    ])
  })

  test("runs exactly as many executions as asked", () => {
    for (const runs of [0, 1, 16, 17, 500]) {
      const { report } = runCampaign(straightLines([2, 2]), { runs })
      expect([report.executions, report.verdicts.Ok, report.ended]).toEqual([runs, runs, "runs"])
    }
  })

  test("the first failure is the one with the lowest index, and execution i depends on nothing but its round", () => {
    const model = stringBuffer()
    const { report } = runCampaign(model, { seed: 5, strategy: "random", runs: 5000, untilFailure: true })
    const [failure] = report.failures
    const executor = new Executor(model)
    const plan = runSlice(model, { ...new Campaign({ seed: 5, strategy: "random" }).next()!, to: failure!.execution })
    expect(plan.failures).toEqual([])
    expect(report.executions).toBe(failure!.execution + 1)
    expect(failure!.seed).toBe(mix32(5, failure!.execution))
    expect(failureId(executor.run(new FromChoices(failure!.choices)))).toBe(failure!.id)
  })

  test("each failure is listed once, counted, and its token repeats it", () => {
    const known: Array<Failure> = []
    const { report } = runCampaign(twoBugs(), { seed: 1, runs: 500 }, { onFailure: (f) => known.push(f) })
    expect(report.failures.map((f) => f.id).toSorted()).toEqual(["lost-x:lost-x", "lost-y:lost-y"])
    expect(report.failures.reduce((sum, f) => sum + f.count, 0)).toBe(report.verdicts.Violation)
    expect(known.map((f) => [f.id, f.execution])).toEqual(report.failures.map((f) => [f.id, f.execution]))
    for (const failure of report.failures) {
      expect(failure.reproduced).toBe(true)
      const follow = new FromSchedule(Result.getOrThrow(decodeSchedule(failure.token!)))
      const executor = new Executor(twoBugs())
      expect(executor.run(follow)).toEqual(failure.verdict)
      expect(executor.copyChoices()).toEqual(failure.choices)
    }
  })

  test("a failure is told before the campaign goes on, so that nothing is lost when it is ended", () => {
    const told: Array<Failure> = []
    const { report } = runCampaign(deadlock(), { runs: 1000 }, {
      onFailure: (f) => told.push(f),
      shouldStop: () => told.length > 0
    })
    expect(told.length).toBe(1)
    expect(report.ended).toBe("stopped")
    expect(report.executions).toBe(told[0]!.execution + 1)
    expect(report.failures).toEqual(told)
  })

  test("shouldStop ends a campaign within a round and keeps what was done", () => {
    const { report, analyses: merged } = runCampaign(lostUpdate(), {}, {
      analyses,
      shouldStop: (executions) => executions >= 777
    })
    expect([report.executions, report.ended]).toEqual([777, "stopped"])
    expect((merged[1] as TraceClasses).counts.executions).toBe(777)
  })

  test("reports after every round", () => {
    const seen: Array<number> = []
    const hooks = { onRound: (report: CampaignReport) => seen.push(report.executions) }
    runCampaign(lostUpdate(), { runs: 300, strategy: "portfolio" }, hooks)
    expect(seen).toEqual([1, 16, 80, 208, 300])
    seen.length = 0
    runCampaign(lostUpdate(), { runs: 3000 }, hooks)
    expect(seen).toEqual([1024, 2048, 3000])
  })

  test("executions that learn from each other are never split", () => {
    const campaign = new Campaign({ strategy: "directed" })
    const first = campaign.next()!
    expect(splitRound(first, 7)).toEqual([first])
    campaign.merge([runSlice(lostUpdate(), first)])
    expect(splitRound(campaign.next()!, 7)).toHaveLength(7)
  })

  test("the profile grows between rounds and strategies report what they used", () => {
    const { report } = runCampaign(lostUpdate(2, 3), { runs: 300, strategy: "pct:2" })
    expect(report.profile).toMatchObject({ threads: 2, steps: 18, stepsOf: [8, 8], parentOf: [] })
    expect(report.profile.sharedSteps.size).toBe(2)
    expect(report.strategies).toEqual([{
      name: "pct:2",
      executions: 300,
      failed: report.verdicts.Violation,
      points: 15,
      k: 32
    }])
    expect(use("directed").map((s) => [s.name, s.executions])).toEqual([
      ["new opening", 1],
      ["new meeting", 80],
      ["new urw", 39]
    ])
    expect(use("portfolio").map((s) => [s.name, s.executions])).toEqual([
      ["random", 20],
      ["pos", 20],
      ["surw", 20],
      ["pct:2", 10],
      ["urw", 20],
      ["pct:3", 10],
      ["pct:5", 10],
      ["pct:10", 10]
    ])
  })

  test("a step limit is listed and does not end a campaign; a livelock is told apart from it and does", () => {
    const limited = runCampaign(spin(false), { runs: 50, maxSteps: 20, untilFailure: true }).report
    expect([limited.executions, limited.verdicts.StepLimit, limited.ended]).toEqual([50, 50, "runs"])
    expect(limited.failures).toMatchObject([{ id: "step-limit", count: 50, reproduced: true }])
    const endless = runCampaign(spin(true), { runs: 50, maxSteps: 20, untilFailure: true }).report
    expect([endless.executions, endless.verdicts.Livelock, endless.ended]).toEqual([1, 1, "failure"])
  })

  test("an execution that was cut off does not stretch the profile", () => {
    const model = makeModel("sometimes", (m) => {
      const flag = m.actor(Cell.cellType, "flag", 0)
      m.thread("A", function*() {
        if ((yield* ask(flag, Cell.load)) === 0) { while ((yield* ask(flag, Cell.load)) === 0); }
      })
      m.thread("B", function*() {
        for (let i = 0; i < 5; i++) yield* ask(flag, Cell.load)
        yield* ask(flag, Cell.store, 1)
      })
    })
    const { profile, verdicts } = runCampaign(model, { runs: 200, maxSteps: 40, strategy: "pct:1" }).report
    expect(verdicts.StepLimit).toBeGreaterThan(50)
    expect(profile.steps).toBe(40)
    expect(profile.choices).toBeLessThan(10)
    expect(profile.stepsOf).toEqual([1, 6])
  })

  test("a model that keeps state of its own is said not to reproduce", () => {
    let calls = 0
    const model = makeModel("impure", (m) => {
      const x = m.actor(Cell.cellType, "x", 0)
      for (const name of ["A", "B"]) {
        m.thread(name, function*() {
          if (calls++ < 8) yield* ask(x, Cell.fetchAdd, 1)
          yield* ask(x, Cell.fetchAdd, 1)
        })
      }
      m.monitor(finalCheck("always", () => "wrong"))
    })
    const { report } = runCampaign(model, { runs: 100, strategy: "random" })
    expect(report.failures).toMatchObject([{ id: "always:always", count: 100, reproduced: true }])
    calls = 6
    const [failure] = runCampaign(model, { runs: 1, strategy: "random" }).report.failures
    expect(failure).toMatchObject({ reproduced: false, token: undefined })
  })

  test("an unknown strategy is refused at once, with the nearest name", () => {
    expect(() => new Campaign({ strategy: "prct" })).toThrow("did you mean pct?")
  })

  test("an analysis sees the executions of the campaign and no others", () => {
    let begun = 0
    const counter: Mergeable<number> = {
      begin: () => void begun++,
      step: () => {},
      end: () => {},
      export: () => 0,
      merge: () => {}
    }
    runCampaign(deadlock(), { runs: 200 }, { analyses: () => [counter] })
    expect(begun).toBe(200)
  })
})
