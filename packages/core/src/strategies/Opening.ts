/**
 * The first execution, of a program of which nothing is known: all threads side by side. In the first turns the
 * threads move one after the other, so that all have read before one writes, and all hold a first lock before one asks
 * for a second; later, where threads of different lengths are apart anyway, the order is more and more a random one.
 */
import { Prng } from "../Prng.ts"
import type { Strategy, View } from "../Strategy.ts"
import { randomRanks } from "./Orders.ts"

/** Steps of a thread that count as its first turns. */
const firstTurns = 4
/** How often the next thread is a random one, in the first turns and behind them. */
const earlyNoise = 0.1
const lateNoise = 0.6

export class Opening implements Strategy {
  readonly name = "opening"
  private readonly prng = new Prng()
  private ranks: Int32Array = new Int32Array(0)
  private moves = new Int32Array(0)
  private fresh = true

  begin(seed: number): void {
    this.prng.seed(seed)
    this.fresh = true
  }

  pick(view: View): number {
    if (this.fresh) this.prepare(view.threadCount)
    const { enabledCount, last } = view
    if (last >= 0) {
      const noise = this.moves[last]! > firstTurns ? lateNoise : earlyNoise
      if (this.prng.unit() < noise) return this.prng.below(enabledCount)
    }
    return this.next(view)
  }

  choose(n: number): number {
    return this.prng.below(n)
  }

  ran(thread: number, _ask: unknown, view: View): void {
    if (this.fresh) this.prepare(view.threadCount)
    this.moves[thread]!++
  }

  /** The enabled thread that comes next after the last one, in a circle. */
  private next({ enabled, enabledCount, last, threadCount }: View): number {
    const from = last < 0 ? threadCount - 1 : this.ranks[last]!
    let best = 0
    let least = threadCount
    for (let i = 0; i < enabledCount; i++) {
      const distance = (this.ranks[enabled[i]!]! - from - 1 + threadCount) % threadCount
      if (distance >= least) continue
      least = distance
      best = i
    }
    return best
  }

  private prepare(threads: number): void {
    this.fresh = false
    this.ranks = randomRanks(this.prng, threads)
    if (this.moves.length !== threads) this.moves = new Int32Array(threads)
    this.moves.fill(0)
  }
}
