import {
  type Actor,
  ActorType,
  ask,
  Cell,
  chooseNumber,
  commands,
  deriveVerdict,
  Executor,
  FromChoices,
  isThreadDone,
  joinThread,
  killThread,
  makeModel,
  type Model,
  type ModelBuilder,
  Mutex,
  type Path,
  RandomWalk,
  recordingOf,
  Rwsem,
  Sequential,
  spawnThread,
  type Strategy,
  type Thread,
  type Verdict
} from "@mmrace/core"
import { documentedPort, fastPort } from "@mmrace/core/internal/fiberPort"
import * as Effect from "effect/Effect"
import { describe, expect, test } from "vitest"
import { events, inOrder, lines } from "./support.ts"

const { mutex } = Mutex
type Lock = Actor<Mutex.Owner>
type Memory = Actor<number>

function* lockBoth(first: Lock, second: Lock): Path<void> {
  yield* ask(first, mutex.lock)
  yield* ask(second, mutex.lock)
  yield* ask(second, mutex.unlock)
  yield* ask(first, mutex.unlock)
}

function* addTimes(cell: Memory, times: number): Path<void> {
  for (let i = 0; i < times; i++) yield* ask(cell, Cell.fetchAdd, 1)
}

function* forever(cell: Memory): Path<void> {
  while (true) yield* ask(cell, Cell.fetchAdd, 1)
}

const nothing = (): Effect.Effect<string> => Effect.succeed("done")

const gateType = new ActorType<null>("gate")
const pass = gateType.command("pass", { access: "read", blocked: () => true, waits: "user" })

function* passGate(gate: Actor<null>): Path<void> {
  yield* ask(gate, pass)
}

function* downThenPass(sem: Actor<Rwsem.RwsemState>, gate: Actor<null>): Path<void> {
  yield* Rwsem.downRead(sem)
  yield* ask(gate, pass)
}

const run = (model: Model, strategy: Strategy = new Sequential(), maxSteps?: number) => {
  const executor = new Executor(model, maxSteps === undefined ? {} : { maxSteps })
  return { executor, verdict: executor.run(strategy) }
}

const build = (parts: (m: ModelBuilder) => void): Model => makeModel("test", parts)

const abba = (more: (m: ModelBuilder) => void = () => {}): Model =>
  build((m) => {
    const a = m.actor(mutex.type, "a", Mutex.free)
    const b = m.actor(mutex.type, "b", Mutex.free)
    m.thread("T0", () => lockBoth(a, b))
    m.thread("T1", () => lockBoth(b, a))
    more(m)
  })

const killable = (daemon: boolean, third: (m: ModelBuilder, victim: Thread) => void = () => {}): Model =>
  build((m) => {
    const a = m.actor(mutex.type, "a", Mutex.free)
    const b = m.actor(mutex.type, "b", Mutex.free)
    const victim = m.thread("T0", () => holdAndWaitKillable(a, b), { daemon })
    m.thread("T1", () => lockBoth(b, a), { daemon })
    third(m, victim)
  })

function* lockTwice(lock: Lock): Path<void> {
  yield* ask(lock, mutex.lock)
  yield* ask(lock, mutex.lock)
}

function* joinHolding(lock: Lock, other: Thread): Path<void> {
  yield* ask(lock, mutex.lock)
  yield* ask(other.actor, joinThread)
}

function* lockOnce(lock: Lock): Path<void> {
  yield* ask(lock, mutex.lock)
  yield* ask(lock, mutex.unlock)
}

function* exitHolding(lock: Lock): Path<void> {
  yield* ask(lock, mutex.lock)
}

function* killOnly(victim: Thread): Path<void> {
  yield* ask(victim.actor, killThread)
}

const killer = (m: ModelBuilder, victim: Thread): void => {
  m.thread("killer", () => killOnly(victim))
}

function* killThenLock(victim: Thread, mine: Lock, other: Lock): Path<void> {
  yield* ask(mine, mutex.lock)
  yield* ask(victim.actor, killThread)
  yield* ask(other, mutex.lock)
}

