/** The verdict of an exploration, its witnesses, interruption and resumption, memory. */
import {
  ask,
  Cell,
  commands,
  Executor,
  exitThread,
  Explore,
  failureId,
  FromChoices,
  joinThread,
  makeModel,
  type Model,
  Mutex,
  spawnThread
} from "@mmrace/core"
import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { Fingerprints } from "@mmrace/core/explore/Fingerprint"
import { Vector } from "@mmrace/core/explore/Vector"
import { Visited } from "@mmrace/core/explore/Visited"
import { comparable } from "../engine/support.ts"
import { buildModel, type Op, type ProgramThread } from "../engine/randomModel.ts"
import * as P from "./oracles.ts"
import { everything, smallProgram } from "./support.ts"

/** Fails only when B runs between A's two stores, which takes one preemption. */
const torn = (): Model =>
  makeModel("torn", (m) => {
    const x = m.actor(Cell.cellType, "x", 0)
    const y = m.actor(Cell.cellType, "y", 0)
    m.thread("A", function*() {
      yield* ask(x, Cell.store, 1)
      yield* ask(y, Cell.store, 1)
    })
    m.thread("B", function*() {
      if ((yield* ask(x, Cell.load)) !== (yield* ask(y, Cell.load))) throw new Error("torn")
    })
  })

/** Counts for ever. */
const endless = (): Model =>
  makeModel("endless", (m) => {
    const x = m.actor(Cell.cellType, "x", 0)
    m.thread("A", function*() {
      for (;;) yield* ask(x, Cell.fetchAdd, 1)
    })
  })

describe("the verdict", () => {
  test.each(["optimal", "source", "states"] as const)("complete, %s", (reduction) => {
    const { counts, outcomes, verdict } = Explore.explore(P.lockInc(3), { reduction })
    expect(verdict).toEqual({ _tag: "Complete", within: undefined, omission: 0 })
    expect(outcomes.map((outcome) => outcome.name)).toEqual(["ok"])
    expect(counts.executions).toBe(reduction === "states" ? counts.executions : 6)
  })

  test.each(["optimal", "source", "states"] as const)("violated, %s", (reduction) => {
    const { outcomes, verdict } = Explore.explore(torn(), { reduction })
    expect(verdict._tag === "Violated" && verdict.first.name).toBe("crash:thread B")
    expect(verdict._tag === "Violated" && verdict.exhaustive).toBe(true)
    expect(outcomes.map((outcome) => outcome.name).sort()).toEqual(["crash:thread B", "ok"])
  })

  test("stop at the first failure leaves the rest unexplored and says so", () => {
    const all = Explore.explore(P.stack(4), { reduction: "optimal" })
    const first = Explore.explore(P.stack(4), { reduction: "optimal", onFailure: "stop" })
    expect(first.verdict._tag === "Violated" && !first.verdict.exhaustive).toBe(true)
    expect(first.counts.steps).toBeLessThan(all.counts.steps)
  })

  test("within a bound", () => {
    const inside = Explore.explore(torn(), { cost: "preemptions", bound: 0 })
    expect(inside.verdict).toEqual({ _tag: "Complete", within: "0 preemptions", omission: 0 })
    const minimal = Explore.explore(torn(), { minimal: true })
    expect(minimal.verdict._tag === "Violated" && minimal.verdict.first.preemptions).toBe(1)
  })

  test.each(["optimal", "source", "states"] as const)("incomplete at the step limit, %s", (reduction) => {
    const { verdict } = Explore.explore(endless(), { maxSteps: 20, reduction })
    expect(verdict).toEqual({
      _tag: "Incomplete",
      reasons: ["executions of more than 20 steps were cut"],
      covered: undefined
    })
  })

  test("incomplete when interrupted, with what was covered", () => {
    let asked = 0
    const { verdict } = Explore.explore(P.counters(4, 3), {
      cost: "preemptions",
      interrupt: () => ++asked > 4 ? "enough" : undefined
    })
    expect(verdict).toEqual({ _tag: "Incomplete", reasons: ["enough"], covered: "0 preemptions" })
  })
})

const thread = (...ops: ReadonlyArray<Op>): ProgramThread => ({ spawned: false, daemon: true, ops })
const op = (kind: Op["kind"]): Op => ({ kind, index: 0, value: 0 })

