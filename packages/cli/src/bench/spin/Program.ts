/** A program of the comparison with SPIN: `programs/NAME.ts` beside `programs/NAME.pml`, step for step the same. */
import { type Actor, ActorType } from "@mmrace/core/Actor"
import { ask, type Ask } from "@mmrace/core/Ask"
import { makeModel, type Model, type ModelBuilder } from "@mmrace/core/Model"
import * as Mutex from "@mmrace/core/primitives/Mutex"

export type Variant = "fixed" | "broken"
export const variants: ReadonlyArray<Variant> = ["fixed", "broken"]

/** `small` is for tests. */
export type Size = "full" | "small"

export interface Program {
  readonly name: string
  /** Who does what, in one line. */
  readonly about: string
  /** What `broken` leaves out. */
  readonly without: string
  readonly build: (variant: Variant, size?: Size) => Model
}

export const programOf = (
  name: string,
  texts: Pick<Program, "about" | "without">,
  declare: (builder: ModelBuilder, broken: boolean, small: boolean) => void
): Program => ({
  name,
  ...texts,
  build: (variant, size = "full") =>
    makeModel(`${name}, ${variant}`, (builder) => declare(builder, variant === "broken", size === "small"))
})

/** Ends the execution with a failure, as `assert` does in Promela. */
export const assert = (condition: boolean, text: string): void => {
  if (!condition) throw new Error(text)
}

/** A word of memory. Unlike that of core, its `add` tells nobody what was there. */
export type Word = Actor<number>
const wordType = new ActorType<number>("word")
const word = {
  load: wordType.command<void, number>("load", { access: "read", decide: (value) => value }),
  store: wordType.command<number>("store", { access: "write", evolve: (_, value) => value }),
  add: wordType.command<number>("add", { access: "write", evolve: (value, delta) => value + delta }),
  /** True: the bit was 0 and is 1 now. */
  testAndSet: wordType.command<void, boolean>("test_and_set", {
    access: "write",
    decide: (value) => value === 0,
    evolve: () => 1
  }),
  until: wordType.command<number>("until", { access: "read", blocked: (value, wanted) => value !== wanted })
}

export const wordNamed = (builder: ModelBuilder, name: string, initial: number): Word =>
  builder.actor(wordType, name, initial)
export const words = (builder: ModelBuilder, name: string, initial: ReadonlyArray<number>): ReadonlyArray<Word> =>
  initial.map((value, i) => wordNamed(builder, `${name}[${i}]`, value))

export const load = (of: Word): Ask<number> => ask(of, word.load)
export const store = (of: Word, value: number): Ask<void> => ask(of, word.store, value)
export const add = (of: Word, delta: number): Ask<void> => ask(of, word.add, delta)
export const testAndSet = (of: Word): Ask<boolean> => ask(of, word.testAndSet)
export const until = (of: Word, value: number): Ask<void> => ask(of, word.until, value)

export type Lock = Actor<Mutex.Owner>

export const lockNamed = (builder: ModelBuilder, name: string): Lock =>
  builder.actor(Mutex.spinlock.type, name, Mutex.free)
export const locks = (builder: ModelBuilder, name: string, count: number): ReadonlyArray<Lock> =>
  Array.from({ length: count }, (_, i) => lockNamed(builder, `${name}[${i}]`))

export const lock = (of: Lock): Ask<void> => ask(of, Mutex.spinlock.lock)
export const unlock = (of: Lock): Ask<void> => ask(of, Mutex.spinlock.unlock)
