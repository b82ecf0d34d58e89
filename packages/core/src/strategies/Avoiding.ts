/** A strategy that is not offered what was executed already; several may share what is known of that. */
import type { Ask } from "../Ask.ts"
import type { Profile } from "../Profile.ts"
import type { Strategy, View } from "../Strategy.ts"
import type { Unseen } from "./Unseen.ts"

export class Avoiding implements Strategy {
  readonly name: string
  private readonly inner: Strategy
  private readonly unseen: Unseen

  constructor(inner: Strategy, unseen: Unseen) {
    // Not the inner one's name: what is proved of that does not hold for this.
    this.name = `new ${inner.name}`
    this.inner = inner
    this.unseen = unseen
  }

  begin(seed: number, profile: Profile): void {
    this.unseen.begin()
    this.inner.begin(seed, profile)
  }

  pick(view: View): number {
    return this.unseen.pick(view, this.pickInner)
  }

  choose(n: number, view: View): number {
    this.unseen.passData()
    return this.inner.choose(n, view)
  }

  ran(thread: number, ask: Ask<unknown>, view: View): void {
    this.unseen.ran(thread, ask, view)
    this.inner.ran?.(thread, ask, view)
  }

  private readonly pickInner = (view: View): number => this.inner.pick(view)
}
