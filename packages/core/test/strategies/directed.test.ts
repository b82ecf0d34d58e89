import {
  ask,
  Avoiding,
  Cell,
  chooseNumber,
  decodeSchedule,
  directed,
  Draws,
  Executor,
  Explore,
  failureId,
  FromSchedule,
  joinThread,
  killThread,
  makeModel,
  Meeting,
  mix32,
  type Model,
  Mutex,
  Opening,
  type Path,
  ProfileBuilder,
  RandomWalk,
  runCampaign,
  spawnThread,
  Stops,
  type Strategy,
  TraceClasses,
  traceHash,
  Unseen
} from "@mmrace/core"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { bluetooth, deadlock, finalCheck, lostUpdate, stringBuffer, twostage } from "./models.ts"

/** Executions until nothing is left, and the classes they were of. */
const untilExhausted = (model: Model, seed = 1, most = 20_000) => {
  const classes = new TraceClasses(model)
  const executor = new Executor(model, { observers: [classes], partialDeadlocks: false })
  const unseen = new Unseen()
  const strategy = new Avoiding(new RandomWalk(), unseen)
  const seen = new Set<number>()
  let executions = 0
  for (unseen.begin(); !unseen.exhausted && executions < most; unseen.begin()) {
    executor.run(strategy, mix32(seed, executions++))
    seen.add(classes.hash)
  }
  return { executions, seen, exhausted: unseen.exhausted }
}

const allClasses = (model: Model) => {
  const seen = new Set<number>()
  const { executions } = Explore.bruteForce(model, {
    partialDeadlocks: false,
    visit: (executor) => seen.add(traceHash(model, executor.log))
  })
  return { executions, seen }
}

type Step = { readonly cell: number; readonly kind: "load" | "store" | "add" | "locked" }

function* steps(
  m: { readonly cells: ReadonlyArray<ReturnType<typeof cellOf>>; readonly mutex: ReturnType<typeof mutexOf> },
  list: ReadonlyArray<Step>
): Path<void> {
  for (const { cell, kind } of list) {
    const at = m.cells[cell]!
    if (kind === "load") yield* ask(at, Cell.load)
    else if (kind === "store") yield* ask(at, Cell.store, 1)
    else if (kind === "add") yield* ask(at, Cell.fetchAdd, 1)
    else {
      yield* ask(m.mutex, Mutex.mutex.lock)
      yield* ask(at, Cell.load)
      yield* ask(m.mutex, Mutex.mutex.unlock)
    }
  }
}

type Builder = Parameters<Parameters<typeof makeModel>[1]>[0]
const cellOf = (m: Builder, i: number) => m.actor(Cell.cellType, `c${i}`, 0)
const mutexOf = (m: Builder) => m.actor(Mutex.mutex.type, "m", Mutex.free)

const programOf = (threads: ReadonlyArray<ReadonlyArray<Step>>): Model =>
  makeModel("random", (m) => {
    const world = { cells: [0, 1].map((i) => cellOf(m, i)), mutex: mutexOf(m) }
    threads.forEach((list, i) => m.thread(`T${i}`, () => steps(world, list)))
  })

const stepArb = fc.record({
  cell: fc.nat(1),
  kind: fc.constantFrom<Step["kind"]>("load", "store", "add", "locked")
})

const asks = (threads: ReadonlyArray<ReadonlyArray<Step>>): number =>
  threads.flat().reduce((sum, { kind }) => sum + (kind === "locked" ? 3 : 1), 0)

/** Small enough for all schedules to be executed. */
const threadsArb = fc.array(fc.array(stepArb, { maxLength: 3 }), { minLength: 2, maxLength: 3 })
  .filter((threads) => asks(threads) <= 6)