describe.each(["stateful", "optimal", "source", "states"] as const)(
  "with %s the executor is led to an outcome by its choices",
  (reduction) => {
    const leadsTo = (model: Model): void => {
      const outcomeOf = everything(model)
      for (const outcome of Explore.explore(model, { reduction, outcomeOf }).outcomes) {
        const executor = new Executor(model)
        const verdict = executor.run(new FromChoices(outcome.choices))
        expect(comparable(verdict)).toEqual(comparable(outcome.verdict))
        expect(executor.copyChoices()).toEqual(outcome.choices)
        if (outcome.failed) expect(failureId(verdict)).toBe(outcome.name)
      }
    }

    test("of random programs", () => {
      fc.assert(fc.property(smallProgram, (program) => leadsTo(buildModel(program))), { numRuns: 70 })
    })

    test("that needs a kill in time", () => {
      // The second has the lock and waits for the first, which waits for the lock: unless it is killed before.
      leadsTo(buildModel([
        thread(op("writeKillable"), op("load")),
        thread(op("writeKillable"), op("join"), op("load")),
        thread(op("kill"))
      ]))
    })

    test("of a thread that throws as it starts", () => {
      // The second waits for itself once the first has started, which throws.
      const second: ReadonlyArray<Op> = [op("spawn"), { ...op("join"), index: 1 }, op("load")]
      leadsTo(buildModel([{ ...thread(op("throw"), op("load")), spawned: true }, thread(...second)]))
    })

    test("of a thread that waits for itself as it starts, and whose parent throws then", () => {
      leadsTo(buildModel([{ ...thread(op("join")), spawned: true }, thread(op("spawn"), op("throw"))]))
    })

    test("of a thread that waits for itself as it starts, and whose parent must not end then", () => {
      leadsTo(makeModel("no end", (m) => {
        const child = m.thread("child", function*() {
          yield* ask(child.actor, joinThread)
        }, { start: "spawned" })
        m.thread("parent", function*() {
          yield* ask(child.actor, spawnThread)
        })
        m.monitor({
          id: "no-end",
          title: "no thread ends",
          on: commands(exitThread),
          initial: () => null,
          step: (state, event) => {
            event.violate("one ended")
            return state
          }
        })
      }))
    })
  }
)

const plain = ({ outcomes }: Explore.Explored): ReadonlyArray<Explore.Outcome> =>
  outcomes.map((outcome) => ({ ...outcome, verdict: comparable(outcome.verdict) }))

const names = ({ outcomes }: Explore.Explored): ReadonlyArray<string> => outcomes.map((outcome) => outcome.name).sort()

/** Interrupted and resumed from JSON again and again. */
const inPieces = (model: Model, options: Explore.ExploreOptions, every: number): Explore.Explored => {
  let checkpoint: Explore.Checkpoint | undefined
  for (;;) {
    let asked = 0
    const explored = Explore.explore(model, {
      ...options,
      interrupt: () => asked++ >= every ? "piece" : undefined,
      ...(checkpoint === undefined ? {} : { resume: checkpoint })
    })
    if (explored.checkpoint === undefined) return explored
    checkpoint = JSON.parse(JSON.stringify(explored.checkpoint)) as Explore.Checkpoint
  }
}

describe("a checkpoint", () => {
  test("stateful: an exploration in pieces finds what one in one go finds", () => {
    fc.assert(
      fc.property(smallProgram, fc.integer({ min: 1, max: 3 }), (program, every) => {
        const model = buildModel(program)
        const outcomeOf = everything(model)
        const whole = Explore.explore(model, { outcomeOf })
        const pieces = inPieces(model, { outcomeOf, interruptEvery: 3 }, every)
        expect(names(pieces)).toEqual(names(whole))
        expect(pieces.verdict._tag).toBe(whole.verdict._tag)
      }),
      { numRuns: 60 }
    )
  })

  test.each(["optimal", "source"] as const)(
    "%s: an exploration in pieces is the same as one in one go",
    (reduction) => {
      fc.assert(
        fc.property(smallProgram, fc.integer({ min: 1, max: 5 }), (program, every) => {
          const model = buildModel(program)
          const options = { reduction, outcomeOf: everything(model) }
          const whole = Explore.explore(model, options)
          const pieces = inPieces(model, options, every)
          expect(plain(pieces)).toEqual(plain(whole))
          expect({ ...pieces.counts, fibers: 0, fed: 0 }).toEqual({ ...whole.counts, fibers: 0, fed: 0 })
        }),
        { numRuns: 200 }
      )
    }
  )

  test("of another model is refused", () => {
    let asked = 0
    const { checkpoint } = Explore.explore(P.inc(3), {
      reduction: "optimal",
      interrupt: () => asked++ > 2 ? "stop" : undefined
    })
    expect(() => Explore.explore(P.inc(2), { reduction: "optimal", resume: checkpoint! })).toThrow(
      `the checkpoint is of the model "inc(3)", not of "inc(2)"`
    )
  })
})

