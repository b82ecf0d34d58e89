/**
 * A readers-writer lock made of two atomic words, and the one that comes to mind first: its readers look for a writer
 * before they count themselves in. Between the two, a writer looks for readers, sees none, and both are in.
 */
import * as Schema from "effect/Schema"
import { type Actor, ActorType, ask, Cell, commands, makeModel, type Model, type Path } from "@mmrace/core"
import { check } from "./check.ts"

// What the lock is for, only for the rule to look at: who is inside.

type Mode = "read" | "write"
const Mode = Schema.Literals(["read", "write"])

interface Inside {
  readonly readers: number
  readonly writers: number
}

const sectionType = new ActorType<Inside>("section", {
  show: ({ readers, writers }) => `${readers} reading, ${writers} writing`
})

const move = (name: string, by: number) =>
  sectionType.command<Mode>(name, {
    access: "write",
    ordering: "plain",
    evolve: ({ readers, writers }, mode) =>
      mode === "read" ? { readers: readers + by, writers } : { readers, writers: writers + by },
    arg: Mode
  })
const enter = move("enter", 1)
const leave = move("leave", -1)

interface Lock {
  /** 1 while a writer has the lock or waits for the readers to leave. */
  readonly writer: Actor<number>
  /** Readers that have counted themselves in. */
  readonly readers: Actor<number>
  readonly section: Actor<Inside>
}

/** Which comes first when a reader takes the lock. */
export type Order = "counts first" | "looks first"

// The lock. Nothing spins: `awaitValue` is a step that waits until it can be made.

function* readLock({ readers, writer }: Lock, order: Order): Path<void> {
  if (order === "looks first") {
    yield* ask(writer, Cell.awaitValue, 0)
    yield* ask(readers, Cell.fetchAdd, 1)
    return
  }
  for (;;) {
    yield* ask(readers, Cell.fetchAdd, 1)
    if ((yield* ask(writer, Cell.load)) === 0) return
    // Out of the writer's way. It comes round once for each writer at most.
    yield* ask(readers, Cell.fetchAdd, -1)
    yield* ask(writer, Cell.awaitValue, 0)
  }
}

function* writeLock({ readers, writer }: Lock): Path<void> {
  while (!(yield* ask(writer, Cell.compareExchange, { expected: 0, next: 1 }))) yield* ask(writer, Cell.awaitValue, 0)
  yield* ask(readers, Cell.awaitValue, 0)
}

function* read(lock: Lock, order: Order): Path<void> {
  yield* readLock(lock, order)
  yield* ask(lock.section, enter, "read")
  yield* ask(lock.section, leave, "read")
  yield* ask(lock.readers, Cell.fetchAdd, -1)
}

function* write(lock: Lock): Path<void> {
  yield* writeLock(lock)
  yield* ask(lock.section, enter, "write")
  yield* ask(lock.section, leave, "write")
  yield* ask(lock.writer, Cell.store, 0)
}

export const rwLock = (order: Order, threads: { readonly readers: number; readonly writers: number }): Model =>
  makeModel(`readers-writer lock whose reader ${order}`, (m) => {
    const lock: Lock = {
      writer: m.actor(Cell.cellType, "writer", 0),
      readers: m.actor(Cell.cellType, "readers", 0),
      section: m.actor(sectionType, "section", { readers: 0, writers: 0 })
    }
    for (let i = 1; i <= threads.readers; i++) m.thread(`reader ${i}`, () => read(lock, order))
    for (let i = 1; i <= threads.writers; i++) m.thread(`writer ${i}`, () => write(lock))
    m.monitor<null>({
      id: "exclusion",
      title: "a writer is alone",
      on: commands(enter),
      initial: () => null,
      step(state, event) {
        const { readers, writers } = lock.section.state
        if (writers > 0 && readers + writers > 1) {
          event.violate(`${event.threadName} comes in: ${readers} reading, ${writers} writing`, "section")
        }
        return state
      }
    })
  })

console.log(check(rwLock("looks first", { readers: 1, writers: 1 })))
console.log(check(rwLock("counts first", { readers: 2, writers: 1 })))
