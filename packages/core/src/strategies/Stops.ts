/**
 * Threads run one after the other, and at one place or two the one that runs is stopped: it goes behind all others.
 *
 * The executions are those of PCT (Burckhardt et al., ASPLOS 2010), but for three things: a place is a thread and a
 * number of its own steps, so that none is spent on what the order of the threads moved out of reach; the thread of the
 * first place runs first; and first places are spread evenly over the executions instead of drawn for each. A bug that
 * shows when one thread is stopped within a twentieth of all steps is then met within some twenty executions, and not
 * only on average.
 *
 * Most of what a thread does where others ran to their ends before it, it does for that reason and undisturbed. So at first
 * places are those of the first execution that is known.
 */
import type { Ask } from "../Ask.ts"
import { Prng } from "../Prng.ts"
import { emptyProfile, type Profile } from "../Profile.ts"
import type { Strategy, View } from "../Strategy.ts"
import { lowestRank, randomRanks } from "./Orders.ts"
import { Streak } from "./Streak.ts"

const mostStops = 2
/** One in so many executions has two places: what takes two is rarer, and a second stop can undo what the first one led to. */
const withTwo = 4
/** Executions of which the places are those of the first one known, when earlier executions count. */
const early = 64
/** Steps of a thread of which nothing is known. */
const firstGuess = 8

/** Multiples of it, modulo 1, are the most evenly spread of all (Knuth, TAOCP 3, section 6.4, theorem S). */
const golden = (Math.sqrt(5) - 1) / 2

export class Stops implements Strategy {
  readonly name = "stops"
  private readonly prng = new Prng()
  /** Executions depend on earlier ones: first places are spread over them. */
  private readonly remembers: boolean
  /** The first place, as a fraction of all. */
  private first = -1
  private profile: Profile = emptyProfile
  /** What was known first, and executions since. */
  private original: Profile = emptyProfile
  private executions = 0
  private fresh = true
  private ranks: Int32Array = new Int32Array(0)
  private moves = new Int32Array(0)
  /** Places that are left: the thread, -1 once it was stopped there, and after how many steps of its own. */
  private readonly threads = new Int32Array(mostStops)
  private readonly after = new Int32Array(mostStops)
  private stops = 0
  private readonly streak = new Streak()
  private bottom = 0

  constructor(remembers: boolean) {
    this.remembers = remembers
  }

  begin(seed: number, profile: Profile): void {
    this.prng.seed(seed)
    if (this.original.threads === 0) this.original = profile
    this.profile = this.remembers && this.executions++ < early ? this.original : profile
    this.fresh = true
  }

  pick(view: View): number {
    if (this.fresh) this.prepare(view.threadCount)
    const { enabled, enabledCount } = view
    for (;;) {
      const best = lowestRank(this.ranks, enabled, enabledCount)
      const thread = enabled[best]!
      if (!this.streak.spins(thread) && !this.isPlace(thread)) return best
      this.ranks[thread] = ++this.bottom
    }
  }

  choose(n: number): number {
    return this.prng.below(n)
  }

  ran(thread: number, _ask: Ask<unknown>, view: View): void {
    if (this.fresh) this.prepare(view.threadCount)
    this.moves[thread]!++
    this.streak.ran(thread)
  }

  /** Whether the thread is to be stopped where it is; each place counts once. */
  private isPlace(thread: number): boolean {
    for (let i = 0; i < this.stops; i++) {
      if (this.threads[i] !== thread || this.moves[thread]! < this.after[i]!) continue
      this.threads[i] = -1
      return true
    }
    return false
  }

  private prepare(threads: number): void {
    this.fresh = false
    this.streak.begin()
    this.bottom = threads
    if (this.moves.length !== threads) this.moves = new Int32Array(threads)
    this.moves.fill(0)
    this.ranks = randomRanks(this.prng, threads)
    this.placeAll(threads)
    this.ranks[this.threads[0]!] = -1
  }

  private placeAll(threads: number): void {
    const { prng, remembers } = this
    this.stops = prng.below(withTwo) === 0 ? mostStops : 1
    this.first = this.first >= 0 && remembers ? (this.first + golden) % 1 : prng.unit()
    this.place(0, this.first, threads)
    for (let i = 1; i < this.stops; i++) {
      this.place(i, prng.unit(), threads)
      // The first stop is to be where it was put.
      if (this.threads[i] === this.threads[0] && this.after[i]! <= this.after[0]!) this.threads[i] = -1
    }
  }

  /** A stop before the first step of a thread, or behind its last one, is none. */
  private place(i: number, fraction: number, threads: number): void {
    let at = Math.floor(fraction * this.total(threads))
    for (let thread = 0; thread < threads; thread++) {
      const places = this.placesOf(thread)
      if (at < places) {
        this.threads[i] = thread
        this.after[i] = at + 1
        return
      }
      at -= places
    }
    this.threads[i] = this.prng.below(threads)
    this.after[i] = 1
  }

  private total(threads: number): number {
    let sum = 0
    for (let thread = 0; thread < threads; thread++) sum += this.placesOf(thread)
    return sum
  }

  private placesOf(thread: number): number {
    return Math.max(0, (this.profile.stepsOf[thread] ?? firstGuess) - 1)
  }
}
