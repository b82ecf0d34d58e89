/** Random orders of the threads. */
import type { Prng } from "../Prng.ts"

/** The rank of each thread in a random order. */
export const randomRanks = (prng: Prng, threads: number): Int32Array => {
  const ranks = new Int32Array(threads)
  for (let i = 0; i < threads; i++) {
    const j = Math.floor(prng.unit() * (i + 1))
    ranks[i] = ranks[j]!
    ranks[j] = i
  }
  return ranks
}

/** Index of the enabled thread with the lowest rank. */
export const lowestRank = (
  ranks: ArrayLike<number>,
  enabled: ArrayLike<number>,
  enabledCount: number
): number => {
  let best = 0
  for (let i = 1; i < enabledCount; i++) if (ranks[enabled[i]!]! < ranks[enabled[best]!]!) best = i
  return best
}
