/** What `it.explore` and `it.fuzz` do with a schedule that is given, and what is in the command they print. */
import { ask, Cell, encodeSchedule, makeModel, type Model, type Path, type Schedule } from "@mmrace/core"
import { patternOf, type Place, replayCommand } from "@mmrace/core/vitest/command"
import { exploreTest, type ExploreTestOptions } from "@mmrace/core/vitest/exploreTest"
import { fuzzTest } from "@mmrace/core/vitest/fuzzTest"
import type { Trial } from "@mmrace/core/vitest/trial"
import * as fc from "fast-check"
import { expect, test, vi } from "vitest"

const place: Place = {
  names: ["race"],
  file: "/home/me/pkg/x.test.ts",
  root: undefined,
  cwd: "/home/me/pkg",
  userCwd: ""
}

const trial = (schedule?: Schedule): Trial => ({
  place,
  site: "",
  timeout: 0,
  token: schedule === undefined ? undefined : encodeSchedule(schedule)
})

function* add(x: Parameters<typeof ask<number, number>>[0]): Path<void> {
  yield* ask(x, Cell.store, (yield* ask(x, Cell.load)) + 1)
}

/** Two threads that count; the rule is broken when one of them is lost. */
const lossy = (rule: boolean): Model =>
  makeModel("lossy", (m) => {
    const x = m.actor(Cell.cellType, "x", 0)
    m.thread("A", () => add(x))
    m.thread("B", () => add(x))
    if (!rule) return
    m.monitor<null>({
      id: "sum",
      title: "nothing is lost",
      on: [],
      initial: () => null,
      step: (state) => state,
      end: (_, quiescence) => {
        if (x.state !== 2) quiescence.violate(`x is ${x.state}`, "x")
      }
    })
  })

const lost: Schedule = [{ point: 1, choice: 1 }]
const straight: Schedule = []

/** The line of a test that passes, with what it printed; or the message of one that fails. */
const said = (run: () => string): { readonly passes: boolean; readonly text: string } => {
  const log = vi.spyOn(console, "log").mockImplementation(() => {})
  try {
    const line = run()
    return { passes: true, text: [line, ...log.mock.calls.flat()].join("\n") }
  } catch (error) {
    return { passes: false, text: (error as Error).message }
  } finally {
    log.mockRestore()
  }
}

const given = (schedule: Schedule, options: ExploreTestOptions = {}, rule = true) =>
  said(() => exploreTest(lossy(rule), options, trial(schedule)))

test("a schedule that fails fails the test, one that does not is told and passes", () => {
  expect(given(lost)).toMatchObject({ passes: false })
  expect(given(lost).text).toMatch(/^sum:x broken: x is 1\n/)
  expect(given(lost).text).toContain("only this schedule was run (MMRACE_SCHEDULE is set); it fits")
  expect(given(straight)).toMatchObject({ passes: true })
  expect(given(straight).text).toMatch(/^does not fail: outcome ok\n/)
  expect(given(straight).text).toMatch(/^\*2 +x\.load = 1$|^\*3 +x\.load = 1$/m)
})

test("so it is in a campaign", () => {
  expect(said(() => fuzzTest(lossy(true), {}, trial(lost)))).toMatchObject({ passes: false })
  expect(said(() => fuzzTest(lossy(true), {}, trial(straight)))).toMatchObject({ passes: true })
})

test("a failure that is expected is none, another one is", () => {
  expect(given(lost, { violates: "sum" })).toMatchObject({ passes: true })
  expect(given(lost, { violates: "sum" }).text).toMatch(/^fails as it should: sum:x broken/)
  expect(given(lost, { violates: "su" })).toMatchObject({ passes: false })
})

test("an outcome that is not expected fails the test", () => {
  const model = lossy(false)
  const options: ExploreTestOptions = {
    outcomeOf: () => `x=${String(model.actorNamed("x")!.state)}`,
    outcomes: ["x=2"]
  }
  expect(said(() => exploreTest(model, options, trial(straight)))).toMatchObject({ passes: true })
  const wrong = said(() => exploreTest(model, options, trial(lost)))
  expect(wrong).toMatchObject({ passes: false })
  expect(wrong.text).toMatch(/^outcome x=1\n/)
})

test("a schedule of another test and a damaged one are named as such", () => {
  expect(given([{ point: 1, choice: 1 }, { point: 70, choice: 2 }]).text).toContain("1 of its 2 deviations did not fit")
  const damaged = said(() => exploreTest(lossy(true), {}, { ...trial(), token: "mm1.BQIbaKJ" }))
  expect(damaged).toMatchObject({ passes: false })
  expect(damaged.text).toMatch(/^MMRACE_SCHEDULE: the schedule token is damaged/)
})

