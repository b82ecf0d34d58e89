/** The number of executions equals the published number of equivalence classes, and none is sleep-set blocked. */
import type { Model } from "@mmrace/core"
import { describe, expect, test } from "vitest"
import { explore } from "@mmrace/core/explore/Explore"
import { classesOf } from "./support.ts"
import * as P from "./oracles.ts"

const published: ReadonlyArray<readonly [Model, number]> = [
  [P.counters(3, 1), 6],
  [P.counters(4, 1), 24],
  [P.counters(7, 1), 5040],
  [P.counters(2, 2), 4],
  [P.counters(3, 2), 36],
  [P.counters(4, 2), 576],
  [P.counters(2, 3), 8],
  [P.counters(3, 3), 216],
  [P.counters(4, 3), 13824],
  [P.readers(2), 4],
  [P.readers(8), 256],
  [P.readers(13), 8192],
  [P.inc(2), 4],
  [P.inc(3), 36],
  [P.lockInc(3), 6],
  [P.lastZero(3), 12],
  [P.lastZero(4), 28],
  [P.lastZero(5), 64],
  [P.lastZero(10), 3328],
  [P.indexer(11), 1],
  [P.indexer(12), 8],
  [P.indexer(15), 4096],
  [P.filesystem(16), 8],
  [P.filesystem(18), 32],
  [P.filesystem(20), 128],
  ...[2, 5, 14, 43, 144, 523, 2048].map((n, i): readonly [Model, number] => [P.casRot(i + 2), n]),
  [P.account(), 6],
  [P.lazy01(), 6],
  [P.deadlock01(), 3],
  [P.philosophers(3), 7],
  [P.philosophers(4), 15],
  [P.philosophers(6), 63],
  [P.twoStage(1), 3],
  [P.twoStage(3), 900],
  [P.bluetooth(), 10],
  [P.stack(4), 54],
  [P.stack(10), 68677]
]

describe("optimal DPOR: as many executions as published", () => {
  test.each(published.map(([model, count]) => ({ name: model.name, model, count })))(
    "$name: $count",
    ({ count, model }) => {
      const { counts: { blocked, executions } } = explore(model, { reduction: "optimal", silentStores: "write" }, {
        cutAtFailure: true
      })
      expect({ executions, blocked }).toEqual({ executions: count, blocked: 0 })
    }
  )
})

/** Classes that have a schedule of at most 0, 1, 2, ... preemptions: GenMC's numbers for its bounded search. */
const bounded: ReadonlyArray<readonly [Model, ReadonlyArray<number>]> = [
  [P.counters(2, 2), [2, 4]],
  [P.counters(3, 2), [6, 24, 36]],
  [P.counters(2, 3), [2, 6, 8]],
  [P.counters(3, 3), [6, 42, 120, 192, 216]]
]

test.each(bounded.map(([model, counts]) => ({ name: model.name, model, counts })))(
  "$name: as many classes within each number of preemptions as published",
  ({ counts, model }) => {
    const classes = [...classesOf(model, 10_000)!.values()]
    expect(counts.map((_, bound) => classes.filter((fewest) => fewest <= bound).length)).toEqual(counts)
    expect(classes.length).toBe(counts.at(-1))
  }
)