describe("unseen", () => {
  test("leaves out no class of a random program, and ends", () => {
    fc.assert(
      fc.property(threadsArb, (threads) => {
        const model = programOf(threads)
        const all = allClasses(model)
        const { executions, exhausted, seen } = untilExhausted(model)
        // A program without a choice has nothing to exhaust.
        if (all.executions > 1) expect(exhausted).toBe(true)
        if (exhausted) expect([...seen].toSorted()).toEqual([...all.seen].toSorted())
        if (exhausted) expect(executions).toBeLessThanOrEqual(all.executions)
      }),
      { numRuns: 60 }
    )
  })

  test.each(
    [
      ["lost update", () => lostUpdate(), 4, 6],
      ["deadlock", deadlock, 3, 6],
      ["bluetooth", bluetooth, 10, 24],
      ["stringbuffer", stringBuffer, 6, 12]
    ] as const
  )("needs few executions more than there are classes: %s", (_, make, classes, most) => {
    for (let seed = 1; seed <= 20; seed++) {
      const { executions, seen } = untilExhausted(make(), seed)
      expect(seen.size).toBe(classes)
      expect(executions).toBeLessThanOrEqual(most)
    }
  })

  test("tells a kill before a step of its target from one behind it", () => {
    const model = makeModel("kill", (m) => {
      const x = m.actor(Cell.cellType, "x", 0)
      const target = m.thread("target", function*() {
        yield* ask(x, Cell.load)
        yield* ask(x, Cell.load)
      })
      m.thread("killer", function*() {
        yield* ask(target.actor, killThread)
      })
    })
    const places = new Set<string>()
    const executor = new Executor(model)
    const unseen = new Unseen()
    const strategy = new Avoiding(new RandomWalk(), unseen)
    for (unseen.begin(); !unseen.exhausted; unseen.begin()) {
      executor.run(strategy, mix32(3, places.size))
      places.add(executor.log.threads.slice(0, executor.log.length).join(""))
    }
    expect(places.size).toBe(3)
  })

  test("does not give up what lies behind a data choice", () => {
    const model = makeModel("data", (m) => {
      const x = m.actor(Cell.cellType, "x", 0)
      m.thread("A", function*() {
        yield* ask(x, Cell.store, yield* ask(m.choice, chooseNumber, 5))
      })
      m.thread("B", function*() {
        yield* ask(x, Cell.load)
      })
    })
    const executor = new Executor(model)
    const unseen = new Unseen()
    const strategy = new Avoiding(new RandomWalk(), unseen)
    const values = new Set<unknown>()
    for (let i = 0; i < 200; i++) {
      executor.run(strategy, mix32(1, i))
      values.add(executor.log.results.find((_, step) => executor.log.asks[step]!.command === (chooseNumber as unknown)))
    }
    expect(values.size).toBe(5)
    expect(unseen.exhausted).toBe(false)
  })
})

/** `setters` write a and then b, one checker looks at both in between; with `spawned`, main starts them. */
const reorder = (setters: number, spawned = false): Model =>
  makeModel("reorder", (m) => {
    const a = m.actor(Cell.cellType, "a", 0)
    const b = m.actor(Cell.cellType, "b", 0)
    const saw = m.actor(Cell.cellType, "saw", 0)
    const start = spawned ? { start: "spawned" } as const : {}
    const children = Array.from({ length: setters }, (_, i) =>
      m.thread(`S${i}`, function*() {
        yield* ask(a, Cell.write, 1)
        yield* ask(b, Cell.write, 1)
      }, start))
    children.push(m.thread("C", function*() {
      const first = yield* ask(a, Cell.read)
      const second = yield* ask(b, Cell.read)
      if (first !== second) yield* ask(saw, Cell.write, 1)
    }, start))
    if (spawned) {
      m.thread("main", function*() {
        for (const child of children) yield* ask(child.actor, spawnThread)
        for (const child of children) yield* ask(child.actor, joinThread)
      })
    }
    m.monitor(finalCheck("between", () => saw.state === 0 ? undefined : "a check between the two writes"))
  })

const firstFailure = (model: Model, seed: number): number =>
  runCampaign(model, { seed, runs: 1000, untilFailure: true }).report.failures[0]?.execution ?? 1000

const mean = (model: Model, seeds: number): number => {
  let sum = 0
  for (let seed = 1; seed <= seeds; seed++) sum += firstFailure(model, seed) + 1
  return sum / seeds
}

/** Two threads of so many steps that do not meet. */
const apart = (...lengths: ReadonlyArray<number>): Model =>
  makeModel("apart", (m) => {
    lengths.forEach((length, i) => {
      const own = m.actor(Cell.cellType, `own ${i}`, 0)
      m.thread(`T${i}`, function*() {
        for (let k = 0; k < length; k++) yield* ask(own, Cell.load)
      })
    })
  })

const profileOf = (model: Model) => {
  const executor = new Executor(model)
  const builder = new ProfileBuilder()
  executor.run(new RandomWalk(), 1)
  builder.size(executor.step, executor.contested)
  builder.read(model, executor.log)
  return builder.build()
}