function* holdAndWaitKillable(mine: Lock, other: Lock): Path<boolean> {
  yield* ask(mine, mutex.lock)
  const taken = yield* ask(other, mutex.lockKillable)
  yield* ask(mine, mutex.unlock)
  return taken
}

function* unlockUnheld(lock: Lock): Path<void> {
  yield* ask(lock, mutex.unlock)
}

function* throwAfter(cell: Memory): Path<void> {
  yield* ask(cell, Cell.store, 1)
  throw new Error("body broke")
}

function* awaitPromise(cell: Memory): Path<void> {
  yield* ask(cell, Cell.store, 1)
  yield* Effect.promise(() => Promise.resolve(1))
  yield* ask(cell, Cell.store, 2)
}

function* fork(cell: Memory): Path<void> {
  yield* ask(cell, Cell.store, 1)
  yield* Effect.all([ask(cell, Cell.load), ask(cell, Cell.load)], { concurrency: "unbounded" })
}

function* crashIfOne(choice: Actor<null>, cell: Memory): Path<void> {
  yield* ask(cell, Cell.store, 1)
  if ((yield* ask(choice, chooseNumber, 3)) === 1) throw new Error("one")
  yield* ask(cell, Cell.store, 2)
}

function* parent(child: Thread, cell: Memory): Path<ReadonlyArray<boolean>> {
  const before = yield* ask(child.actor, isThreadDone)
  yield* ask(cell, Cell.store, 1)
  yield* ask(child.actor, spawnThread)
  yield* ask(child.actor, joinThread)
  return [before, yield* ask(child.actor, isThreadDone)]
}

function* spawnTwice(child: Thread): Path<void> {
  yield* ask(child.actor, spawnThread)
  yield* ask(child.actor, spawnThread)
}

function* choices(choice: Actor<null>): Path<ReadonlyArray<number>> {
  return [
    yield* ask(choice, chooseNumber, 3),
    yield* ask(choice, chooseNumber, 1),
    yield* ask(choice, chooseNumber, 5)
  ]
}

const counting = (limit: number) => (m: ModelBuilder): void => {
  const x = m.actor(Cell.cellType, "x", 0)
  m.thread("T0", () => addTimes(x, 4))
  m.thread("T1", () => addTimes(x, 4))
  m.monitor<number>({
    id: "I-1",
    title: "x stays small",
    on: commands(Cell.fetchAdd),
    initial: () => 0,
    step(seen, event) {
      if (event.before !== seen || event.result !== seen || event.actor.state !== seen + 1) {
        event.violate("not in step")
      }
      if (event.actor.state as number >= limit) {
        event.violate(`x is ${String(event.actor.state)} by ${event.threadName}`, "x")
      }
      return seen + 1
    },
    end(seen, quiescence) {
      if (seen === 8) quiescence.violate(`${seen} of ${quiescence.steps} steps`, "end")
    }
  })
}

const twice = () =>
  build((m) => {
    m.thread("T", nothing)
    m.thread("T", nothing)
  })

const waiting = (daemon: boolean): Verdict =>
  run(build((m) => {
    const lock = m.actor(mutex.type, "lock", 7)
    m.thread("T0", () => lockBoth(lock, lock), { daemon })
  })).verdict

