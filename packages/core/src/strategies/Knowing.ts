/**
 * A strategy that goes by another profile than the one of its time, for example by what the first execution showed.
 *
 * A profile grows to the most steps ever seen, and the longest path of a thread can be one that it takes alone, when all
 * others have ended.
 */
import type { Ask } from "../Ask.ts"
import type { Profile } from "../Profile.ts"
import type { Strategy, View } from "../Strategy.ts"

export class Knowing implements Strategy {
  readonly name: string
  private readonly inner: Strategy
  private readonly known: (now: Profile) => Profile

  constructor(inner: Strategy, known: (now: Profile) => Profile) {
    this.name = inner.name
    this.inner = inner
    this.known = known
  }

  begin(seed: number, profile: Profile): void {
    this.inner.begin(seed, this.known(profile))
  }

  pick(view: View): number {
    return this.inner.pick(view)
  }

  choose(n: number, view: View): number {
    return this.inner.choose(n, view)
  }

  ran(thread: number, ask: Ask<unknown>, view: View): void {
    this.inner.ran?.(thread, ask, view)
  }
}
