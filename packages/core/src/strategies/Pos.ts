/**
 * Partial order sampling (Yuan, Yang, Gu, CAV 2018): every pending operation has a uniform priority, the highest
 * enabled one runs, and what races with it draws a new one. Needs no estimate of lengths.
 */
import { type Ask, conflicts } from "../Ask.ts"
import { Prng } from "../Prng.ts"
import type { Strategy, View } from "../Strategy.ts"

export class Pos implements Strategy {
  readonly name = "pos"
  private readonly prng = new Prng()
  private priorities = new Float64Array(0)
  private fresh = true

  begin(seed: number): void {
    this.prng.seed(seed)
    this.fresh = true
  }

  pick(view: View): number {
    if (this.fresh) this.draw(view.threadCount)
    const { enabled, enabledCount } = view
    let best = 0
    for (let i = 1; i < enabledCount; i++) {
      if (this.priorities[enabled[i]!]! > this.priorities[enabled[best]!]!) best = i
    }
    return best
  }

  choose(n: number): number {
    return this.prng.below(n)
  }

  ran(thread: number, ask: Ask<unknown>, view: View): void {
    if (this.fresh) this.draw(view.threadCount)
    const { priorities, prng } = this
    // The next operation of this thread is a new one.
    priorities[thread] = prng.unit()
    for (let other = 0; other < view.threadCount; other++) {
      if (other === thread) continue
      const pending = view.pending(other) as Ask<unknown> | undefined
      if (pending !== undefined && conflicts(ask, pending)) priorities[other] = prng.unit()
    }
  }

  private draw(threads: number): void {
    if (this.priorities.length !== threads) this.priorities = new Float64Array(threads)
    for (let i = 0; i < threads; i++) this.priorities[i] = this.prng.unit()
    this.fresh = false
  }
}
