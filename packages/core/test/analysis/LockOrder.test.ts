import * as fc from "fast-check"
import {
  type Actor,
  ask,
  Executor,
  LockGraph,
  LockOrder,
  type LockOrderOptions,
  type LockOrderReport,
  makeModel,
  type Model,
  type ModelBuilder,
  Mutex,
  type Path,
  RandomWalk,
  renderLockReport,
  Rwsem,
  Sequential
} from "@mmrace/core"
import { describe, expect, it } from "vitest"
import { everySchedule, nesting, philosophers, randomLog } from "./support.ts"

type Mutex_ = Actor<Mutex.Owner>
type Rwsem_ = Actor<Rwsem.RwsemState>

/** A step of a test thread, in the words of lib/locking-selftest.c. */
type Op =
  | readonly ["lock" | "trylock" | "unlock", Mutex_]
  | readonly ["read" | "write" | "tryread" | "trywrite" | "upread" | "upwrite" | "downgrade", Rwsem_]

function* perform(ops: ReadonlyArray<Op>): Path<void> {
  for (const [name, on] of ops as ReadonlyArray<readonly [string, never]>) yield* performOne(name, on)
}

function* performOne(name: string, on: Mutex_ & Rwsem_): Path<void> {
  if (name === "lock") yield* ask(on as Mutex_, Mutex.mutex.lock)
  else if (name === "trylock") yield* ask(on as Mutex_, Mutex.mutex.trylock)
  else if (name === "unlock") yield* ask(on as Mutex_, Mutex.mutex.unlock)
  else if (name === "read") yield* Rwsem.downRead(on)
  else if (name === "write") yield* Rwsem.downWrite(on)
  else if (name === "tryread") yield* Rwsem.downReadTrylock(on)
  else if (name === "trywrite") yield* Rwsem.downWriteTrylock(on)
  else if (name === "upread") yield* Rwsem.upRead(on)
  else if (name === "upwrite") yield* Rwsem.upWrite(on)
  else yield* Rwsem.downgradeWrite(on)
}

const lockNamed = (m: ModelBuilder, name: string, lockClass = name, subclass = 0): Mutex_ =>
  m.actor(Mutex.mutex.type, name, Mutex.free, { lockClass, subclass })

const semNamed = (m: ModelBuilder, name: string): Rwsem_ =>
  m.actor(Rwsem.rwsem.type, name, Rwsem.unlocked, { lockClass: name })

/** Threads run one after the other: no schedule here can deadlock, whatever the order of the locks. */
const inSequence = (
  build: (m: ModelBuilder) => ReadonlyArray<ReadonlyArray<Op>>,
  options: LockOrderOptions = {}
): ReadonlyArray<LockOrderReport> => {
  const model = makeModel("selftest", (m) => {
    build(m).forEach((ops, i) => m.thread(`t${i}`, () => perform(ops)))
  })
  const order = new LockOrder(model, options)
  const verdict = new Executor(model, { observers: [order] }).run(new Sequential())
  expect(verdict._tag).toBe("Ok")
  return order.reports()
}

const ids = (reports: ReadonlyArray<LockOrderReport>): ReadonlyArray<string> => reports.map((r) => r.id)

/** Lock each, unlock each in reverse. */
const L = (...locks: ReadonlyArray<Mutex_>): ReadonlyArray<Op> => [
  ...locks.map((l): Op => ["lock", l]),
  ...locks.toReversed().map((l): Op => ["unlock", l])
]

const annotated = (m: ModelBuilder) => [lockNamed(m, "a1", "A"), lockNamed(m, "a2", "A", 1)] as const

const underOuter = (m: ModelBuilder) => [
  L(lockNamed(m, "outer"), lockNamed(m, "a1", "A"), lockNamed(m, "a2", "A"))
]

const ringOf = (n: number) =>
  ids(inSequence((m) => {
    const locks = Array.from({ length: n }, (_, i) => lockNamed(m, "abcd"[i]!))
    return locks.map((lock, i) => L(lock, locks[(i + 1) % n]!))
  }))

const readTwice = (m: ModelBuilder): ReadonlyArray<ReadonlyArray<Op>> => {
  const a = semNamed(m, "a")
  return [[["read", a], ["read", a], ["upread", a], ["upread", a]]]
}