/** Which thread was stopped, and behind how many of its steps, in each of so many executions. */
const stopped = (strategy: Strategy, model: Model, seed: number, executions: number, profile = profileOf(model)) => {
  const executor = new Executor(model)
  return Array.from({ length: executions }, (_, i) => {
    executor.run(strategy, mix32(seed, i), profile)
    const { threads } = executor.log
    const thread = threads[0]!
    return { thread, behind: threads.findIndex((other) => other !== thread) }
  })
}

/** The widest stretch of the 39 places of either thread without a stop, of twenty seeds, after 30 executions. */
const widest = (remembers: boolean): number =>
  Math.max(...Array.from({ length: 20 }, (_, seed) => {
    const all = stopped(new Stops(remembers), apart(40, 40), seed, 30)
    return Math.max(...[0, 1].map((of) => {
      const places = all.filter(({ thread }) => thread === of).map(({ behind }) => behind)
      const sorted = [0, ...places.toSorted((x, y) => x - y), 40]
      return Math.max(...sorted.slice(1).map((place, i) => place - sorted[i]!))
    }))
  }))

describe("stops", () => {
  test("are spread evenly over the places of a thread", () => {
    expect(widest(true)).toBeLessThan(8)
    expect(widest(false)).toBeGreaterThan(12)
  })

  test("are of all threads in turn, however short one is", () => {
    const threads = stopped(new Stops(true), apart(40, 5, 80), 3, 30).map(({ thread }) => thread)
    for (let i = 0; i < 30; i += 3) expect(threads.slice(i, i + 3).toSorted()).toEqual([0, 1, 2])
    const drawn = stopped(new Stops(false), apart(40, 5), 3, 200).filter(({ thread }) => thread === 1).length
    expect(drawn).toBeGreaterThan(70)
    expect(drawn).toBeLessThan(130)
  })

  test("do not depend on earlier executions unless they are to", () => {
    const model = apart(40, 40)
    const profile = profileOf(model)
    const executor = new Executor(model)
    const word = (stops: Stops, seed: number): string => {
      executor.run(stops, seed, profile)
      return executor.copyChoices().join("")
    }
    const used = new Stops(false)
    word(used, 1)
    expect(word(used, 2)).toBe(word(new Stops(false), 2))
  })
})

describe("meeting", () => {
  test("stops one thread before each of its conflicts in turn, and none twice", () => {
    const model = makeModel("two", (m) => {
      const x = m.actor(Cell.cellType, "x", 0)
      const own = ["A", "B"].map((name) => m.actor(Cell.cellType, `own ${name}`, 0))
      for (const [i, name] of ["A", "B"].entries()) {
        m.thread(name, function*() {
          for (let k = 0; k < 4 - i; k++) {
            yield* ask(own[i]!, Cell.load)
            yield* ask(x, Cell.fetchAdd, 1)
          }
        })
      }
    })
    const executor = new Executor(model)
    const profile = profileOf(model)
    const meeting = new Meeting(true)
    const words = new Set<string>()
    // Five places: before the second, third and fourth addition of A, and the second and third of B.
    for (let i = 0; i < 5; i++) {
      executor.run(meeting, mix32(2, i), profile)
      const { log } = executor
      const word = Array.from({ length: log.length }, (_, k) => log.threads[k]!).join("")
      words.add(/^(?:0+|1+)/u.exec(word)![0])
    }
    expect([...words].toSorted()).toEqual(["000", "00000", "0000000", "111", "11111"])
  })

  test("finds one reader among a hundred writers, whatever starts them", () => {
    expect(mean(reorder(100), 10)).toBeLessThan(30)
    expect(mean(reorder(100, true), 10)).toBeLessThan(60)
  })
})

/** Two threads of some steps of their own before and behind each of two additions. */
const hidden = (): Model =>
  makeModel("hidden", (m) => {
    const x = m.actor(Cell.cellType, "x", 0)
    for (const name of ["A", "B"]) {
      const own = m.actor(Cell.cellType, `own ${name}`, 0)
      m.thread(name, function*() {
        for (let k = 0; k < 20; k++) yield* ask(k % 10 === 5 ? x : own, Cell.fetchAdd, 1)
      })
    }
  })

