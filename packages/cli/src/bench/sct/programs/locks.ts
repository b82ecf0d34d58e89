/** Programs of SCTBench's CS directory whose shared state is behind locks (mostly the wrong ones). */
import { type Actor, ActorType, ask, Mutex, type Path, Rwsem } from "@mmrace/core"
import * as Schema from "effect/Schema"
import { assert, bump, type Cell, get, lock, type Program, programOf, set, unlock, type World } from "../Program.ts"

type Lock = Actor<Mutex.Owner>

/**
 * SCTBench makes scheduling points of synchronisation and of accesses that race, and of nothing else. Where other
 * threads may move while a lock is held, an access behind that lock must be no step then: the lock hands its variable
 * out and takes it back. (Where they all wait for the lock it makes no difference, and accesses are steps as usual.)
 */
interface Guarded {
  readonly owner: number
  readonly value: number
}

const guardedType = new ActorType<Guarded>("guarded", {
  waitsFor: (state) => state.owner === Mutex.free ? [] : [state.owner]
})

/** Takes the lock and reads the variable. */
const take = guardedType.command<void, number>("take", {
  access: "write",
  ordering: "acquire",
  blocked: (state) => state.owner !== Mutex.free,
  decide: (state) => state.value,
  evolve: (state, _arg, _result, thread) => ({ ...state, owner: thread }),
  lock: () => ({ action: "acquire", mode: "write" }),
  result: Schema.Number
})

/** Writes the variable and gives the lock back. */
const give = guardedType.command<number>("give", {
  access: "write",
  ordering: "release",
  evolve: (_state, value) => ({ owner: Mutex.free, value }),
  lock: () => ({ action: "release", mode: "write" }),
  arg: Schema.Number
})

const guarded = (w: World, name: string, value: number): Actor<Guarded> =>
  w.builder.actor(guardedType, name, { owner: Mutex.free, value })
const range = (n: number): ReadonlyArray<number> => Array.from({ length: n }, (_, i) => i)

export const account = programOf("account", "the check expects a deposit to be taken off", "assertion", (w) => {
  const m = w.mutex("m")
  const balance = w.cell("balance", 1)
  const deposited = w.cell("deposit_done")
  const withdrawn = w.cell("withdraw_done")
  w.thread("check", function*(): Path<void> {
    yield* lock(m)
    if ((yield* get(deposited)) !== 0 && (yield* get(withdrawn)) !== 0) {
      assert((yield* get(balance)) === 1 - 2 - 4, "balance == x - y - z")
    }
    yield* unlock(m)
  })
  w.thread("deposit", function*(): Path<void> {
    yield* lock(m)
    yield* bump(balance, 2)
    yield* set(deposited, 1)
    yield* unlock(m)
  })
  w.thread("withdraw", function*(): Path<void> {
    yield* lock(m)
    yield* bump(balance, -4)
    yield* set(withdrawn, 1)
    yield* unlock(m)
  })
})

function* carter(m: Lock, l: Lock, counter: Cell): Path<void> {
  yield* lock(m)
  yield* bump(counter, 1)
  if ((yield* get(counter)) === 1) yield* lock(l)
  yield* unlock(m)
  yield* lock(m)
  yield* bump(counter, -1)
  if ((yield* get(counter)) === 0) yield* unlock(l)
  yield* unlock(m)
}

function* nothing(): Path<void> {}

export const carter01 = programOf("carter01", "waits for l with m held, which l's owner needs", "deadlock", (w) => {
  const m = w.mutex("m")
  const l = w.mutex("l")
  const a = w.cell("A")
  const b = w.cell("B")
  w.thread("t1", () => carter(m, l, a))
  w.thread("t2", () => carter(m, l, b))
  w.thread("t3", nothing)
  w.thread("t4", nothing)
})

