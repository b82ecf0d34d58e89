/**
 * The states seen so far. Full rows first: no state is ever mistaken for another. When their rows would take more
 * than `fullBytes`, the rows are dropped and 64-bit hashes are kept (hash compaction, Wolper and Leroy, CAV'93): two
 * states may then be taken for one, and what follows from the second is omitted. With n states the expected number of
 * such pairs is n(n-1)/2^65, which also bounds the probability that there is any.
 */
import { hashOf, type Vector } from "./Vector.ts"

export interface VisitedOptions {
  /** Bytes for full rows; default 512 MiB. */
  readonly fullBytes?: number
  /** States held at all, at most 2^26 - 1; `add` returns -1 beyond. Default 50,000,000. */
  readonly maxStates?: number
}

/** A place holds the number of a state + 1 (0: it is empty), and above it as many bits of the state's hash as fit. */
const numberBits = 26
const numberMask = 2 ** numberBits - 1

const firstSeed = 0x2545f491
const secondSeed = 0x61c88647

export class Visited {
  /** States held; their numbers are 0 to size - 1. */
  size = 0
  private readonly fullWords: number
  private readonly maxStates: number
  private compact = false
  /** Open addressing, by the low bits of the first hash. */
  private places = new Int32Array(1 << 12)
  /** Rows of `width` words, by the numbers of states; when full rows were given up: the two hashes. */
  private rows = new Int32Array(1 << 12)
  private width = 1

  constructor(options: VisitedOptions = {}) {
    this.fullWords = Math.min((options.fullBytes ?? 512 * 2 ** 20) / 4, 2 ** 30)
    this.maxStates = Math.min(options.maxStates ?? 50_000_000, numberMask)
  }

  /** Full rows were given up. */
  get compacted(): boolean {
    return this.compact
  }

  /** Bound on the probability that a state was taken for another and left out. */
  get omission(): number {
    return this.compact ? Math.min(1, (this.size * (this.size - 1)) / 2 ** 65) : 0
  }

  /** Memory that it takes, in bytes. */
  get bytes(): number {
    return this.places.byteLength + this.rows.byteLength
  }

  /** The number of the state; -1 when it was not seen. */
  find({ length, words }: Vector): number {
    const { places } = this
    const mask = places.length - 1
    const hash = this.hash(words, 0, length, firstSeed)
    for (let at = hash & mask;; at = (at + 1) & mask) {
      const place = places[at]!
      if (place === 0) return -1
      if ((place ^ hash) >>> numberBits !== 0) continue
      const number = (place & numberMask) - 1
      if (this.compact ? this.hasHashes(number, hash, words, length) : this.hasRow(number, words, length)) return number
    }
  }

  /** Gives a state that was not seen its number; -1: there is no room. */
  add({ length, words }: Vector): number {
    if (this.size >= this.maxStates) return -1
    const number = this.size
    if (!this.compact) this.makeRoom(number + 1, Math.max(this.width, length))
    const hash = this.hash(words, 0, length, firstSeed)
    if (this.compact) {
      this.makeRoom(number + 1, 2)
      this.rows[2 * number] = hash
      this.rows[2 * number + 1] = this.hash(words, 0, length, secondSeed)
    } else {
      const from = number * this.width
      for (let i = 0; i < length; i++) this.rows[from + i] = words[i]!
    }
    this.size++
    if (this.size * 4 > this.places.length * 3) this.rehash(this.places.length * 4)
    else this.occupy(number, hash)
    return number
  }

  /** Drops the full rows, to make room. */
  dropRows(): void {
    if (this.compact) return
    const { rows, width } = this
    const hashes = new Int32Array(Math.max(2, 2 * this.size))
    for (let number = 0; number < this.size; number++) {
      hashes[2 * number] = this.hash(rows, number * width, width, firstSeed)
      hashes[2 * number + 1] = this.hash(rows, number * width, width, secondSeed)
    }
    this.rows = hashes
    this.width = 2
    this.compact = true
  }

  /** For tests: other hashes. */
  protected hash(words: Int32Array, from: number, length: number, seed: number): number {
    return hashOf(words, from, length, seed)
  }

  private hasRow(number: number, words: Int32Array, length: number): boolean {
    const { rows, width } = this
    const from = number * width
    for (let i = 0; i < width; i++) if (rows[from + i] !== words[i]) return false
    for (let i = width; i < length; i++) if (words[i] !== 0) return false
    return true
  }

  private hasHashes(number: number, hash: number, words: Int32Array, length: number): boolean {
    return this.rows[2 * number] === hash && this.rows[2 * number + 1] === this.hash(words, 0, length, secondSeed)
  }

  /** For so many rows of so many words: full ones become hashes when they would take too much. */
  private makeRoom(count: number, width: number): void {
    const words = count * width
    if (width === this.width && words <= this.rows.length) return
    if (!this.compact && words > this.fullWords) return this.dropRows()
    const doubled = Math.max(words, 2 * this.size * width)
    const rows = new Int32Array(this.compact ? doubled : Math.min(doubled, this.fullWords))
    if (width === this.width) rows.set(this.rows)
    else {
      for (let number = 0; number < this.size; number++) {
        for (let i = 0; i < this.width; i++) rows[number * width + i] = this.rows[number * this.width + i]!
      }
    }
    this.rows = rows
    this.width = width
  }

  private rehash(length: number): void {
    this.places = new Int32Array(length)
    const { rows, width } = this
    for (let number = 0; number < this.size; number++) {
      const from = number * width
      this.occupy(number, this.compact ? rows[from]! : this.hash(rows, from, width, firstSeed))
    }
  }

  private occupy(number: number, hash: number): void {
    const { places } = this
    const mask = places.length - 1
    let at = hash & mask
    while (places[at] !== 0) at = (at + 1) & mask
    places[at] = (hash & ~numberMask) | (number + 1)
  }
}
