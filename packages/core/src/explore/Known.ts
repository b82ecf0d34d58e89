/**
 * What a search with state matching knows of states, by their numbers: who slept when they were visited, who was moved
 * from them, and how far that is the whole story. It can be told to another search of the same model, which may be in
 * another process, and it takes in what that one tells.
 */
import type { Vector } from "./Vector.ts"
import type { Visited } from "./Visited.ts"

// Marks of states.
export const onPath = 1
/** What follows is not all known: an execution was cut below, or led back to the path. */
export const open = 2
/** Not all of it was explored, or nothing. */
export const unfinished = 4
/** Told by the other search; what may follow has not been looked up yet. */
export const foreign = 8
/** Explored here, if only in part. */
const walked = 16
/** The other search was told that it was explored here. */
const told = 32
/** When it was left, something below it led back to a state of the path. */
export const circular = 64
/** In what is told only: everything below is explored. */
const whole = 128

/** Words that tell of a state: its fingerprint (2), who slept, who was moved, marks. */
const wordsOfState = 5

export class Known {
  private readonly visited: Visited
  /** Threads that slept at every visit; threads moved. */
  private slept = new Int32Array(1 << 12)
  private moved = new Int32Array(1 << 12)
  private marks = new Uint8Array(1 << 12)
  /** States left since this was last told; undefined as long as nobody is to be told. */
  private left: Array<number> | undefined = undefined

  constructor(visited: Visited) {
    this.visited = visited
  }

  /** The number of a state; -1 when there is none. */
  find(vector: Vector): number {
    return this.visited.find(vector)
  }

  /** The same, and if there is none gives it one; -1: there is no room. */
  numberOf(vector: Vector): number {
    const known = this.visited.find(vector)
    return known >= 0 ? known : this.add(this.visited.add(vector))
  }

  /** The marks of a state that are among `some`. */
  has(state: number, some: number): number {
    return this.marks[state]! & some
  }

  sleptAt(state: number): number {
    return this.slept[state]!
  }

  movedFrom(state: number): number {
    return this.moved[state]!
  }

  /** A state is explored from the beginning. True: it is the first time. */
  begin(state: number, asleep: number): boolean {
    const mark = this.marks[state]!
    this.slept[state] = asleep
    this.moved[state] = 0
    this.marks[state] = walked | (mark & told)
    return (mark & walked) === 0
  }

  /** A state is explored further, for threads that slept so far. */
  again(state: number, asleep: number): void {
    this.slept[state]! &= asleep
  }

  put(state: number): void {
    this.marks[state]! |= onPath
  }

  /** A state leaves the path as it was before. */
  pass(state: number): void {
    this.marks[state]! &= ~onPath
  }

  /** A state leaves the path before it was explored. */
  abandon(state: number): void {
    this.marks[state] = (this.marks[state]! & ~onPath) | unfinished
  }

  /** A state leaves the path explored, threads `done` moved from it. */
  leave(state: number, done: number, isOpen: boolean, isCircular: boolean): void {
    this.marks[state] = (this.marks[state]! & (walked | told)) | (isOpen ? open : 0) | (isCircular ? circular : 0)
    this.moved[state]! |= done
    if (!isCircular) this.left?.push(state)
  }

  /** What may follow a state that was told has been looked up. */
  adopt(state: number): void {
    this.marks[state]! &= ~foreign
  }

  /** From now on what is left is kept to be told; states are kept as their fingerprints only. */
  share(): void {
    if (this.left !== undefined) return
    this.visited.dropRows()
    this.left = []
    for (let state = 0; state < this.visited.size; state++) {
      if (this.has(state, onPath | unfinished | circular) === 0) this.left.push(state)
    }
  }

  /** States below which everything is explored, that were left since this was last told. */
  tell(): Int32Array {
    const { left, marks, moved, slept, visited } = this
    this.left = []
    const states = left!.filter((state) => (marks[state]! & (onPath | unfinished)) === 0)
    const words = new Int32Array(states.length * wordsOfState)
    states.forEach((state, i) => {
      const mark = marks[state]!
      const isNew = (mark & (walked | told)) === walked
      if (isNew) marks[state]! |= told
      const { high, low } = visited.printOf(state)
      words.set(
        [low, high, slept[state]!, moved[state]!, whole | (mark & open) | (isNew ? walked : 0)],
        i * wordsOfState
      )
    })
    return words
  }

  /** Takes in what the other search has told. Returns how many states it was the first to explore. */
  learn(words: Int32Array): number {
    const { visited } = this
    let others = 0
    for (let i = 0; i < words.length; i += wordsOfState) {
      const print = { low: words[i]!, high: words[i + 1]! }
      const found = visited.findPrint(print)
      const state = found >= 0 ? found : this.add(visited.addPrint(print))
      if (state < 0) continue
      const slept = words[i + 2]!
      const moved = words[i + 3]!
      const theirs = words[i + 4]!
      const mark = this.marks[state]!
      if ((mark & walked) === 0 && (theirs & walked) !== 0) others++
      if ((mark & onPath) !== 0) continue
      const isNews = (mark & unfinished) !== 0
      this.slept[state] = isNews ? slept : this.slept[state]! & slept
      this.moved[state] = isNews ? moved : this.moved[state]! | moved
      this.marks[state] = (mark & ~unfinished) | foreign | (theirs & open)
    }
    return others
  }

  private add(state: number): number {
    if (state < 0) return state
    if (state >= this.slept.length) this.grow()
    this.marks[state] = unfinished
    return state
  }

  private grow(): void {
    const { marks, moved, slept } = this
    const length = slept.length * 2
    this.slept = new Int32Array(length)
    this.moved = new Int32Array(length)
    this.marks = new Uint8Array(length)
    this.slept.set(slept)
    this.moved.set(moved)
    this.marks.set(marks)
  }
}
