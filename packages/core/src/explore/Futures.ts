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
  private readonly asks: Array<Ask<unknown>> = []
  /** Numbers of asks, from 1, by the moments that ask them. */
  private readonly askOf = new Map<Moment, number>()
  /** Bits of 32 known futures a word, `words` for each moment. */
  private words = 1
  private capacity = 1 << 8
  private bits = new Int32Array(1 << 8)

  /** Notes that with the moment's ask its thread touches the places. */
  note(moment: Moment, places: ReadonlyArray<number>, modes: ReadonlyArray<Mode>): void {
    const ask = moment.ask!.command.blocked === undefined ? 0 : this.numberOf(moment)
    for (let i = 0; i < places.length; i++) {
      // Modes are -1 to 2: two bits.
      const key = (places[i]! * 4 + modes[i]! + 1) * 2 ** 20 + ask
      let index = this.indices.get(key)
      if (index === undefined) {
        index = this.known.length
        this.indices.set(key, index)
        this.known.push({ place: places[i]!, mode: modes[i]!, ask: ask === 0 ? undefined : this.asks[ask - 1] })
      }
      this.mark(moment, index)
    }
  }

  /** Calls `visit` for each future of the moment. */
  each(moment: Moment, visit: (future: Future) => void): void {
    if (moment.ordinal >= this.capacity) return
    const from = moment.ordinal * this.words
    for (let w = 0; w < this.words; w++) {
      for (let word = this.bits[from + w]!; word !== 0; word &= word - 1) {
        visit(this.known[w * 32 + 31 - Math.clz32(word & -word)]!)
      }
    }
  }

  private numberOf(moment: Moment): number {
    let number = this.askOf.get(moment)
    if (number === undefined) {
      const ask = moment.ask!
      number = 1 + this.asks.findIndex((known) => same(known, ask))
      if (number === 0) number = this.asks.push(ask)
      this.askOf.set(moment, number)
    }
    return number
  }

  private mark(moment: Moment, index: number): void {
    const word = index >>> 5
    if (word >= this.words || moment.ordinal >= this.capacity) this.resize(word, moment.ordinal)
    const bit = 1 << (index & 31)
    const waiting: Array<Moment> = [moment]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      for (let m: Moment | undefined = next; m !== undefined; m = m.parent) {
        const at = m.ordinal * this.words + word
        if ((this.bits[at]! & bit) !== 0) break
        this.bits[at]! |= bit
        if (m.others !== undefined) waiting.push(...m.others)
      }
    }
  }

  private resize(word: number, ordinal: number): void {
    const words = word >= this.words ? word + 1 : this.words
    let { capacity } = this
    while (ordinal >= capacity) capacity *= 2
    const bits = new Int32Array(capacity * words)
    for (let m = 0; m < this.capacity; m++) {
      for (let w = 0; w < this.words; w++) bits[m * words + w] = this.bits[m * this.words + w]!
    }
    this.words = words
    this.capacity = capacity
    this.bits = bits
  }
}

const same = (a: Ask<unknown>, b: Ask<unknown>): boolean =>
  a === b || (a.actor === b.actor && a.command === b.command && Object.is(a.arg, b.arg))