const chainCache = (m: ModelBuilder, second: "read" | "write"): ReadonlyArray<ReadonlyArray<Op>> => {
  const [x, y] = [semNamed(m, "x"), lockNamed(m, "y")]
  const readFirst: ReadonlyArray<Op> = [["read", x], ["lock", y], ["unlock", y], ["upread", x]]
  const readSecond: ReadonlyArray<Op> = [["lock", y], ["read", x], ["upread", x], ["unlock", y]]
  const writeSecond: ReadonlyArray<Op> = [["lock", y], ["write", x], ["upwrite", x], ["unlock", y]]
  return second === "read" ? [readFirst, readSecond] : [readFirst, readSecond, writeSecond]
}

const closes = (...kinds: ReadonlyArray<"ER" | "EN" | "SR" | "SN">): boolean => {
  const graph = new LockGraph()
  let found = false
  kinds.forEach((kind, i) => {
    found = graph.add({ from: `c${i}`, to: `c${(i + 1) % kinds.length}`, kind }) !== undefined
  })
  return found
}

describe("cases of lib/locking-selftest.c", () => {
  it("AA: the same lock class twice", () => {
    expect(ids(inSequence((m) => [L(lockNamed(m, "a1", "A"), lockNamed(m, "a2", "A"))]))).toEqual(["lock-recursion:A"])
  })

  it("AA with a nesting annotation is fine, in one order only", () => {
    expect(inSequence((m) => [L(...annotated(m))])).toEqual([])
    expect(ids(inSequence((m) => {
      const [outer, inner] = annotated(m)
      return [L(outer, inner), L(inner, outer)]
    }))).toEqual(["lock-order:A->A/1->A"])
  })

  it("AA under a lock that serialises the class", () => {
    expect(inSequence(underOuter, { nestedUnder: new Map([["A", "outer"]]) })).toEqual([])
    expect(ids(inSequence(underOuter))).toEqual(["lock-recursion:A"])
  })

  it("ABBA", () => {
    expect(ids(inSequence((m) => {
      const [a, b] = [lockNamed(m, "a"), lockNamed(m, "b")]
      return [L(a, b), L(b, a)]
    }))).toEqual(["lock-order:a->b->a"])
  })

  it("ABAB is fine", () => {
    expect(inSequence((m) => {
      const [a, b] = [lockNamed(m, "a"), lockNamed(m, "b")]
      return [L(a, b), L(a, b)]
    })).toEqual([])
  })

  it("ABBCCA and ABBCCDDA", () => {
    expect(ringOf(3)).toEqual(["lock-order:a->b->c->a"])
    expect(ringOf(4)).toEqual(["lock-order:a->b->c->d->a"])
  })

  it("ABCABC (A then B, B then C, C then A, released out of order)", () => {
    expect(ids(inSequence((m) => {
      const [a, b, c] = [lockNamed(m, "a"), lockNamed(m, "b"), lockNamed(m, "c")]
      return [
        [["lock", a], ["lock", b], ["unlock", a], ["unlock", b]],
        [["lock", c], ["lock", a], ["unlock", c], ["unlock", a]],
        [["lock", b], ["lock", c], ["unlock", b], ["unlock", c]]
      ]
    }))).toEqual(["lock-order:a->b->c->a"])
  })

  it("rwsem: read/read inversion is a report, because a queued writer blocks the second reader", () => {
    const [report] = inSequence((m) => {
      const [a, b] = [semNamed(m, "a"), semNamed(m, "b")]
      return [
        [["read", a], ["read", b], ["upread", b], ["upread", a]],
        [["read", b], ["read", a], ["upread", a], ["upread", b]]
      ]
    })
    expect(report!.id).toBe("lock-order:a->b->a")
    expect(renderLockReport(report!).join("\n")).toContain("rlock(a) waits for a reader when a writer of a has queued")
  })

  it("rwsem: reading twice is recursion; reading twice a recursive class is fine", () => {
    expect(ids(inSequence(readTwice))).toEqual(["lock-recursion:a"])
    expect(inSequence(readTwice, { recursiveReaders: new Set(["a"]) })).toEqual([])
  })

  it("recursive readers: RL/L then L/RL is fine, L/WL is not (chain cache cases)", () => {
    const recursive = { recursiveReaders: new Set(["x"]) }
    expect(inSequence((m) => chainCache(m, "read"), recursive)).toEqual([])
    expect(ids(inSequence((m) => chainCache(m, "write"), recursive))).toEqual(["lock-order:x->y->x"])
  })

  it("checks a lock wanted after locks that another thread came to hold in another way", () => {
    expect(ids(inSequence((m) => {
      const [x, y, z] = [lockNamed(m, "x"), lockNamed(m, "y"), lockNamed(m, "z")]
      const w = semNamed(m, "w")
      return [
        // Comes to hold x and y with w between them, so that no direct edge joins the two.
        [["lock", x], ["read", w], ["lock", y], ["upread", w], ["lock", z], ["unlock", z], ["unlock", y], [
          "unlock",
          x
        ]],
        L(x, y),
        L(y, x)
      ]
    }, { recursiveReaders: new Set(["w"]) }))).toEqual(["lock-order:x->y->x"])
  })

  it("a trylock adds no edge to its lock but edges from it", () => {
    expect(inSequence((m) => {
      const [a, b] = [lockNamed(m, "a"), lockNamed(m, "b")]
      return [L(a, b), [["lock", b], ["trylock", a], ["unlock", a], ["unlock", b]]]
    })).toEqual([])
    expect(ids(inSequence((m) => {
      const [a, b] = [lockNamed(m, "a"), lockNamed(m, "b")]
      return [L(a, b), [["trylock", b], ["lock", a], ["unlock", a], ["unlock", b]]]
    }))).toEqual(["lock-order:a->b->a"])
  })

  it("looks past locks that were taken by trylock, and stops at the first that was not", () => {
    const model = makeModel("trylock", (m) => {
      const [a, b, c, d] = [lockNamed(m, "a"), lockNamed(m, "b"), lockNamed(m, "c"), lockNamed(m, "d")]
      m.thread("t", () => perform([["lock", a], ["lock", b], ["trylock", c], ["lock", d]]))
    })
    const order = new LockOrder(model)
    new Executor(model, { observers: [order] }).run(new Sequential())
    expect(order.export().edges.map((e) => `${e.from}->${e.to}`)).toEqual(["a->b", "b->d", "c->d"])
  })

  it("a downgraded writer is a reader: it still orders what comes after", () => {
    expect(ids(inSequence((m) => {
      const [a, b] = [semNamed(m, "a"), lockNamed(m, "b")]
      return [
        [["write", a], ["downgrade", a], ["lock", b], ["unlock", b], ["upread", a]],
        [["lock", b], ["write", a], ["upwrite", a], ["unlock", b]]
      ]
    }))).toEqual(["lock-order:a->b->a"])
  })
})

