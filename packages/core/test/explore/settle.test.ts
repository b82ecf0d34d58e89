/** What threads forget (`settle`) makes states one, and never changes what an exploration finds. */
import { ask, Cell, makeModel, type Model, type Path, settle } from "@mmrace/core"
import * as fc from "fast-check"
import { expect, test } from "vitest"
import { explore } from "@mmrace/core/explore/Explore"
import { loopers, type LoopOp } from "./loopers.ts"
import { findsAllOutcomes } from "./support.ts"

/** Each thread looks at x and then adds to it; what it saw does not matter afterwards. */
const lookers = (threads: number, forget: boolean): Model =>
  makeModel("lookers", (m) => {
    const x = m.actor(Cell.cellType, "x", 0)
    for (let t = 0; t < threads; t++) {
      m.thread(`T${t}`, function*(): Path<void> {
        for (let round = 0; round < 2; round++) {
          yield* ask(x, Cell.load)
          if (forget) settle(round)
          yield* ask(x, Cell.write, 2 * t + round)
        }
      })
    }
  })

test("states that differ in what was forgotten only are one", () => {
  const all = explore(lookers(3, false), { reduction: "states" })
  const fewer = explore(lookers(3, true), { reduction: "states" })
  expect(fewer.counts.states).toBeLessThan(all.counts.states / 2)
})

/** The last to look throws when it saw what another thread wrote. */
const judges = (settled: boolean): Model =>
  makeModel("judges", (m) => {
    const x = m.actor(Cell.cellType, "x", 0)
    for (let t = 0; t < 2; t++) {
      m.thread(`T${t}`, function*(): Path<void> {
        yield* ask(x, Cell.load)
        if (settled) settle("looked")
        const seen = yield* ask(x, Cell.load)
        if (settled) settle(["seen", seen])
        yield* ask(x, Cell.write, t + 1)
        if (seen !== 0) throw new Error(`saw ${seen}`)
      })
    }
  })

test("what is in the key is remembered", () => {
  for (const reduction of ["stateful", "states", "optimal"] as const) {
    const names = (settled: boolean): ReadonlyArray<string> =>
      explore(judges(settled), { reduction }).outcomes.map(({ name }) => name).toSorted()
    expect(names(true)).toEqual(names(false))
    expect(names(true)).toContain("crash:thread T0")
  }
})

const ops = fc.array(
  fc.record({ kind: fc.constantFrom<LoopOp["kind"]>("load", "store", "copy", "add"), cell: fc.nat(1) }),
  { minLength: 1, maxLength: 3 }
)

test.each(["stateful", "states"] as const)("%s finds all outcomes of threads that settle", (reduction) => {
  fc.assert(
    fc.property(fc.array(ops, { minLength: 2, maxLength: 3 }), (threads) => {
      findsAllOutcomes(loopers(threads), reduction)
    }),
    { numRuns: Number(process.env["EXPLORE_RUNS"] ?? 150) }
  )
})

test("the same key before different asks is an error that says so", () => {
  const model = makeModel("confused", (m) => {
    const x = m.actor(Cell.cellType, "x", 0)
    const y = m.actor(Cell.cellType, "y", 0)
    m.thread("W", function*(): Path<void> {
      yield* ask(x, Cell.write, 1)
    })
    m.thread("R", function*(): Path<void> {
      const seen = yield* ask(x, Cell.load)
      settle("looked")
      yield* ask(seen === 0 ? x : y, Cell.load)
    })
  })
  expect(() => explore(model)).toThrow(/R said twice that what follows depends on the same value \(settle\)/u)
})
