/** Random programs over all kinds of actors, for properties of the engine. */
import {
  type Actor,
  ask,
  Cell,
  chooseNumber,
  commands,
  joinThread,
  killThread,
  Mailbox,
  makeModel,
  type Model,
  Mutex,
  type Path,
  Rwsem,
  spawnThread,
  type ThreadState,
  WaitQueue
} from "@mmrace/core"
import * as Effect from "effect/Effect"
import * as fc from "fast-check"

export interface Op {
  readonly kind: (typeof kinds)[number]
  /** Which cell, lock or thread; taken modulo how many there are. */
  readonly index: number
  readonly value: number
}

export interface ProgramThread {
  readonly spawned: boolean
  readonly daemon: boolean
  readonly ops: ReadonlyArray<Op>
}

const kinds = [
  "load",
  "store",
  "add",
  "exchangeIf",
  "await",
  "mutex",
  "mutexKillable",
  "trylock",
  "read",
  "write",
  "writeKillable",
  "choose",
  "skipIfOdd",
  "spawn",
  "join",
  "kill",
  "send",
  "receive",
  "tryReceive",
  "prepare",
  "sleep",
  "wake",
  "effect",
  "again",
  "throw"
] as const

interface World {
  readonly cells: ReadonlyArray<Actor<number>>
  readonly mutexes: ReadonlyArray<Actor<Mutex.Owner>>
  readonly sem: Actor<Rwsem.RwsemState>
  readonly inbox: Actor<ReadonlyArray<number>>
  readonly queue: Actor<WaitQueue.WaitQueueState>
  readonly choice: Actor<null>
  readonly threads: Array<Actor<ThreadState>>
}

const pickOf = <T>(list: ReadonlyArray<T>, index: number): T => list[index % list.length]!

const increment = (n: number): number => n + 1

/** Interprets a thread's operations; returns what the thread last learned. */
function* interpret(world: World, ops: ReadonlyArray<Op>): Path<number> {
  let learned = 0
  let again = 3
  const mine = new Set<Actor<Mutex.Owner>>()
  let holds: Rwsem.Mode | undefined
  for (let at = 0; at < ops.length; at++) {
    const { index, kind, value } = ops[at]!
    const cell = pickOf(world.cells, index)
    const mutex = pickOf(world.mutexes, index)
    switch (kind) {
      case "load":
        learned = yield* ask(cell, Cell.load)
        break
      case "store":
        yield* ask(cell, Cell.store, learned + value)
        break
      case "add":
        learned = yield* ask(cell, Cell.fetchAdd, value)
        break
      case "exchangeIf":
        learned = Number(yield* ask(cell, Cell.compareExchange, { expected: learned, next: value }))
        break
      case "await":
        yield* ask(cell, Cell.awaitValue, value)
        break
      case "mutex":
        if (mine.delete(mutex)) yield* ask(mutex, Mutex.mutex.unlock)
        else {
          yield* ask(mutex, Mutex.mutex.lock)
          mine.add(mutex)
        }
        break
      case "mutexKillable":
        if (mine.delete(mutex)) yield* ask(mutex, Mutex.mutex.unlock)
        else if (yield* ask(mutex, Mutex.mutex.lockKillable)) mine.add(mutex)
        break
      case "trylock":
        if (mine.delete(mutex)) yield* ask(mutex, Mutex.mutex.unlock)
        else if (yield* ask(mutex, Mutex.mutex.trylock)) mine.add(mutex)
        break
      case "read":
      case "write":
      case "writeKillable":
        if (holds === "read") yield* Rwsem.upRead(world.sem)
        else if (holds === "write") yield* Rwsem.upWrite(world.sem)
        else if (kind === "read") yield* Rwsem.downRead(world.sem)
        else if (kind === "write") yield* Rwsem.downWrite(world.sem)
        else if (!(yield* Rwsem.downWriteKillable(world.sem))) break
        holds = holds === undefined ? kind === "read" ? "read" : "write" : undefined
        break
      case "choose":
        learned = yield* ask(world.choice, chooseNumber, value + 1)
        break
      case "skipIfOdd":
        if (learned % 2 !== 0) at++
        break
      case "spawn":
        yield* ask(pickOf(world.threads, index), spawnThread)
        break
      case "join":
        yield* ask(pickOf(world.threads, index), joinThread)
        break
      case "kill":
        yield* ask(pickOf(world.threads, index), killThread)
        break
      case "send":
        yield* ask(world.inbox, Mailbox.numbers.send, learned)
        break
      case "receive":
        learned = yield* ask(world.inbox, Mailbox.numbers.receive)
        break
      case "tryReceive":
        learned = (yield* ask(world.inbox, Mailbox.numbers.tryReceive)) ?? 0
        break
      case "prepare":
        yield* WaitQueue.prepare(world.queue)
        break
      case "sleep":
        yield* WaitQueue.sleep(world.queue)
        break
      case "wake":
        learned = yield* WaitQueue.wakeOne(world.queue)
        break
      case "effect":
        learned = yield* Effect.map(ask(cell, Cell.load), increment)
        break
      case "again":
        learned = yield* ask(cell, Cell.load)
        if (value === 3 || again-- > 0) at = -1
        break
      case "throw":
        throw new Error(`thrown on purpose: ${value}`)
    }
  }
  return learned
}

/** `monitored`: with a monitor whose verdict depends on the order of steps that are independent without it. */
export const buildModel = (program: ReadonlyArray<ProgramThread>, monitored = true): Model =>
  makeModel("random", (m) => {
    const world: World = {
      cells: [m.actor(Cell.cellType, "x", 0), m.actor(Cell.cellType, "y", 0)],
      mutexes: [m.actor(Mutex.mutex.type, "m", Mutex.free), m.actor(Mutex.mutex.type, "n", Mutex.free)],
      sem: m.actor(Rwsem.rwsem.type, "sem", Rwsem.unlocked),
      inbox: m.actor(Mailbox.numbers.type, "inbox", []),
      queue: m.actor(WaitQueue.waitQueue.type, "queue", WaitQueue.empty),
      choice: m.choice,
      threads: []
    }
    program.forEach(({ daemon, ops, spawned }, i) => {
      const thread = m.thread(`T${i}`, () => interpret(world, ops), { start: spawned ? "spawned" : "at-once", daemon })
      world.threads.push(thread.actor)
    })
    if (!monitored) return
    m.monitor<number>({
      id: "sum",
      title: "the values stored stay below 12",
      on: commands(Cell.store, Cell.fetchAdd),
      initial: () => 0,
      step(sum, event) {
        const next = sum + (event.actor.state as number)
        if (next >= 12) event.violate(`the sum is ${next}`)
        return next
      }
    })
  })

const op: fc.Arbitrary<Op> = fc.record({
  // A throw ends everything: make it rare.
  kind: fc.oneof({ weight: 60, arbitrary: fc.constantFrom(...kinds.slice(0, -1)) }, {
    weight: 1,
    arbitrary: fc.constant("throw" as const)
  }),
  index: fc.nat(3),
  value: fc.nat(3)
})

export const program: fc.Arbitrary<ReadonlyArray<ProgramThread>> = fc.array(
  fc.record({
    spawned: fc.nat(4).map((n) => n === 0),
    daemon: fc.nat(4).map((n) => n === 0),
    ops: fc.array(op, { maxLength: 8 })
  }),
  { minLength: 1, maxLength: 4 }
)
