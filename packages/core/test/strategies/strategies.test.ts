import {
  ask,
  Cell,
  emptyProfile,
  Executor,
  failureId,
  type Log,
  makeModel,
  Meeting,
  mix32,
  type Model,
  Opening,
  parseStrategy,
  Pct,
  portfolio,
  Pos,
  type Profile,
  ProfileBuilder,
  RandomWalk,
  Sequential,
  spawnThread,
  strategies,
  type Strategy,
  Surw,
  Urw
} from "@mmrace/core"
import * as Result from "effect/Result"
import { describe, expect, test } from "vitest"
import { bluetooth, deadlock, lostUpdate, straightLines, stringBuffer, twostage } from "./models.ts"

const profileOf = (model: Model, runs = 20): Profile => {
  const builder = new ProfileBuilder()
  const executor = new Executor(model)
  const random = new RandomWalk()
  for (let i = 0; i < runs; i++) {
    executor.run(random, mix32(99, i))
    builder.size(executor.step, executor.contested)
    builder.read(model, executor.log)
  }
  return builder.build()
}

const all = (): ReadonlyArray<
  Strategy
> => [
  new RandomWalk(),
  new Pct(1),
  new Pct(2),
  new Pct(3),
  new Pos(),
  new Urw(),
  new Surw(),
  new Sequential(),
  new Opening(),
  new Meeting(false)
]