describe("deadlock", () => {
  test("says who waits where and for whom", () => {
    const { executor, verdict } = run(abba(), inOrder(0, 1))
    expect(verdict).toEqual({
      _tag: "Deadlock",
      step: 2,
      waits: [
        { thread: "T1", actor: "a", command: "lock", waitsFor: ["T0"] },
        { thread: "T0", actor: "b", command: "lock", waitsFor: ["T1"] }
      ]
    })
    expect(executor.log.length).toBe(2)
  })

  test("of some threads is found at once while others run", () => {
    const model = abba((m) => {
      const x = m.actor(Cell.cellType, "x", 0)
      m.thread("busy", () => forever(x))
    })
    const verdict = run(model, inOrder(0, 2, 1), 50).verdict
    expect(verdict).toMatchObject({ _tag: "Deadlock", step: 3 })
    const executor = new Executor(model, { maxSteps: 50, partialDeadlocks: false })
    expect(executor.run(inOrder(0, 2, 1, 2))).toEqual({ _tag: "StepLimit", step: 50 })
  })

  test("of a thread with itself", () => {
    const model = build((m) => {
      const lock = m.actor(mutex.type, "lock", Mutex.free)
      const x = m.actor(Cell.cellType, "x", 0)
      m.thread("T0", () => lockTwice(lock))
      m.thread("busy", () => forever(x))
    })
    expect(run(model, inOrder(0), 50).verdict).toEqual({
      _tag: "Deadlock",
      step: 1,
      waits: [{ thread: "T0", actor: "lock", command: "lock", waitsFor: ["T0"] }]
    })
  })

  test("through a join", () => {
    const model = build((m) => {
      const lock = m.actor(mutex.type, "lock", Mutex.free)
      const x = m.actor(Cell.cellType, "x", 0)
      const worker = m.thread("worker", () => lockOnce(lock))
      m.thread("main", () => joinHolding(lock, worker))
      m.thread("busy", () => forever(x))
    })
    expect(run(model, inOrder(1), 50).verdict).toMatchObject({
      _tag: "Deadlock",
      waits: [{ thread: "main", waitsFor: ["worker"] }, { thread: "worker", waitsFor: ["main"] }]
    })
  })

  test("on a lock whose holder has ended", () => {
    const model = build((m) => {
      const lock = m.actor(mutex.type, "lock", Mutex.free)
      m.thread("careless", () => exitHolding(lock))
      m.thread("waiter", () => lockOnce(lock))
    })
    expect(run(model).verdict).toMatchObject({
      _tag: "Deadlock",
      waits: [{ thread: "waiter", waitsFor: ["careless"] }]
    })
  })

  test("is not what a killed waiter is in: it lets go", () => {
    const model = build((m) => {
      const a = m.actor(mutex.type, "a", Mutex.free)
      const b = m.actor(mutex.type, "b", Mutex.free)
      const victim = m.thread("victim", () => holdAndWaitKillable(b, a))
      m.thread("killer", () => killThenLock(victim, a, b))
    })
    const { executor, verdict } = run(model, inOrder(1, 0, 1))
    expect(verdict).toEqual({ _tag: "Ok" })
    expect(lines(executor)).toEqual(["1 lock", "0 lock", "1 kill", "0 lock_killable false", "0 unlock", "1 lock"])
  })

  describe("of waits that a kill would end", () => {
    const circle = {
      _tag: "Deadlock",
      step: 2,
      waits: [
        { thread: "T0", actor: "b", command: "lock_killable", waitsFor: ["T1"] },
        { thread: "T1", actor: "a", command: "lock", waitsFor: ["T0"] }
      ]
    }

    test("is none as long as somebody can kill", () => {
      const { executor, verdict } = run(killable(false, killer), inOrder(0, 1, 2, 0))
      expect(verdict).toEqual({ _tag: "Ok" })
      expect(lines(executor)).toEqual([
        "0 lock",
        "1 lock",
        "2 kill",
        "0 lock_killable false",
        "0 unlock",
        "1 lock",
        "1 unlock",
        "1 unlock"
      ])
    })

    test("is none at the step limit, nor by the log", () => {
      const model = killable(false, (m) => {
        const x = m.actor(Cell.cellType, "x", 0)
        m.thread("busy", () => forever(x))
      })
      const { executor, verdict } = run(model, inOrder(0, 1), 50)
      expect(verdict).toEqual({ _tag: "StepLimit", step: 50 })
      expect(deriveVerdict(model, recordingOf(executor, verdict), 50)).toEqual(verdict)
    })

    test.each([false, true])("is one when nobody can move, among daemons (%s), too", (daemon) => {
      const model = killable(daemon)
      const { executor, verdict } = run(model, inOrder(0, 1))
      expect(verdict).toEqual(circle)
      expect(deriveVerdict(model, recordingOf(executor, verdict))).toEqual(circle)
    })
  })
})