test("a monitor whose looks count costs optimal no class", () => {
  const model = buildModel([
    thread({ ...op("load"), index: 1 }),
    thread(op("load")),
    thread(op("load")),
    thread(op("kill"), { ...op("kill"), index: 1 }, { ...op("add"), value: 1 }, op("kill"))
  ])
  const options: Explore.ExploreOptions = { reduction: "optimal", partialDeadlocks: false }
  const classes = Explore.explore(model, { ...options, unordered: new Set(["sum"]) })
  expect(classes.counts).toMatchObject({ executions: 18, blocked: 0 })
  expect(Explore.explore(model, options).counts.executions).toBeGreaterThanOrEqual(18)
})

describe("memory", () => {
  const prints = new Fingerprints()

  test("beyond the full keys, states are kept as hashes, and the verdict says what that risks", () => {
    const exact = Explore.explore(P.counters(4, 2), { reduction: "states" })
    const compact = Explore.explore(P.counters(4, 2), { reduction: "states", fullBytes: 40 })
    expect(compact.counts).toEqual(exact.counts)
    const n = exact.counts.states
    // Of two searches: the second one, for livelocks, leaves out no state of this program either.
    expect(compact.verdict).toEqual({ _tag: "Complete", within: undefined, omission: 2 * n * (n - 1) / 2 ** 65 })
  })

  test("no more states than allowed", () => {
    const { counts, verdict } = Explore.explore(P.counters(4, 2), { reduction: "states", maxStates: 50 })
    expect(verdict._tag === "Incomplete" && verdict.reasons).toEqual(["no room for more than 50 states"])
    expect(counts.states).toBe(50)
  })

  test("the table holds what a map would", () => {
    const row = fc.tuple(fc.nat(2), fc.nat(2), fc.oneof(fc.nat(2), fc.nat()))
    fc.assert(
      fc.property(fc.array(row), fc.nat(60), (rows, fullBytes) => {
        const vector = new Vector(3, (value) => prints.of(value))
        const table = new Visited({ fullBytes })
        const map = new Map<string, number>()
        for (const numbers of rows) {
          numbers.forEach((number, column) => vector.set(column, vector.numberOf(column, number)))
          const key = numbers.join()
          expect(table.find(vector)).toBe(map.get(key) ?? -1)
          if (!map.has(key)) {
            map.set(key, table.size)
            expect(table.add(vector)).toBe(map.get(key))
          }
        }
        expect(table.size).toBe(map.size)
      })
    )
  })

  test("rows are told apart though their hashes are equal", () => {
    const vector = new Vector(2, () => ({ low: 7, high: 7 }))
    const table = new Visited()
    const now = (...numbers: ReadonlyArray<number>): void =>
      numbers.forEach((number, column) => vector.set(column, vector.numberOf(column, number)))
    now(0, 0)
    now(1, 0)
    table.add(vector)
    now(2, 0)
    expect(table.find(vector)).toBe(-1)
    table.dropRows()
    expect(table.find(vector)).toBe(0)
  })
})

const impure = (): Model => {
  let calls = 0
  return makeModel("impure", (m) => {
    const x = m.actor(Cell.cellType, "x", 0)
    const lock = m.actor(Mutex.mutex.type, "m", Mutex.free)
    m.thread("A", function*() {
      yield* ask(x, Cell.load)
      if (calls++ % 2 === 1) yield* ask(lock, Mutex.mutex.lock)
      yield* ask(x, Cell.load)
      yield* ask(x, Cell.load)
    })
    m.thread("B", function*() {
      yield* ask(x, Cell.fetchAdd, 1)
    })
  })
}

test("a thread that keeps state outside itself is found out", () => {
  expect(() => Explore.explore(impure())).toThrow(/thread A is not deterministic/)
})
