/**
 * Threads run by random priorities. Before each access that conflicts with what another thread does, a thread draws a new
 * one, and so do those that are about to make an access with which it conflicts.
 *
 * That is POS (Yuan, Yang, Gu, CAV 2018), but for steps that conflict with nothing: they are done with the one before
 * them, so that the few conflicts among many steps still come in all orders. What conflicts comes from the profile.
 */
import { type Ask, conflicts } from "../Ask.ts"
import { Prng } from "../Prng.ts"
import { emptyProfile, type Profile } from "../Profile.ts"
import type { Strategy, View } from "../Strategy.ts"
import { meetsAnother } from "./Conflicts.ts"
import { lowestRank } from "./Orders.ts"
import { Streak } from "./Streak.ts"

export class Draws implements Strategy {
  readonly name = "draws"
  private readonly prng = new Prng()
  private profile: Profile = emptyProfile
  private fresh = true
  private ranks = new Float64Array(0)
  /** Threads that have drawn for the access they are about to make. */
  private drawn = new Uint8Array(0)
  private readonly streak = new Streak()
  private bottom = 1

  begin(seed: number, profile: Profile): void {
    this.prng.seed(seed)
    this.profile = profile
    this.fresh = true
  }

  pick(view: View): number {
    if (this.fresh) this.prepare(view.threadCount)
    const { drawn, prng, profile, ranks } = this
    for (;;) {
      const best = lowestRank(ranks, view.enabled, view.enabledCount)
      const thread = view.enabled[best]!
      if (this.streak.spins(thread)) {
        ranks[thread] = ++this.bottom
        continue
      }
      if (drawn[thread] === 1 || !meetsAnother(profile, view.pending(thread), thread)) return best
      drawn[thread] = 1
      ranks[thread] = prng.unit()
    }
  }

  choose(n: number): number {
    return this.prng.below(n)
  }

  ran(thread: number, ask: Ask<unknown>, view: View): void {
    if (this.fresh) this.prepare(view.threadCount)
    const { drawn, prng, ranks } = this
    drawn[thread] = 0
    this.streak.ran(thread)
    for (let other = 0; other < view.threadCount; other++) {
      if (other === thread) continue
      const pending = view.pending(other) as Ask<unknown> | undefined
      if (pending === undefined || !conflicts(ask, pending)) continue
      drawn[other] = 1
      ranks[other] = prng.unit()
    }
  }

  private prepare(threads: number): void {
    this.fresh = false
    this.streak.begin()
    this.bottom = 1
    if (this.ranks.length !== threads) {
      this.ranks = new Float64Array(threads)
      this.drawn = new Uint8Array(threads)
    }
    for (let thread = 0; thread < threads; thread++) this.ranks[thread] = this.prng.unit()
    this.drawn.fill(0)
  }
}