export const circularBuffer = programOf("circular_buffer", "the consumer's turn may be skipped", "assertion", (w) => {
  const n = 7
  const m = w.mutex("m")
  const buffer = w.cells("buffer", 10)
  const first = w.cell("first")
  const next = w.cell("next")
  const send = w.cell("send", 1)
  const receive = w.cell("receive")
  w.thread("t1", function*(): Path<void> {
    for (let i = 0; i < n; i++) {
      yield* lock(m)
      if ((yield* get(send)) !== 0) {
        const at = yield* get(next)
        yield* set(buffer[at]!, i)
        yield* set(next, (at + 1) % buffer.length)
        yield* set(send, 0)
        yield* set(receive, 1)
      }
      yield* unlock(m)
    }
  })
  w.thread("t2", function*(): Path<void> {
    for (let i = 0; i < n; i++) {
      yield* lock(m)
      if ((yield* get(receive)) !== 0) {
        let value = -1
        if ((yield* get(next)) > 0) {
          const at = yield* get(first)
          yield* set(first, at + 1)
          value = yield* get(buffer[at]!)
        }
        assert(value === i, "removeLogElement() == i")
        yield* set(receive, 0)
        yield* set(send, 1)
      }
      yield* unlock(m)
    }
  })
})

function* twoLocks(first: Lock, second: Lock): Path<void> {
  yield* lock(first)
  yield* lock(second)
  yield* unlock(second)
  yield* unlock(first)
}

export const deadlock01 = programOf("deadlock01", "two locks in both orders", "deadlock", (w) => {
  const a = w.mutex("a")
  const b = w.mutex("b")
  w.thread("t1", () => twoLocks(a, b))
  w.thread("t2", () => twoLocks(b, a))
})

export const philosophers = (n: number): Program =>
  programOf(`din_phil${n}`, "every philosopher takes the left fork first", "deadlock", (w) => {
    const forks = range(n).map((i) => w.mutex(`fork${i}`))
    for (const i of range(n)) w.thread(`p${i}`, () => twoLocks(forks[i]!, forks[(i + 1) % n]!))
  })

function* addUnder(m: Lock, cell: Cell, by: number): Path<void> {
  yield* lock(m)
  yield* bump(cell, by)
  yield* unlock(m)
}

export const lazy01 = programOf("lazy01", "the third thread may be last", "assertion", (w) => {
  const m = w.mutex("mutex")
  const data = w.cell("data")
  w.thread("t1", () => addUnder(m, data, 1))
  w.thread("t2", () => addUnder(m, data, 2))
  w.thread("t3", function*(): Path<void> {
    yield* lock(m)
    assert((yield* get(data)) < 3, "data < 3")
    yield* unlock(m)
  })
})

function* keepsX(x: Lock, y: Lock): Path<void> {
  yield* lock(x)
  yield* unlock(x)
  yield* lock(x)
  yield* lock(y)
  yield* unlock(y)
  yield* lock(y)
  yield* unlock(y)
}

export const phase01 = programOf("phase01", "x is never given back", "deadlock", (w) => {
  const x = w.mutex("x")
  const y = w.mutex("y")
  w.thread("t1", () => keepsX(x, y))
  w.thread("t2", () => keepsX(x, y))
}, { always: true })

export const queue = programOf("queue", "the index of the loop is not that of the element", "assertion", (w) => {
  const size = 20
  const m = w.mutex("m")
  const element = w.cells("element", size)
  const stored = w.cells("stored", size)
  const head = w.cell("head")
  const tail = w.cell("tail")
  const amount = w.cell("amount")
  const mayEnqueue = w.cell("enqueue_flag", 1)
  const mayDequeue = w.cell("dequeue_flag")
  function* enqueue(value: number): Path<void> {
    const at = yield* get(tail)
    yield* set(element[at]!, value)
    yield* bump(amount, 1)
    yield* set(tail, at === size ? 1 : at + 1)
  }
  w.thread("t1", function*(): Path<void> {
    let value = 0
    yield* lock(m)
    yield* enqueue(value)
    yield* set(stored[0]!, value)
    assert((yield* get(head)) !== (yield* get(tail)), "!empty(queue)")
    yield* unlock(m)
    for (let i = 0; i < size - 1; i++) {
      yield* lock(m)
      if ((yield* get(mayEnqueue)) !== 0) {
        value++
        yield* enqueue(value)
        yield* set(stored[i + 1]!, value)
        yield* set(mayEnqueue, 0)
        yield* set(mayDequeue, 1)
      }
      yield* unlock(m)
    }
  })
  w.thread("t2", function*(): Path<void> {
    for (let i = 0; i < size; i++) {
      yield* lock(m)
      if ((yield* get(mayDequeue)) !== 0) {
        const at = yield* get(head)
        const value = yield* get(element[at]!)
        yield* bump(amount, -1)
        yield* set(head, at === size ? 1 : at + 1)
        assert(value === (yield* get(stored[i]!)), "dequeue(queue) == stored_elements[i]")
        yield* set(mayDequeue, 0)
        yield* set(mayEnqueue, 1)
      }
      yield* unlock(m)
    }
  })
})

