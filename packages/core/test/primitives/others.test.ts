import {
  type Actor,
  ask,
  Cell,
  Completion,
  Condition,
  Executor,
  killThread,
  Mailbox,
  makeModel,
  type ModelBuilder,
  Mutex,
  type Path,
  RandomWalk,
  Refcount,
  schemaOf,
  Semaphore,
  Seqcount,
  Sequential,
  type Strategy,
  type Thread,
  type Verdict,
  WaitQueue
} from "@mmrace/core"
import * as Schema from "effect/Schema"
import { describe, expect, test } from "vitest"
import { events, inOrder, lines as linesOf } from "../engine/support.ts"

const play = (parts: (m: ModelBuilder) => void, strategy: Strategy = new Sequential()) => {
  const executor = new Executor(makeModel("test", parts))
  const verdict = executor.run(strategy)
  const results = executor.log.asks.slice(0, executor.log.length).flatMap((a, i) =>
    a.command.name === "exit" ? [executor.log.results[i]] : []
  )
  return { executor, verdict, lines: linesOf(executor), results }
}

/** How executions under many random schedules end, and what their threads return. */
const outcomes = (parts: (m: ModelBuilder) => void, runs = 300): ReadonlyArray<string> => {
  const executor = new Executor(makeModel("test", parts))
  const seen = new Set<string>()
  for (let seed = 0; seed < runs; seed++) {
    const verdict = executor.run(new RandomWalk(), seed)
    const returned = events(executor).filter((e) => e[2] === "exit" && e[4] !== undefined).map((e) =>
      `${String(e[0])}:${String(e[4])}`
    )
    seen.add([verdict._tag, ...returned.toSorted()].join(" "))
  }
  return [...seen].toSorted()
}

const crash = (where: string, error: string): Partial<Verdict> & { error: unknown } => ({
  _tag: "Crash",
  where,
  error: expect.stringContaining(error)
})

type Count = Actor<Seqcount.SeqcountState>

function* writePair(seq: Count, a: Actor<number>, b: Actor<number>): Path<void> {
  yield* Seqcount.writeBegin(seq)
  yield* ask(a, Cell.store, 1)
  yield* ask(b, Cell.store, 1)
  yield* Seqcount.writeEnd(seq)
}
function* readPair(seq: Count, a: Actor<number>, b: Actor<number>): Path<string> {
  while (true) {
    const start = yield* Seqcount.readBegin(seq)
    const seen = `${yield* ask(a, Cell.load)}${yield* ask(b, Cell.load)}`
    if (!(yield* Seqcount.readRetry(seq, start))) return seen
  }
}
function* readPairOnce(seq: Count, a: Actor<number>, b: Actor<number>): Path<string> {
  yield* Seqcount.read(seq)
  return `${yield* ask(a, Cell.load)}${yield* ask(b, Cell.load)}`
}
function* justBegin(seq: Count): Path<void> {
  yield* Seqcount.writeBegin(seq)
}
function* justEnd(seq: Count): Path<void> {
  yield* Seqcount.writeEnd(seq)
}

const pair = (reader: typeof readPair) => (m: ModelBuilder): void => {
  const seq = m.actor(Seqcount.seqcount.type, "seq", Seqcount.zero)
  const a = m.actor(Cell.cellType, "a", 0)
  const b = m.actor(Cell.cellType, "b", 0)
  m.thread("writer", () => writePair(seq, a, b))
  m.thread("reader", () => reader(seq, a, b))
}

