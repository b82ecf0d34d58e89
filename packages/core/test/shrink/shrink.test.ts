import {
  ask,
  Cell,
  chooseNumber,
  decodeSchedule,
  describeShrunk,
  Executor,
  failureId,
  FromChoices,
  FromSchedule,
  makeModel,
  mix32,
  type Model,
  RandomWalk,
  shrink,
  type ShrinkError,
  type ShrinkOptions,
  type Shrunk
} from "@mmrace/core"
import * as Result from "effect/Result"
import { describe, expect, test } from "vitest"
import { bluetooth, deadlock, finalCheck, lostUpdate, stringBuffer, twostage } from "../strategies/models.ts"
import { bruteForce, least } from "./bruteForce.ts"

/** Failing executions of the random walk: their ids and choices. */
const failures = (
  model: Model,
  count: number
): ReadonlyArray<{ readonly id: string; readonly choices: ReadonlyArray<number> }> => {
  const executor = new Executor(model)
  const random = new RandomWalk()
  const found: Array<{ readonly id: string; readonly choices: ReadonlyArray<number> }> = []
  for (let i = 0; found.length < count && i < 100_000; i++) {
    const id = failureId(executor.run(random, mix32(11, i)))
    if (id !== undefined) found.push({ id, choices: executor.copyChoices() })
  }
  expect(found.length).toBe(count)
  return found
}

const shrunk = (
  model: Model,
  start: { readonly choices: ReadonlyArray<number>; readonly id?: string },
  options: ShrinkOptions = {}
): Shrunk => Result.getOrThrow(shrink(model, start, options))

const reason = (result: Result.Result<Shrunk, ShrinkError>): string =>
  Result.isFailure(result) ? result.failure.reason : "shrunk"

/** A thread asks for numbers; only 3 then 1 (of 0..4) with B's store in between fails. */
const dataChoices = (noise = 0): Model =>
  makeModel("data", (m) => {
    const x = m.actor(Cell.cellType, "x", 0)
    const y = m.actor(Cell.cellType, "y", 0)
    let wrong = false
    m.thread("A", function*() {
      wrong = false
      for (let i = 0; i < noise; i++) yield* ask(y, Cell.fetchAdd, 1)
      const first = yield* ask(m.choice, chooseNumber, 5)
      yield* ask(y, Cell.fetchAdd, 1)
      const seen = yield* ask(x, Cell.load)
      const second = yield* ask(m.choice, chooseNumber, 5)
      wrong = first >= 3 && second >= 1 && seen === 1
    })
    m.thread("B", function*() {
      for (let i = 0; i < noise; i++) yield* ask(y, Cell.fetchAdd, 1)
      yield* ask(y, Cell.fetchAdd, 1)
      yield* ask(x, Cell.store, 1)
      yield* ask(x, Cell.store, 2)
    })
    m.monitor(finalCheck("data", () => wrong ? "wrong numbers" : undefined))
  })

const small: ReadonlyArray<readonly [string, Model]> = [
  ["lost update", lostUpdate(2, 1)],
  ["lost update of three", lostUpdate(3)],
  ["deadlock", deadlock()],
  ["bluetooth", bluetooth()],
  ["stringbuffer", stringBuffer()],
  ["twostage", twostage()],
  ["data choices", dataChoices()]
]

describe.each(small)("shrinking %s", (_, model) => {
  const { failing, total } = bruteForce(model)

  test("finds the very least of all failing schedules, from wherever it starts, and proves it", () => {
    for (const start of failures(model, 12)) {
      const result = shrunk(model, start)
      const best = least(failing.get(start.id)!)
      expect(result.id).toBe(start.id)
      expect({ cost: result.after, choices: result.choices }).toEqual(best)
      expect(result.proof).toMatchObject({ preemptionsMinimal: true, leastOfAll: true })
      expect(result.proof.exhausted).toBeLessThan(total)
    }
  })

  test("is idempotent", () => {
    const [start] = failures(model, 1)
    const once = shrunk(model, start!)
    const twice = shrunk(model, once)
    expect(twice.choices).toEqual(once.choices)
    expect(twice.before).toEqual(once.after)
    expect(twice.proof).toEqual(once.proof)
  })

  test("keeps the failure and its token repeats it, also without the search", () => {
    for (const start of failures(model, 12)) {
      const result = shrunk(model, start, { searchExecutions: 0 })
      expect(result.proof).toEqual({
        preemptionsMinimal: result.after.preemptions === 0,
        leastOfAll: false,
        exhausted: 0,
        searched: 0
      })
      const executor = new Executor(model)
      const verdict = executor.run(new FromSchedule(Result.getOrThrow(decodeSchedule(result.token))))
      expect(failureId(verdict)).toBe(start.id)
      expect(verdict).toEqual(result.verdict)
      expect(executor.copyChoices()).toEqual(result.choices)
      expect(shrunk(model, result, { searchExecutions: 0 }).choices).toEqual(result.choices)
    }
  })
})

