import { ask, Cell, checkDeterminism, makeModel } from "@mmrace/core"
import { describe, expect, test } from "vitest"
import { bluetooth, deadlock, lostUpdate, stringBuffer, twostage } from "../strategies/models.ts"

describe("the determinism check", () => {
  test.each([bluetooth(), deadlock(), lostUpdate(3), stringBuffer(), twostage(2)].map((m) => [m.name, m] as const))(
    "has nothing to say about %s",
    (_, model) => {
      expect(checkDeterminism(model, { runs: 200, seed: 3 })).toBeUndefined()
    }
  )

  test("names the first step that differs, with thread, actor, command and both results", () => {
    let leaked = 0
    const model = makeModel("leaky", (m) => {
      const x = m.actor(Cell.cellType, "x", 0)
      m.thread("A", function*() {
        yield* ask(x, Cell.load)
        yield* ask(x, Cell.fetchAdd, 1)
      })
      m.thread("B", function*() {
        yield* ask(x, Cell.load)
        yield* ask(x, Cell.exchange, leaked++)
        yield* ask(x, Cell.load)
      })
    })
    expect(checkDeterminism(model, { strategy: "sequential" })).toMatchObject({
      execution: 0,
      step: 4,
      first: { thread: "B", actor: "x", command: "exchange", arg: 0, result: 1 },
      second: { thread: "B", actor: "x", command: "exchange", arg: 1, result: 1 },
      message: "step 4 differs: first B x.exchange(0) = 1, then B x.exchange(1) = 1"
    })
  })

  test("sees that one run went on and the other did not", () => {
    let calls = 0
    const model = makeModel("shorter", (m) => {
      const x = m.actor(Cell.cellType, "x", 0)
      m.thread("A", function*() {
        if (calls++ % 2 === 0) yield* ask(x, Cell.load)
        return 1
      })
    })
    const divergence = checkDeterminism(model, { runs: 1 })
    expect(divergence?.message).toBe("step 0 differs: first A x.load() = 0, then A thread:A.exit() = 1")
  })

  test("sees a verdict that differs after equal steps", () => {
    let ends = 0
    const model = makeModel("moody", (m) => {
      const x = m.actor(Cell.cellType, "x", 0)
      m.thread("A", function*() {
        yield* ask(x, Cell.load)
      })
      m.monitor({
        id: "moody",
        title: "moody",
        on: [],
        initial: () => null,
        step: (s) => s,
        end: (_, quiescence) => {
          if (ends++ % 2 === 1) quiescence.violate("odd")
        }
      })
    })
    expect(checkDeterminism(model, { runs: 1 })?.message).toBe(
      "the same 2 steps ended once as Ok and once as Violation"
    )
  })
})