describe("step limit", () => {
  test("stops at the limit exactly, and not when the program ends there", () => {
    const model = build((m) => {
      const x = m.actor(Cell.cellType, "x", 0)
      m.thread("T0", () => addTimes(x, 9))
    })
    expect(run(model, new Sequential(), 9).verdict).toEqual({ _tag: "Ok" })
    expect(run(model, new Sequential(), 8).verdict).toEqual({ _tag: "StepLimit", step: 8 })
  })
})

function* leaveIfOne(choice: Actor<null>, cell: Memory): Path<void> {
  const chosen = yield* ask(choice, chooseNumber, 2)
  if (chosen === 1) yield* Effect.promise(() => Promise.resolve(1))
  yield* ask(cell, Cell.store, chosen)
}

describe("crash", () => {
  const broken: ReadonlyArray<
    readonly [string, (m: ModelBuilder, x: Memory) => void, Partial<Verdict> & { error: unknown }]
  > = [
    ["actor.decide", (m) => {
      const lock = m.actor(mutex.type, "lock", Mutex.free)
      m.thread("T0", () => unlockUnheld(lock))
    }, { where: "mutex.unlock", step: 0, error: expect.stringContaining("T0 unlocks a mutex it does not hold") }],
    ["a thread's body", (m, x) => {
      m.thread("T0", () => throwAfter(x))
    }, { where: "thread T0", step: 1, error: expect.stringContaining("body broke") }],
    ["a thread's body before its first step", (m) => {
      m.thread("T0", () => {
        throw new Error("no body")
      })
    }, { where: "thread T0", step: 0, error: expect.stringContaining("no body") }],
    ["a failed effect", (m) => {
      m.thread("T0", () => Effect.orDie(Effect.fail(new Error("typed"))))
    }, { where: "thread T0", step: 0, error: expect.stringContaining("typed") }],
    ["monitor.step", (m, x) => {
      m.thread("T0", () => addTimes(x, 3))
      m.monitor<number>({
        id: "M",
        title: "breaks at 2",
        on: commands(Cell.fetchAdd),
        initial: () => 0,
        step(_, event) {
          if (event.actor.state === 2) throw new Error("monitor broke")
          return 0
        }
      })
    }, { where: "monitor M", step: 2, error: expect.stringContaining("monitor broke") }],
    ["monitor.initial", (m, x) => {
      m.thread("T0", () => addTimes(x, 3))
      m.monitor<number>({
        id: "M",
        title: "breaks",
        on: "all",
        initial() {
          throw new Error("no start")
        },
        step: () => 0
      })
    }, { where: "monitor M", step: 0, error: expect.stringContaining("no start") }],
    ["a promise", (m, x) => {
      m.thread("T0", () => awaitPromise(x))
    }, { where: "thread T0", step: 1, error: expect.stringContaining("use ask") }],
    ["a timer", (m) => {
      m.thread("T0", () => Effect.sleep(1))
    }, { where: "thread T0", step: 0, error: expect.stringContaining("use ask") }],
    ["yieldNow", (m) => {
      m.thread("T0", () => Effect.yieldNow)
    }, { where: "thread T0", step: 0, error: expect.stringContaining("use ask") }],
    ["a child fiber", (m, x) => {
      m.thread("T0", () => fork(x))
    }, { where: "thread T0", step: 1, error: expect.stringContaining("use ask") }]
  ]

  for (const port of [fastPort, documentedPort]) {
    for (const [what, parts, expected] of broken) {
      test(`of ${what} (${port.name} port) ends the execution and nothing else`, async () => {
        const executor = new Executor(build((m) => parts(m, m.actor(Cell.cellType, "x", 0))), { port })
        const first = executor.run(new Sequential())
        expect(first).toMatchObject({ _tag: "Crash", ...expected })
        const log = events(executor)
        expect(executor.run(new Sequential())).toMatchObject({ _tag: "Crash", ...expected })
        // What was left waiting outside may come back between two executions.
        await new Promise((resolve) => setTimeout(resolve, 5))
        expect(executor.run(new Sequential())).toMatchObject({ _tag: "Crash", ...expected })
        expect(events(executor)).toEqual(log)
      })
    }
  }

  test("leaves an executor that runs other schedules to their end", () => {
    const executor = new Executor(build((m) => {
      const x = m.actor(Cell.cellType, "x", 0)
      m.thread("T0", () => crashIfOne(m.choice, x))
    }))
    const tags = [0, 1, 2, 1, 0].map((choice) => executor.run(new FromChoices([choice]))._tag)
    expect(tags).toEqual(["Ok", "Crash", "Ok", "Crash", "Ok"])
    expect(lines(executor)).toEqual(["0 store 1", "0 choose 3 0", "0 store 2"])
  })

  test("of a thread that left the model does not follow it into the next execution", () => {
    const executor = new Executor(
      build((m) => {
        const x = m.actor(Cell.cellType, "x", 0)
        m.thread("T0", () => leaveIfOne(m.choice, x))
      })
    )
    for (let i = 0; i < 3; i++) {
      expect(executor.run(new FromChoices([1]))._tag).toBe("Crash")
      expect(executor.run(new FromChoices([0]))).toEqual({ _tag: "Ok" })
      expect(events(executor).length).toBe(3)
    }
  })

  test("is not how a strategy that picks nobody ends: that is an error of the strategy", () => {
    const executor = new Executor(build((m) => {
      const x = m.actor(Cell.cellType, "x", 0)
      m.thread("T0", () => addTimes(x, 1))
      m.thread("T1", () => addTimes(x, 1))
    }))
    expect(() => executor.run({ name: "wild", begin() {}, pick: () => 2, choose: () => 0 })).toThrow(
      /wild picked 2 of 2/
    )
    expect(executor.run(new Sequential())._tag).toBe("Ok")
  })
})

