/**
 * How many events each thread still has before it, by an earlier execution's count. A thread that has not been
 * spawned yet is counted with the thread that will spawn it (URW and SURW, ASPLOS 2025).
 */
import type { Profile } from "../Profile.ts"

export class Remaining {
  /** Events left, of a thread and of the children it has yet to spawn. */
  counts = new Float64Array(0)
  private born = new Uint8Array(0)
  private parents = new Int32Array(0)

  /** `own(thread)` is the thread's expected number of events without its children. */
  begin(threads: number, profile: Profile, own: (thread: number) => number): void {
    if (this.counts.length !== threads) {
      this.counts = new Float64Array(threads)
      this.born = new Uint8Array(threads)
      this.parents = new Int32Array(threads)
    }
    for (let t = 0; t < threads; t++) {
      this.parents[t] = profile.parentOf[t] ?? -1
      this.born[t] = this.parents[t]! < 0 ? 1 : 0
      this.counts[t] = own(t)
    }
    for (let t = 0; t < threads; t++) this.charge(t, own(t))
  }

  /** To be told of every thread that is enabled or runs: true when it was not known to be spawned before. */
  seen(thread: number): boolean {
    if (this.born[thread] === 1) return false
    this.born[thread] = 1
    this.charge(thread, -this.counts[thread]!)
    return true
  }

  parentOf(thread: number): number {
    return this.parents[thread]!
  }

  done(thread: number): void {
    this.counts[thread]!--
  }

  private charge(thread: number, amount: number): void {
    let at = this.parents[thread]!
    for (let hops = 0; at >= 0 && hops < this.counts.length; hops++) {
      this.counts[at]! += amount
      at = this.born[at] === 1 ? -1 : this.parents[at]!
    }
  }
}
