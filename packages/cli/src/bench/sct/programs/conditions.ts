/** Programs with condition variables: signals that nobody sends, that nobody hears, or that the wrong one hears. */
import { Condition, type Path } from "@mmrace/core"
import { assert, bump, get, programOf, set, type World } from "../Program.ts"

const empty = 0
const full = 1
type Monitor = ReturnType<World["condition"]>
type Cell = ReturnType<World["cell"]>

/** Waits at `which` while num satisfies the condition, changes num by `by`, and signals `other` without the mutex. */
function* turn(m: Monitor, num: Cell, wait: typeof empty | typeof full, by: number): Path<void> {
  yield* Condition.lock(m)
  for (;;) {
    const value = yield* get(num)
    if (wait === empty ? value <= 0 : value !== 0) break
    yield* Condition.wait(m, wait)
  }
  if (by !== 0) yield* bump(num, by)
  yield* Condition.unlock(m)
  yield* Condition.signal(m, wait === empty ? full : empty)
}

function* turns(n: number, m: Monitor, num: Cell, wait: typeof empty | typeof full, by: number): Path<void> {
  for (let i = 0; i < n; i++) yield* turn(m, num, wait, by)
}

export const sync01 = programOf("sync01", "the producer waits for a consumer that takes nothing", "deadlock", (w) => {
  const m = w.condition("m")
  const num = w.cell("num", 1)
  w.thread("t1", () => turns(1, m, num, empty, 1))
  w.thread("t2", () => turns(1, m, num, full, 0))
}, { always: true })

export const sync02 = programOf(
  "sync02",
  "two are there, two are taken, and the producer waits for more",
  "deadlock",
  (w) => {
    const m = w.condition("m")
    const num = w.cell("num", 2)
    w.thread("producer", () => turns(2, m, num, empty, 1))
    w.thread("consumer", () => turns(2, m, num, full, -1))
  },
  { always: true }
)

export const arithmeticProg = programOf("arithmetic_prog", "the sum is what the assertion denies", "assertion", (w) => {
  const n = 3
  const m = w.condition("m")
  const num = w.cell("num")
  const total = w.cell("total")
  const flag = w.cell("flag")
  w.thread("t1", () => turns(n, m, num, empty, 1))
  w.thread("t2", function*(): Path<void> {
    let j = 0
    for (; j < n; j++) {
      yield* Condition.lock(m)
      while ((yield* get(num)) === 0) yield* Condition.wait(m, full)
      yield* bump(total, j)
      yield* bump(num, -1)
      yield* Condition.unlock(m)
      yield* Condition.signal(m, empty)
    }
    yield* bump(total, j)
    yield* set(flag, 1)
  })
  w.finally(() =>
    flag.state !== 0 && total.state === (n * (n + 1)) / 2 ? "total != n (n + 1) / 2 does not hold" : undefined
  )
}, { always: true })

export const lostWakeup = programOf("lostwakeup", "ready is looked at before the mutex is taken", "deadlock", (w) => {
  const m = w.condition("m")
  const ready = w.cell("ready")
  w.thread("wait", function*(): Path<void> {
    if ((yield* get(ready)) !== 0) return
    yield* Condition.lock(m)
    yield* Condition.wait(m)
    yield* Condition.unlock(m)
  })
  w.thread("wake", function*(): Path<void> {
    yield* set(ready, 1)
    yield* Condition.signal(m)
  })
})

/** One step of a user of a buffer of one place, with `if` where `while` is needed and one condition for both sides. */
function* once(m: Monitor, count: Cell, isProducer: boolean): Path<void> {
  yield* Condition.lock(m)
  const refused = isProducer ? 1 : 0
  if ((yield* get(count)) === refused) yield* Condition.wait(m)
  const value = yield* get(count)
  assert(value !== refused, isProducer ? "the buffer is not full" : "the buffer is not empty")
  yield* set(count, isProducer ? 1 : 0)
  yield* Condition.unlock(m)
  yield* Condition.signal(m)
}

export const boundedBuffer = programOf(
  "boundedbuf",
  "one condition for producers and consumers, and `if`",
  "assertion",
  (w) => {
    const m = w.condition("m")
    const count = w.cell("count")
    for (const i of [1, 2]) w.thread(`producer${i}`, () => once(m, count, true))
    for (const i of [1, 2]) w.thread(`consumer${i}`, () => once(m, count, false))
  }
)