describe("seqcount", () => {
  test("readers that retry see both halves or none; those that do not retry see a torn pair", () => {
    expect(outcomes(pair(readPair))).toEqual(["Ok 1:00", "Ok 1:11"])
    expect(outcomes(pair(readPairOnce))).toEqual(["Ok 1:00", "Ok 1:01", "Ok 1:10", "Ok 1:11"])
  })

  test("is odd while written", () => {
    const { lines } = play(pair(readPairOnce), inOrder(0, 1, 0, 0, 0, 1))
    expect(lines[1]).toBe("1 read 1")
    expect(Seqcount.isOdd(1)).toBe(true)
    expect(Seqcount.isOdd(2)).toBe(false)
  })

  test("a second writer and an end without a begin throw", () => {
    const two = play((m) => {
      const seq = m.actor(Seqcount.seqcount.type, "seq", Seqcount.zero)
      m.thread("T0", () => justBegin(seq))
      m.thread("T1", () => justBegin(seq))
    })
    expect(two.verdict).toMatchObject(
      crash("seqcount.write_begin", "T1: write_begin of a seqcount that thread 0 is writing")
    )
    const none = play((m) => {
      const seq = m.actor(Seqcount.seqcount.type, "seq", Seqcount.zero)
      m.thread("T0", () => justEnd(seq))
    })
    expect(none.verdict).toMatchObject(crash("seqcount.write_end", "T0: write_end of a seqcount it is not writing"))
  })
})

function* inside(sem: Actor<number>, within: Actor<number>): Path<number> {
  yield* Semaphore.down(sem)
  const others = yield* ask(within, Cell.fetchAdd, 1)
  yield* ask(within, Cell.fetchAdd, -1)
  yield* Semaphore.up(sem)
  return others
}
function* downAndReport(sem: Actor<number>): Path<string> {
  return `${yield* Semaphore.downTrylock(sem)} ${yield* Semaphore.downKillable(sem)}`
}
function* kill(victim: Thread): Path<void> {
  yield* ask(victim.actor, killThread)
}

const permits = (count: number) => (m: ModelBuilder): void => {
  const sem = m.actor(Semaphore.semaphore.type, "sem", count)
  const within = m.actor(Cell.cellType, "within", 0)
  for (let i = 0; i < 3; i++) m.thread(`T${i}`, () => inside(sem, within))
}

const inAtOnce = (count: number): number =>
  Math.max(
    ...outcomes(permits(count)).join(" ").split(" ").filter((w) => w.includes(":")).map((w) => Number(w.split(":")[1]))
  )

describe("semaphore", () => {
  test("lets as many in as it has permits", () => {
    expect([inAtOnce(1), inAtOnce(2), inAtOnce(3)]).toEqual([0, 1, 2])
  })

  test("a signal ends a killable wait, a trylock does not wait", () => {
    const { results, verdict } = play((m) => {
      const sem = m.actor(Semaphore.semaphore.type, "sem", 0)
      const victim = m.thread("victim", () => downAndReport(sem))
      m.thread("killer", () => kill(victim))
    })
    expect(verdict).toEqual({ _tag: "Ok" })
    expect(results).toContain("false false")
    expect(
      play((m) => {
        const sem = m.actor(Semaphore.semaphore.type, "sem", 2)
        m.thread("T0", () => downAndReport(sem))
      }).results
    ).toEqual(["true true"])
  })
})

type Queue = Actor<WaitQueue.WaitQueueState>

function* isSet(flag: Actor<number>): Path<boolean> {
  return (yield* ask(flag, Cell.load)) !== 0
}
function* waitRight(queue: Queue, flag: Actor<number>): Path<void> {
  yield* WaitQueue.waitEvent(queue, () => isSet(flag))
}
/** Looks before it joins the queue: the wake-up may fall in between. */
function* waitWrong(queue: Queue, flag: Actor<number>): Path<void> {
  if (yield* isSet(flag)) return
  yield* WaitQueue.prepare(queue)
  yield* WaitQueue.sleep(queue)
}
function* setAndWake(queue: Queue, flag: Actor<number>): Path<void> {
  yield* ask(flag, Cell.store, 1)
  yield* WaitQueue.wakeAll(queue)
}
function* sleepOnce(queue: Queue): Path<boolean> {
  yield* WaitQueue.prepare(queue)
  const woken = yield* WaitQueue.sleepKillable(queue)
  yield* WaitQueue.finish(queue)
  return woken
}
function* prepareTwice(queue: Queue): Path<void> {
  yield* WaitQueue.prepare(queue)
  yield* WaitQueue.prepare(queue)
  yield* WaitQueue.wakeOne(queue)
  yield* WaitQueue.sleep(queue)
}
function* sleepUnprepared(queue: Queue): Path<void> {
  yield* WaitQueue.sleep(queue)
}
function* wakeOne(queue: Queue): Path<number> {
  return yield* WaitQueue.wakeOne(queue)
}

