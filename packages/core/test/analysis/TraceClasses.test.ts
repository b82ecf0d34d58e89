import * as fc from "fast-check"
import {
  type Actor,
  ask,
  Cell,
  chooseNumber,
  conflicts,
  type Log,
  type Model,
  TraceClasses,
  traceHash
} from "@mmrace/core"
import { describe, expect, it } from "vitest"
import {
  everySchedule,
  inc,
  incrementers,
  lastzero,
  lockinc,
  logOf,
  nesting,
  philosophers,
  randomLog,
  randomModel,
  readers
} from "./support.ts"

/** Executes every schedule; returns schedules and classes. */
const enumerate = (model: Model) => {
  const classes = new TraceClasses(model)
  const schedules = everySchedule(model, { observers: [classes] })
  return { schedules, classes: classes.counts.distinct }
}

describe("number of traces over all schedules", () => {
  // Exact counts of GenMC's tests/correct under sequential consistency.
  const published: ReadonlyArray<readonly [name: string, model: Model, traces: number]> = [
    ["ainc(2)", incrementers(2, 1), 2],
    ["ainc(3)", incrementers(3, 1), 6],
    ["ainc(5)", incrementers(5, 1), 120],
    ["binc(2)", incrementers(2, 2), 4],
    ["binc(3)", incrementers(3, 2), 36],
    ["cinc(2)", incrementers(2, 3), 8],
    ["cinc(3)", incrementers(3, 3), 216],
    ["readers(2)", readers(2), 4],
    ["readers(4)", readers(4), 16],
    ["inc(2)", inc(2), 4],
    ["inc(3)", inc(3), 36],
    ["lockinc(3)", lockinc(3), 6],
    ["lastzero(3)", lastzero(3), 12],
    ["lastzero(4)", lastzero(4), 28],
    ["deadlock01", nesting([0, 1], [1, 0]), 3],
    ["philosophers(3)", philosophers(3), 7]
  ]
  it.each(published)("%s", (_, model, traces) => {
    expect(enumerate(model).classes).toBe(traces)
  })

  it("is smaller than the number of schedules", () => {
    expect(enumerate(incrementers(3, 2))).toEqual({ schedules: 90, classes: 36 })
  })
})

const swap = (log: Log, at: number): Log => {
  const swapped = <T>(list: ReadonlyArray<T>): Array<T> => {
    const copy = list.slice()
    copy[at] = list[at + 1]!
    copy[at + 1] = list[at]!
    return copy
  }
  return { length: log.length, threads: swapped(log.threads), asks: swapped(log.asks), results: swapped(log.results) }
}

describe("the hash of a trace", () => {
  const logs = fc.tuple(randomModel, fc.nat()).map(([model, seed]) => ({ model, log: randomLog(model, seed) }))

  it("is kept by swapping adjacent independent steps and changed by swapping dependent ones", () => {
    let kept = 0
    let changed = 0
    fc.assert(
      fc.property(logs, ({ log, model }) => {
        const hash = traceHash(model, log)
        for (let i = 0; i + 1 < log.length; i++) {
          if (log.threads[i] === log.threads[i + 1]) continue
          const dependent = conflicts(log.asks[i]!, log.asks[i + 1]!)
          expect(traceHash(model, swap(log, i)) === hash).toBe(!dependent)
          if (dependent) changed++
          else kept++
        }
      }),
      { numRuns: 300 }
    )
    expect(kept).toBeGreaterThan(500)
    expect(changed).toBeGreaterThan(50)
  })

  it("tells steps on different locations, of different commands, threads and choices apart", () => {
    const model = incrementers(2, 2)
    const [x, y] = [model.actorNamed("x0")!, model.actorNamed("x1")!] as unknown as ReadonlyArray<Actor<number>>
    const choice = ask(model.actorNamed("choice")! as unknown as Actor<null>, chooseNumber, 3)
    const steps: ReadonlyArray<Parameters<typeof logOf>[0][number]> = [
      [0, ask(x!, Cell.load)],
      [0, ask(y!, Cell.load)],
      [0, ask(x!, Cell.read)],
      [1, ask(x!, Cell.load)],
      [0, choice, 1],
      [0, choice, 2]
    ]
    expect(new Set(steps.map((step) => traceHash(model, logOf([step])))).size).toBe(steps.length)
  })

  it("is the one the observer computes, whatever ran before", () => {
    fc.assert(fc.property(randomModel, fc.array(fc.nat(), { minLength: 1, maxLength: 5 }), (model, seeds) => {
      const classes = new TraceClasses(model)
      for (const seed of seeds) {
        const log = randomLog(model, seed, { observers: [classes] })
        expect(classes.hash).toBe(traceHash(model, log))
        expect(Number.isSafeInteger(classes.hash)).toBe(true)
      }
      expect(classes.counts.executions).toBe(seeds.length)
    }))
  })
})

describe("counts of classes", () => {
  it("merge to the same multiset however the executions were split", () => {
    fc.assert(fc.property(randomModel, fc.array(fc.nat(), { maxLength: 30 }), fc.nat(30), (model, seeds, cut) => {
      const observe = (part: ReadonlyArray<number>): TraceClasses => {
        const classes = new TraceClasses(model)
        for (const seed of part) randomLog(model, seed, { observers: [classes] })
        return classes
      }
      const whole = observe(seeds)
      const merged = observe(seeds.slice(0, cut))
      merged.merge(observe(seeds.slice(cut)).export())
      expect(merged.export()).toEqual(whole.export())
      expect(merged.counts).toEqual(whole.counts)
      const { counts } = whole.export()
      expect(whole.counts.once).toBe(counts.filter((n) => n === 1).length)
      expect(whole.counts.twice).toBe(counts.filter((n) => n === 2).length)
    }))
  })
})
