import * as fc from "fast-check"
import {
  ask,
  Cell,
  DataRaces,
  dataRacesOf,
  Executor,
  exitThread,
  HappensBefore,
  joinThread,
  type LockEffect,
  locationOf,
  type Log,
  makeModel,
  type Model,
  type ModelBuilder,
  Mutex,
  type Path,
  raceReports,
  renderRace,
  Rwsem,
  Sequential,
  spawnThread,
  type Thread
} from "@mmrace/core"
import { describe, expect, it } from "vitest"
import { everySchedule, idle, logOf, randomLog, randomModel } from "./support.ts"

/** The definition, pair by pair: does step `a` directly order the later step `b` of another thread? */
const synchronises = (model: Model, log: Log, a: number, b: number): boolean => {
  const [from, to] = [log.asks[a]!, log.asks[b]!]
  const spawned = model.threads.find((t) => (t.actor as unknown) === from.actor)
  if (from.command.name === "spawn" && log.threads[b] === spawned!.id) return true
  if (from.actor !== to.actor) return false
  const effect = (step: number): LockEffect | undefined =>
    log.asks[step]!.command.lock?.(log.results[step], log.asks[step]!.arg)
  if (from.command.lock !== undefined && to.command.lock !== undefined) {
    const [left, taken] = [effect(a), effect(b)]
    if (left === undefined || taken === undefined) return false
    if (!["acquire", "try", "granted"].includes(taken.action)) return false
    if (left.action === "downgrade") return true
    return left.action === "release" && (left.mode === "write" || taken.mode === "write")
  }
  if (from.command.lock !== undefined || to.command.lock !== undefined) return false
  const releases = ["release", "acq_rel"].includes(from.command.ordering)
  const acquires = ["acquire", "acq_rel"].includes(to.command.ordering)
  return locationOf(from) === locationOf(to) && releases && acquires
}

/** before[a][b] by closing program order and `direct` transitively. */
const closure = (log: Log, direct: (a: number, b: number) => boolean): ReadonlyArray<ReadonlyArray<boolean>> => {
  const n = log.length
  const before = Array.from(
    { length: n },
    (_, a) => Array.from({ length: n }, (__, b) => a < b && (log.threads[a] === log.threads[b] || direct(a, b)))
  )
  for (let via = 0; via < n; via++) {
    for (let a = 0; a < via; a++) {
      if (!before[a]![via]!) continue
      for (let b = via + 1; b < n; b++) before[a]![b] ||= before[via]![b]!
    }
  }
  return before
}

const asMatrix = (log: Log, hb: HappensBefore): ReadonlyArray<ReadonlyArray<boolean>> =>
  Array.from({ length: log.length }, (_, a) => Array.from({ length: log.length }, (__, b) => hb.before(a, b)))

const samples = fc.tuple(randomModel, fc.nat()).map(([model, seed]) => ({ model, log: randomLog(model, seed) }))

describe("happens-before", () => {
  it("is the closure of program order and synchronisation, and its edges carry all of it", () => {
    let edges = 0
    fc.assert(
      fc.property(samples, ({ log, model }) => {
        const hb = new HappensBefore(model, log)
        const matrix = asMatrix(log, hb)
        expect(matrix).toEqual(closure(log, (a, b) => synchronises(model, log, a, b)))
        expect(matrix).toEqual(closure(log, (a, b) => hb.edges.some((e) => e.from === a && e.to === b)))
        edges += hb.edges.length
      }),
      { numRuns: 300 }
    )
    expect(edges).toBeGreaterThan(80)
  })

  it("leaves out edges that follow from others", () => {
    fc.assert(fc.property(samples, ({ log, model }) => {
      const { edges } = new HappensBefore(model, log)
      for (const left of edges) {
        const rest = closure(log, (a, b) => edges.some((e) => e !== left && e.from === a && e.to === b))
        expect(rest[left.from]![left.to]).toBe(false)
      }
    }))
  })
})

