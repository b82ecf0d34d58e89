import * as fc from "fast-check"
import { Coverage, locationOf, type Log, type Model } from "@mmrace/core"
import { describe, expect, it } from "vitest"
import { incrementers, inc, randomLog, randomModel } from "./support.ts"

/** The definition, written down naively: text for each (writer, location, other) of different threads. */
const pairsOf = (model: Model, log: Log): Array<string> => {
  const lastWrite = new Map<number, number>()
  const found: Array<string> = []
  const name = (step: number): string => `${model.threads[log.threads[step]!]!.name}.${log.asks[step]!.command.name}`
  for (let step = 0; step < log.length; step++) {
    const location = locationOf(log.asks[step]!)
    const writer = lastWrite.get(location)
    if (writer !== undefined && log.threads[writer] !== log.threads[step]) {
      found.push(`${log.asks[step]!.actor.name}: ${name(writer)} -> ${name(step)}`)
    }
    if (log.asks[step]!.command.isWrite) lastWrite.set(location, step)
  }
  return found
}

const shown = (coverage: Coverage): Array<string> =>
  coverage.list().map((p) =>
    `${p.location}: ${p.writer.thread}.${p.writer.command} -> ${p.other.thread}.${p.other.command} x${p.count}`
  )

const counted = (pairs: ReadonlyArray<string>): Array<string> =>
  [...new Set(pairs)].map((pair) => `${pair} x${pairs.filter((p) => p === pair).length}`)

describe("Coverage", () => {
  it("holds exactly the pairs of the definition, over many executions", () => {
    let pairs = 0
    fc.assert(
      fc.property(randomModel, fc.array(fc.nat(), { minLength: 1, maxLength: 8 }), (model, seeds) => {
        const coverage = new Coverage(model)
        const expected: Array<string> = []
        for (const seed of seeds) expected.push(...pairsOf(model, randomLog(model, seed, { observers: [coverage] })))
        expect(shown(coverage).sort()).toEqual(counted(expected).sort())
        expect(coverage.pairs).toBe(new Set(expected).size)
        pairs += coverage.pairs
      }),
      { numRuns: 200 }
    )
    expect(pairs).toBeGreaterThan(100)
  })

  it("says how many pairs the last execution was the first to show", () => {
    const model = incrementers(2, 1)
    const coverage = new Coverage(model)
    const fresh = [0, 1, 2, 3, 4, 5, 6, 7].map((seed) => {
      randomLog(model, seed, { observers: [coverage] })
      return coverage.fresh
    })
    expect(fresh[0]).toBe(1)
    expect(fresh.filter((n) => n > 0)).toHaveLength(2)
    expect(coverage.pairs).toBe(2)
  })

  it("merges to the same set however the executions were split", () => {
    const model = inc(3)
    const seeds = Array.from({ length: 40 }, (_, i) => i)
    const observe = (part: ReadonlyArray<number>): Coverage => {
      const coverage = new Coverage(model)
      for (const seed of part) randomLog(model, seed, { observers: [coverage] })
      return coverage
    }
    const whole = observe(seeds)
    const merged = observe(seeds.slice(0, 13))
    merged.merge(observe(seeds.slice(13)).export())
    expect(merged.export()).toEqual(whole.export())
    expect(merged.list()).toEqual(whole.list())
  })
})
