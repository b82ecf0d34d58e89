/**
 * Selectively uniform random walk (ASPLOS 2025): the order of the accesses to a few interesting locations is
 * uniform; everything else is ordered by random priorities.
 *
 * The interesting set is drawn anew for each execution from the locations that two or more threads touched.
 */
import { type Ask, locationOf } from "../Ask.ts"
import { Prng } from "../Prng.ts"
import { emptyProfile, type Profile } from "../Profile.ts"
import type { Strategy, View } from "../Strategy.ts"
import { Remaining } from "./Remaining.ts"

/** Half of the executions watch one location, the others two to this many. */
const largestSet = 4
/** A thread that has moved this often without another one moving spins: priorities are drawn again. */
const patience = 1000
const nobody = -1

export class Surw implements Strategy {
  readonly name = "surw"
  private readonly prng = new Prng()
  private readonly remaining = new Remaining()
  private priorities = new Float64Array(0)
  /** Threads whose interesting event is held back until the intended thread had its turn. */
  private held = new Uint8Array(0)
  private interesting: ReadonlyArray<number> = []
  private intended = nobody
  private profile: Profile = emptyProfile
  private fresh = true
  private runner = nobody
  private streak = 0

  begin(seed: number, profile: Profile): void {
    this.prng.seed(seed)
    this.profile = profile
    this.fresh = true
  }

  pick(view: View): number {
    if (this.fresh) this.prepare(view.threadCount)
    const { enabled, enabledCount } = view
    for (let i = 0; i < enabledCount; i++) this.meet(enabled[i]!)
    if (this.streak > patience) this.drawPriorities()
    for (;;) {
      if (this.intended === nobody) this.intend(view)
      const index = this.highestNotHeld(view)
      if (index < 0) {
        // All enabled threads are held back and the intended one cannot move: another one must be meant.
        this.intended = nobody
        this.held.fill(0)
        return this.drawAmongEnabled(view)
      }
      const thread = enabled[index]!
      if (thread === this.intended || !this.isInteresting(view.pending(thread))) return index
      this.held[thread] = 1
    }
  }

  choose(n: number): number {
    return this.prng.below(n)
  }

  ran(thread: number, ask: Ask<unknown>, view: View): void {
    if (this.fresh) this.prepare(view.threadCount)
    this.meet(thread)
    if (this.isInteresting(ask)) {
      this.remaining.done(thread)
      this.intended = nobody
      this.held.fill(0)
    }
    this.priorities[thread] = this.prng.unit()
    this.streak = thread === this.runner ? this.streak + 1 : 0
    this.runner = thread
  }

  private prepare(threads: number): void {
    if (this.priorities.length !== threads) {
      this.priorities = new Float64Array(threads)
      this.held = new Uint8Array(threads)
    }
    this.held.fill(0)
    this.drawPriorities()
    this.runner = nobody
    this.intended = nobody
    const { prng, profile } = this
    const shared = [...profile.sharedSteps.keys()]
    const size = shared.length < 2 || prng.below(2) === 0 ? 1 : 2 + prng.below(largestSet - 1)
    const chosen: Array<number> = []
    while (chosen.length < size && shared.length > 0) chosen.push(...shared.splice(prng.below(shared.length), 1))
    this.interesting = chosen
    this.remaining.begin(threads, profile, (t) => {
      let events = 0
      for (const location of chosen) events += profile.sharedSteps.get(location)?.[t] ?? 0
      return events
    })
    this.fresh = false
  }

  /** A child takes over its parent's turn with the share of the events that are its own. */
  private meet(thread: number): void {
    if (!this.remaining.seen(thread)) return
    const parent = this.remaining.parentOf(thread)
    if (this.intended !== parent) return
    const own = Math.max(0, this.remaining.counts[thread]!)
    const all = own + Math.max(0, this.remaining.counts[parent]!)
    if (all > 0 && this.prng.unit() * all < own) this.intended = thread
  }

  /** Draws the thread whose interesting event comes next, among those that are alive. */
  private intend(view: View): void {
    const { counts } = this.remaining
    let sum = 0
    for (let t = 0; t < view.threadCount; t++) if (isAlive(view, t)) sum += Math.max(0, counts[t]!)
    if (sum === 0) return
    let ticket = this.prng.unit() * sum
    for (let t = 0; t < view.threadCount; t++) {
      if (!isAlive(view, t) || counts[t]! <= 0) continue
      this.intended = t
      ticket -= counts[t]!
      if (ticket < 0) return
    }
  }

  private highestNotHeld(view: View): number {
    const { enabled, enabledCount } = view
    let best = -1
    for (let i = 0; i < enabledCount; i++) {
      const thread = enabled[i]!
      if (this.held[thread] === 1) continue
      if (best < 0 || this.priorities[thread]! > this.priorities[enabled[best]!]!) best = i
    }
    return best
  }

  private drawAmongEnabled(view: View): number {
    const { enabled, enabledCount } = view
    const { counts } = this.remaining
    let sum = 0
    for (let i = 0; i < enabledCount; i++) sum += Math.max(1, counts[enabled[i]!]!)
    let ticket = this.prng.unit() * sum
    for (let i = 0; i < enabledCount - 1; i++) {
      ticket -= Math.max(1, counts[enabled[i]!]!)
      if (ticket < 0) return i
    }
    return enabledCount - 1
  }

  private isInteresting(ask: Ask<unknown>): boolean {
    return this.interesting.length > 0 && this.interesting.includes(locationOf(ask))
  }

  private drawPriorities(): void {
    for (let i = 0; i < this.priorities.length; i++) this.priorities[i] = this.prng.unit()
    this.streak = 0
  }
}

const isAlive = (view: View, thread: number): boolean =>
  (view.pending(thread) as Ask<unknown> | undefined) !== undefined