/** A model whose threads do nothing, for logs written by hand. */
const blank = (threads: number) => {
  const { rwsem } = Rwsem
  const parts: { made?: ReturnType<typeof make> } = {}
  const make = (m: ModelBuilder) => ({
    x: m.actor(Cell.cellType, "x", 0),
    flag: m.actor(Cell.cellType, "flag", 0),
    sem: m.actor(rwsem.type, "sem", Rwsem.unlocked),
    lock: m.actor(Mutex.mutex.type, "lock", Mutex.free),
    threads: Array.from({ length: threads }, (_, i): Thread => m.thread(`t${i}`, idle))
  })
  const model = makeModel("blank", (m) => {
    parts.made = make(m)
  })
  return { model, ...parts.made! }
}

const raceIds = (model: Model, log: Log): ReadonlyArray<string> => dataRacesOf(model, log).map((r) => r.id)

describe("data races", () => {
  const { flag, lock, model, sem, threads, x } = blank(3)
  const { rwsem } = Rwsem
  const { mutex } = Mutex
  const write = ask(x, Cell.write, 1)
  const read = ask(x, Cell.read)
  const ids = (steps: Parameters<typeof logOf>[0]): ReadonlyArray<string> => raceIds(model, logOf(steps))

  it("need two threads, a write, and a plain access", () => {
    expect(ids([[0, write], [1, read]])).toEqual(["data-race:x:t0.write/t1.read"])
    expect(ids([[1, read], [0, write]])).toEqual(["data-race:x:t0.write/t1.read"])
    expect(ids([[0, read], [1, read]])).toEqual([])
    expect(ids([[0, write], [0, read]])).toEqual([])
    expect(ids([[0, ask(x, Cell.store, 1)], [1, ask(x, Cell.store, 2)]])).toEqual([])
    expect(ids([[0, ask(x, Cell.store, 1)], [1, read]])).toEqual(["data-race:x:t0.store/t1.read"])
    expect(ids([[0, read], [1, ask(x, Cell.store, 1)]])).toEqual(["data-race:x:t0.read/t1.store"])
    expect(ids([[0, ask(x, Cell.load)], [1, write]])).toEqual(["data-race:x:t0.load/t1.write"])
    expect(ids([[0, ask(x, Cell.load)], [1, read]])).toEqual([])
  })

  it("are prevented by a mutex, also one taken by trylock, not by a failed trylock", () => {
    const section = (t: number, step: object) =>
      [[t, ask(lock, mutex.lock)], [t, step], [t, ask(lock, mutex.unlock)]] as const
    expect(ids([...section(0, write), ...section(1, read)])).toEqual([])
    expect(ids([...section(0, write), [1, ask(lock, mutex.trylock), true], [1, read]])).toEqual([])
    expect(ids([...section(0, write), [1, ask(lock, mutex.trylock), false], [1, read]])).toHaveLength(1)
  })

  it("are prevented by release and acquire, not by acquire alone or the wrong location", () => {
    expect(ids([[0, write], [0, ask(flag, Cell.store, 1)], [1, ask(flag, Cell.load), 1], [1, read]])).toEqual([])
    expect(ids([[0, write], [0, ask(flag, Cell.load), 0], [1, ask(flag, Cell.load), 0], [1, read]])).toHaveLength(1)
    expect(ids([[0, write], [0, ask(flag, Cell.store, 1)], [1, ask(x, Cell.load), 1], [1, read]])).not.toEqual([])
  })

  it("keep what was released before when another thread releases too", () => {
    const publish = (t: number) => [t, ask(flag, Cell.fetchAdd, 1), 0] as const
    expect(ids([[0, write], publish(0), publish(1), [2, ask(flag, Cell.load), 2], [2, read]])).toEqual([])
  })

  it("between readers of an rwsem stay races; between a reader and a later writer they are not", () => {
    expect(ids([
      [0, ask(sem, rwsem.downRead), "taken"],
      [0, write],
      [0, ask(sem, rwsem.upRead)],
      [1, ask(sem, rwsem.downRead), "taken"],
      [1, read]
    ])).toHaveLength(1)
    expect(ids([
      [0, ask(sem, rwsem.downRead), "taken"],
      [0, write],
      [0, ask(sem, rwsem.upRead)],
      [1, ask(sem, rwsem.downWrite), "taken"],
      [1, read]
    ])).toEqual([])
  })

  it("follow a queued rwsem: joining the queue orders nothing, the grant does", () => {
    const queued: Parameters<typeof logOf>[0] = [
      [0, ask(sem, rwsem.downWrite), "taken"],
      [1, ask(sem, rwsem.downRead), "queued"],
      [0, write],
      [0, ask(sem, rwsem.upWrite)]
    ]
    expect(ids([...queued, [1, read]])).toHaveLength(1)
    expect(ids([
      [0, ask(sem, rwsem.downWrite), "taken"],
      [0, write],
      [0, ask(sem, rwsem.upWrite)],
      [2, ask(sem, rwsem.downRead), "taken"],
      [1, ask(sem, rwsem.downWrite), "queued"],
      [1, read]
    ])).toHaveLength(1)
    expect(ids([...queued, [1, ask(sem, rwsem.awaitRead)], [1, read]])).toEqual([])
  })

  it("follow a downgrade: what was written before it is ordered, what is written after is not", () => {
    const downgraded = (...after: ReadonlyArray<readonly [number, object]>) =>
      ids([
        [0, ask(sem, rwsem.downWrite), "taken"],
        ...(after.length === 1 ? [[0, write] as const] : []),
        [0, ask(sem, rwsem.downgradeWrite)],
        ...(after.length === 2 ? [after[0]!] : []),
        [1, ask(sem, rwsem.downRead), "taken"],
        after.at(-1)!
      ])
    expect(downgraded([1, read])).toEqual([])
    expect(downgraded([0, write], [1, read])).toHaveLength(1)
  })

  it("do not exist across spawn and join", () => {
    const child = threads[1]!
    const spawned: Parameters<typeof logOf>[0] = [[0, write], [0, ask(child.actor, spawnThread)], [1, write]]
    expect(ids(spawned)).toEqual([])
    expect(ids([...spawned, [0, read]])).toEqual(["data-race:x:t0.read/t1.write"])
    expect(ids([...spawned, [1, ask(child.actor, exitThread)], [0, ask(child.actor, joinThread)], [0, read]])).toEqual(
      []
    )
    const log = logOf([...spawned, [1, ask(child.actor, exitThread)], [0, ask(child.actor, joinThread)]])
    expect(new HappensBefore(model, log).edges).toEqual([
      { from: 1, to: 2, kind: "spawn", actor: "thread:t1" },
      { from: 3, to: 4, kind: "join", actor: "thread:t1" }
    ])
  })

  it("are reported with both steps and the value change", () => {
    const log = logOf([[2, ask(x, Cell.write, 7)], [2, ask(flag, Cell.store, 1)], [0, write], [1, read, 1]])
    const report = raceReports(model, log).find((r) => r.race.id === "data-race:x:t0.write/t1.read")!
    expect(report).toMatchObject({ valueBefore: 7, valueAfter: 1 })
    expect(renderRace(model, report)).toEqual([
      "==================================================================",
      "BUG: data-race in t1.read / t0.write",
      "",
      "read to x by thread t1, step 3: read",
      "",
      "write to x by thread t0, step 2: write",
      "",
      "value changed: 7 -> 1"
    ])
  })
})

