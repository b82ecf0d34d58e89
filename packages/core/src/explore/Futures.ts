/**
 * What a thread may still do after a moment: every place that it was seen to touch afterwards in any execution so far,
 * and what it was seen to wait in. With state matching this stands for the part of the tree that is not walked again:
 * the summary of a state (Yang, Chen, Gopalakrishnan, Kirby: Efficient stateful dynamic partial order reduction,
 * SPIN'08) is here the union over its threads of what may follow their moments, which holds more than the summary,
 * needs no memory for each state, and is complete as soon as the state has been explored.
 */
import type { Ask } from "../Ask.ts"
import type { Mode } from "./Footprint.ts"
import type { Moment } from "./Fibers.ts"

/** A place in a mode, or (`ask`) something to wait in. */
export interface Future {
  readonly place: number
  readonly mode: Mode
  /** The command may have to wait. */
  readonly ask: Ask<unknown> | undefined
}

/** Of one thread. */
export class Futures {
  readonly known: Array<Future> = []
  /** By what makes a future: its index among those known. */
  private readonly indices = new Map<number, number>()
  /** Numbers of asks, from 1. */
  private readonly numbers = new Map<Ask<unknown>, number>()
  /** Bits of 32 known futures a word, `words` for each moment: its own, and those of its children as last looked at. */
  private words = 1
  private capacity = 1 << 8
  private bits = new Int32Array(1 << 8)
  /** Of these, the ones that `eachNew` has told of. */
  private told = new Int32Array(0)
  /** By moment: something below it is not in its bits. Then it is so for all moments above. */
  private stale = new Uint8Array(1 << 8)
  /** By moment: how many children were looked at. */
  private edges = new Int32Array(1 << 8)

  /** Notes that with the moment's ask its thread touches the places. */
  note(moment: Moment, places: ReadonlyArray<number>, modes: ReadonlyArray<Mode>): void {
    if (moment.ordinal >= this.capacity) this.resize(this.words, moment.ordinal)
    const ask = moment.ask!.command.blocked === undefined ? undefined : moment.ask
    const number = ask === undefined ? 0 : this.numberOf(ask)
    let isNew = this.edges[moment.ordinal] !== moment.children.size
    for (let i = 0; i < places.length; i++) {
      if (this.set(moment.ordinal, this.indexOf(places[i]!, modes[i]!, ask, number))) isNew = true
    }
    if (isNew) this.taint(moment)
  }

  /** The index of a future, which need not be known so far. */
  index({ ask, mode, place }: Future): number {
    return this.indexOf(place, mode, ask, ask === undefined ? 0 : this.numberOf(ask))
  }

  /** Notes futures of a moment, by their indices. */
  learn(moment: Moment, indices: ReadonlyArray<number>): void {
    if (moment.ordinal >= this.capacity) this.resize(this.words, moment.ordinal)
    let isNew = false
    for (const index of indices) if (this.set(moment.ordinal, index)) isNew = true
    if (isNew) this.taint(moment)
  }

  /** Calls `visit` for each of the thread's moments that has futures which it was not called for before, with their indices. */
  eachNew(moments: ReadonlyArray<Moment>, visit: (moment: Moment, indices: ReadonlyArray<number>) => void): void {
    if (this.told.length === 0) this.told = new Int32Array(this.bits.length)
    for (const moment of moments) {
      if (moment.ordinal >= this.capacity) return
      if (this.stale[moment.ordinal] === 1) this.refresh(moment)
      const indices: Array<number> = []
      const from = moment.ordinal * this.words
      for (let w = 0; w < this.words; w++) {
        const now = this.bits[from + w]!
        for (let word = now & ~this.told[from + w]!; word !== 0; word &= word - 1) {
          indices.push(w * 32 + 31 - Math.clz32(word & -word))
        }
        this.told[from + w] = now
      }
      if (indices.length > 0) visit(moment, indices)
    }
  }

