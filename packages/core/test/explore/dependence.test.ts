/** Steps that are not dependent commute; and every rule of the relation is needed. */
import {
  type Actor,
  ActorType,
  ask,
  Cell,
  commands,
  isThreadDone,
  killThread,
  makeModel,
  type Model,
  Mutex,
  Rwsem,
  Semaphore
} from "@mmrace/core"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { bruteForce } from "@mmrace/core/explore/BruteForce"
import { Dependence, type Rule } from "@mmrace/core/explore/Dependence"
import { dependent } from "@mmrace/core/explore/Footprint"
import { explore } from "@mmrace/core/explore/Explore"
import { type Happened, Machine } from "@mmrace/core/explore/Machine"
import { Values } from "@mmrace/core/explore/Values"
import { buildModel } from "../engine/randomModel.ts"
import { denseProgram, everything, smallProgram } from "./support.ts"

interface Door {
  readonly left: number
  readonly right: number
}
const doorType = new ActorType<Door>("door", { fields: ["left", "right"] })
const setLeft = doorType.command<number>("set_left", {
  access: "write",
  field: 0,
  evolve: (door, left) => ({ ...door, left }),
  arg: Schema.Int
})
const setRight = doorType.command<number>("set_right", {
  access: "write",
  field: 1,
  evolve: (door, right) => ({ ...door, right }),
  arg: Schema.Int
})
/** Waits for both sides to be set, and says what they are. */
const pass = doorType.command<void, number>("pass", {
  access: "read",
  field: 0,
  also: { reads: ["right"] },
  blocked: ({ left, right }) => left === 0 || right === 0,
  decide: ({ left, right }) => 10 * left + right,
  result: Schema.Int
})

function* passes(door: Actor<Door>) {
  return yield* ask(door, pass)
}

/** All that can be seen of a machine: states, where threads stand, who can move. */
const picture = (machine: Machine): string =>
  JSON.stringify([
    machine.model.actors.map((actor) => actor.state),
    machine.monitorStates,
    machine.at.map((moment) => moment?.id ?? null),
    machine.at.map((_, thread) => machine.isEnabled(thread))
  ])

const firstChoice = (machine: Machine, thread: number): number => machine.choicesOf(thread) === 0 ? -1 : 0

/** Runs two enabled threads in both orders; undefined when the second cannot move after the first. */
const bothOrders = (machine: Machine, a: number, b: number): ReadonlyArray<string | undefined> =>
  [[a, b], [b, a]].map(([one, two]) => {
    const first = machine.step(one!, firstChoice(machine, one!))
    let second: Happened | undefined
    let seen: string | undefined
    if (machine.isEnabled(two!)) {
      second = machine.step(two!, firstChoice(machine, two!))
      const results = one === a ? [first.result, second.result] : [second.result, first.result]
      const failures = [first, second].map((step) => step.failure !== undefined)
      seen = picture(machine) + JSON.stringify([results, one === a ? failures : failures.toReversed()])
    }
    if (second !== undefined) machine.undo(second)
    machine.undo(first)
    return seen
  })

/** Independent pairs found at the states of one random execution; throws when one does not commute. */
const checkExecution = (model: Model, choices: ReadonlyArray<number>): number => {
  const machine = new Machine(model, new Values(), new Dependence(model))
  let pairs = 0
  try {
    for (const choice of choices) {
      const enabled: Array<number> = []
      const count = machine.enabled(enabled)
      if (count === 0) break
      const before = picture(machine)
      for (const a of enabled) {
        for (const b of enabled.filter((t) => t > a)) {
          const alone = [a, b].map((t) => {
            const step = machine.step(t, firstChoice(machine, t))
            machine.undo(step)
            return step
          })
          if (dependent(alone[0]!, alone[1]!)) continue
          pairs++
          const [one, other] = bothOrders(machine, a, b)
          expect(one).toBeDefined()
          expect(one).toBe(other)
        }
      }
      expect(picture(machine)).toBe(before)
      const thread = enabled[choice % count]!
      machine.step(thread, firstChoice(machine, thread))
    }
  } finally {
    machine.close()
  }
  return pairs
}

describe("independent steps commute", () => {
  test.each([{ name: "all kinds", arbitrary: smallProgram }, { name: "dense", arbitrary: denseProgram }])(
    "in any state of a random program, $name",
    ({ arbitrary }) => {
      let pairs = 0
      fc.assert(
        fc.property(arbitrary, fc.array(fc.nat(11), { minLength: 4, maxLength: 12 }), (program, choices) => {
          pairs += checkExecution(buildModel(program), choices)
        }),
        { numRuns: 1000 }
      )
      expect(pairs).toBeGreaterThan(500)
    }
  )
})

