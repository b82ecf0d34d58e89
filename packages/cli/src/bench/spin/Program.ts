/** A program of the comparison with SPIN: `programs/NAME.ts` beside `programs/NAME.pml`, step for step the same. */
import { type Actor, ask, type Ask, Cell, makeModel, type Model, type ModelBuilder, Mutex } from "@mmrace/core"

export type Variant = "fixed" | "broken"
export const variants: ReadonlyArray<Variant> = ["fixed", "broken"]

export interface Program {
  readonly name: string
  /** Who does what, in one line. */
  readonly about: string
  /** What `broken` leaves out. */
  readonly without: string
  readonly build: (variant: Variant) => Model
}

export const programOf = (
  name: string,
  texts: Pick<Program, "about" | "without">,
  declare: (builder: ModelBuilder, broken: boolean) => void
): Program => ({
  name,
  ...texts,
  build: (variant) => makeModel(`${name}, ${variant}`, (builder) => declare(builder, variant === "broken"))
})

/** Ends the execution with a failure, as `assert` does in Promela. */
export const assert = (condition: boolean, text: string): void => {
  if (!condition) throw new Error(text)
}

export type Word = Actor<number>
export type Lock = Actor<Mutex.Owner>

export const words = (builder: ModelBuilder, name: string, initial: ReadonlyArray<number>): ReadonlyArray<Word> =>
  initial.map((value, i) => builder.actor(Cell.cellType, `${name}[${i}]`, value))

export const locks = (builder: ModelBuilder, name: string, count: number): ReadonlyArray<Lock> =>
  Array.from({ length: count }, (_, i) => builder.actor(Mutex.spinlock.type, `${name}[${i}]`, Mutex.free))

export const load = (word: Word): Ask<number> => ask(word, Cell.load)
export const store = (word: Word, value: number): Ask<void> => ask(word, Cell.store, value)
/** Gives the value before. */
export const add = (word: Word, delta: number): Ask<number> => ask(word, Cell.fetchAdd, delta)
export const replace = (word: Word, expected: number, next: number): Ask<boolean> =>
  ask(word, Cell.compareExchange, { expected, next })
export const until = (word: Word, value: number): Ask<void> => ask(word, Cell.awaitValue, value)
export const lock = (of: Lock): Ask<void> => ask(of, Mutex.spinlock.lock)
export const unlock = (of: Lock): Ask<void> => ask(of, Mutex.spinlock.unlock)