const waiting = (wait: typeof waitRight) => (m: ModelBuilder): void => {
  const queue = m.actor(WaitQueue.waitQueue.type, "queue", WaitQueue.empty)
  const flag = m.actor(Cell.cellType, "flag", 0)
  m.thread("waiter", () => wait(queue, flag))
  m.thread("waker", () => setAndWake(queue, flag))
}

describe("wait queue", () => {
  test("a wake-up is not lost when the waiter joins first, and can be when it looks first", () => {
    expect(outcomes(waiting(waitRight))).toEqual(["Ok"])
    expect(outcomes(waiting(waitWrong))).toEqual(["Deadlock", "Ok"])
    expect(play(waiting(waitWrong), inOrder(0, 1, 1, 0)).verdict).toMatchObject({
      _tag: "Deadlock",
      waits: [{ thread: "waiter", actor: "queue", command: "sleep" }]
    })
  })

  test("who is not on the queue does not sleep", () => {
    expect(
      play((m) => {
        const queue = m.actor(WaitQueue.waitQueue.type, "queue", WaitQueue.empty)
        m.thread("T0", () => sleepUnprepared(queue))
      }).verdict
    ).toEqual({ _tag: "Ok" })
  })

  test("joining twice is joining once", () => {
    expect(
      play((m) => {
        const queue = m.actor(WaitQueue.waitQueue.type, "queue", WaitQueue.empty)
        m.thread("T0", () => prepareTwice(queue))
      }).verdict
    ).toEqual({ _tag: "Ok" })
  })

  test("wake_one wakes who has waited longest", () => {
    const { executor, lines } = play((m) => {
      const queue = m.actor(WaitQueue.waitQueue.type, "queue", WaitQueue.empty)
      m.thread("T0", () => sleepOnce(queue), { daemon: true })
      m.thread("T1", () => sleepOnce(queue), { daemon: true })
      m.thread("T2", () => wakeOne(queue))
    }, inOrder(1, 0, 2))
    expect(lines.slice(2)).toEqual(["2 wake_one 1", "1 sleep_killable true", "1 finish_wait"])
    expect(executor.model.actorNamed("queue")!.state).toEqual([0])
  })

  test("a killed sleeper is not woken but leaves the queue itself", () => {
    const { lines, results } = play((m) => {
      const queue = m.actor(WaitQueue.waitQueue.type, "queue", WaitQueue.empty)
      const victim = m.thread("victim", () => sleepOnce(queue))
      m.thread("killer", () => kill(victim))
      m.thread("waker", () => wakeOne(queue))
    }, inOrder(0, 1, 0, 0, 2))
    expect(lines).toEqual(["0 prepare_to_wait", "1 kill", "0 sleep_killable false", "0 finish_wait", "2 wake_one 0"])
    expect(results).toContain(false)
  })
})

type Guard = Actor<Condition.ConditionState>

function* waitOn(guard: Guard, which: number): Path<number> {
  yield* Condition.lock(guard)
  yield* Condition.wait(guard, which)
  yield* Condition.unlock(guard)
  return which
}
function* wakeUp(guard: Guard, which: number, all: boolean): Path<string> {
  const woken = all ? yield* Condition.broadcast(guard, which) : yield* Condition.signal(guard, which)
  return `woke ${woken}`
}
function* waitUnlocked(guard: Guard): Path<void> {
  yield* Condition.wait(guard)
}
function* unlockUnheld(guard: Guard): Path<void> {
  yield* Condition.unlock(guard)
}

const three = (which: number, all: boolean) => (m: ModelBuilder): void => {
  const guard = m.actor(Condition.condition.type, "guard", Condition.unlocked)
  m.thread("T0", () => waitOn(guard, 0), { daemon: true })
  m.thread("T1", () => waitOn(guard, 0), { daemon: true })
  m.thread("T2", () => waitOn(guard, 1), { daemon: true })
  m.thread("waker", () => wakeUp(guard, which, all))
}