const signalType = new ActorType<null>("signal")
const isPending = signalType.command<void, boolean>("is_pending", {
  access: "read",
  decide: (_state, _arg, thread) => thread.killed,
  result: Schema.Boolean
})

/** Programs that need a rule: without it an outcome is lost. */
const needs: ReadonlyArray<{ readonly rule: Rule | "waiting"; readonly model: () => Model }> = [
  {
    rule: "write",
    model: () =>
      makeModel("a store and a load", (m) => {
        const x = m.actor(Cell.cellType, "x", 0)
        m.thread("A", function*() {
          yield* ask(x, Cell.store, 1)
        })
        m.thread("B", function*() {
          return yield* ask(x, Cell.load)
        })
      })
  },
  {
    rule: "change",
    model: () =>
      makeModel("who gets the lock first", (m) => {
        const x = m.actor(Cell.cellType, "x", 0)
        const lock = m.actor(Mutex.mutex.type, "m", Mutex.free)
        for (const i of [1, 2]) {
          m.thread(`T${i}`, function*() {
            yield* ask(lock, Mutex.mutex.lock)
            const value = yield* ask(x, Cell.load)
            yield* ask(x, Cell.store, value * 2 + i)
            yield* ask(lock, Mutex.mutex.unlock)
          })
        }
      })
  },
  {
    rule: "signal",
    model: () =>
      makeModel("a signal is pending or not yet", (m) => {
        const here = m.actor(signalType, "here", null)
        const x = m.actor(Cell.cellType, "x", 0)
        const victim = m.thread("victim", function*() {
          const pending = yield* ask(here, isPending)
          yield* ask(x, Cell.load)
          return pending
        })
        m.thread("killer", function*() {
          yield* ask(victim.actor, killThread)
        })
      })
  },
  {
    rule: "exit",
    model: () =>
      makeModel("looks whether a thread is done", (m) => {
        const x = m.actor(Cell.cellType, "x", 0)
        const other = m.thread("other", function*() {
          yield* ask(x, Cell.load)
        })
        m.thread("looker", function*() {
          return yield* ask(other.actor, isThreadDone)
        })
      })
  },
  {
    rule: "monitor-state",
    model: () =>
      makeModel("a monitor that counts up to a rule", (m) => {
        const x = m.actor(Cell.cellType, "x", 0)
        const y = m.actor(Cell.cellType, "y", 0)
        m.thread("A", function*() {
          yield* ask(x, Cell.store, 1)
        })
        m.thread("B", function*() {
          yield* ask(y, Cell.store, 1)
        })
        m.monitor<string>({
          id: "order",
          title: "x is stored to first",
          on: commands(Cell.store),
          initial: () => "",
          step: (state, event) => {
            if (state === "" && event.actor.name === "y") event.violate("y came first")
            return state + event.actor.name
          }
        })
      })
  },
  {
    rule: "monitor-reads",
    model: () =>
      makeModel("a monitor that looks at two cells", (m) => {
        const x = m.actor(Cell.cellType, "x", 0)
        const y = m.actor(Cell.cellType, "y", 0)
        m.thread("A", function*() {
          yield* ask(x, Cell.store, 1)
        })
        m.thread("B", function*() {
          yield* ask(y, Cell.store, 1)
        })
        m.monitor<null>({
          id: "never",
          title: "y is never set without x",
          on: commands(Cell.store),
          initial: () => null,
          step: (state, event) => {
            if (event.actor.name === "y" && x.state === 0) event.violate("y without x")
            return state
          }
        })
      })
  },
  {
    rule: "sharing",
    model: () =>
      makeModel("a writer between two readers", (m) => {
        const sem = m.actor(Rwsem.rwsem.type, "sem", Rwsem.unlocked)
        for (const name of ["R", "W"] as const) {
          m.thread(name, function*() {
            return yield* ask(sem, name === "R" ? Rwsem.rwsem.downReadTrylock : Rwsem.rwsem.downWriteTrylock)
          })
        }
      })
  },
  {
    rule: "adding",
    model: () =>
      makeModel("one permit", (m) => {
        const sem = m.actor(Semaphore.semaphore.type, "sem", 1)
        for (const name of ["A", "B"]) {
          m.thread(name, function*() {
            return yield* ask(sem, Semaphore.semaphore.downTrylock)
          })
        }
      })
  },
  {
    rule: "also",
    model: () =>
      makeModel("a door with two locks", (m) => {
        const door = m.actor(doorType, "door", { left: 0, right: 0 })
        m.thread("waiter", () => passes(door))
        m.thread("left", function*() {
          yield* ask(door, setLeft, 1)
          yield* ask(door, setLeft, 2)
        })
        m.thread("right", function*() {
          yield* ask(door, setRight, 1)
          yield* ask(door, setRight, 2)
        })
      })
  },
  {
    rule: "waiting",
    model: () =>
      makeModel("a deadlock", (m) => {
        const a = m.actor(Mutex.mutex.type, "a", Mutex.free)
        const b = m.actor(Mutex.mutex.type, "b", Mutex.free)
        for (const [name, first, second] of [["T1", a, b], ["T2", b, a]] as const) {
          m.thread(name, function*() {
            yield* ask(first, Mutex.mutex.lock)
            yield* ask(second, Mutex.mutex.lock)
            yield* ask(second, Mutex.mutex.unlock)
            yield* ask(first, Mutex.mutex.unlock)
          })
        }
      })
  }
]