describe("shrinking", () => {
  test("executes each schedule of the levels below exactly once", () => {
    for (const [, model] of small) {
      const { byPreemptions } = bruteForce(model)
      const [start] = failures(model, 1)
      const { after, proof } = shrunk(model, start!)
      let below = 0
      for (let level = 0; level < after.preemptions; level++) below += byPreemptions[level] ?? 0
      expect(proof.exhausted).toBe(below)
    }
  })

  test("brings down a long noisy failure by local reduction alone", () => {
    const model = lostUpdate(4, 40)
    const [start] = failures(model, 1)
    const result = shrunk(model, start!, { searchExecutions: 0 })
    expect(result.before.preemptions).toBeGreaterThan(100)
    expect(result.after.preemptions).toBe(1)
  })

  test("gives each thread the numbers it chose while the rest is changed", () => {
    const model = dataChoices(40)
    const [start] = failures(model, 1)
    const result = shrunk(model, start!, { searchExecutions: 0 })
    expect(result.before.preemptions).toBeGreaterThan(20)
    expect(result.after).toMatchObject({ preemptions: 1, switches: 2 })
  })

  test("moves independent segments together when neither can be left out", () => {
    // Needed: A's p before B, B's y and A's q before C, C's z before A's look. Found as A B A C A: two preemptions.
    const model = makeModel("merge", (m) => {
      const [p, q, y, z] = ["p", "q", "y", "z"].map((name) => m.actor(Cell.cellType, name, 0))
      const good = m.actor(Cell.cellType, "good", 0)
      m.thread("A", function*() {
        yield* ask(p!, Cell.store, 1)
        yield* ask(q!, Cell.store, 1)
        if ((yield* ask(z!, Cell.load)) === 1) yield* ask(good, Cell.fetchAdd, 1)
      })
      m.thread("B", function*() {
        yield* ask(y!, Cell.store, yield* ask(p!, Cell.load))
      })
      m.thread("C", function*() {
        if ((yield* ask(y!, Cell.load)) === 1 && (yield* ask(q!, Cell.load)) === 1) yield* ask(z!, Cell.store, 1)
      })
      m.monitor(finalCheck("merge", () => good.state === 1 ? "all in order" : undefined))
    })
    const start = { choices: [0, 1, 1, 0, 1, 1, 1] }
    const result = shrunk(model, start, { searchExecutions: 0 })
    expect([result.before, result.after].map((c) => [c.preemptions, c.switches])).toEqual([[2, 4], [1, 3]])
  })

  test("lets a preempted thread go on when what preempted it cannot be left out", () => {
    // Needed: A's p before C, C before B. Found as A C B A.
    const model = makeModel("continue", (m) => {
      const p = m.actor(Cell.cellType, "p", 0)
      const c = m.actor(Cell.cellType, "c", 0)
      const good = m.actor(Cell.cellType, "good", 0)
      m.thread("A", function*() {
        yield* ask(p, Cell.store, 1)
        yield* ask(c, Cell.fetchAdd, 10)
        yield* ask(c, Cell.fetchAdd, 10)
      })
      m.thread("B", function*() {
        if ((yield* ask(c, Cell.load)) % 10 === 1) yield* ask(good, Cell.store, 1)
      })
      m.thread("C", function*() {
        yield* ask(c, Cell.fetchAdd, yield* ask(p, Cell.load))
      })
      m.monitor(finalCheck("continue", () => good.state === 1 ? "C came before B" : undefined))
    })
    const start = { choices: [0, 2, 2, 1, 1] }
    const result = shrunk(model, start, { searchExecutions: 0 })
    expect([result.before, result.after].map((k) => [k.preemptions, k.switches])).toEqual([[1, 3], [0, 2]])
  })

  test("ends when it is told to, with the best so far, verified", () => {
    const model = lostUpdate(4, 40)
    const [start] = failures(model, 1)
    let asked = 0
    const result = shrunk(model, start!, { shouldStop: () => ++asked >= 3 })
    expect(result.executions).toBeLessThan(10)
    expect(result.proof.preemptionsMinimal).toBe(false)
    expect(failureId(new Executor(model).run(new FromChoices(result.choices)))).toBe(start!.id)
  })

  test("proves within a budget or says that it did not", () => {
    const model = lostUpdate(3, 10)
    const [start] = failures(model, 1)
    const proved = shrunk(model, start!)
    expect(proved.after.preemptions).toBe(1)
    expect(proved.proof).toMatchObject({ preemptionsMinimal: true, exhausted: 6 })
    const cut = shrunk(model, start!, { searchExecutions: 3 })
    expect(cut.proof).toMatchObject({ preemptionsMinimal: false, leastOfAll: false, exhausted: 0, searched: 3 })
    expect(describeShrunk(cut)).toContain("(not proved minimal: 3 schedules searched, more are left)")
  })

  test("says what it achieved in one line", () => {
    const cost = { preemptions: 7, switches: 31, steps: 90, threads: 3 }
    const after = { preemptions: 2, switches: 5, steps: 41, threads: 2 }
    const proof = { preemptionsMinimal: true, leastOfAll: false, exhausted: 412, searched: 999 }
    expect(describeShrunk({ before: cost, after, proof })).toBe(
      "preemptions 7 -> 2 (proved minimal: 412 schedules exhausted), switches 31 -> 5, steps 90 -> 41"
    )
    expect(describeShrunk({ before: cost, after: { ...after, preemptions: 0 }, proof })).toContain(
      "preemptions 7 -> 0 (none needed)"
    )
  })

  test("a livelock stays a livelock", () => {
    const model = makeModel("livelock", (m) => {
      const flag = m.actor(Cell.cellType, "flag", 0)
      const other = m.actor(Cell.cellType, "other", 0)
      m.thread("A", function*() {
        for (let i = 0; i < 3; i++) yield* ask(other, Cell.fetchAdd, 1)
        if ((yield* ask(flag, Cell.load)) === 1) { while ((yield* ask(flag, Cell.load)) === 1); }
      })
      m.thread("B", function*() {
        for (let i = 0; i < 3; i++) yield* ask(other, Cell.fetchAdd, 1)
        yield* ask(flag, Cell.store, 1)
      })
    })
    const options = { maxSteps: 100, searchExecutions: 200 }
    const executor = new Executor(model, options)
    let choices: ReadonlyArray<number> = []
    for (let seed = 0; choices.length === 0; seed++) {
      if (executor.run(new RandomWalk(), seed)._tag === "StepLimit") choices = executor.copyChoices()
    }
    const result = shrunk(model, { choices, id: "livelock" }, options)
    expect(result.verdict._tag).toBe("Livelock")
    expect(result.after).toMatchObject({ preemptions: 0, switches: 1 })
  })

  test("refuses what is no failure, another failure, or does not repeat", () => {
    expect(reason(shrink(lostUpdate(), { choices: [0, 0, 0] }))).toBe("passes")
    const [start] = failures(deadlock(), 1)
    expect(reason(shrink(deadlock(), { choices: start!.choices, id: "lost-update:lost-update" }))).toBe("other")
    let calls = 0
    const unstable = makeModel("unstable", (m) => {
      const x = m.actor(Cell.cellType, "x", 0)
      m.thread("A", function*() {
        yield* ask(x, Cell.store, calls++)
      })
      m.monitor(finalCheck("always", () => "wrong"))
    })
    expect(reason(shrink(unstable, { choices: [] }))).toBe("unstable")
  })

  test("the result replays strictly on a model built anew", () => {
    const [start] = failures(stringBuffer(), 1)
    const result = shrunk(stringBuffer(), start!)
    const executor = new Executor(stringBuffer())
    const follow = new FromChoices(result.choices)
    expect(executor.run(follow)).toEqual(result.verdict)
    expect(executor.step).toBe(result.after.steps)
    expect(follow.misfits).toBe(0)
  })
})
