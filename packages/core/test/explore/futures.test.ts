/** Histories of a thread that ask the same. */
import { ActorType, ask, Explore, makeModel } from "@mmrace/core"
import { Dependence } from "@mmrace/core/explore/Dependence"
import { type Future, Futures } from "@mmrace/core/explore/Futures"
import { writing } from "@mmrace/core/explore/Footprint"
import { Machine } from "@mmrace/core/explore/Machine"
import { Values } from "@mmrace/core/explore/Values"
import { expect, test } from "vitest"

const doorType = new ActorType<number>("door")
const knock = doorType.command<void, number>("knock", { access: "write", decide: (n) => n, evolve: (n) => n + 1 })
/** May have to wait, and is asked with an object that is made anew each time. */
const enter = doorType.command<{ readonly room: number }>("enter", { access: "write", blocked: () => false })

const doors = () =>
  makeModel("doors", (m) => {
    const door = m.actor(doorType, "door", 0)
    for (const name of ["A", "B"]) {
      m.thread(name, function*() {
        yield* ask(door, knock)
        yield* ask(door, enter, { room: 1 })
      })
    }
  })

test("equal asks are one object and one future, however the thread came there", () => {
  const model = doors()
  const machine = new Machine(model, new Values(), new Dependence(model), { intern: true })
  const first = machine.step(0)
  const early = machine.at[0]!
  machine.undo(first)
  machine.step(1)
  machine.step(0)
  const late = machine.at[0]!
  machine.close()
  expect(late).not.toBe(early)
  expect(late.ask).toBe(early.ask)
  const futures = new Futures()
  for (const moment of [early, late]) futures.note(moment, [5], [writing])
  const below: Array<Future> = []
  futures.each(early.parent!, (future) => below.push(future))
  expect(below.map(({ mode, place }) => [place, mode])).toEqual([[5, writing]])
  expect(below[0]!.ask).toBe(early.ask)
})

test("a model with such asks is explored as any other", () => {
  const { outcomes, verdict } = Explore.explore(doors())
  expect(verdict._tag).toBe("Complete")
  expect(outcomes).toHaveLength(1)
})