interface Kept {
  readonly values: ReadonlyArray<number>
  readonly saved: ReadonlyArray<number>
  readonly deep: ReadonlyArray<{ readonly list: ReadonlyArray<number> }>
}

/** Ways to leave in one place what a monitor keeps in another, without looking at it. */
const moves: Readonly<Record<string, (kept: Kept) => Kept>> = {
  "as it is": (kept) => ({ ...kept, saved: kept.values }),
  "a copy": (kept) => ({ ...kept, saved: kept.values.slice() }),
  "a copy of a copy": (kept) => ({ ...kept, saved: kept.values.slice().slice() }),
  "a copy of a part": (kept) => ({ ...kept, saved: kept.values.slice(0, 1) }),
  "out of a copy": (kept) => ({ ...kept, saved: [kept.values.slice()[0]!] }),
  "out of a copy into which something was put": (kept) => {
    const copy = kept.values.slice()
    copy[1] = 7
    return { ...kept, saved: copy }
  },
  "the keys of a copy": (kept) => ({ ...kept, saved: Object.keys(kept.values.slice()).map(Number) }),
  "a spread": (kept) => ({ ...kept, saved: [...kept.values] }),
  "another place of a list": (kept) => ({ ...kept, deep: [{ list: kept.values }] }),
  "behind the last level": (kept) => ({ ...kept, deep: [{ list: [kept.values] as never }] })
}

/** One thread changes what the monitor keeps, the other one makes it move that. */
const moving = (move: (kept: Kept) => Kept): Model =>
  makeModel("moving", (m) => {
    for (const name of ["x", "y"]) {
      const cell = m.actor(Cell.cellType, name, 0)
      m.thread(name, function*() {
        yield* ask(cell, Cell.store, 1)
      })
    }
    m.monitor<Kept>({
      id: "moves",
      title: "says which of the two came first",
      on: commands(Cell.store),
      initial: () => {
        const values = [0, 0]
        // To move what is there already is to look at it all the same.
        return { values, saved: values, deep: [{ list: values }] }
      },
      step: (kept, event) => event.actor.name === "y" ? move(kept) : { ...kept, values: [1, 0, 5] },
      end: ({ deep, saved }, quiescence) => {
        const text = JSON.stringify([saved, deep])
        quiescence.violate(text, text)
      }
    })
  })

describe("what a monitor moves it has looked at", () => {
  test.each(Object.keys(moves))("%s", (name) => {
    const model = moving(moves[name]!)
    const all = [...bruteForce(model, { outcomeOf: () => "" }).outcomes.keys()].toSorted()
    expect(all).toHaveLength(2)
    for (const reduction of ["optimal", "stateful", "states"] as const) {
      const { outcomes } = explore(model, { reduction, outcomeOf: () => "" })
      expect(outcomes.map((outcome) => outcome.name).toSorted(), reduction).toEqual(all)
    }
  })
})

describe.each(["optimal", "stateful"] as const)("every rule is needed: %s", (reduction) => {
  test.each(needs)("$rule", ({ model: build, rule }) => {
    const model = build()
    const outcomeOf = everything(model)
    const all = [...bruteForce(model, { outcomeOf }).outcomes.keys()].sort()
    const found = (tampering: Parameters<typeof explore>[2]): ReadonlyArray<string> =>
      explore(model, { reduction, outcomeOf }, tampering).outcomes.map((outcome) => outcome.name).sort()
    expect(found({})).toEqual(all)
    const broken = (): ReadonlyArray<string> | undefined => {
      try {
        return found(rule === "waiting" ? { ignoreWaiting: true } : { broken: rule })
      } catch {
        // A plan that cannot be followed gives a wrong relation away, too.
        return undefined
      }
    }
    expect(broken()).not.toEqual(all)
  })
})