  private indexOf(place: number, mode: Mode, ask: Ask<unknown> | undefined, number: number): number {
    // Modes are -1 to 2: two bits.
    const key = (place * 4 + mode + 1) * 2 ** 20 + number
    let index = this.indices.get(key)
    if (index === undefined) {
      index = this.known.length
      this.indices.set(key, index)
      this.known.push({ place, mode, ask })
    }
    return index
  }

  /** False: it was set before. */
  private set(ordinal: number, index: number): boolean {
    const word = index >>> 5
    while (word >= this.words) this.resize(this.words * 2, 0)
    const at = ordinal * this.words + word
    const bit = 1 << (index & 31)
    if ((this.bits[at]! & bit) !== 0) return false
    this.bits[at]! |= bit
    return true
  }

  /** Calls `visit` for each future of the moment. */
  each(moment: Moment, visit: (future: Future) => void): void {
    if (moment.ordinal >= this.capacity) return
    if (this.stale[moment.ordinal] === 1) this.refresh(moment)
    const from = moment.ordinal * this.words
    for (let w = 0; w < this.words; w++) {
      for (let word = this.bits[from + w]!; word !== 0; word &= word - 1) {
        visit(this.known[w * 32 + 31 - Math.clz32(word & -word)]!)
      }
    }
  }

  private numberOf(ask: Ask<unknown>): number {
    let number = this.numbers.get(ask)
    if (number === undefined) this.numbers.set(ask, number = this.numbers.size + 1)
    return number
  }

  /** Something is new at the moment: it and all above are stale. */
  private taint(moment: Moment): void {
    const waiting: Array<Moment> = [moment]
    for (let m = waiting.pop(); m !== undefined; m = waiting.pop()) {
      if (m.ordinal >= this.capacity) this.resize(this.words, m.ordinal)
      if (this.stale[m.ordinal] === 1) continue
      this.stale[m.ordinal] = 1
      if (m.parent !== undefined) waiting.push(m.parent)
      if (m.others !== undefined) waiting.push(...m.others)
    }
  }

  /** Brings up to date what is stale at the moment and below it. Moments can be in a circle: until nothing changes. */
  private refresh(moment: Moment): void {
    const list: Array<Moment> = [moment]
    this.stale[moment.ordinal] = 0
    for (let i = 0; i < list.length; i++) {
      for (const child of list[i]!.children.values()) {
        if (child.ordinal >= this.capacity || this.stale[child.ordinal] === 0) continue
        this.stale[child.ordinal] = 0
        list.push(child)
      }
    }
    for (let changed = true; changed;) {
      changed = false
      // The deepest ones are near the end.
      for (let i = list.length - 1; i >= 0; i--) if (this.gather(list[i]!)) changed = true
    }
    for (const m of list) this.edges[m.ordinal] = m.children.size
  }

  /** Adds the bits of the children; true when some were missing. */
  private gather(moment: Moment): boolean {
    const { bits, words } = this
    const to = moment.ordinal * words
    let changed = false
    for (const { ordinal } of moment.children.values()) {
      if (ordinal >= this.capacity) continue
      const from = ordinal * words
      for (let w = 0; w < words; w++) {
        const missing = bits[from + w]! & ~bits[to + w]!
        if (missing === 0) continue
        bits[to + w]! |= missing
        changed = true
      }
    }
    return changed
  }

  private resize(words: number, ordinal: number): void {
    let { capacity } = this
    while (ordinal >= capacity) capacity *= 2
    const laidOut = (bits: Int32Array): Int32Array<ArrayBuffer> => {
      const out = new Int32Array(capacity * words)
      for (let m = 0; m < this.capacity; m++) {
        for (let w = 0; w < this.words; w++) out[m * words + w] = bits[m * this.words + w]!
      }
      return out
    }
    this.bits = laidOut(this.bits)
    if (this.told.length > 0) this.told = laidOut(this.told)
    this.words = words
    if (capacity === this.capacity) return
    const { edges, stale } = this
    this.capacity = capacity
    this.stale = new Uint8Array(capacity)
    this.stale.set(stale)
    this.edges = new Int32Array(capacity)
    this.edges.set(edges)
  }
}