describe("condition", () => {
  test("signal wakes one thread of its condition, broadcast all of them, and they take the mutex in turn", () => {
    const everybodyWaits = [0, 0, 1, 1, 2, 2]
    expect(play(three(0, false), inOrder(...everybodyWaits, 3)).results).toEqual(["woke 1", 0])
    expect(play(three(1, false), inOrder(...everybodyWaits, 3)).results).toEqual(["woke 1", 1])
    const all = play(three(0, true), inOrder(...everybodyWaits, 3, 1, 1, 0))
    expect(all.results).toEqual(["woke 2", 0, 0])
    expect(all.lines.slice(7)).toEqual(["1 relock", "1 unlock", "0 relock", "0 unlock"])
  })

  test("wait gives the mutex up in the step that queues: no signal falls in between", () => {
    const { lines } = play(three(0, false), inOrder(0, 0, 1))
    expect(lines.slice(0, 3)).toEqual(["0 lock", "0 wait 0", "1 lock"])
  })

  test("wait and unlock without the mutex throw", () => {
    for (const [body, where] of [[waitUnlocked, "wait"], [unlockUnheld, "unlock"]] as const) {
      expect(
        play((m) => {
          const guard = m.actor(Condition.condition.type, "guard", Condition.unlocked)
          m.thread("T0", () => body(guard))
        }).verdict
      ).toMatchObject(crash(`condition.${where}`, `T0: ${where} without holding the mutex; it is free`))
    }
  })
})

function* get(count: Actor<number>): Path<boolean> {
  return yield* Refcount.incNotZero(count)
}
function* put(count: Actor<number>): Path<boolean> {
  return yield* Refcount.decAndTest(count)
}
function* copy(count: Actor<number>): Path<number> {
  yield* Refcount.inc(count)
  return yield* Refcount.read(count)
}

const counted =
  (initial: number, ...bodies: ReadonlyArray<(count: Actor<number>) => Path<unknown>>) => (m: ModelBuilder): void => {
    const count = m.actor(Refcount.refcount.type, "count", initial)
    bodies.forEach((body, i) => m.thread(`T${i}`, () => body(count)))
  }

test("the last put is told, and a get after it fails", () => {
  expect(play(counted(2, put, put, get)).results).toEqual([false, true, false])
  expect(outcomes(counted(1, put, get))).toEqual(["Ok 0:false 1:true", "Ok 0:true 1:false"])
  expect(play(counted(1, copy)).results).toEqual([2])
})

describe("refcount", () => {
  test("a put too many and a copy of a dead reference throw", () => {
    expect(play(counted(1, put, put)).verdict).toMatchObject(
      crash("refcount.dec_and_test", "T1: dec_and_test of a refcount that is 0: underflow")
    )
    expect(play(counted(1, put, copy)).verdict).toMatchObject(crash("refcount.inc", "T1: inc of a refcount that is 0"))
  })
})

function* waitFor(done: Actor<number>): Path<void> {
  yield* Completion.wait(done)
}
function* waitForKillable(done: Actor<number>): Path<boolean> {
  return yield* Completion.waitKillable(done)
}
function* tryWait(done: Actor<number>): Path<string> {
  return `${yield* ask(done, Completion.completion.isDone)} ${yield* Completion.tryWait(done)}`
}
function* complete(done: Actor<number>): Path<void> {
  yield* Completion.complete(done)
}
function* completeAll(done: Actor<number>): Path<void> {
  yield* Completion.completeAll(done)
}
function* reinitialise(done: Actor<number>): Path<void> {
  yield* Completion.completeAll(done)
  yield* Completion.complete(done)
  yield* Completion.wait(done)
  yield* ask(done, Completion.completion.reinit)
}

const around = (...bodies: ReadonlyArray<(done: Actor<number>) => Path<unknown>>) => (m: ModelBuilder): void => {
  const done = m.actor(Completion.completion.type, "done", 0)
  bodies.forEach((body, i) => m.thread(`T${i}`, () => body(done)))
}

