import { ActorType, ask, Executor, explainExecution, makeModel, type Path, RandomWalk, recordingOf } from "@mmrace/core"
import { expect, it } from "vitest"

let looks = 0
const gateType = new ActorType<number>("gate")
const pass = gateType.command("pass", {
  access: "write",
  evolve: (n) => n + 1,
  lock: () => {
    looks++
    return { action: "try", mode: "write" }
  }
})
const open = gateType.command("open", {
  access: "write",
  evolve: (n) => n + 1,
  lock: () => {
    looks++
    return { action: "release", mode: "write" }
  }
})

it("follows the locks of a long execution once, however often the threads alternate", () => {
  const times = 200
  const model = makeModel("alternation", (m) => {
    const gate = m.actor(gateType, "gate", 0)
    const body = function*(): Path<void> {
      for (let i = 0; i < times; i++) {
        yield* ask(gate, pass)
        yield* ask(gate, open)
      }
    }
    m.thread("a", body)
    m.thread("b", body)
  })
  const executor = new Executor(model)
  const recorded = recordingOf(executor, executor.run(new RandomWalk(), 1))
  looks = 0
  const told = explainExecution(model, recorded)
  expect(told).toContain("(holds gate)")
  // Once step by step, once for the end.
  expect(looks).toBeLessThanOrEqual(2 * recorded.log.length)
})
