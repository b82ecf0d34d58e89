/** What two explorations tell each other means the same, though each numbers things as it comes upon them. */
import { ActorType, ask, Cell, commands, joinThread, makeModel, type Model, Mutex, spawnThread } from "@mmrace/core"
import { expect, test } from "vitest"
import { Dependence } from "@mmrace/core/explore/Dependence"
import { Futures } from "@mmrace/core/explore/Futures"
import type { Happened } from "@mmrace/core/explore/Machine"
import { Machine } from "@mmrace/core/explore/Machine"
import { Sharing } from "@mmrace/core/explore/Sharing"
import { Values } from "@mmrace/core/explore/Values"

const doorType = new ActorType<number>("door")
/** May have to wait; the argument names an actor. */
const enter = doorType.command<{ readonly to: unknown }>("enter", { access: "write", blocked: () => false })

const model = (): Model =>
  makeModel("told", (m) => {
    const cells = ["x", "y"].map((name) => m.actor(Cell.cellType, name, 0))
    const lock = m.actor(Mutex.mutex.type, "lock", Mutex.free)
    const door = m.actor(doorType, "door", 0)
    const write = (of: number) =>
      function*() {
        yield* ask(lock, Mutex.mutex.lock)
        yield* ask(cells[of]!, Cell.store, 1)
        yield* ask(lock, Mutex.mutex.unlock)
        yield* ask(door, enter, { to: cells[of] })
      }
    m.thread("A", write(0))
    m.thread("B", write(1))
    const child = m.thread("child", write(0), { start: "spawned" })
    m.thread("parent", function*() {
      yield* ask(child.actor, spawnThread)
      yield* ask(child.actor, joinThread)
    })
    m.monitor<Record<string, number>>({
      id: "stores",
      title: "stores of each cell",
      on: commands(Cell.store),
      initial: () => ({}),
      step: (stores, { actor }) => ({ ...stores, [actor.name]: (stores[actor.name] ?? 0) + 1 })
    })
  })

class Exploration {
  readonly machine: Machine
  readonly futures: ReadonlyArray<Futures>
  readonly sharing: Sharing

  constructor() {
    const own = model()
    this.machine = new Machine(own, new Values(), new Dependence(own), { intern: true })
    this.futures = own.threads.map(() => new Futures())
    this.sharing = new Sharing(this.machine, this.futures)
  }

  /** Moves threads, notes what they do and goes back. */
  walk(...threads: ReadonlyArray<number>): void {
    const steps: Array<Happened> = []
    for (const thread of threads) {
      const step = this.machine.step(thread)
      this.futures[thread]!.note(step.moment, step.places, step.modes)
      steps.push(step)
    }
    while (steps.length > 0) this.machine.undo(steps.pop()!)
  }

  /** What may follow the beginning, by thread, in words. */
  get follows(): ReadonlyArray<ReadonlyArray<string>> {
    const { at, dependence, fibers } = this.machine
    const nameOf = (place: number): string =>
      place < dependence.firstPart
        ? String(place)
        : `${JSON.stringify(dependence.partPaths[(place - dependence.firstPart) >> 1])} ${
          (place - dependence.firstPart) % 2
        }`
    return this.futures.map((futures, thread) => {
      const list: Array<string> = []
      const moment = at[thread] ?? fibers.rootIfKnown(thread)
      if (moment !== undefined) {
        futures.each(moment, ({ ask: waiting, mode, place }) => {
          const { actor, arg, command } = waiting ?? {}
          const to = (arg as { readonly to: { readonly name: string } } | undefined)?.to.name ?? ""
          list.push(`${nameOf(place)} in mode ${mode} ${actor?.name ?? ""} ${command?.name ?? ""} ${to}`)
        })
      }
      return list.toSorted()
    })
  }

  close(): void {
    this.machine.close()
  }
}

const everything = [0, 0, 0, 0, 1, 1, 1, 1, 3, 2, 2, 2, 2, 3]

test("what may follow is the same there", () => {
  const here = new Exploration()
  here.walk(...everything)
  const there = new Exploration()
  // Other parts of the monitor's state come first, other asks too.
  there.walk(1, 1, 1, 1)
  there.sharing.learn(structuredClone(here.sharing.tell(0)))
  expect(there.machine.dependence.partPaths).not.toEqual(here.machine.dependence.partPaths)
  expect(there.follows[2]).toEqual([])
  there.sharing.adopt()
  expect(there.follows).toEqual(here.follows)
  expect(here.follows.every((list) => list.length > 2)).toBe(true)
  here.close()
  there.close()
})

test("only what is new is told", () => {
  const here = new Exploration()
  here.walk(...everything)
  here.sharing.tell(0)
  const { asks, futures, parts } = here.sharing.tell(0)
  expect([asks, parts]).toEqual([[], []])
  for (const { known, moments } of futures) expect([known, moments]).toEqual([[], []])
  here.close()
})

test("a footprint there touches the same", () => {
  const here = new Exploration()
  here.walk(...everything)
  const there = new Exploration()
  there.walk(1, 1, 1, 1)
  there.sharing.learn(here.sharing.tell(0))
  const { dependence } = here.machine
  const places = [
    0,
    ...dependence.partPaths.flatMap((_, i) => [dependence.firstPart + 2 * i, dependence.firstPart + 2 * i + 1])
  ]
  const moved = there.sharing.footprintOf({ places, modes: places.map(() => 0) })
  expect(moved.places[0]).toBe(0)
  moved.places.slice(1).forEach((place, i) => {
    const at = place - there.machine.dependence.firstPart
    expect(there.machine.dependence.partPaths[at >> 1]).toEqual(dependence.partPaths[i >> 1])
    expect(at % 2).toBe(i % 2)
  })
  here.close()
  there.close()
})
