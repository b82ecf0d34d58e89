/**
 * The states seen so far. Full rows first: no state is ever mistaken for another. When their rows would take more
 * than `fullBytes`, the rows are dropped and 64-bit hashes are kept (hash compaction, Wolper and Leroy, CAV'93): two
 * states may then be taken for one, and what follows from the second is omitted. With n states the expected number of
 * such pairs is n(n-1)/2^65, which also bounds the probability that there is any.
 */
import type { Vector } from "./Vector.ts"

export interface VisitedOptions {
  /** Bytes for full rows; default 512 MiB. */
  readonly fullBytes?: number
  /** States held at all; `add` returns -1 beyond. Default 50,000,000. */
  readonly maxStates?: number
}

export class Visited {
  /** States held; their numbers are 0 to size - 1. */
  size = 0
  private readonly fullWords: number
  private readonly maxStates: number
  private compact = false
  /** Open addressing, two words a place: the first hash of a state and its number + 1; 0 is an empty place. */
  private places = new Int32Array(1 << 13)
  private a = new Int32Array(1 << 11)
  private b = new Int32Array(1 << 11)
  /** Where the row of a state starts; it ends where the next one starts. */
  private starts = new Float64Array((1 << 11) + 1)
  private rows = new Int32Array(1 << 15)

  constructor(options: VisitedOptions = {}) {
    this.fullWords = Math.min((options.fullBytes ?? 512 * 2 ** 20) / 4, 2 ** 30)
    this.maxStates = options.maxStates ?? 50_000_000
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
    return this.places.byteLength + this.a.byteLength + this.b.byteLength + this.starts.byteLength +
      this.rows.byteLength
  }

  /** The number of the state; -1 when it was not seen. */
  find(state: Vector): number {
    const { places } = this
    const mask = places.length - 2
    for (let at = home(state) & mask;; at = (at + 2) & mask) {
      const number = places[at + 1]! - 1
      if (number < 0) return -1
      if (places[at] !== state.a) continue
      if (this.compact) {
        if (this.b[number] === state.b) return number
        continue
      }
      const from = this.starts[number]!
      if (state.equals(this.rows, from, this.starts[number + 1]! - from)) return number
    }
  }

  /** Gives a state that was not seen its number; -1: there is no room. */
  add(state: Vector): number {
    if (this.size >= this.maxStates) return -1
    const number = this.size++
    if (number >= this.a.length) this.grow()
    this.a[number] = state.a
    this.b[number] = state.b
    if (!this.compact) this.keepRow(number, state)
    if (this.size * 4 > this.places.length) this.rehash(this.places.length * 4)
    else this.occupy(number)
    return number
  }

  /** Drops the full rows, to make room. */
  dropRows(): void {
    this.compact = true
    this.rows = new Int32Array(0)
    this.starts = new Float64Array(0)
  }

  private keepRow(number: number, { columns, now }: Vector): void {
    const from = this.starts[number]!
    const end = from + columns.length
    if (end > this.fullWords) return this.dropRows()
    if (end > this.rows.length) {
      const rows = new Int32Array(Math.min(Math.max(end, this.rows.length * 2), Math.max(end, this.fullWords)))
      rows.set(this.rows)
      this.rows = rows
    }
    for (let i = 0; i < columns.length; i++) this.rows[from + i] = now[columns[i]!]!
    this.starts[number + 1] = end
  }

  private grow(): void {
    const length = this.a.length * 2
    const a = new Int32Array(length)
    a.set(this.a)
    this.a = a
    const b = new Int32Array(length)
    b.set(this.b)
    this.b = b
    if (this.compact) return
    const starts = new Float64Array(length + 1)
    starts.set(this.starts)
    this.starts = starts
  }

  private rehash(length: number): void {
    this.places = new Int32Array(length)
    for (let number = 0; number < this.size; number++) this.occupy(number)
  }

  private occupy(number: number): void {
    const { places } = this
    const mask = places.length - 2
    const a = this.a[number]!
    let at = home({ a, b: this.b[number]! }) & mask
    while (places[at + 1] !== 0) at = (at + 2) & mask
    places[at] = a
    places[at + 1] = number + 1
  }
}

const home = ({ a, b }: { readonly a: number; readonly b: number }): number => a ^ (b << 7)