describe("strong paths (Documentation/locking/lockdep-design.rst)", () => {
  it("finds the cycles that can deadlock and no others", () => {
    expect(closes("ER", "ER", "ER")).toBe(true)
    expect(closes("EN", "SR", "ER")).toBe(true)
    expect(closes("EN", "SR", "SN")).toBe(false)
    expect(closes("ER", "SR", "EN")).toBe(false)
  })

  it("agrees with the definition on every cycle of up to four edges, whichever edge comes last", () => {
    const kind = fc.constantFrom("ER", "EN", "SR", "SN")
    fc.assert(
      fc.property(fc.array(kind, { minLength: 2, maxLength: 4 }), (kinds) => {
        const weak = kinds.some((k, i) => k.endsWith("R") && kinds[(i + 1) % kinds.length]!.startsWith("S"))
        expect(closes(...kinds)).toBe(!weak)
      }),
      { numRuns: 500 }
    )
  })

  it("passes a class twice when the first way in ended in R", () => {
    const graph = new LockGraph()
    graph.add({ from: "a", to: "b", kind: "ER" })
    graph.add({ from: "a", to: "c", kind: "EN" })
    graph.add({ from: "c", to: "b", kind: "EN" })
    graph.add({ from: "b", to: "d", kind: "SN" })
    // d -> a -> b in R is a dead end for S; d -> a -> c -> b in N is not.
    expect(graph.add({ from: "d", to: "a", kind: "EN" })?.map((e) => e.from)).toEqual(["d", "a", "c", "b"])
  })
})

const observe = (model: Model, seeds: ReadonlyArray<number>, first = 0): LockOrder => {
  const order = new LockOrder(model)
  order.nextExecution = first
  for (const seed of seeds) randomLog(model, seed, { observers: [order] })
  return order
}

