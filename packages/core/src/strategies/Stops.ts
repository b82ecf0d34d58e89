/**
 * Threads run one after the other, but that the first of them is stopped at one place, and goes behind all others.
 *
 * The executions are those of PCT with depth 2 (Burckhardt et al., ASPLOS 2010), but for two things. Each thread is the one
 * that is stopped equally often, however many steps it has: PCT's places are drawn from the steps of all threads, and a
 * thread of ten steps beside one of seventy is hardly ever stopped. And the places of a thread are spread evenly over the
 * executions instead of drawn for each, so that a bug that shows when the thread is stopped within a tenth of its steps is
 * met within some ten executions of it, and not only on average.
 */
import type { Ask } from "../Ask.ts"
import { Prng } from "../Prng.ts"
import { emptyProfile, type Profile } from "../Profile.ts"
import type { Strategy, View } from "../Strategy.ts"
import { lowestRank, randomRanks } from "./Orders.ts"
import { Streak } from "./Streak.ts"

/** Steps of a thread of which nothing is known. */
const firstGuess = 8

/** Multiples of it, modulo 1, are the most evenly spread of all (Knuth, TAOCP 3, section 6.4, theorem S). */
const golden = (Math.sqrt(5) - 1) / 2
const nobody = -1

export class Stops implements Strategy {
  readonly name = "stops"
  private readonly prng = new Prng()
  /** Executions depend on earlier ones: threads take turns, and places are spread over them. */
  private readonly remembers: boolean
  /** Threads that are still to be stopped before any is again. */
  private readonly turns: Array<number> = []
  /** The last place of each thread, as a fraction of its steps. */
  private readonly last: Array<number> = []
  private profile: Profile = emptyProfile
  private fresh = true
  private ranks: Int32Array = new Int32Array(0)
  /** The thread to be stopped, nobody once it was, and how many steps it has until then. */
  private stopped = nobody
  private left = 0
  private readonly streak = new Streak()
  private bottom = 0

  constructor(remembers: boolean) {
    this.remembers = remembers
  }

  begin(seed: number, profile: Profile): void {
    this.prng.seed(seed)
    this.profile = profile
    this.fresh = true
  }

  pick(view: View): number {
    if (this.fresh) this.prepare(view.threadCount)
    const { ranks } = this
    for (;;) {
      const best = lowestRank(ranks, view.enabled, view.enabledCount)
      const thread = view.enabled[best]!
      if (!this.streak.spins(thread) && !this.isPlace(thread)) return best
      ranks[thread] = ++this.bottom
    }
  }

  choose(n: number): number {
    return this.prng.below(n)
  }

  ran(thread: number, _ask: Ask<unknown>, view: View): void {
    if (this.fresh) this.prepare(view.threadCount)
    if (thread === this.stopped) this.left--
    this.streak.ran(thread)
  }

  /** Whether the thread is to be stopped where it is; that is so once. */
  private isPlace(thread: number): boolean {
    if (thread !== this.stopped || this.left > 0) return false
    this.stopped = nobody
    return true
  }

  private prepare(threads: number): void {
    this.fresh = false
    this.streak.begin()
    this.bottom = threads
    this.ranks = randomRanks(this.prng, threads)
    const stopped = this.turnOf(threads)
    this.stopped = stopped
    this.ranks[stopped] = -1
    this.left = 1 + Math.floor(this.fractionFor(stopped) * this.placesOf(stopped))
  }

  /** The thread to be stopped; a stop before its first step, or behind its last one, would be none. */
  private turnOf(threads: number): number {
    const { prng, remembers, turns } = this
    if (!remembers) turns.length = 0
    if (turns.length === 0) {
      for (let thread = 0; thread < threads; thread++) if (this.placesOf(thread) > 0) turns.push(thread)
    }
    if (turns.length === 0) return prng.below(threads)
    return turns.splice(prng.below(turns.length), 1)[0]!
  }

  private fractionFor(thread: number): number {
    const { last, prng, remembers } = this
    const before = last[thread]
    return last[thread] = remembers && before !== undefined ? (before + golden) % 1 : prng.unit()
  }

  private placesOf(thread: number): number {
    return Math.max(0, (this.profile.stepsOf[thread] ?? firstGuess) - 1)
  }
}