describe("threads", () => {
  test("a spawned thread starts then, a join waits for its end", () => {
    const executor = new Executor(build((m) => {
      const x = m.actor(Cell.cellType, "x", 0)
      const child = m.thread("child", () => addTimes(x, 2), { start: "spawned" })
      m.thread("parent", () => parent(child, x))
    }))
    expect(executor.run(new Sequential())).toEqual({ _tag: "Ok" })
    expect(events(executor)).toEqual([
      [1, "thread:child", "is_done", undefined, false],
      [1, "x", "store", 1, undefined],
      [1, "thread:child", "spawn", undefined, undefined],
      [0, "x", "fetch_add", 1, 1],
      [0, "x", "fetch_add", 1, 2],
      [0, "thread:child", "exit", undefined, undefined],
      [1, "thread:child", "join", undefined, undefined],
      [1, "thread:child", "is_done", undefined, true],
      [1, "thread:parent", "exit", undefined, [false, true]]
    ])
  })

  test("a thread is spawned once", () => {
    const { verdict } = run(build((m) => {
      const child = m.thread("child", nothing, { start: "spawned" })
      m.thread("parent", () => spawnTwice(child))
    }))
    expect(verdict).toMatchObject({ _tag: "Crash", where: "thread.spawn", step: 2 })
  })

  test("a thread nobody spawns does not run and does not keep the execution from ending", () => {
    const { executor, verdict } = run(build((m) => {
      const x = m.actor(Cell.cellType, "x", 0)
      m.thread("unborn", () => addTimes(x, 1), { start: "spawned" })
      m.thread("T1", () => addTimes(x, 1))
    }))
    expect(verdict).toEqual({ _tag: "Ok" })
    expect(executor.log.length).toBe(2)
  })

  test("a thread without an ask ends at once, and is logged", () => {
    const { executor, verdict } = run(build((m) => {
      m.thread("T0", nothing)
    }))
    expect(verdict).toEqual({ _tag: "Ok" })
    expect(events(executor)).toEqual([[0, "thread:T0", "exit", undefined, "done"]])
  })

  test("two threads cannot have one name", () => {
    expect(twice).toThrow(new TypeError(`two threads are called "T"`))
  })

  test("a daemon may be left waiting, another thread may not", () => {
    expect(waiting(true)).toEqual({ _tag: "Ok" })
    expect(waiting(false)._tag).toBe("Deadlock")
  })

  test("data choices come from the schedule; a choice of one takes no number from it", () => {
    const executor = new Executor(build((m) => {
      m.thread("T0", () => choices(m.choice))
    }))
    executor.run(new FromChoices([2, 4]))
    expect(executor.copyChoices()).toEqual([2, 4])
    expect(executor.log.results[3]).toEqual([2, 0, 4])
    const seen = new Set(
      Array.from({ length: 200 }, (_, seed) => {
        executor.run(new RandomWalk(), seed)
        return String(executor.log.results[3])
      })
    )
    expect(seen.size).toBe(15)
  })

  test("effects around an ask are part of the step", () => {
    const { executor } = run(build((m) => {
      const x = m.actor(Cell.cellType, "x", 5)
      m.thread("T0", () =>
        Effect.gen(function*() {
          const doubled = yield* Effect.map(ask(x, Cell.load), (n) => n * 2)
          yield* Effect.ensuring(ask(x, Cell.store, doubled), ask(x, Cell.fetchAdd, 1))
        }))
    }))
    expect(lines(executor)).toEqual(["0 load 5", "0 store 10", "0 fetch_add 1 10"])
  })
})