describe("over executions", () => {
  it("reports the inversion of the dining philosophers from executions that went well", () => {
    const model = philosophers(3)
    let order = new LockOrder(model)
    const executor = new Executor(model, { observers: [order] })
    expect(executor.run(new Sequential())._tag).toBe("Ok")
    expect(ids(order.reports())).toEqual(["lock-order:l0->l1->l2->l0"])
    expect(order.found).toBe(1)

    order = new LockOrder(nesting([0, 1, 2], [0, 2], [1, 2]))
    everySchedule(nesting([0, 1, 2], [0, 2], [1, 2]), { observers: [order] })
    expect(order.reports()).toEqual([])
  })

  it("gives the same reports however the executions were split over workers", () => {
    const orders = fc.array(fc.shuffledSubarray([0, 1, 2, 3], { minLength: 1 }), { minLength: 2, maxLength: 4 })
    let reported = 0
    fc.assert(
      fc.property(orders, fc.integer({ min: 0, max: 12 }), (threads, cut) => {
        const model = nesting(...threads)
        const seeds = Array.from({ length: 12 }, (_, i) => i)
        const whole = observe(model, seeds)
        const merged = new LockOrder(model)
        merged.merge(observe(model, seeds.slice(cut), cut).export())
        merged.merge(observe(model, seeds.slice(0, cut)).export())
        expect(merged.reports()).toEqual(whole.reports())
        expect(merged.export()).toEqual(whole.export())
        reported += whole.reports().length
      }),
      { numRuns: 60 }
    )
    expect(reported).toBeGreaterThan(8)
  })

  it("forgets held locks between executions", () => {
    // Each thread ends holding its lock: nothing of one execution may order anything in the next.
    const model = makeModel("leak", (m) => {
      const [a, b] = [lockNamed(m, "a"), lockNamed(m, "b")]
      m.thread("A", () => perform([["lock", a]]))
      m.thread("B", () => perform([["lock", b]]))
    })
    const order = new LockOrder(model)
    const executor = new Executor(model, { observers: [order] })
    for (let seed = 0; seed < 10; seed++) executor.run(new RandomWalk(), seed)
    expect(order.export()).toEqual({ edges: [], recursions: [] })
  })

  it("orders a lock where its thread queued for it", () => {
    const model = makeModel("queue", (m) => {
      const [a, b] = [lockNamed(m, "a"), semNamed(m, "b")]
      m.thread("w", () => perform([["write", b], ["upwrite", b]]))
      m.thread("r", () => perform([["lock", a], ["read", b], ["upread", b], ["unlock", a]]))
    })
    const order = new LockOrder(model)
    const steps = new Set<string>()
    everySchedule(model, { observers: [order] }, (executor) => {
      steps.add(executor.log.asks.slice(0, executor.log.length).map((s) => s.command.name).join(" "))
    })
    expect([...steps].some((s) => s.includes("await_read"))).toBe(true)
    expect(order.export().edges.map((e) => `${e.from}->${e.to}`)).toEqual(["a->b"])
  })
})

it("renders like lockdep", () => {
  const model = makeModel("abba", (m) => {
    const [a, b] = [lockNamed(m, "mmap_lock"), lockNamed(m, "ptl")]
    m.thread("fork", () => perform(L(a, b)))
    m.thread("reclaim", () => perform(L(b, a)))
  })
  const order = new LockOrder(model)
  new Executor(model, { observers: [order] }).run(new Sequential())
  expect(renderLockReport(order.reports()[0]!).join("\n")).toBe(
    `======================================================
WARNING: possible circular locking dependency detected
------------------------------------------------------
thread reclaim, execution 0, step 6, is trying to acquire lock:
 mmap_lock, write
but task is already holding lock:
 ptl, write, since step 5
which lock already depends on the new lock.

the existing dependency chain (in reverse order) is:

-> #1 ptl, write:
       wanted by thread fork, execution 0, step 1
       while holding mmap_lock, write, since step 0

-> #0 mmap_lock, write:
       wanted by thread reclaim, execution 0, step 6
       while holding ptl, write, since step 5

other info that might help us debug this:

 Possible unsafe locking scenario:

       CPU0                    CPU1
       ----                    ----
  lock(ptl);
                               lock(mmap_lock);
                               lock(ptl);
  lock(mmap_lock);

 *** DEADLOCK ***

1 lock held by reclaim:
 #0: ptl, write, since step 5`
  )
})
