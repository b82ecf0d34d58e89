/**
 * A multiset of whole numbers 0 .. 2^53 - 2 in typed arrays: open addressing, linear probing, no allocation
 * except when it grows. Knows at any time how many numbers were seen once and twice, which is what the estimators
 * of unseen mass need. Merging is addition, so it does not matter how the counting was split.
 */
export interface Counts {
  readonly keys: Float64Array
  /** Same index as `keys`; each at least 1. */
  readonly counts: Float64Array
}

export class CountTable {
  /** Distinct numbers. */
  distinct = 0
  /** Numbers seen exactly once, exactly twice. */
  once = 0
  twice = 0
  /** Sum of all counts. */
  total = 0
  private mask: number
  /** key + 1; 0 is an empty place. */
  private keys: Float64Array
  private counts: Float64Array

  constructor(capacity = 1024) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(16, capacity)))
    this.mask = size - 1
    this.keys = new Float64Array(size)
    this.counts = new Float64Array(size)
  }

  /** Counts `key` and returns how often it has been seen now. */
  add(key: number, by = 1): number {
    const stored = key + 1
    const { keys, counts, mask } = this
    let at = placeOf(stored) & mask
    let found = keys[at]!
    while (found !== stored && found !== 0) {
      at = (at + 1) & mask
      found = keys[at]!
    }
    const before = counts[at]!
    const after = before + by
    counts[at] = after
    this.total += by
    if (before < 3) this.tally(before, after)
    if (found === 0) {
      keys[at] = stored
      if (++this.distinct * 2 > mask) this.grow()
    }
    return after
  }

  countOf(key: number): number {
    const stored = key + 1
    let at = placeOf(stored) & this.mask
    while (this.keys[at] !== stored && this.keys[at] !== 0) at = (at + 1) & this.mask
    return this.counts[at]!
  }

  merge(other: Counts): void {
    for (let i = 0; i < other.keys.length; i++) this.add(other.keys[i]!, other.counts[i]!)
  }

  /** The contents, ascending by key: equal multisets give equal exports. */
  export(): Counts {
    const places = Array.from(this.keys.keys()).filter((at) => this.keys[at] !== 0).sort((a, b) =>
      this.keys[a]! - this.keys[b]!
    )
    return {
      keys: Float64Array.from(places, (at) => this.keys[at]! - 1),
      counts: Float64Array.from(places, (at) => this.counts[at]!)
    }
  }

  clear(): void {
    this.keys.fill(0)
    this.counts.fill(0)
    this.distinct =
      this.once =
      this.twice =
      this.total =
        0
  }

  private tally(before: number, after: number): void {
    if (before === 1) this.once--
    else if (before === 2) this.twice--
    if (after === 1) this.once++
    else if (after === 2) this.twice++
  }

  private grow(): void {
    const { keys: oldKeys, counts: oldCounts } = this
    const size = oldKeys.length * 2
    const mask = size - 1
    const keys = new Float64Array(size)
    const counts = new Float64Array(size)
    for (let i = 0; i < oldKeys.length; i++) {
      const stored = oldKeys[i]!
      if (stored === 0) continue
      let at = placeOf(stored) & mask
      while (keys[at] !== 0) at = (at + 1) & mask
      keys[at] = stored
      counts[at] = oldCounts[i]!
    }
    this.mask = mask
    this.keys = keys
    this.counts = counts
  }
}

const placeOf = (key: number): number => {
  let h = Math.imul((key | 0) ^ Math.imul((key * 2 ** -32) | 0, 0x85ebca6b), 0x9e3779b1)
  h ^= h >>> 15
  return Math.imul(h, 0xc2b2ae35) >>> 4
}
