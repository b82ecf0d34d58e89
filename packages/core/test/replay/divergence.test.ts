import {
  ask,
  Cell,
  describeIntegrity,
  Executor,
  firstImpossible,
  Fold,
  FoldError,
  follow,
  type Log,
  makeModel,
  type Model,
  Mutex,
  namesOf,
  RandomWalk,
  readEnvelope,
  readLog,
  type RecordedExecution,
  recordingOf,
  replay,
  type ReplayDivergence,
  type Replayable,
  Sequential,
  type Verdict
} from "@mmrace/core"
import type { Actor, Path } from "@mmrace/core"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { sample, sampleModel } from "../log/sample.ts"
import { modelOf, randomProgram } from "./randomModel.ts"

const divergenceOf = (model: Model, recorded: Replayable, maxSteps = 100): ReplayDivergence => {
  const outcome = replay(model, recorded, { maxSteps })
  if (Result.isSuccess(outcome)) throw new Error("the replay did not diverge")
  return outcome.failure
}

const edit = (log: Log, change: Partial<Omit<Log, "length">>, length = log.length): Log => ({
  ...log,
  ...change,
  length
})
const replaced = <T>(list: ReadonlyArray<T>, at: number, value: T): ReadonlyArray<T> =>
  list.map((old, i) => i === at ? value : old)

function* guarded(lock: Actor<number>, x: Actor<number>): Path<void> {
  yield* ask(lock, Mutex.mutex.lock)
  const value = yield* ask(x, Cell.read)
  yield* ask(x, Cell.write, value + 1)
  yield* ask(lock, Mutex.mutex.unlock)
}

const threeUnderLock = () =>
  makeModel("m", (m) => {
    const lock = m.actor(Mutex.mutex.type, "l", -1)
    const x = m.actor(Cell.cellType, "x", 0)
    for (const name of ["A", "B", "C"]) m.thread(name, () => guarded(lock, x))
  })

const double = <T>(list: ReadonlyArray<T>): ReadonlyArray<T> => [...list, ...list]

/** Increment under `locks` locks, with `reads` reads before it. */
function* path(locks: ReadonlyArray<Actor<number>>, x: Actor<number>, reads: number): Path<void> {
  for (let i = 0; i < reads; i++) yield* ask(x, Cell.load)
  for (const lock of locks) yield* ask(lock, Mutex.mutex.lock)
  const value = yield* ask(x, Cell.read)
  yield* ask(x, Cell.write, value + 1)
  for (const lock of locks.toReversed()) yield* ask(lock, Mutex.mutex.unlock)
}

const valueOf = (model: Model): unknown => model.actorNamed("x")?.state

describe("the first difference", () => {
  const { model, recording } = sample()
  const { log, verdict } = recording

  test("result, with its surroundings", () => {
    const edited = edit(log, {
      results: replaced(log.results, 2, undefined),
      asks: replaced(
        log.asks,
        2,
        ask(model.actorNamed("counter") as Actor<number>, Cell.write, 2) as typeof log.asks[number]
      )
    })
    const divergence = divergenceOf(sampleModel(), { log: edited, verdict })
    expect(divergence).toMatchObject({ _tag: "ReplayDivergence", step: 2, thread: "B", what: "argument" })
    expect(divergence.message).toBe(
      [
        "replay differs from the log at step 2 (thread B): the argument differs",
        "              0  B  counter.read = 0",
        "              1  A  counter.read = 0",
        "  expected    2  B  counter.write(2)",
        "  got         2  B  counter.write(1)",
        "  in the log  3  B  thread:B.exit = 0",
        "  in the log  4  A  counter.write(1)",
        "  in the log  5  A  thread:A.exit = 0"
      ].join("\n")
    )
  })

  test("a thread that has ended cannot move again", () => {
    const divergence = divergenceOf(sampleModel(), {
      log: edit(log, { threads: replaced(log.threads, 4, 1) }),
      verdict
    })
    expect(divergence).toMatchObject({ step: 4, what: "thread" })
    expect(divergence.message).toContain("got         4  A  counter.write(1)")
  })

  test("a waiting thread cannot move, and its wait is named", () => {
    const executor = new Executor(threeUnderLock())
    const recorded = recordingOf(executor, executor.run(new Sequential()))
    const divergence = divergenceOf(threeUnderLock(), {
      log: edit(recorded.log, { threads: replaced(recorded.log.threads, 1, 1) }),
      verdict: recorded.verdict
    })
    expect(divergence).toMatchObject({ step: 1, what: "thread", got: { _tag: "Step", thread: "A" } })
    const atChoice = divergenceOf(threeUnderLock(), {
      log: edit(recorded.log, { threads: replaced(recorded.log.threads, 5, 0) }),
      verdict: recorded.verdict
    })
    expect(atChoice).toMatchObject({
      step: 5,
      what: "thread",
      got: { _tag: "Stuck", thread: "A", waitsIn: undefined, able: ["B", "C"] }
    })
    expect(atChoice.message).toContain("got         5  A  is not running; can move: B, C")
  })

  test("a log that ends too early, and one that goes on", () => {
    const early = divergenceOf(sampleModel(), { log: edit(log, {}, 4), verdict })
    expect(early).toMatchObject({ step: 4, what: "end", expected: { _tag: "End" }, got: { _tag: "Step", thread: "A" } })
    expect(early.message).toContain(
      "expected  4     ends: violation of no-lost-update at step 5: counter is 1 after two increments"
    )
    const choice = divergenceOf(sampleModel(), { log: edit(log, {}, 1), verdict })
    expect(choice).toMatchObject({ step: 1, what: "end", got: { _tag: "GoesOn", able: ["A", "B"] } })
    const late = divergenceOf(sampleModel(), {
      log: { length: 12, threads: double(log.threads), asks: double(log.asks), results: double(log.results) },
      verdict
    })
    expect(late).toMatchObject({ step: 6, what: "end", expected: { _tag: "Step", thread: "B" }, got: { _tag: "End" } })
  })

  test("another verdict", () => {
    const other: Verdict = { _tag: "Violation", monitor: "no-lost-update", message: "?", subject: "counter", step: 5 }
    const divergence = divergenceOf(sampleModel(), { log, verdict: other })
    expect(divergence).toMatchObject({
      step: 6,
      what: "verdict",
      expected: { _tag: "End", verdict: other },
      got: { _tag: "End", verdict }
    })
  })

  test("a truncated log is compared as far as it goes", () => {
    const { footer, integrity, log: half } = readLog(sample().text.slice(0, -200), sampleModel)
    expect(describeIntegrity(integrity)).toContain("truncated")
    for (const length of [0, 1, 3, half.length]) {
      const outcome = replay(sampleModel(), { log: edit(half, {}, length), verdict: footer?.verdict })
      expect(Result.isSuccess(outcome) && outcome.success.steps).toBe(length)
    }
  })
})

