/**
 * A strategy picks the next thread among the enabled ones. It is a pure function of its parameters, its
 * seed and the choices made so far in the execution: no clock, no other source of numbers.
 *
 * Adding one is one file in strategies/ and one line in its index.
 */
import type { Ask } from "./Ask.ts"
import type { Profile } from "./Profile.ts"

/** What a strategy sees at a scheduling point. Reused: read it, do not keep it. */
export interface View {
  /** Thread ids that can move, ascending; the first `enabledCount` entries are valid. */
  readonly enabled: ArrayLike<number>
  readonly enabledCount: number
  /** The thread that moved last, -1 at the start. */
  readonly last: number
  /** Steps done so far. */
  readonly step: number
  readonly threadCount: number
  /** The pending ask of a live thread (also of a blocked one). */
  pending(thread: number): Ask<unknown>
  isEnabled(thread: number): boolean
}

export interface Strategy {
  readonly name: string
  /** Starts a new execution. `seed` is a 32-bit number derived from the campaign's seed and the execution's index. */
  begin(seed: number, profile: Profile): void
  /** Index into `view.enabled`, 0..enabledCount-1. Called only when at least two threads can move. */
  pick(view: View): number
  /** A data choice 0..n-1, n >= 2. */
  choose(n: number, view: View): number
  /** Told after every step (also forced ones), with the ask that ran. Optional: strategies that do not need it omit it. */
  ran?(thread: number, ask: Ask<unknown>, view: View): void
}