/** How often each interleaving came up in `runs` executions; its key is the threads in order. */
const interleavings = (
  model: Model,
  strategy: Strategy,
  profile: Profile,
  runs: number,
  key = threadsOf
): Map<string, number> => {
  const executor = new Executor(model)
  const counts = new Map<string, number>()
  for (let i = 0; i < runs; i++) {
    executor.run(strategy, mix32(7, i), profile)
    const word = key(executor.log)
    counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  return counts
}

/** Steps that are no exits, by thread id. */
const threadsOf = (log: Log): string => {
  let word = ""
  for (let i = 0; i < log.length; i++) if (log.asks[i]!.command.name !== "exit") word += String(log.threads[i])
  return word
}

/** The threads that touch x, in order. */
const onX = (log: Log): string => {
  let word = ""
  for (let i = 0; i < log.length; i++) if (log.asks[i]!.actor.name === "x") word += String(log.threads[i])
  return word
}

const chiSquare = (counts: Map<string, number>, cells: number, runs: number): number => {
  const expected = runs / cells
  let sum = (cells - counts.size) * expected
  for (const n of counts.values()) sum += (n - expected) ** 2 / expected
  return sum
}

const failures = (model: Model, strategy: Strategy, runs: number, profile = profileOf(model)): number => {
  const executor = new Executor(model)
  let found = 0
  for (let i = 0; i < runs; i++) if (failureId(executor.run(strategy, mix32(5, i), profile)) !== undefined) found++
  return found
}

describe("every strategy", () => {
  test.each(all().map((s) => [s.name, s] as const))(
    "%s is a pure function of seed, profile and choices",
    (_, strategy) => {
      const model = bluetooth()
      const executor = new Executor(model)
      const profile = profileOf(model)
      const first = Array.from(
        { length: 50 },
        (_value, seed) => [executor.run(strategy, seed, profile), executor.copyChoices()]
      )
      executor.run(strategy, 4711, emptyProfile)
      const again = Array.from(
        { length: 50 },
        (_value, seed) => [executor.run(strategy, seed, profile), executor.copyChoices()]
      )
      expect(again).toEqual(first)
    }
  )

  test.each(all().map((s) => [s.name, s] as const))(
    "%s serves models of different sizes in turn, without a profile",
    (_, strategy) => {
      for (const lengths of [[3, 3], [1, 2, 3, 4, 5], [2, 2]]) {
        const executor = new Executor(straightLines(lengths))
        expect(executor.run(strategy, 3)).toEqual({ _tag: "Ok" })
        expect(executor.step).toBe(lengths.reduce((a, b) => a + b) + lengths.length)
      }
    }
  )
})

describe("URW", () => {
  test("is uniform over the interleavings of straight-line threads", () => {
    // 3 + 2 + 2 steps: 7! / (3! 2! 2!) = 210 interleavings. 99.9th percentile of chi-square with 209 d.o.f.: 279.
    const model = straightLines([3, 2, 2])
    const runs = 42_000
    const counts = interleavings(model, new Urw(), profileOf(model), runs)
    expect(counts.size).toBe(210)
    expect(chiSquare(counts, 210, runs)).toBeLessThan(279)
    // The same measure tells it from the plain random walk.
    expect(chiSquare(interleavings(model, new RandomWalk(), emptyProfile, runs), 210, runs)).toBeGreaterThan(2000)
  })

  test("counts a spawned thread with its parent", () => {
    // A: s1 (spawns B), a2; B: b1..b3. C: c1. Interleavings of A and B after s1, with c1 anywhere:
    // A's part is s1 then any merge of a2 and bbb (4 words of 5 steps), c1 at any of 6 places: 24.
    const model = makeModel("spawn", (m) => {
      const x = m.actor(Cell.cellType, "x", 0)
      const add = ask(x, Cell.fetchAdd, 1)
      const a = m.thread("A", function*() {
        yield* ask(m.threads[1]!.actor, spawnThread)
        yield* add
      })
      const b = m.thread("B", function*() {
        for (let i = 0; i < 3; i++) yield* add
      }, { start: "spawned" })
      m.thread("C", function*() {
        yield* add
      })
      expect([a.id, b.id]).toEqual([0, 1])
    })
    const runs = 12_000
    const profile = profileOf(model)
    expect(profile.parentOf).toEqual([-1, 0])
    const counts = interleavings(model, new Urw(), profile, runs)
    expect(counts.size).toBe(24)
    // 99.9th percentile with 23 d.o.f.: 49.7.
    expect(chiSquare(counts, 24, runs)).toBeLessThan(49.7)
    expect(chiSquare(interleavings(model, new Urw(), { ...profile, parentOf: [] }, runs), 24, runs)).toBeGreaterThan(
      200
    )
  })
})

describe("SURW", () => {
  test("orders the accesses to the one shared location uniformly, whatever else the threads do", () => {
    // T0 has much private work before its accesses to x; a plain walk then almost always orders x by T1 first.
    const model = makeModel("selective", (m) => {
      const x = m.actor(Cell.cellType, "x", 0)
      const mine = m.actor(Cell.cellType, "mine", 0)
      m.thread("T0", function*() {
        for (let i = 0; i < 12; i++) yield* ask(mine, Cell.fetchAdd, 1)
        for (let i = 0; i < 2; i++) yield* ask(x, Cell.fetchAdd, 1)
      })
      m.thread("T1", function*() {
        for (let i = 0; i < 3; i++) yield* ask(x, Cell.fetchAdd, 1)
      })
    })
    const runs = 10_000
    const profile = profileOf(model)
    expect(profile.sharedSteps.size).toBe(1)
    // 5! / (2! 3!) = 10 orders; 99.9th percentile with 9 d.o.f.: 27.9.
    const counts = interleavings(model, new Surw(), profile, runs, onX)
    expect(counts.size).toBe(10)
    expect(chiSquare(counts, 10, runs)).toBeLessThan(27.9)
    expect(chiSquare(interleavings(model, new RandomWalk(), profile, runs, onX), 10, runs)).toBeGreaterThan(2000)
  })
})

describe("PCT", () => {
  test.each(
    [["lost update", lostUpdate(2, 3), 2, 2], ["deadlock", deadlock(), 2, 2], ["twostage", twostage(), 3, 2]] as const
  )(
    "hits a bug of depth d at least as often as its bound says: %s",
    (_, model, depth, threads) => {
      const profile = profileOf(model, 200)
      const runs = 20_000
      const bound = runs / (threads * profile.choices ** (depth - 1))
      const found = failures(model, new Pct(depth), runs, profile)
      expect(found).toBeGreaterThan(bound)
    }
  )

  test("pct:1 never preempts, so it never loses an update", () => {
    expect(failures(lostUpdate(2, 3), new Pct(1), 2000)).toBe(0)
    expect(failures(lostUpdate(2, 3), new Pct(2), 2000)).toBeGreaterThan(0)
  })

  test("a thread that was lowered first may run again before one that was lowered later", () => {
    // A, B, A with two threads: with priorities in the order of the points no depth comes to it.
    expect(failures(stringBuffer(), new Pct(3), 2000, profileOf(stringBuffer(), 200))).toBeGreaterThan(0)
  })

  test("makes at most d - 1 preemptions, at points spread over the whole execution", () => {
    const model = straightLines([10, 10])
    const profile = profileOf(model, 200)
    const counts = interleavings(model, new Pct(2), profile, 4000)
    const switches = [...counts.keys()].map((w) => [...w].filter((c, i) => i > 0 && c !== w[i - 1]).length)
    expect(Math.max(...switches)).toBe(2)
    // A switch after each of the ten first steps of either thread, and none: 20 words.
    expect(counts.size).toBe(20)
  })

  test("a thread that spins does not keep the others waiting for ever", () => {
    const model = makeModel("spin", (m) => {
      const flag = m.actor(Cell.cellType, "flag", 0)
      m.thread("spinner", function*() {
        while ((yield* ask(flag, Cell.load)) === 0);
      })
      m.thread("setter", function*() {
        yield* ask(flag, Cell.store, 1)
      })
    })
    for (
      const strategy of [new Pct(1), new Pct(3), new Pos(), new Surw(), new Urw(), new Opening(), new Meeting(false)]
    ) {
      expect(failures(model, strategy, 200)).toBe(0)
    }
  })
})

/** Two steps of A against one of B on one cell. */
const twoAgainstOne = (command: "fetch_add" | "load") =>
  makeModel("pos", (m) => {
    const x = m.actor(Cell.cellType, "x", 0)
    const step = command === "load" ? ask(x, Cell.load) : ask(x, Cell.fetchAdd, 1)
    m.thread("A", function*() {
      yield* step
      yield* step
    })
    m.thread("B", function*() {
      yield* step
    })
  })

describe("POS", () => {
  test("finds the ordering bugs the others find", () => {
    for (const model of [lostUpdate(), deadlock(), bluetooth(), twostage()]) {
      expect(failures(model, new Pos(), 500)).toBeGreaterThan(5)
    }
  })

  test("an operation that raced draws a new priority, one that did not keeps its own", () => {
    const runs = 30_000
    const racing = interleavings(twoAgainstOne("fetch_add"), new Pos(), emptyProfile, runs)
    const reading = interleavings(twoAgainstOne("load"), new Pos(), emptyProfile, runs)
    // Racing: each next step is a fresh draw of two. Not racing: b is known to be below a1, so a2 is above it in 2/3.
    const shares: ReadonlyArray<readonly [Map<string, number>, string, number]> = [
      [racing, "100", 1 / 2],
      [racing, "001", 1 / 4],
      [racing, "010", 1 / 4],
      [reading, "100", 1 / 2],
      [reading, "001", 1 / 3],
      [reading, "010", 1 / 6]
    ]
    // Four standard deviations of a share are below 0.012.
    for (const [counts, word, share] of shares) expect(Math.abs(counts.get(word)! / runs - share)).toBeLessThan(0.012)
  })

  test("all orders of a cell come up", () => {
    const counts = interleavings(straightLines([3, 3]), new Pos(), emptyProfile, 2000)
    expect(counts.size).toBe(20)
  })
})

describe("the portfolio", () => {
  test("rotates by execution index and sweeps the depth of PCT", () => {
    const plan = portfolio()
    const names = Array.from({ length: 12 }, (_, i) => plan.strategyFor(i, emptyProfile).name)
    expect(names).toEqual([
      "random",
      "pos",
      "surw",
      "pct:2",
      "urw",
      "pct:3",
      "random",
      "surw",
      "pos",
      "pct:5",
      "urw",
      "pct:10"
    ])
    expect(plan.strategyFor(12_000_000, emptyProfile).name).toBe("random")
  })
})

const messageOf = (text: string): string => {
  const result = parseStrategy(text)
  return Result.isFailure(result) ? result.failure.message : "accepted"
}

describe("parseStrategy", () => {
  test("reads every name it lists", () => {
    for (const { name } of strategies) expect(Result.isSuccess(parseStrategy(name))).toBe(true)
    expect(Result.getOrThrow(parseStrategy(" PCT:7 ")).name).toBe("pct:7")
    for (const { name } of strategies) {
      const plan = Result.getOrThrow(parseStrategy(name))
      expect(Result.getOrThrow(parseStrategy(plan.name)).name).toBe(plan.name)
    }
  })

  test("names the nearest strategy and all valid ones", () => {
    expect(messageOf("randon")).toBe(
      "no strategy is called \"randon\"; did you mean random? Strategies: directed, portfolio, random, pct:D, pos, urw, surw, sequential"
    )
    expect(messageOf("zzzzzzzz")).toBe(
      "no strategy is called \"zzzzzzzz\". Strategies: directed, portfolio, random, pct:D, pos, urw, surw, sequential"
    )
    expect(messageOf("constructor")).toContain("no strategy is called")
    expect(messageOf("pct:0")).toContain("expected a depth from 1 to 100 after \"pct:\", got \"0\"")
    expect(messageOf("pct:")).toContain("got \"\"")
    expect(messageOf("random:3")).toBe("strategy random takes no parameter: write random")
  })
})