type Kind = string

/** Unordered pairs of conflicting accesses, by (location, thread and kind of each). */
const racesByDefinition = (model: Model, log: Log): ReadonlySet<string> => {
  const hb = new HappensBefore(model, log)
  const found = new Set<string>()
  for (let b = 0; b < log.length; b++) {
    for (let a = 0; a < b; a++) {
      const [one, two] = [log.asks[a]!, log.asks[b]!]
      if (log.threads[a] === log.threads[b] || locationOf(one) !== locationOf(two)) continue
      if (!one.command.isWrite && !two.command.isWrite) continue
      if (one.command.ordering !== "plain" && two.command.ordering !== "plain") continue
      if (hb.before(a, b)) continue
      const side = (step: number): Kind => {
        const { isWrite, ordering } = log.asks[step]!.command
        return `${model.threads[log.threads[step]!]!.name} ${isWrite} ${ordering === "plain"}`
      }
      found.add(`${one.actor.name}: ${[side(a), side(b)].sort().join(" / ")}`)
    }
  }
  return found
}

const racesFound = (model: Model, log: Log): ReadonlySet<string> =>
  new Set(
    dataRacesOf(model, log).map((r) =>
      `${r.location}: ${[r.first, r.second].map((s) => `${s.thread} ${s.write} ${s.plain}`).sort().join(" / ")}`
    )
  )

