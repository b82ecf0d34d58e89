/**
 * Uniform random walk over interleavings (ASPLOS 2025): a thread is chosen with a probability proportional to the
 * events it still has. Exactly uniform for straight-line threads that never wait and whose lengths are known.
 */
import type { Ask } from "../Ask.ts"
import { Prng } from "../Prng.ts"
import { emptyProfile, type Profile } from "../Profile.ts"
import type { Strategy, View } from "../Strategy.ts"
import { Remaining } from "./Remaining.ts"

export class Urw implements Strategy {
  readonly name = "urw"
  private readonly prng = new Prng()
  private readonly remaining = new Remaining()
  private profile: Profile = emptyProfile
  private fresh = true

  begin(seed: number, profile: Profile): void {
    this.prng.seed(seed)
    this.profile = profile
    this.fresh = true
  }

  pick(view: View): number {
    if (this.fresh) this.prepare(view.threadCount)
    const { remaining } = this
    const { enabled, enabledCount } = view
    let sum = 0
    for (let i = 0; i < enabledCount; i++) remaining.seen(enabled[i]!)
    // A thread that is longer than its estimate counts as one event: it can always be chosen.
    for (let i = 0; i < enabledCount; i++) sum += Math.max(1, remaining.counts[enabled[i]!]!)
    let ticket = this.prng.unit() * sum
    for (let i = 0; i < enabledCount - 1; i++) {
      ticket -= Math.max(1, remaining.counts[enabled[i]!]!)
      if (ticket < 0) return i
    }
    return enabledCount - 1
  }

  choose(n: number): number {
    return this.prng.below(n)
  }

  ran(thread: number, _ask: Ask<unknown>, view: View): void {
    if (this.fresh) this.prepare(view.threadCount)
    this.remaining.seen(thread)
    this.remaining.done(thread)
  }

  private prepare(threads: number): void {
    this.remaining.begin(threads, this.profile, (t) => this.profile.stepsOf[t] ?? 0)
    this.fresh = false
  }
}
