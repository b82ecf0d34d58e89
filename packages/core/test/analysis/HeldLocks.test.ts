import * as fc from "fast-check"
import {
  type Actor,
  ask,
  Executor,
  FromChoices,
  heldLocksAt,
  type Log,
  makeModel,
  type Model,
  Mutex,
  Rwsem
} from "@mmrace/core"
import { describe, expect, it } from "vitest"
import { everySchedule, idle, logOf, nest, nesting, randomLog, randomModel } from "./support.ts"

/** "t0 holds l0; t1 waits l0 (t0)" */
const shown = (model: Model, log: Log, step: number, executor?: Executor): string =>
  heldLocksAt(model, log, step, executor === undefined ? undefined : (t) => executor.pending(t))
    .flatMap(({ held, thread, waits }) =>
      held
        .map((l) => `t${thread} holds ${l.actor.name} ${l.mode}${l.tried ? " by try" : ""} @${l.since}`)
        .concat(
          waits === undefined
            ? []
            : `t${thread} waits ${waits.actor.name} @${waits.since} for ${waits.holders.join(",")}`
        )
    )
    .join("; ")

describe("heldLocksAt", () => {
  it("follows nested locks, before and after every step", () => {
    const model = nesting([0, 1])
    const log = randomLog(model, 0)
    expect([-1, 0, 1, 2, 3, 4].map((step) => shown(model, log, step))).toEqual([
      "",
      "t0 holds l0 write @0",
      "t0 holds l0 write @0; t0 holds l1 write @1",
      "t0 holds l0 write @0",
      "",
      ""
    ])
  })

  it("shows who waits for whom in a deadlock, from the log and the asks that never ran", () => {
    const model = nesting([0, 1], [1, 0])
    const executor = new Executor(model)
    expect(executor.run(new FromChoices([0, 1]))._tag).toBe("Deadlock")
    expect(shown(model, executor.log, executor.log.length - 1, executor)).toBe(
      "t0 holds l0 write @0; t0 waits l1 @0 for 1; t1 holds l1 write @1; t1 waits l0 @1 for 0"
    )
  })

  it("sees a wait in the middle of a log that ended well", () => {
    const model = nesting([0], [0])
    const { mutex } = Mutex
    const l0 = model.actorNamed("l0")! as never
    const log = logOf([[0, ask(l0, mutex.lock)], [0, ask(l0, mutex.unlock)], [1, ask(l0, mutex.lock)]])
    expect(shown(model, log, 0)).toBe("t0 holds l0 write @0; t1 waits l0 @-1 for 0")
    expect(shown(model, log, 1)).toBe("")
  })

  it("follows locks that are released in another order than the reverse", () => {
    const model = nesting([0, 1, 2])
    const { mutex } = Mutex
    const [a, b, c] = ["l0", "l1", "l2"].map((name) => model.actorNamed(name)! as unknown as Actor<Mutex.Owner>)
    const log = logOf([
      [0, ask(a!, mutex.lock)],
      [0, ask(b!, mutex.lock)],
      [0, ask(c!, mutex.lock)],
      [0, ask(a!, mutex.unlock)],
      [0, ask(c!, mutex.unlock)]
    ])
    expect(shown(model, log, 3)).toBe("t0 holds l1 write @1; t0 holds l2 write @2")
    expect(shown(model, log, 4)).toBe("t0 holds l1 write @1")
  })

  it("follows the queue, the grant, the downgrade and the trylock of an rwsem", () => {
    const { rwsem } = Rwsem
    let semaphore: Actor<Rwsem.RwsemState> | undefined
    const model = makeModel("rwsem", (m) => {
      semaphore = m.actor(rwsem.type, "sem", Rwsem.unlocked)
      m.thread("a", idle)
      m.thread("b", idle)
    })
    const sem = semaphore!
    const log = logOf([
      [0, ask(sem, rwsem.downWriteTrylock), true],
      [1, ask(sem, rwsem.downRead), "queued"],
      [0, ask(sem, rwsem.downgradeWrite)],
      [1, ask(sem, rwsem.awaitRead)],
      [1, ask(sem, rwsem.downWriteTrylock), false],
      [0, ask(sem, rwsem.upRead)]
    ])
    expect([0, 1, 2, 3, 4, 5].map((step) => shown(model, log, step))).toEqual([
      "t0 holds sem write by try @0",
      "t0 holds sem write by try @0; t1 waits sem @1 for 0",
      "t0 holds sem read by try @0; t1 waits sem @1 for 0",
      "t0 holds sem read by try @0; t1 holds sem read @3",
      "t0 holds sem read by try @0; t1 holds sem read @3",
      "t1 holds sem read @3"
    ])
  })

  it("agrees with the mutexes' own states at the end of every step", () => {
    fc.assert(fc.property(randomModel, fc.nat(), (model, seed) => {
      const log = randomLog(model, seed)
      const owners = new Map<string, number>()
      for (let step = 0; step < log.length; step++) {
        const { actor, command } = log.asks[step]!
        if (command.name === "lock") owners.set(actor.name, log.threads[step]!)
        if (command.name === "unlock") owners.delete(actor.name)
        const held = heldLocksAt(model, log, step).flatMap(({ held: locks, thread }) =>
          locks.map((lock) => [lock.actor.name, thread] as const)
        )
        expect(new Map(held)).toEqual(owners)
      }
    }))
  })

  it("names a holder for every wait of every schedule", () => {
    const model = makeModel("three", (m) => {
      const locks = [0, 1].map((i) => m.actor(Mutex.mutex.type, `l${i}`, Mutex.free))
      for (const name of ["a", "b"]) m.thread(name, () => nest(locks))
    })
    let waits = 0
    everySchedule(model, {}, ({ log }) => {
      for (let step = 0; step < log.length; step++) {
        for (const thread of heldLocksAt(model, log, step)) {
          if (thread.waits === undefined) continue
          waits++
          expect(thread.waits.holders).toEqual([1 - thread.thread])
        }
      }
    })
    expect(waits).toBeGreaterThan(0)
  })
})
