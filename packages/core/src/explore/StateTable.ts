/**
 * The states seen so far, each with one small number. Full keys first: no state is ever mistaken for another. Beyond
 * `fullStates` of them the table keeps 52-bit hashes only (hash compaction, Wolper and Leroy, CAV'93), at 12 bytes for
 * each place: two states may then be taken for one and what follows from the second is omitted. With n states the
 * expected number of such pairs is n(n-1)/2^53, which also bounds the probability that there is any.
 */

export interface StateTableOptions {
  /** States held by full keys; default 1,000,000. */
  readonly fullStates?: number
  /** States held at all; `put` returns false beyond. Default 50,000,000. */
  readonly maxStates?: number
}

export class StateTable {
  /** States held. */
  size = 0
  private full: Map<string, number> | undefined = new Map()
  private readonly fullStates: number
  private readonly maxStates: number
  /** Hash + 1; 0 is an empty place. */
  private hashes = new Float64Array(0)
  private numbers = new Int32Array(0)
  private mask = 0

  constructor(options: StateTableOptions = {}) {
    this.fullStates = options.fullStates ?? 1_000_000
    this.maxStates = options.maxStates ?? 50_000_000
  }

  /** Full keys were given up. */
  get compacted(): boolean {
    return this.full === undefined
  }

  /** Bound on the probability that a state was taken for another and left out. */
  get omission(): number {
    return this.compacted ? Math.min(1, (this.size * (this.size - 1)) / 2 ** 53) : 0
  }

  /** The number kept for the state; undefined when it was not seen. */
  get(key: string): number | undefined {
    if (this.full !== undefined) return this.full.get(key)
    const at = this.find(hashOf(key))
    return this.hashes[at] === 0 ? undefined : this.numbers[at]
  }

  /** Keeps a number for the state. False: no room for another state. */
  put(key: string, number: number): boolean {
    if (this.full !== undefined) {
      if (this.size >= this.maxStates && !this.full.has(key)) return false
      this.full.set(key, number)
      this.size = this.full.size
      if (this.size > this.fullStates) this.compact()
      return true
    }
    return this.store(hashOf(key), number)
  }

  private compact(): void {
    const full = this.full!
    this.full = undefined
    this.size = 0
    this.resize(2 ** Math.ceil(Math.log2(full.size * 4)))
    for (const [key, number] of full) this.store(hashOf(key), number)
  }

  private store(hash: number, number: number): boolean {
    const at = this.find(hash)
    if (this.hashes[at] === 0) {
      if (this.size >= this.maxStates) return false
      this.hashes[at] = hash
      this.numbers[at] = number
      if (++this.size * 2 > this.mask) this.resize((this.mask + 1) * 2)
    } else this.numbers[at] = number
    return true
  }

  private find(hash: number): number {
    let at = (hash % 2 ** 32 ^ (hash / 2 ** 20)) & this.mask
    while (this.hashes[at] !== 0 && this.hashes[at] !== hash) at = (at + 1) & this.mask
    return at
  }

  private resize(places: number): void {
    const { hashes, numbers } = this
    this.hashes = new Float64Array(places)
    this.numbers = new Int32Array(places)
    this.mask = places - 1
    for (let i = 0; i < hashes.length; i++) {
      if (hashes[i] === 0) continue
      const at = this.find(hashes[i]!)
      this.hashes[at] = hashes[i]!
      this.numbers[at] = numbers[i]!
    }
  }
}

/** 1 to 2^52: two lanes of MurmurHash3's mixing over the characters. */
const hashOf = (key: string): number => {
  let a = 0x2545f491
  let b = 0x6c8e9cf5
  for (let i = 0; i < key.length; i++) {
    const c = key.charCodeAt(i)
    a = Math.imul(a ^ c, 0xcc9e2d51)
    a = (a << 15) | (a >>> 17)
    b = Math.imul(b ^ c, 0x1b873593)
    b = (b << 13) | (b >>> 19)
  }
  return (mix(b) & 0xf_ffff) * 0x1_0000_0000 + (mix(a ^ b) >>> 0) + 1
}

const mix = (hash: number): number => {
  let h = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