describe("monitors", () => {
  test("report at the exact step, and the log ends with it", () => {
    const { executor, verdict } = run(build(counting(4)))
    expect(verdict).toEqual({ _tag: "Violation", monitor: "I-1", message: "x is 4 by T0", subject: "x", step: 3 })
    expect(executor.log.length).toBe(4)
    expect(executor.monitorState(0)).toBe(4)
  })

  test("are asked at the end", () => {
    const { verdict } = run(build(counting(100)))
    expect(verdict).toEqual({ _tag: "Violation", monitor: "I-1", message: "8 of 10 steps", subject: "end", step: 9 })
  })
})

const brokenEnd = (m: ModelBuilder): void => {
  const x = m.actor(Cell.cellType, "x", 0)
  m.thread("T0", () => addTimes(x, 1))
  m.monitor<null>({
    id: "I-2",
    title: "never content",
    on: "all",
    initial: () => null,
    step: () => null,
    end: (_, quiescence) => quiescence.violate("not content")
  })
}

describe("quiescence", () => {
  test("a violation at the end is about no actor of an earlier step, nor of an earlier execution", () => {
    const executor = new Executor(build(brokenEnd))
    for (let i = 0; i < 2; i++) expect(executor.run(new Sequential())).toMatchObject({ monitor: "I-2", subject: "" })
  })

  test("waiting for user space is no deadlock, and the end shows who waits", () => {
    const seen: Array<unknown> = []
    const model = build((m) => {
      const x = m.actor(Cell.cellType, "x", 0)
      const gate = m.actor(gateType, "gate", null)
      m.thread("waiter", () => passGate(gate))
      m.thread("T1", () => addTimes(x, 1))
      m.monitor<null>({
        id: "end",
        title: "looks",
        on: [],
        initial: () => null,
        step: () => null,
        end(_, q) {
          seen.push(q.steps, q.waiting.map((w) => [w.thread, w.actor.name, w.command.name]))
        }
      })
    })
    expect(run(model).verdict).toEqual({ _tag: "Ok" })
    expect(seen).toEqual([2, [[0, "gate", "pass"]]])
  })

  test("a thread that waits for a lock makes it one", () => {
    const model = build((m) => {
      const gate = m.actor(gateType, "gate", null)
      const sem = m.actor(Rwsem.rwsem.type, "sem", Rwsem.unlocked)
      m.thread("waiter", () => downThenPass(sem, gate))
      m.thread("T1", () => Rwsem.downWrite(sem))
    })
    expect(run(model).verdict).toEqual({
      _tag: "Deadlock",
      step: 2,
      waits: [
        { thread: "waiter", actor: "gate", command: "pass", waitsFor: [] },
        { thread: "T1", actor: "sem", command: "await_write", waitsFor: ["waiter"] }
      ]
    })
  })
})
