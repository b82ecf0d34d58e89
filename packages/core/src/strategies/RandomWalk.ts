/** Uniform random walk: every enabled thread is equally likely at every point (PEERS-known baseline). */
import { Prng } from "../Prng.ts"
import type { Strategy, View } from "../Strategy.ts"

export class RandomWalk implements Strategy {
  readonly name = "random"
  private readonly prng = new Prng()

  begin(seed: number): void {
    this.prng.seed(seed)
  }

  pick(view: View): number {
    return this.prng.below(view.enabledCount)
  }

  choose(n: number): number {
    return this.prng.below(n)
  }
}
