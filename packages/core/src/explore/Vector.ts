/**
 * The present state of a machine as a row of numbers, one for each actor, thread and monitor. Equal numbers in a column
 * mean equal values, so equal rows mean equal states. Each column counts its values from 0 as they are first met, so its
 * numbers are small enough to be indices.
 *
 * The row is kept packed: four bits at a time, in the order in which they were first needed. So most columns take four
 * bits, those that never change take none, and a row that was taken earlier is the same as it would be now but for zeros
 * at its end.
 *
 * Its fingerprint is kept with it: the exclusive or of one for each column and its value (Zobrist: A new hashing method
 * with application for game playing, 1970). Columns begin with the values numbered 0, which count as nothing.
 */
import { type Fingerprint, Printer } from "./Fingerprint.ts"

export class Vector implements Fingerprint {
  readonly now: Int32Array
  /** The present row, packed; of these words the first `length` have been needed so far. */
  words = new Int32Array(8)
  length = 0
  low = 0
  high = 0
  private readonly printOf: (value: unknown) => Fingerprint
  /** By column and number. */
  private readonly lows: ReadonlyArray<Array<number>>
  private readonly highs: ReadonlyArray<Array<number>>
  private readonly known: ReadonlyArray<Map<unknown, number>>
  /** By column: where its digits are, the lowest first. */
  private readonly digits: ReadonlyArray<Array<number>>
  private digitCount = 0

  /** `printOf`: fingerprints of the values of columns. */
  constructor(columns: number, printOf: (value: unknown) => Fingerprint) {
    this.now = new Int32Array(columns)
    this.printOf = printOf
    this.lows = Array.from({ length: columns }, () => [])
    this.highs = Array.from({ length: columns }, () => [])
    this.known = Array.from({ length: columns }, () => new Map<unknown, number>())
    this.digits = Array.from({ length: columns }, () => [])
  }

  /** The number of a value in a column; equal values must be the same object. */
  numberOf(column: number, value: unknown): number {
    const known = this.known[column]!
    let number = known.get(value)
    if (number === undefined) {
      known.set(value, number = known.size)
      const { high, low } = number === 0
        ? nothing
        : new Printer("column").word(column).print(this.printOf(value)).done
      this.lows[column]!.push(low)
      this.highs[column]!.push(high)
    }
    return number
  }

  /** `number`: one that `numberOf` gave for this column. */
  set(column: number, number: number): void {
    const before = this.now[column]!
    let change = before ^ number
    if (change === 0) return
    this.now[column] = number
    const lows = this.lows[column]!
    const highs = this.highs[column]!
    this.low ^= lows[before]! ^ lows[number]!
    this.high ^= highs[before]! ^ highs[number]!
    const digits = this.digits[column]!
    for (let i = 0; change !== 0; i++) {
      const digit = i < digits.length ? digits[i]! : this.newDigit(digits)
      this.words[digit >>> 3]! ^= (change & 15) << ((digit & 7) * 4)
      change >>>= 4
    }
  }

  private newDigit(digits: Array<number>): number {
    const digit = this.digitCount++
    digits.push(digit)
    this.length = (digit >>> 3) + 1
    if (this.length > this.words.length) {
      const words = new Int32Array(this.words.length * 2)
      words.set(this.words)
      this.words = words
    }
    return digit
  }
}

const nothing: Fingerprint = { low: 0, high: 0 }
