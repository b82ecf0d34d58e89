/** Random programs of threads that go round loops and remember little, so that they come back to where they were. */
import { ask, Cell, makeModel, type Model, Mutex, type Path, settle } from "@mmrace/core"
import * as fc from "fast-check"

export interface LoopOp {
  readonly kind: "load" | "store" | "copy" | "add" | "locked" | "until" | "poll" | "pester" | "check"
  readonly cell: number
}

const op: fc.Arbitrary<LoopOp> = fc.record({
  kind: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom<LoopOp["kind"]>("load", "store", "copy", "add", "locked") },
    { weight: 4, arbitrary: fc.constantFrom<LoopOp["kind"]>("until", "poll", "pester") },
    { weight: 2, arbitrary: fc.constant<LoopOp["kind"]>("check") }
  ),
  cell: fc.nat(2)
})

export const loopsOf = (least: number): fc.Arbitrary<ReadonlyArray<ReadonlyArray<LoopOp>>> =>
  fc.array(fc.array(op, { minLength: least, maxLength: 5 }), { minLength: 1 + least, maxLength: 4 })

export const loops = loopsOf(1)

/** Threads that go round loops, fail, and take locks. */
export const loopers = (threads: ReadonlyArray<ReadonlyArray<LoopOp>>): Model =>
  makeModel("loopers", (m) => {
    const cells = [0, 1, 2].map((i) => m.actor(Cell.cellType, `c${i}`, 0))
    const lock = m.actor(Mutex.mutex.type, "lock", Mutex.free)
    threads.forEach((list, t) => {
      m.thread(`T${t}`, function*(): Path<number> {
        let register = t + 1
        for (let i = 0; i < list.length; i++) {
          settle([i, register])
          const { cell: c, kind } = list[i]!
          const cell = cells[c]!
          if (kind === "load") register = yield* ask(cell, Cell.load)
          else if (kind === "store") yield* ask(cell, Cell.store, 1)
          else if (kind === "copy") yield* ask(cell, Cell.store, register)
          else if (kind === "add") yield* ask(cell, Cell.fetchAdd, 1)
          else if (kind === "check" && (yield* ask(cell, Cell.load)) === 2) throw new Error("two")
          else if (kind === "locked") {
            yield* ask(lock, Mutex.mutex.lock)
            register = yield* ask(cell, Cell.load)
            yield* ask(cell, Cell.store, register + 1)
            yield* ask(lock, Mutex.mutex.unlock)
          } else if (kind === "until") {
            while ((yield* ask(cell, Cell.load)) === 0) settle([i, register])
          } else if (kind === "poll") {
            for (let seen = 0; seen === 0;) {
              settle([i, register])
              yield* ask(lock, Mutex.mutex.lock)
              seen = yield* ask(cell, Cell.load)
              yield* ask(lock, Mutex.mutex.unlock)
            }
          } else if (kind === "pester") {
            // Another cell goes to and fro.
            const other = cells[(c + 1) % 3]!
            while ((yield* ask(cell, Cell.load)) === 0) {
              yield* ask(other, Cell.store, 1 - ((yield* ask(other, Cell.load)) % 2))
              settle([i, register])
            }
          }
        }
        return register
      })
    })
  })