export const stack = programOf("stack", "flag says that something was pushed once", "assertion", (w) => {
  const size = 10
  const m = w.mutex("m")
  const top = w.cell("top")
  const items = w.cells("arr", size)
  const flag = w.cell("flag")
  w.thread("t1", function*(): Path<void> {
    for (let i = 0; i < size; i++) {
      yield* lock(m)
      const at = yield* get(top)
      assert(at !== size, "push(arr, i) != OVERFLOW")
      yield* set(items[at]!, i)
      yield* set(top, at + 1)
      yield* set(flag, 1)
      yield* unlock(m)
    }
  })
  w.thread("t2", function*(): Path<void> {
    for (let i = 0; i < size; i++) {
      yield* lock(m)
      if ((yield* get(flag)) !== 0) {
        const at = yield* get(top)
        assert(at !== 0, "pop(arr) != UNDERFLOW")
        yield* set(top, at - 1)
        yield* get(items[at - 1]!)
      }
      yield* unlock(m)
    }
  })
})

/** `writers` threads that write the two stages and one that reads them. */
export const twostage = (name: string, writers: number, limit?: number): Program =>
  programOf(name, "a reader between the two stages of a writer", "assertion", (w) => {
    const first = guarded(w, "data1", 0)
    const second = guarded(w, "data2", 0)
    for (const i of range(writers)) {
      w.thread(`a${i}`, function*(): Path<void> {
        yield* ask(first, take)
        yield* ask(first, give, 1)
        // data1 is 1 for ever now: its read under the other lock is no race that matters.
        yield* ask(second, take)
        yield* ask(second, give, 2)
      })
    }
    w.thread("b", function*(): Path<void> {
      const t1 = yield* ask(first, take)
      yield* ask(first, give, t1)
      if (t1 === 0) return
      const t2 = yield* ask(second, take)
      yield* ask(second, give, t2)
      assert(t2 === t1 + 1, "t2 == t1 + 1")
    })
  }, limit === undefined ? {} : { limit })

/** One thread under one lock, `others` under another. */
export const wronglock = (name: string, others: number): Program =>
  programOf(name, "the variable is behind two different locks", "assertion", (w) => {
    const dataLock = w.mutex("dataLock")
    const thisLock = w.mutex("thisLock")
    const value = w.cell("dataValue")
    w.thread("a", function*(): Path<void> {
      yield* lock(dataLock)
      const x = yield* get(value)
      yield* bump(value, 1)
      assert((yield* get(value)) === x + 1, "dataValue == x + 1")
      yield* unlock(dataLock)
    })
    for (const i of range(others)) w.thread(`b${i}`, () => addUnder(thisLock, value, 1))
  })

export const stringbuffer = programOf(
  "stringbuffer",
  "a length from one critical section is used in another",
  "assertion",
  (w) => {
    const sb = w.mutex("sb")
    const buffer = guarded(w, "buffer", 3)
    w.main("append", function*(): Path<void> {
      yield* lock(sb)
      const length = yield* ask(buffer, take)
      yield* ask(buffer, give, length)
      const count = yield* ask(buffer, take)
      assert(length <= count, "srcEnd <= count")
      yield* ask(buffer, give, count)
      yield* unlock(sb)
    })
    w.thread("erase", function*(): Path<void> {
      yield* ask(buffer, take)
      yield* ask(buffer, give, 0)
      const count = yield* ask(buffer, take)
      yield* ask(buffer, give, count + 3)
    })
  }
)

export const rwsemRecursiveRead = programOf(
  "rwsem_recursive_read",
  "a writer waits between two read locks of one thread",
  "deadlock",
  (w) => {
    const sem = w.builder.actor(Rwsem.rwsem.type, "sem", Rwsem.unlocked)
    w.thread("reader", function*(): Path<void> {
      yield* Rwsem.downRead(sem)
      yield* Rwsem.downRead(sem)
      yield* ask(sem, Rwsem.rwsem.upRead)
      yield* ask(sem, Rwsem.rwsem.upRead)
    })
    w.thread("writer", function*(): Path<void> {
      yield* Rwsem.downWrite(sem)
      yield* ask(sem, Rwsem.rwsem.upWrite)
    })
  }
)
