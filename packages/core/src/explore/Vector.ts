/**
 * The present state of a machine as a row of numbers, one for each actor, thread and monitor. Equal numbers in a column
 * mean equal values, so equal rows mean equal states. Each column counts its values from 0 as they are first met, so its
 * numbers are small enough to be indices.
 *
 * The row is kept packed: four bits at a time, in the order in which they were first needed. So most columns take four
 * bits, those that never change take none, and a row that was taken earlier is the same as it would be now but for zeros
 * at its end.
 */
export class Vector {
  readonly now: Int32Array
  /** The present row, packed; of these words the first `length` have been needed so far. */
  words = new Int32Array(8)
  length = 0
  private readonly known: ReadonlyArray<Map<unknown, number>>
  /** By column: where its digits are, the lowest first. */
  private readonly digits: ReadonlyArray<Array<number>>
  private digitCount = 0

  constructor(columns: number) {
    this.now = new Int32Array(columns)
    this.known = Array.from({ length: columns }, () => new Map<unknown, number>())
    this.digits = Array.from({ length: columns }, () => [])
  }

  /** The number of a value in a column; equal values must be the same object. */
  numberOf(column: number, value: unknown): number {
    const known = this.known[column]!
    let number = known.get(value)
    if (number === undefined) known.set(value, number = known.size)
    return number
  }

  set(column: number, number: number): void {
    let change = this.now[column]! ^ number
    if (change === 0) return
    this.now[column] = number
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

/** A hash of a packed row. Zeros at its end make no difference. Two hashes with different seeds are independent. */
export const hashOf = (words: Int32Array, from: number, length: number, seed: number): number => {
  let hash = seed
  for (let i = 0; i < length; i++) {
    const word = words[from + i]!
    if (word !== 0) hash = mixed(hash + Math.imul(word, 0x9e3779b1) + Math.imul(i, seed))
  }
  return hash
}

const mixed = (seed: number): number => {
  let h = Math.imul(seed ^ (seed >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