describe("completion", () => {
  test("one passes for each complete, all after complete_all", () => {
    expect(outcomes(around(waitFor, waitFor, complete))).toEqual(["Deadlock"])
    expect(outcomes(around(waitFor, waitFor, complete, complete))).toEqual(["Ok"])
    expect(outcomes(around(waitFor, waitFor, completeAll))).toEqual(["Ok"])
    const { executor } = play(around(completeAll, waitFor, tryWait, complete))
    expect(executor.model.actorNamed("done")!.state).toBe(Completion.forever)
  })

  test("a signal ends a killable wait; try_wait does not wait; reinit closes it again", () => {
    expect(
      play((m) => {
        const done = m.actor(Completion.completion.type, "done", 0)
        const victim = m.thread("victim", () => waitForKillable(done))
        m.thread("killer", () => kill(victim))
      }).results
    ).toContain(false)
    expect(play(around(tryWait, complete)).results).toContain("false false")
    expect(play(around(complete, tryWait)).results).toContain("true true")
    expect(play(around(complete, tryWait, tryWait)).results).toContain("false false")
    expect(play(around(reinitialise, tryWait)).results).toContain("false false")
  })
})

const letters = Mailbox.mailbox("letters", Schema.Struct({ to: Schema.String }))
type Inbox = Actor<ReadonlyArray<{ readonly to: string }>>

function* post(inbox: Inbox, ...names: ReadonlyArray<string>): Path<void> {
  for (const to of names) yield* ask(inbox, letters.send, { to })
}
function* fetch(inbox: Inbox): Path<string> {
  const first = yield* ask(inbox, letters.receive)
  const second = yield* ask(inbox, letters.receive)
  const third = yield* ask(inbox, letters.tryReceive)
  return `${first.to} ${second.to} ${third?.to ?? "none"}`
}

const mail = (...names: ReadonlyArray<string>) => (m: ModelBuilder): void => {
  const inbox = m.actor(letters.type, "inbox", [])
  m.thread("reader", () => fetch(inbox))
  m.thread("sender", () => post(inbox, ...names))
}

describe("mailbox", () => {
  test("gives messages in the order they were sent, and waits for them", () => {
    expect(outcomes(mail("a", "b"))).toEqual(["Ok 0:a b none"])
    expect(outcomes(mail("a", "b", "c"))).toEqual(["Ok 0:a b c", "Ok 0:a b none"])
    expect(outcomes(mail("a"))).toEqual(["Deadlock"])
  })
})

function* tryTwice(lock: Actor<Mutex.Owner>): Path<string> {
  return `${yield* ask(lock, Mutex.mutex.trylock)} ${yield* ask(lock, Mutex.mutex.trylock)}`
}

describe("mutex", () => {
  test("a trylock of a held lock fails, whoever holds it", () => {
    expect(
      play((m) => {
        const lock = m.actor(Mutex.mutex.type, "lock", Mutex.free)
        m.thread("T0", () => tryTwice(lock))
      }).results
    ).toEqual(["true false"])
  })
})

test("every command states the shapes of its argument and result", () => {
  const types = [
    Seqcount.seqcount.type,
    Semaphore.semaphore.type,
    WaitQueue.waitQueue.type,
    Condition.condition.type,
    Refcount.refcount.type,
    Completion.completion.type,
    letters.type
  ]
  // What a command of a fresh actor decides must fit the shape it declares.
  const initial: ReadonlyArray<unknown> = [Seqcount.zero, 1, [], Condition.unlocked, 1, 0, [{ to: "a" }]]
  const thread = { id: 0, name: "T0", killed: false }
  const samples: ReadonlyArray<unknown> = [undefined, 0, { to: "a" }]
  types.forEach((type, t) => {
    for (const command of type.commands) {
      const arg = samples.find((sample) => Schema.is(schemaOf(Schema, command.arg))(sample))
      if (command.name === "write_end" || command.name === "unlock" || command.name === "wait") continue
      const decide = command.decide as ((state: unknown, arg: unknown, thread: unknown) => unknown) | undefined
      const result = decide?.(initial[t], arg, thread)
      expect(Schema.is(schemaOf(Schema, command.result))(result), `${type.name}.${command.name}`).toBe(true)
    }
  })
})
