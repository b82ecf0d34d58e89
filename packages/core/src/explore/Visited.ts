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

/** States in a row whose rows have one length: it only grows. */
interface Stretch {
  readonly first: number
  /** Where the row of `first` starts. */
  readonly start: number
  readonly length: number
}

export class Visited {
  /** States held; their numbers are 0 to size - 1. */
  size = 0
  private readonly fullBytes: number
  private readonly maxStates: number
  private compact = false
  /**
   * Open addressing, two words a place: the first hash of a state and its number + 1; 0 is an empty place. At most half
   * of the places are taken.
   */
  private places = new Int32Array(1 << 16)
  /** The second hash of each state. */
  private b = new Int32Array(1 << 11)
  /** One after the other; with 32 bits for each number as soon as one needs them. */
  private rows: Uint16Array | Int32Array = new Uint16Array(1 << 15)
  /** Where each row is, the latest first. */
  private readonly stretches: Array<Stretch> = []

  constructor(options: VisitedOptions = {}) {
    this.fullBytes = options.fullBytes ?? 512 * 2 ** 20
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
    return this.places.byteLength + this.b.byteLength + this.rows.byteLength
  }

  /** The number of the state; -1 when it was not seen. */
  find(state: Vector): number {
    const { places } = this
    const mask = places.length - 2
    for (let at = (state.a << 1) & mask;; at = (at + 2) & mask) {
      const number = places[at + 1]! - 1
      if (number < 0) return -1
      if (places[at] === state.a && this.isAt(number, state)) return number
    }
  }

  /** Gives a state that was not seen its number; -1: there is no room. */
  add(state: Vector): number {
    if (this.size >= this.maxStates) return -1
    const number = this.size++
    if (number >= this.b.length) this.b = longer(this.b, this.b.length * 2)
    this.b[number] = state.b
    if (!this.compact) this.keepRow(number, state)
    if (this.size * 4 > this.places.length) this.widen()
    occupy(this.places, state.a, number + 1)
    return number
  }

  /** Drops the full rows, to make room. */
  dropRows(): void {
    this.compact = true
    this.rows = new Uint16Array(0)
    this.stretches.length = 0
  }

  private isAt(number: number, state: Vector): boolean {
    if (this.compact) return this.b[number] === state.b
    let i = 0
    while (this.stretches[i]!.first > number) i++
    const { first, length, start } = this.stretches[i]!
    return state.equals(this.rows, start + (number - first) * length, length)
  }

  private keepRow(number: number, { columns, largest, now }: Vector): void {
    const { length } = columns
    const latest = this.stretches[0]
    const from = latest === undefined ? 0 : latest.start + (number - latest.first) * latest.length
    const end = from + length
    if (largest >= 2 ** 16 && this.rows instanceof Uint16Array) this.rows = Int32Array.from(this.rows)
    if (end * this.rows.BYTES_PER_ELEMENT > this.fullBytes) return this.dropRows()
    if (end > this.rows.length) {
      const most = Math.floor(this.fullBytes / this.rows.BYTES_PER_ELEMENT)
      this.rows = longer(this.rows, Math.max(end, Math.min(this.rows.length * 2, most)))
    }
    if (latest?.length !== length) this.stretches.unshift({ first: number, start: from, length })
    const { rows } = this
    for (let i = 0; i < length; i++) rows[from + i] = now[columns[i]!]!
  }

  /** A place keeps its index or moves up by the old length: both halves are written in order. */
  private widen(): void {
    const { places } = this
    const wider = new Int32Array(places.length * 2)
    for (let at = 0; at < places.length; at += 2) {
      if (places[at + 1] !== 0) occupy(wider, places[at]!, places[at + 1]!)
    }
    this.places = wider
  }
}

const occupy = (places: Int32Array, hash: number, entry: number): void => {
  const mask = places.length - 2
  let at = (hash << 1) & mask
  while (places[at + 1] !== 0) at = (at + 2) & mask
  places[at] = hash
  places[at + 1] = entry
}

const longer = <A extends Uint16Array | Int32Array>(array: A, length: number): A => {
  const copy = array instanceof Uint16Array ? new Uint16Array(length) : new Int32Array(length)
  copy.set(array)
  return copy as A
}