const record = (model: Model, seed: number): RecordedExecution => {
  const executor = new Executor(model, { maxSteps: 16 })
  return recordingOf(executor, executor.run(new RandomWalk(), seed))
}

test("one changed event of a recording is found at that event, and no later step is run", () => {
  let compared = 0
  fc.assert(
    fc.property(
      randomProgram,
      fc.integer(),
      fc.nat(),
      fc.constantFrom("thread", "result", "argument", "command"),
      (program, seed, where, what) => {
        const model = modelOf(program)
        const { log, verdict } = record(model, seed)
        fc.pre(log.length > 0)
        const at = where % log.length
        const { actor, arg, command } = log.asks[at]!
        const other = actor.type.commands[(command.index + 1) % actor.type.commands.length]!
        const edited = what === "thread"
          ? edit(log, { threads: replaced(log.threads, at, (log.threads[at]! + 1) % model.threads.length) })
          : what === "result"
          ? edit(log, { results: replaced(log.results, at, "changed") })
          : edit(log, {
            asks: replaced(log.asks, at, what === "command" ? ask(actor, other, arg) : ask(actor, command, "changed"))
          })
        fc.pre(what !== "command" || other !== command)
        fc.pre(what !== "thread" || model.threads.length > 1)
        let last = -1
        const observer = {
          begin() {},
          step: (_: number, __: unknown, ___: unknown, step: number) => void (last = step),
          end() {}
        }
        const outcome = replay(modelOf(program), { log: edited, verdict }, { maxSteps: 16, observers: [observer] })
        // Another thread may be able to make this very step: then the difference shows later, or the log is another true one.
        if (what === "thread") {
          if (Result.isFailure(outcome)) expect(outcome.failure.step).toBeGreaterThanOrEqual(at)
          return
        }
        if (Result.isSuccess(outcome)) throw new Error("not noticed")
        expect(outcome.failure.step).toBe(at)
        expect(outcome.failure.what).toBe(what)
        expect(last).toBe(at - 1)
        expect(outcome.failure.before.length).toBe(Math.min(3, at))
        expect(outcome.failure.after.length).toBe(Math.min(3, log.length - 1 - at))
        compared++
      }
    ),
    { numRuns: 400, seed: 5 }
  )
  expect(compared).toBeGreaterThan(200)
})

describe("an edited log", () => {
  test("is believed as far as the actors would have decided so", () => {
    const lines = sample().text.split("\n")
    lines[5] = lines[5]!.replace("\"c\":\"write\",\"arg\":1", "\"c\":\"fetch_add\",\"arg\":1,\"r\":5")
    const { integrity, log, model } = readLog(lines.join("\n"), sampleModel)
    expect(integrity._tag).toBe("Edited")
    expect(firstImpossible(model, log)).toEqual({
      step: 4,
      thread: "A",
      reason: "counter.fetch_add(1) = 5: the result would have been 1 (counter is 1)"
    })
  })

  test("with a blocked step, a dead thread, an exit of another", () => {
    const { model, recording: { log } } = sample()
    expect(firstImpossible(model, edit(log, { threads: replaced(log.threads, 4, 1) }))).toMatchObject({
      step: 4,
      thread: "B",
      reason: "the thread is done already"
    })
    expect(firstImpossible(model, edit(log, { threads: replaced(log.threads, 3, 0) }))).toMatchObject({
      step: 3,
      thread: "A",
      reason: "thread:B.exit = 0 is another thread's exit"
    })
    const counter = model.actorNamed("counter") as Actor<number>
    const waits = ask(counter, Cell.awaitValue, 9) as typeof log.asks[number]
    expect(
      firstImpossible(
        model,
        edit(log, { asks: replaced(log.asks, 1, waits), results: replaced(log.results, 1, undefined) })
      )
    ).toMatchObject({
      step: 1,
      reason: "counter.await(9): the thread would have had to wait (counter is 0)"
    })
  })
})

