/** Small programs shared by the tests of strategies, campaigns and shrinking. */
import {
  type Actor,
  ask,
  Cell,
  commands,
  makeModel,
  type Model,
  type ModelBuilder,
  type Monitor,
  Mutex,
  type Path
} from "@mmrace/core"

/** Fails at quiescence when `wrong` names something. */
export const finalCheck = (id: string, wrong: () => string | undefined): Monitor<null> => ({
  id,
  title: id,
  on: [],
  initial: () => null,
  step: (state) => state,
  end: (_, quiescence) => {
    const message = wrong()
    if (message !== undefined) quiescence.violate(message, id)
  }
})

/** Cells that count failed assertions: a store of 1 into `failed` is the violation. */
export const assertions = (m: ModelBuilder): Actor<number> => {
  const failed = m.actor(Cell.cellType, "failed", 0)
  m.monitor({
    id: "assert",
    title: "an assertion of a thread failed",
    on: commands(Cell.store),
    initial: () => null,
    step: (state, event) => {
      if ((event.actor as unknown) === failed) event.violate("assertion failed", "assert")
      return state
    }
  })
  return failed
}

function* repeat(cell: Actor<number>, times: number): Path<void> {
  for (let i = 0; i < times; i++) yield* ask(cell, Cell.fetchAdd, 1)
}

/** Threads that only add to one cell, `lengths[i]` steps each. */
export const straightLines = (lengths: ReadonlyArray<number>): Model =>
  makeModel(`straight ${lengths.join(",")}`, (m) => {
    const x = m.actor(Cell.cellType, "x", 0)
    lengths.forEach((length, i) => m.thread(`T${i}`, () => repeat(x, length)))
  })

function* readThenWrite(x: Actor<number>): Path<void> {
  const value = yield* ask(x, Cell.read)
  yield* ask(x, Cell.write, value + 1)
}

/** x = 0; each thread { v = x; x = v + 1 }; finally x is the number of threads. */
export const lostUpdate = (threads = 2, noise = 0): Model =>
  makeModel("lost update", (m) => {
    const x = m.actor(Cell.cellType, "x", 0)
    const other = m.actor(Cell.cellType, "other", 0)
    for (let i = 0; i < threads; i++) {
      m.thread(`T${i}`, function*(): Path<void> {
        yield* repeat(other, noise)
        yield* readThenWrite(x)
        yield* repeat(other, noise)
      })
    }
    m.monitor(finalCheck("lost-update", () => x.state === threads ? undefined : `x is ${x.state}, expected ${threads}`))
  })

function* lockBoth(first: Actor<number>, second: Actor<number>): Path<void> {
  yield* ask(first, Mutex.mutex.lock)
  yield* ask(second, Mutex.mutex.lock)
  yield* ask(second, Mutex.mutex.unlock)
  yield* ask(first, Mutex.mutex.unlock)
}

/** T1 locks a then b, T2 locks b then a. */
export const deadlock = (): Model =>
  makeModel("deadlock01", (m) => {
    const a = m.actor(Mutex.mutex.type, "a", Mutex.free)
    const b = m.actor(Mutex.mutex.type, "b", Mutex.free)
    m.thread("T1", () => lockBoth(a, b))
    m.thread("T2", () => lockBoth(b, a))
  })

/** The Bluetooth driver of KISS (Qadeer, Wu, PLDI 2004): stopped between the check and the increment. */
export const bluetooth = (): Model =>
  makeModel("bluetooth", (m) => {
    const pending = m.actor(Cell.cellType, "pending", 1)
    const stopping = m.actor(Cell.cellType, "stopping", 0)
    const event = m.actor(Cell.cellType, "event", 0)
    const stopped = m.actor(Cell.cellType, "stopped", 0)
    const failed = assertions(m)
    m.thread("requester", function*() {
      if ((yield* ask(stopping, Cell.load)) === 0) {
        yield* ask(pending, Cell.fetchAdd, 1)
        if ((yield* ask(stopped, Cell.load)) !== 0) yield* ask(failed, Cell.store, 1)
      }
      if ((yield* ask(pending, Cell.fetchAdd, -1)) === 1) yield* ask(event, Cell.fetchAdd, 1)
    })
    m.thread("stopper", function*() {
      yield* ask(stopping, Cell.exchange, 1)
      if ((yield* ask(pending, Cell.fetchAdd, -1)) === 1) yield* ask(event, Cell.fetchAdd, 1)
      if ((yield* ask(event, Cell.load)) !== 0) yield* ask(stopped, Cell.exchange, 1)
    })
  })

/** java.lang.StringBuffer.append: the length is read in one critical section and used in another. */
export const stringBuffer = (): Model =>
  makeModel("stringbuffer", (m) => {
    const count = m.actor(Cell.cellType, "count", 3)
    const sb = m.actor(Mutex.mutex.type, "sb", Mutex.free)
    const b = m.actor(Mutex.mutex.type, "b", Mutex.free)
    const failed = assertions(m)
    m.thread("append", function*() {
      yield* ask(sb, Mutex.mutex.lock)
      yield* ask(b, Mutex.mutex.lock)
      const length = yield* ask(count, Cell.read)
      yield* ask(b, Mutex.mutex.unlock)
      yield* ask(b, Mutex.mutex.lock)
      if (length > (yield* ask(count, Cell.read))) yield* ask(failed, Cell.store, 1)
      yield* ask(b, Mutex.mutex.unlock)
      yield* ask(sb, Mutex.mutex.unlock)
    })
    m.thread("erase", function*() {
      yield* ask(b, Mutex.mutex.lock)
      yield* ask(count, Cell.write, 0)
      yield* ask(b, Mutex.mutex.unlock)
      yield* ask(b, Mutex.mutex.lock)
      yield* ask(count, Cell.write, 3)
      yield* ask(b, Mutex.mutex.unlock)
    })
  })

/** SCTBench twostage: a reader between the two stages of a writer sees a half-made update. */
export const twostage = (writers = 1): Model =>
  makeModel("twostage", (m) => {
    const d1 = m.actor(Cell.cellType, "d1", 0)
    const d2 = m.actor(Cell.cellType, "d2", 0)
    const l1 = m.actor(Mutex.mutex.type, "l1", Mutex.free)
    const l2 = m.actor(Mutex.mutex.type, "l2", Mutex.free)
    const failed = assertions(m)
    for (let i = 0; i < writers; i++) {
      m.thread(`W${i}`, function*() {
        yield* ask(l1, Mutex.mutex.lock)
        yield* ask(d1, Cell.write, 1)
        yield* ask(l1, Mutex.mutex.unlock)
        yield* ask(l2, Mutex.mutex.lock)
        yield* ask(d2, Cell.write, (yield* ask(d1, Cell.read)) + 1)
        yield* ask(l2, Mutex.mutex.unlock)
      })
    }
    m.thread("R", function*() {
      yield* ask(l1, Mutex.mutex.lock)
      const t1 = yield* ask(d1, Cell.read)
      yield* ask(l1, Mutex.mutex.unlock)
      if (t1 === 0) return
      yield* ask(l2, Mutex.mutex.lock)
      const t2 = yield* ask(d2, Cell.read)
      yield* ask(l2, Mutex.mutex.unlock)
      if (t2 !== t1 + 1) yield* ask(failed, Cell.store, 1)
    })
  })
