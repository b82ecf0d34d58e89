/**
 * Probabilistic concurrency testing (Burckhardt et al., ASPLOS 2010).
 *
 * Threads have distinct random priorities, the highest enabled one runs; at d - 1 random points the running thread
 * falls below all others. With n threads and k points a bug of depth d is hit with probability at least
 * 1 / (n * k^(d-1)) in each execution. Only contested points (two or more enabled threads) count for k: elsewhere a
 * change of priority would change nothing, and a smaller k is a larger bound. k comes from the profile.
 */
import { Prng } from "../Prng.ts"
import type { Ask } from "../Ask.ts"
import type { Profile } from "../Profile.ts"
import type { Strategy, View } from "../Strategy.ts"

/** k while nothing is known about the program. */
const firstGuess = 32
/** A thread that has moved this often without another one moving spins: it falls to the bottom. */
const patience = 1000

export class Pct implements Strategy {
  readonly name: string
  readonly depth: number
  /** The k of the current execution. */
  k = firstGuess
  private readonly prng = new Prng()
  private readonly changePoints: Int32Array
  /** The priority that each change point gives, 1 .. d - 1 in random order. */
  private readonly lowered: Int32Array
  private priorities = new Int32Array(0)
  private fresh = true
  private point = 0
  private nextChange = 0
  private bottom = 0
  private runner = -1
  private streak = 0

  /** `depth` is d >= 1: the number of ordering constraints aimed at. */
  constructor(depth: number) {
    this.depth = depth
    this.name = `pct:${depth}`
    this.changePoints = new Int32Array(depth - 1)
    this.lowered = new Int32Array(depth - 1)
  }

  begin(seed: number, profile: Profile): void {
    this.prng.seed(seed)
    this.k = profile.choices > 0 ? profile.choices : profile.steps > 0 ? profile.steps : firstGuess
    this.fresh = true
    this.point = 0
    this.nextChange = 0
    this.bottom = 0
    this.runner = -1
    this.streak = 0
    this.drawChangePoints()
    this.drawLowered()
  }

  pick(view: View): number {
    if (this.fresh) this.drawPriorities(view.threadCount)
    let best = this.highest(view)
    const changes = this.changePoints
    // The paper draws the points unordered and numbers them as drawn: a later point may lower below an earlier one.
    // Were they numbered in their order, a thread lowered first could never run again before one lowered later.
    while (this.nextChange < changes.length && changes[this.nextChange]! <= this.point) {
      this.priorities[view.enabled[best]!] = this.lowered[this.nextChange++]!
      best = this.highest(view)
    }
    this.point++
    if (this.streak > patience && view.enabled[best] === this.runner) {
      this.priorities[this.runner] = --this.bottom
      this.streak = 0
      best = this.highest(view)
    }
    return best
  }

  choose(n: number): number {
    return this.prng.below(n)
  }

  ran(thread: number, _ask: Ask<unknown>): void {
    if (thread === this.runner) this.streak++
    else {
      this.runner = thread
      this.streak = 0
    }
  }

  private highest(view: View): number {
    const { enabled, enabledCount } = view
    let best = 0
    for (let i = 1; i < enabledCount; i++) {
      if (this.priorities[enabled[i]!]! > this.priorities[enabled[best]!]!) best = i
    }
    return best
  }

  /** Distinct and ascending (Floyd's sampling, kept sorted); past the end of k only when d - 1 exceeds k. */
  private drawChangePoints(): void {
    const { changePoints, k, prng } = this
    const wanted = changePoints.length
    const range = Math.max(k, wanted)
    for (let count = 0; count < wanted; count++) {
      const limit = range - wanted + count
      let value = Math.floor(prng.unit() * (limit + 1))
      for (let i = 0; i < count; i++) if (changePoints[i] === value) value = limit
      let i = count
      for (; i > 0 && changePoints[i - 1]! > value; i--) changePoints[i] = changePoints[i - 1]!
      changePoints[i] = value
    }
  }

  private drawLowered(): void {
    const { lowered, prng } = this
    for (let i = 0; i < lowered.length; i++) {
      const j = Math.floor(prng.unit() * (i + 1))
      lowered[i] = lowered[j]!
      lowered[j] = i + 1
    }
  }

  private drawPriorities(threads: number): void {
    if (this.priorities.length !== threads) this.priorities = new Int32Array(threads)
    const { depth, priorities, prng } = this
    for (let i = 0; i < threads; i++) {
      const j = Math.floor(prng.unit() * (i + 1))
      priorities[i] = priorities[j]!
      priorities[j] = depth + i
    }
    this.fresh = false
  }
}