describe("fold", () => {
  test("says which states exist", () => {
    const { model, recording } = sample()
    const fold = new Fold(model, recording.log)
    expect(() => fold.stateAt(7)).toThrow("there is no step 7: the log has the states 0 to 6")
    expect(() => fold.stateAt(-1)).toThrow(RangeError)
    const counter = model.actorNamed("counter") as Actor<number>
    expect([...fold.walk()].map((states) => states.of(counter))).toEqual([0, 0, 0, 1, 1, 1, 1])
    expect(fold.stateOf(counter, 2)).toBe(0)
  })

  test("moving costs at most the distance between snapshots", () => {
    let evolved = 0
    const model = makeModel("long", (m) => {
      const x = m.actor(Cell.cellType, "x", 0)
      m.thread("A", function*() {
        for (let i = 0; i < 1000; i++) yield* ask(x, Cell.fetchAdd, 1)
      })
    })
    const recorded = record1(model)
    const counted: Log = {
      ...recorded.log,
      threads: new Proxy(recorded.log.threads as Array<number>, {
        get: (list, key) => (evolved++, Reflect.get(list, key) as unknown)
      })
    }
    const x = model.actorNamed("x") as Actor<number>
    const fold = new Fold(model, counted, { every: 50 })
    expect(fold.stateOf(x, 1000)).toBe(1000)
    evolved = 0
    for (const step of [3, 999, 500, 499, 40]) {
      expect(fold.stateOf(x, step)).toBe(step)
      expect(evolved).toBeLessThan(50)
      evolved = 0
    }
  })

  test("an event that the state refuses is named", () => {
    const { model, recording: { log } } = sample()
    const broken = {
      ...log.asks[2]!,
      actor: log.asks[2]!.actor,
      command: {
        ...log.asks[2]!.command,
        name: "write",
        evolve: () => {
          throw new Error("no such entry")
        }
      }
    } as unknown as typeof log.asks[number]
    expect(() => new Fold(model, edit(log, { asks: replaced(log.asks, 2, broken) })).stateAt(6)).toThrow(FoldError)
  })
})

const record1 = (model: Model): RecordedExecution => {
  const executor = new Executor(model)
  return recordingOf(executor, executor.run(new Sequential()))
}

const incrementers = (locks: number, reads: number, threads = ["A", "B"]): Model =>
  makeModel("m", (m) => {
    const x = m.actor(Cell.cellType, "x", 0)
    const all = Array.from({ length: locks }, (_, i) => m.actor(Mutex.mutex.type, `l${i}`, -1))
    for (const name of threads) m.thread(name, () => path(all, x, reads))
  })

describe("following a log on a changed model", () => {
  const lines = readEnvelope(sample().text).lines.map(({ a, c, i, r, t }) => ({
    i,
    t,
    a: a.replace("counter", "x"),
    c,
    r: r ?? null
  }))

  test("the same model: everything fits, and the update is lost again", () => {
    const model = incrementers(0, 0)
    expect(follow(model, lines)).toMatchObject({
      fitted: 4,
      misfits: 0,
      extra: 0,
      unused: 0,
      firstDifference: undefined
    })
    expect(valueOf(model)).toBe(1)
  })

  test("new steps do not shift the switches: the update is still lost", () => {
    const model = incrementers(0, 3)
    expect(follow(model, lines)).toMatchObject({ fitted: 4, misfits: 0, extra: 6, unused: 0, firstDifference: 0 })
    expect(valueOf(model)).toBe(1)
  })

  test("a fix that makes a thread wait: the wait is counted, and no update is lost", () => {
    const model = incrementers(1, 0)
    const followed = follow(model, lines)
    expect(followed).toMatchObject({ verdict: { _tag: "Ok" }, fitted: 3, misfits: 1, extra: 4, unused: 0 })
    expect(valueOf(model)).toBe(2)
  })

  test("threads that are gone, and steps that are gone", () => {
    expect(follow(incrementers(0, 0, ["A"]), lines)).toMatchObject({
      fitted: 2,
      misfits: 2,
      unused: 0,
      firstDifference: 0
    })
    const recorded = incrementers(2, 5)
    const executor = new Executor(recorded)
    executor.run(new RandomWalk(), 3)
    const followed = follow(incrementers(0, 0), namesOf(recorded, executor.copyLog()))
    expect(followed.extra).toBe(0)
    expect(followed.fitted).toBeLessThanOrEqual(4)
    expect(followed.fitted + followed.misfits + followed.unused).toBe(2 * (5 + 6))
  })
})
