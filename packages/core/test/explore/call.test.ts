/** Of what was called only the result is remembered (`call`): states become one, and nothing that is found changes. */
import { ask, call, Cell, makeModel, type Model, type Path, settle } from "@mmrace/core"
import * as fc from "fast-check"
import { expect, test } from "vitest"
import { explore } from "@mmrace/core/explore/Explore"
import { findsAllOutcomes } from "./support.ts"

interface Op {
  readonly kind: "parity" | "add" | "store register" | "swap" | "retry" | "nothing"
  readonly cell: number
}

const op: fc.Arbitrary<Op> = fc.record({
  kind: fc.constantFrom("parity", "add", "store register", "swap", "retry", "nothing"),
  cell: fc.nat(1)
})

/** Threads of one register; each operation is a path that calls another one, and sees more than it returns. */
const callers = (threads: ReadonlyArray<ReadonlyArray<Op>>, settles: boolean): Model =>
  makeModel("callers", (m) => {
    const cells = [0, 1].map((i) => m.actor(Cell.cellType, `c${i}`, 0))

    function* parity(cell: number): Path<number> {
      return (yield* ask(cells[cell]!, Cell.load)) % 2
    }

    /** Says in each round what it still depends on; how often it was tried comes out. */
    function* retry(cell: number, register: number): Path<number> {
      let left = 2
      while (left > 0) {
        settle(left)
        if ((yield* call(parity(cell))) === register % 2) break
        left--
      }
      return left
    }

    function* operate({ cell, kind }: Op, register: number): Path<number> {
      switch (kind) {
        case "parity":
          return register + (yield* call(parity(cell)))
        case "add":
          return (yield* ask(cells[cell]!, Cell.fetchAdd, 1)) > 2 ? 1 : 0
        case "store register":
          yield* ask(cells[cell]!, Cell.store, register)
          return 0
        case "swap": {
          const odd = yield* call(parity(cell))
          yield* ask(cells[cell]!, Cell.store, register)
          return 1 - odd
        }
        case "retry":
          return yield* retry(cell, register)
        case "nothing":
          return register
      }
    }

    threads.forEach((list, t) => {
      m.thread(`T${t}`, function*(): Path<number> {
        let register = t
        for (let i = 0; i < list.length; i++) {
          if (settles) settle([i, register])
          register = yield* call(operate(list[i]!, register))
        }
        return register
      })
    })
  })

/** Each thread looks at x four times and writes to it, twice; what it saw does not matter afterwards. */
const lookers = (how: "call" | "settle" | "remember"): Model =>
  makeModel("lookers", (m) => {
    const x = m.actor(Cell.cellType, "x", 0)
    function* look(): Path<void> {
      yield* ask(x, Cell.load)
      yield* ask(x, Cell.load)
    }
    for (let t = 0; t < 2; t++) {
      m.thread(`T${t}`, function*(): Path<void> {
        for (let round = 0; round < 2; round++) {
          for (const time of ["first", "second"]) {
            yield* how === "call" ? call(look()) : look()
            if (how === "settle") settle([time, round])
          }
          yield* ask(x, Cell.write, 2 * t + round)
        }
      })
    }
  })

test("states that differ in what a call saw only are one", () => {
  const [called, settled, remembered] = (["call", "settle", "remember"] as const).map((how) =>
    explore(lookers(how), { reduction: "states" }).counts.states
  )
  expect(called).toBe(settled)
  expect(called).toBeLessThan(remembered! / 2)
})

test.each(["stateful", "states", "optimal"] as const)("%s finds all outcomes of threads that call", (reduction) => {
  const threads = fc.array(fc.array(op, { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 3 })
  fc.assert(
    fc.property(threads, fc.boolean(), (lists, settles) => {
      findsAllOutcomes(callers(lists, settles), reduction)
    }),
    { numRuns: Number(process.env["EXPLORE_RUNS"] ?? 150) }
  )
})

/** A thread that spins until another one has stored, in a path that it calls or by itself. */
const spinner = (how: "in a call" | "by itself"): Model =>
  makeModel("spinner", (m) => {
    const x = m.actor(Cell.cellType, "x", 0)
    function* spin(key: number): Path<void> {
      for (;;) {
        settle(key)
        if ((yield* ask(x, Cell.load)) !== 0) return
        yield* ask(x, Cell.load)
      }
    }
    m.thread("S", function*(): Path<void> {
      for (const key of [1, 2]) {
        // Settled at the same ask, outside of the call and in it.
        settle(["round", key])
        yield* how === "in a call" ? call(spin(0)) : spin(key)
        if (how === "by itself") settle(["out", key])
        yield* ask(x, Cell.store, 0)
      }
    })
    m.thread("W", function*(): Path<void> {
      yield* ask(x, Cell.store, 1)
      yield* ask(x, Cell.store, 2)
    })
  })

test("a loop in a call comes back to where it was, whichever of the calls it is in", () => {
  const [inCall, byItself] = (["in a call", "by itself"] as const).map((how) =>
    explore(spinner(how), { reduction: "states", onFailure: "continue" })
  )
  expect(inCall!.counts.states).toBe(byItself!.counts.states)
  expect(inCall!.outcomes.map(({ name }) => name)).toEqual(byItself!.outcomes.map(({ name }) => name))
  expect(inCall!.outcomes.map(({ name }) => name)).toContain("ok")
})

test("a call that hands on more than its result is an error that says so", () => {
  const model = makeModel("leaky", (m) => {
    const x = m.actor(Cell.cellType, "x", 0)
    const y = m.actor(Cell.cellType, "y", 0)
    m.thread("W", function*(): Path<void> {
      yield* ask(x, Cell.write, 1)
    })
    m.thread("R", function*(): Path<void> {
      let seen = 0
      function* look(): Path<void> {
        seen = yield* ask(x, Cell.load)
      }
      yield* call(look())
      yield* ask(seen === 0 ? x : y, Cell.load)
    })
  })
  expect(() => explore(model)).toThrow(/R came twice out of the same call with the same result \(call\)/u)
})