describe("draws", () => {
  test("bring conflicts into all orders, and switch nowhere but at them", () => {
    const model = hidden()
    const profile = profileOf(model)
    const executor = new Executor(model)
    const draws = new Draws()
    const orders = new Map<string, number>()
    for (let i = 0; i < 600; i++) {
      executor.run(draws, mix32(4, i), profile)
      const { log } = executor
      const all = Array.from({ length: log.length }, (_, step) => step)
      const order = all.filter((step) => log.asks[step]!.actor.name === "x").map((step) => log.threads[step]).join("")
      orders.set(order, (orders.get(order) ?? 0) + 1)
      for (const step of all.slice(1)) {
        const before = log.threads[step - 1]
        if (log.threads[step] === before) continue
        const moved = all.slice(0, step).filter((earlier) => log.threads[earlier] === before).length
        // It was before or behind an addition, or it had ended.
        expect([5, 6, 15, 16, 21]).toContain(moved)
      }
    }
    expect([...orders.keys()].toSorted()).toEqual(["0011", "0101", "0110", "1001", "1010", "1100"])
    expect(Math.min(...orders.values())).toBeGreaterThan(30)
  })

  test("put a thread that spins behind all others", () => {
    const model = makeModel("spins", (m) => {
      const flag = m.actor(Cell.cellType, "flag", 0)
      m.thread("waits", function*() {
        while ((yield* ask(flag, Cell.load)) === 0);
      })
      const own = m.actor(Cell.cellType, "own", 0)
      m.thread("sets", function*() {
        yield* ask(own, Cell.load)
        yield* ask(flag, Cell.store, 1)
      })
    })
    const executor = new Executor(model)
    // Nothing is known of conflicts: nobody would ever draw.
    for (let seed = 0; seed < 20; seed++) expect(executor.run(new Draws(), seed)._tag).toBe("Ok")
  })
})

/** Of 200 first executions. */
const fails = (make: () => Model): number => {
  const executor = new Executor(make())
  let count = 0
  for (let seed = 0; seed < 200; seed++) {
    if (failureId(executor.run(new Opening(), seed)) !== undefined) count++
  }
  return count
}

/** What these executions are of, one after the other. */
const turns = (model: Model, ...indices: ReadonlyArray<number>): ReadonlyArray<string> => {
  const plan = directed()
  const profile = profileOf(model)
  return indices.map((index) => plan.strategyFor(index, profile).name)
}

describe("the default", () => {
  test("the first execution has all threads side by side", () => {
    expect(fails(() => lostUpdate())).toBeGreaterThan(170)
    expect(fails(deadlock)).toBeGreaterThan(170)
  })

  test("finds what a random walk finds once in 16 or 26 executions in far fewer", () => {
    expect(mean(stringBuffer(), 40)).toBeLessThan(9)
    expect(mean(bluetooth(), 40)).toBeLessThan(12)
    expect(mean(twostage(), 40)).toBeLessThan(6)
  })

  test("short threads: conflicts and interleavings; longer ones: stops first, then every kind", () => {
    expect(turns(lostUpdate(), 1, 2, 3)).toEqual(["new meeting", "new meeting", "new urw"])
    const ofLong = turns(apart(40, 40), ...Array.from({ length: 24 }, (_, i) => i + 1))
    expect(new Set(ofLong.slice(0, 20))).toEqual(new Set(["new stops"]))
    expect(ofLong.slice(20)).toEqual(["new draws", "new stops", "new surw", "new urw"])
  })

  test("stops longer threads where the first execution that is known had steps", () => {
    const plan = directed()
    const model = apart(40, 40)
    const now = profileOf(model)
    const spread = plan.strategyFor(1, { ...now, stepsOf: [12, 12] })
    expect(plan.strategyFor(2, now)).toBe(spread)
    const behind = stopped(spread, model, 6, 15, now).map((stop) => stop.behind)
    expect(Math.max(...behind)).toBeLessThan(12)
  })

  test("what it finds can be repeated from the token", () => {
    for (const make of [bluetooth, stringBuffer, () => twostage(3)]) {
      const { report } = runCampaign(make(), { seed: 3, runs: 2000 })
      for (const failure of report.failures) {
        expect(failure.reproduced).toBe(true)
        const follow = new FromSchedule(Result.getOrThrow(decodeSchedule(failure.token!)))
        expect(failureId(new Executor(make()).run(follow))).toBe(failure.id)
      }
      expect(report.failures.length).toBeGreaterThan(0)
    }
  })
})
