/**
 * The present state of a machine as a row of numbers, one for each actor, thread and monitor, with a hash that is kept
 * up to date as the numbers change (Zobrist, 1970: the exclusive or of one code for each column and number). Equal
 * numbers in a column mean equal values, so equal rows mean equal states.
 *
 * Columns that have never changed are no part of the row. The list of those that have only grows, so a row that was
 * taken earlier is a prefix of what it would be now.
 */
export class Vector {
  readonly now: Int32Array
  /** Columns that have changed, in the order in which they first did. */
  readonly columns: Array<number> = []
  /** Two hashes of 32 bits, made in different ways. */
  a = 0
  b = 0
  /** The largest number there has been. */
  largest = 0
  private readonly start: Int32Array
  private readonly changed: Uint8Array

  constructor(columns: number) {
    this.now = new Int32Array(columns)
    this.start = new Int32Array(columns)
    this.changed = new Uint8Array(columns)
  }

  /** Says what the numbers are at the beginning. Only once. */
  begin(numbers: ArrayLike<number>): void {
    this.now.set(numbers)
    this.start.set(numbers)
    this.largest = Math.max(...this.now)
  }

  set(column: number, number: number): void {
    const before = this.now[column]!
    if (before === number) return
    if (this.changed[column] === 0) {
      this.changed[column] = 1
      this.columns.push(column)
    }
    this.now[column] = number
    if (number > this.largest) this.largest = number
    this.a ^= codeA(column, before) ^ codeA(column, number)
    this.b ^= codeB(column, before) ^ codeB(column, number)
  }

  /** The present row equals one of `length` numbers that starts at `from` of `rows`. */
  equals(rows: Uint16Array | Int32Array, from: number, length: number): boolean {
    const { columns, now, start } = this
    for (let i = 0; i < length; i++) if (rows[from + i] !== now[columns[i]!]) return false
    for (let i = length; i < columns.length; i++) if (now[columns[i]!] !== start[columns[i]!]) return false
    return true
  }
}

const mixed = (seed: number): number => {
  let h = Math.imul(seed ^ (seed >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

const codeA = (column: number, number: number): number =>
  mixed(Math.imul(column + 1, 0x9e3779b1) ^ Math.imul(number + 1, 0x27d4eb2f))

const codeB = (column: number, number: number): number =>
  mixed(Math.imul(number + 0x165667b1, 0x2c1b3c6d) + mixed(column + 0x7feb352d))