function* unlocked(x: ReturnType<typeof blank>["x"]): Path<void> {
  const value = yield* ask(x, Cell.read)
  yield* ask(x, Cell.write, value + 1)
}

describe("DataRaces", () => {
  it("finds exactly the unordered conflicting pairs, by thread, kind and location", () => {
    let races = 0
    let clean = 0
    fc.assert(
      fc.property(samples, ({ log, model }) => {
        const expected = racesByDefinition(model, log)
        expect(racesFound(model, log)).toEqual(expected)
        if (expected.size === 0) clean++
        races += expected.size
      }),
      { numRuns: 400 }
    )
    expect(races).toBeGreaterThan(400)
    expect(clean).toBeGreaterThan(20)
  })

  it("keeps executions apart", () => {
    fc.assert(
      fc.property(randomModel, fc.array(fc.nat(), { minLength: 1, maxLength: 6 }), (model, seeds) => {
        const races = new DataRaces(model)
        const alone = new Set<string>()
        for (const seed of seeds) {
          const log = randomLog(model, seed, { observers: [races] })
          for (const id of raceIds(model, log)) alone.add(id)
        }
        expect(races.list().map((r) => r.id).sort()).toEqual([...alone].sort())
      }),
      { numRuns: 200 }
    )
  })

  it("finds a lost update's race in every schedule, even those in which nothing was lost", () => {
    const model = makeModel("lost update", (m) => {
      const x = m.actor(Cell.cellType, "x", 0)
      m.thread("A", () => unlocked(x))
      m.thread("B", () => unlocked(x))
    })
    const schedules = everySchedule(model, {}, ({ log }) => {
      expect(raceIds(model, log)).toContain("data-race:x:A.write/B.write")
    })
    expect(schedules).toBe(6)
  })

  it("merges to the same list however the executions were split", () => {
    fc.assert(
      fc.property(randomModel, fc.nat(10), (model, cut) => {
        const seeds = Array.from({ length: 10 }, (_, i) => i)
        const observe = (part: ReadonlyArray<number>, first: number): DataRaces => {
          const races = new DataRaces(model)
          races.nextExecution = first
          for (const seed of part) randomLog(model, seed, { observers: [races] })
          return races
        }
        const merged = new DataRaces(model)
        merged.merge(observe(seeds.slice(cut), cut).list())
        merged.merge(observe(seeds.slice(0, cut), 0).list())
        expect(merged.list()).toEqual(observe(seeds, 0).list())
      }),
      { numRuns: 60 }
    )
  })

  it("sees a spawned thread's first step after the spawn, in a real execution", () => {
    const model = makeModel("spawn", (m) => {
      const x = m.actor(Cell.cellType, "x", 0)
      const child = m.thread("child", () => unlocked(x), { start: "spawned" })
      function* parent(): Path<void> {
        yield* ask(x, Cell.write, 1)
        yield* ask(child.actor, spawnThread)
        yield* ask(child.actor, joinThread)
        yield* ask(x, Cell.write, 2)
      }
      m.thread("parent", parent)
    })
    const races = new DataRaces(model)
    expect(new Executor(model, { observers: [races] }).run(new Sequential())._tag).toBe("Ok")
    expect(races.found).toBe(0)
  })
})
