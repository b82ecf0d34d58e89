import { ActorType, ask, Cell, checkDeterminism, makeModel } from "@mmrace/core"
import * as Schema from "effect/Schema"
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

  test("compares results, not only what was asked", () => {
    let clock = 0
    const type = new ActorType<null>("clock")
    const tick = type.command<void, { readonly at: number }>("tick", {
      access: "read",
      decide: () => ({ at: Math.floor(clock++ / 2) }),
      result: Schema.Struct({ at: Schema.Number })
    })
    const model = makeModel("clock", (m) => {
      const actor = m.actor(type, "clock", null)
      m.thread("A", function*() {
        yield* ask(actor, tick)
      })
    })
    // Each run reads it once: 0 and 0 are equal objects, then 1 and 1 are.
    expect(checkDeterminism(model, { runs: 2 })).toBeUndefined()
    clock = 1
    expect(checkDeterminism(model, { runs: 2 })?.message).toBe(
      "step 0 differs: first A clock.tick() = {\"at\":0}, then A clock.tick() = {\"at\":1}"
    )
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