test("the failure wanted is looked for behind others", () => {
  const model = makeModel("two rules", (m) => {
    const x = m.actor(Cell.cellType, "x", 0)
    m.thread("A", () => add(x))
    m.thread("B", () => add(x))
    for (const wrong of [2, 1]) {
      m.monitor<null>({
        id: `not ${wrong}`,
        title: "",
        on: [],
        initial: () => null,
        step: (state) => state,
        end: (_, quiescence) => {
          if (x.state === wrong) quiescence.violate("is")
        }
      })
    }
  })
  expect(said(() => exploreTest(model, { violates: "not 1" }, trial()))).toMatchObject({ passes: true })
  expect(said(() => exploreTest(model, { violates: "not 2" }, trial()))).toMatchObject({ passes: true })
  expect(said(() => exploreTest(model, { violates: "not 3" }, trial())).text).toMatch(
    /^Not violated: no schedule breaks not 3, but some break not /
  )
})

test("a campaign of nothing but executions that were cut proves nothing", () => {
  const cut = said(() => fuzzTest(lossy(true), { maxSteps: 2, runs: 10 }, trial()))
  expect(cut).toMatchObject({ passes: false })
  expect(cut.text).toContain("every execution was cut after 2 steps")
})

test("a model that is not deterministic is said to be so", () => {
  let turns = 0
  const model = makeModel("fickle", (m) => {
    const x = m.actor(Cell.cellType, "x", 0)
    m.thread("A", function*() {
      yield* ask(x, Cell.load)
      yield* ask(x, Cell.store, ++turns)
      if (turns === 3) throw new Error("third time")
    })
    m.thread("B", () => add(x))
  })
  expect(said(() => exploreTest(model, {}, trial())).text).toMatch(
    /^The exploration failed: .*\n\nAll that an execution depends on/
  )
  turns = 0
  const campaign = said(() => fuzzTest(model, { runs: 10 }, trial()))
  expect(campaign.text).toMatch(
    /^crash: .*third time; the same schedule again led to another execution\n\nAll that an execution depends on/
  )
})

test("what a thread throws is told with its stack", () => {
  const model = makeModel("crash", (m) => {
    const x = m.actor(Cell.cellType, "x", 0)
    m.thread("A", function*() {
      if ((yield* ask(x, Cell.load)) === 2) throw new RangeError("too much")
    })
    m.thread("B", function*() {
      yield* ask(x, Cell.store, 2)
    })
  })
  const { passes, text } = said(() => exploreTest(model, {}, trial()))
  expect(passes).toBe(false)
  expect(text).toMatch(/^crash: thread A threw: RangeError: too much\n/)
  expect(text).toMatch(/^ +at .*tests\.test\.ts/m)
})

/** Characters that mean something to regular expressions, shells or lines, and any other ones. */
const character = fc.oneof(
  fc.constantFrom(..."\\^$.*+?()[]{}|/-'\"` \n\r\t\u2028\u2029\u0085\0d1"),
  fc.nat(0xffff).map((code) => String.fromCharCode(code))
)

test("a name's pattern is one line, and matches the name and nothing longer or shorter", () => {
  const text = fc.array(character, { maxLength: 12 }).map((characters) => characters.join(""))
  fc.assert(
    fc.property(text, character, (name, more) => {
      const pattern = patternOf(name)
      const whole = new RegExp(`^${pattern}$`)
      expect(pattern).not.toMatch(/[\n\r\u2028\u2029]/)
      expect([name, name + more, more + name].map((other) => whole.test(other))).toEqual([true, false, false])
    }),
    { numRuns: 1000 }
  )
})

const command = (more: Partial<Place>): string => replayCommand("mm1.AAAAAA", { ...place, ...more })

test("paths in the command are seen from where the user is", () => {
  const run = "MMRACE_SCHEDULE=mm1.AAAAAA npx vitest run"
  expect(command({})).toBe(`${run} x.test.ts -t '^race$'`)
  expect(command({ root: "/home/me/pkg" })).toBe(`${run} x.test.ts -t '^race$'`)
  expect(command({ cwd: "/home/me", root: "/home/me/pkg" })).toBe(`${run} --root pkg pkg/x.test.ts -t '^race$'`)
  expect(command({ cwd: "/home/me/pkg/test" })).toBe(`${run} ../x.test.ts -t '^race$'`)
  expect(command({ file: "/home/me/pkg/-x.test.ts" })).toBe(`${run} ./-x.test.ts -t '^race$'`)
  expect(command({ userCwd: "/home/me" })).toBe(`(cd pkg && ${run} x.test.ts -t '^race$')`)
})
