/**
 * The states seen so far. Full rows first: no state is ever mistaken for another. When their rows would take more
 * than `fullBytes`, the rows are dropped and their fingerprints are kept (hash compaction, Wolper and Leroy, CAV'93): two
 * states may then be taken for one, and what follows from the second is omitted. With n states the expected number of
 * such pairs is n(n-1)/2^65, which also bounds the probability that there is any.
 */
import type { Fingerprint } from "./Fingerprint.ts"
import type { Vector } from "./Vector.ts"

export interface VisitedOptions {
  /** Bytes for full rows; default 512 MiB. */
  readonly fullBytes?: number
  /** States held at all, at most 2^26 - 1; `add` returns -1 beyond. Default 50,000,000. */
  readonly maxStates?: number
}

/** A place holds the number of a state + 1 (0: it is empty), and above it as many bits of the state's hash as fit. */
const numberBits = 26
const numberMask = 2 ** numberBits - 1

/** Words of a row before the state itself: its fingerprint. */
const head = 2

export class Visited {
  /** States held; their numbers are 0 to size - 1. */
  size = 0
  private readonly fullWords: number
  private readonly maxStates: number
  private compact = false
  /** Open addressing, by the low bits of fingerprints. */
  private places = new Int32Array(1 << 12)
  /** Rows of `width` words, by the numbers of states: the fingerprint and, unless full rows were given up, the state. */
  private rows = new Int32Array(1 << 12)
  private width = head

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
  find(vector: Vector): number {
    const { places } = this
    const { low } = vector
    const mask = places.length - 1
    for (let at = low & mask;; at = (at + 1) & mask) {
      const place = places[at]!
      if (place === 0) return -1
      if ((place ^ low) >>> numberBits !== 0) continue
      const number = (place & numberMask) - 1
      if (this.compact ? this.hasPrint(number, low, vector.high) : this.hasRow(number, vector)) return number
    }
  }

  /** Gives a state that was not seen its number; -1: there is no room. */
  add({ high, length, low, words }: Vector): number {
    if (this.size >= this.maxStates) return -1
    const number = this.size
    if (!this.compact) this.makeRoom(number + 1, Math.max(this.width, head + length))
    if (this.compact) return this.append(low, high)
    const from = number * this.width + head
    for (let i = 0; i < length; i++) this.rows[from + i] = words[i]!
    return this.number(low, high)
  }

  /** Like `find` and `add`, where only the fingerprint is known. Call when full rows were given up. */
  findPrint({ high, low }: Fingerprint): number {
    const { places } = this
    const mask = places.length - 1
    for (let at = low & mask;; at = (at + 1) & mask) {
      const place = places[at]!
      if (place === 0) return -1
      if ((place ^ low) >>> numberBits === 0 && this.hasPrint((place & numberMask) - 1, low, high)) {
        return (place & numberMask) - 1
      }
    }
  }

  addPrint({ high, low }: Fingerprint): number {
    return this.size >= this.maxStates ? -1 : this.append(low, high)
  }

  /** The fingerprint of the state with this number. */
  printOf(number: number): Fingerprint {
    const at = number * this.width
    return { low: this.rows[at]!, high: this.rows[at + 1]! }
  }

  /** Drops the full rows, to make room. */
  dropRows(): void {
    if (this.compact) return
    const { rows, width } = this
    const prints = new Int32Array(Math.max(head, head * this.size))
    for (let number = 0; number < this.size; number++) {
      prints[head * number] = rows[number * width]!
      prints[head * number + 1] = rows[number * width + 1]!
    }
    this.rows = prints
    this.width = head
    this.compact = true
  }

  private append(low: number, high: number): number {
    this.makeRoom(this.size + 1, head)
    return this.number(low, high)
  }

  /** Gives the row at the end its head and its number. */
  private number(low: number, high: number): number {
    const number = this.size++
    this.rows[number * this.width] = low
    this.rows[number * this.width + 1] = high
    if (this.size * 4 > this.places.length * 3) this.rehash(this.places.length * 4)
    else this.occupy(number, low)
    return number
  }

  private hasRow(number: number, { length, words }: Vector): boolean {
    const { rows, width } = this
    const from = number * width + head
    const own = width - head
    for (let i = 0; i < own; i++) if (rows[from + i] !== words[i]) return false
    for (let i = own; i < length; i++) if (words[i] !== 0) return false
    return true
  }

  private hasPrint(number: number, low: number, high: number): boolean {
    const { rows, width } = this
    return rows[number * width] === low && rows[number * width + 1] === high
  }

  /** For so many rows of so many words: full ones are given up when they would take too much. */
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
    for (let number = 0; number < this.size; number++) this.occupy(number, this.rows[number * this.width]!)
  }

  private occupy(number: number, low: number): void {
    const { places } = this
    const mask = places.length - 1
    let at = low & mask
    while (places[at] !== 0) at = (at + 1) & mask
    places[at] = (low & ~numberMask) | (number + 1)
  }
}
