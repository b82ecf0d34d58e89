/**
 * The programs of the comparison of strategies, as values. Each can be built in two forms:
 *
 * - `spawned`, as the C programs are: a main thread creates the others one after the other, runs what main itself runs
 *   in C, and waits for them. Published figures for SCTBench are for this form.
 * - `flat`: all threads are there from the start, and main does nothing. Fewer steps, and the order of creation helps
 *   nobody. Published figures of harnesses without a main thread are for this form.
 */
import {
  type Actor,
  ask,
  type Ask,
  type Body,
  Cell,
  Condition,
  joinThread,
  makeModel,
  type Model,
  type ModelBuilder,
  Mutex,
  type Path,
  spawnThread,
  type Thread,
  type Verdict
} from "@mmrace/core"

export type Form = "flat" | "spawned"

export interface Program {
  readonly name: string
  /** What is wrong, in one line. */
  readonly about: string
  readonly fails: "assertion" | "deadlock"
  /** Every execution fails: the program only shows that the harness works. */
  readonly always: boolean
  /** Fewer executions than usual, for programs that are too slow or too hard for the full limit. */
  readonly limit?: number
  readonly maxSteps?: number
  readonly build: (form: Form) => Model
}

const failed = "assertion failed: "

/** An assertion of a thread: ends the execution where the C program would abort. */
export const assert = (condition: boolean, text: string): void => {
  if (!condition) throw new Error(failed + text)
}

/** What kind of failure a verdict is; undefined when it is none of the two (a mistake of the port). */
export const kindOf = (verdict: Verdict): Program["fails"] | undefined => {
  switch (verdict._tag) {
    case "Deadlock":
      return "deadlock"
    case "Violation":
      return "assertion"
    case "Crash":
      return verdict.error.includes(failed) ? "assertion" : undefined
    default:
      return undefined
  }
}

export type Cell = Actor<number>

/** Plain accesses, as C has them. */
export const get = (cell: Cell): Ask<number> => ask(cell, Cell.read)
export const set = (cell: Cell, value: number): Ask<void> => ask(cell, Cell.write, value)
/** x += by for a plain variable: a load and a store. */
export function* bump(cell: Cell, by: number): Path<void> {
  const value = yield* get(cell)
  yield* set(cell, value + by)
}

export const lock = (mutex: Actor<Mutex.Owner>): Ask<void> => ask(mutex, Mutex.mutex.lock)
export const unlock = (mutex: Actor<Mutex.Owner>): Ask<void> => ask(mutex, Mutex.mutex.unlock)

/** Collects a program's variables and threads; `programOf` makes a model of them. */
export class World {
  readonly builder: ModelBuilder
  readonly bodies: Array<{ readonly name: string; readonly body: Body; readonly inMain: boolean }> = []

  constructor(builder: ModelBuilder) {
    this.builder = builder
  }

  cell(name: string, initial = 0): Cell {
    return this.builder.actor(Cell.cellType, name, initial)
  }

  cells(name: string, count: number): ReadonlyArray<Cell> {
    return Array.from({ length: count }, (_, i) => this.cell(`${name}${i}`))
  }

  mutex(name: string): Actor<Mutex.Owner> {
    return this.builder.actor(Mutex.mutex.type, name, Mutex.free)
  }

  /** A mutex with its condition variables. */
  condition(name: string): Actor<Condition.ConditionState> {
    return this.builder.actor(Condition.condition.type, name, Condition.unlocked)
  }

  /** Threads in the order in which main creates them. */
  thread(name: string, body: Body): void {
    this.bodies.push({ name, body, inMain: false })
  }

  /** What main itself runs in C, after it created the threads. */
  main(name: string, body: Body): void {
    this.bodies.push({ name, body, inMain: true })
  }

  /** Checked when all threads have ended; gives what is wrong. */
  finally(check: () => string | undefined): void {
    this.builder.monitor<null>({
      id: "final",
      title: "what main checks after the threads ended",
      on: [],
      initial: () => null,
      step: (state) => state,
      end: (_, quiescence) => {
        const wrong = check()
        if (wrong !== undefined) quiescence.violate(wrong, "final")
      }
    })
  }
}

function* main(children: ReadonlyArray<Thread>, own: Body | undefined): Path<void> {
  for (const child of children) yield* ask(child.actor, spawnThread)
  if (own !== undefined) yield* own()
  for (const child of children) yield* ask(child.actor, joinThread)
}

const declare = (world: World, form: Form): void => {
  const { bodies, builder } = world
  if (form === "flat") {
    for (const { body, name } of bodies) builder.thread(name, body)
    return
  }
  const children: Array<Thread> = []
  const own = bodies.find((b) => b.inMain)?.body
  builder.thread("main", () => main(children, own))
  for (const { body, inMain, name } of bodies) {
    if (!inMain) children.push(builder.thread(name, body, { start: "spawned" }))
  }
}

export const programOf = (
  name: string,
  about: string,
  fails: Program["fails"],
  declareWorld: (world: World) => void,
  options: { readonly always?: boolean; readonly limit?: number; readonly maxSteps?: number } = {}
): Program => ({
  name,
  about,
  fails,
  always: options.always ?? false,
  ...(options.limit === undefined ? {} : { limit: options.limit }),
  ...(options.maxSteps === undefined ? {} : { maxSteps: options.maxSteps }),
  build: (form) =>
    makeModel(name, (builder) => {
      const world = new World(builder)
      declareWorld(world)
      declare(world, form)
    })
})
