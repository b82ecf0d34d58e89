/** Lock-free structures: the work-stealing queue of the CHESS benchmarks and Vyukov's safe stack. */
import { ask, Cell, type Path } from "@mmrace/core"
import { assert, bump, get, lock, type Program, programOf, set, unlock, type World } from "../Program.ts"

type Variable = ReturnType<World["cell"]>
type Lock = ReturnType<World["mutex"]>

/** head and tail are atomic, the rest plain. `elems[k]` is the array of 2^k places; mask says which one is in use. */
interface WorkStealQueue {
  readonly lock: Lock
  readonly head: Variable
  readonly tail: Variable
  readonly mask: Variable
  readonly elems: ReadonlyArray<ReadonlyArray<Variable>>
}

const none = -1
const load = (cell: Variable) => ask(cell, Cell.load)
const store = (cell: Variable, value: number) => ask(cell, Cell.store, value)

function* element(q: WorkStealQueue, index: number): Path<Variable> {
  const mask = yield* get(q.mask)
  return q.elems[Math.log2(mask + 1)]![index & mask]!
}

function* take(q: WorkStealQueue, index: number): Path<number> {
  const place = yield* element(q, index)
  return yield* get(place)
}

function* steal(q: WorkStealQueue): Path<number> {
  yield* lock(q.lock)
  const h = yield* load(q.head)
  yield* store(q.head, h + 1)
  let result = none
  if (h < (yield* load(q.tail))) result = yield* take(q, h)
  else yield* store(q.head, h)
  yield* unlock(q.lock)
  return result
}

function* pop(q: WorkStealQueue): Path<number> {
  const t = (yield* load(q.tail)) - 1
  yield* store(q.tail, t)
  if ((yield* load(q.head)) <= t) return yield* take(q, t)
  yield* store(q.tail, t + 1)
  return yield* syncPop(q)
}

function* syncPop(q: WorkStealQueue): Path<number> {
  yield* lock(q.lock)
  const t = (yield* load(q.tail)) - 1
  yield* store(q.tail, t)
  let result = none
  if ((yield* load(q.head)) <= t) result = yield* take(q, t)
  else yield* store(q.tail, t + 1)
  if ((yield* load(q.head)) > t) {
    yield* store(q.head, 0)
    yield* store(q.tail, 0)
    result = none
  }
  yield* unlock(q.lock)
  return result
}

/** The bug: a place more than is safe while a thief has head one too high. */
function* push(q: WorkStealQueue, item: number): Path<void> {
  const t = yield* load(q.tail)
  if (t < (yield* load(q.head)) + (yield* get(q.mask)) + 1) {
    const place = yield* element(q, t)
    yield* set(place, item)
    yield* store(q.tail, t + 1)
  } else yield* syncPush(q, item)
}

function* syncPush(q: WorkStealQueue, item: number): Path<void> {
  yield* lock(q.lock)
  let h = yield* load(q.head)
  const count = (yield* load(q.tail)) - h
  const mask = yield* get(q.mask)
  h &= mask
  yield* store(q.head, h)
  yield* store(q.tail, h + count)
  if (count >= mask) {
    const old = q.elems[Math.log2(mask + 1)]!
    const larger = q.elems[Math.log2(mask + 1) + 1]!
    for (let i = 0; i < count; i++) {
      const value = yield* get(old[(h + i) & mask]!)
      yield* set(larger[i]!, value)
    }
    yield* set(q.mask, 2 * (mask + 1) - 1)
    yield* store(q.head, 0)
    yield* store(q.tail, count)
  }
  const t = yield* load(q.tail)
  const place = yield* element(q, t)
  yield* set(place, item)
  yield* store(q.tail, t + 1)
  yield* unlock(q.lock)
}

/** ObjType::Operation(): field++ of the item, a plain load and store. */
function* operate(fields: ReadonlyArray<Variable>, item: number): Path<void> {
  if (item !== none) yield* bump(fields[item]!, 1)
}

function* thief(q: WorkStealQueue, fields: ReadonlyArray<Variable>, attempts: number): Path<void> {
  for (let i = 0; i < attempts; i++) yield* operate(fields, yield* steal(q))
}

function* owner(q: WorkStealQueue, fields: ReadonlyArray<Variable>, order: string): Path<void> {
  let next = 0
  for (const action of order) {
    if (action === "+") yield* push(q, next++)
    else yield* operate(fields, yield* pop(q))
  }
}

/** `order` is what the owner does: + pushes the next item, - pops one. */
export const workStealQueue = (name: string, thieves: number, order: string): Program =>
  programOf(name, "a push overwrites the element that a thief is about to take", "assertion", (w) => {
    const fields = w.cells("field", [...order].filter((c) => c === "+").length)
    const q: WorkStealQueue = {
      lock: w.mutex("cs"),
      head: w.cell("head"),
      tail: w.cell("tail"),
      mask: w.cell("mask", 1),
      elems: [[], w.cells("elems2.", 2), w.cells("elems4.", 4), w.cells("elems8.", 8)]
    }
    w.main("owner", () => owner(q, fields, order))
    for (let i = 0; i < thieves; i++) w.thread(`thief${i}`, () => thief(q, fields, 2))
    w.finally(() => {
      const wrong = fields.findIndex((field) => field.state !== 1)
      return wrong < 0 ? undefined : `item ${wrong} was taken ${fields[wrong]!.state} times`
    })
  })

interface SafeStack {
  readonly head: Variable
  readonly count: Variable
  readonly next: ReadonlyArray<Variable>
  readonly value: ReadonlyArray<Variable>
}

function* popSafe(s: SafeStack): Path<number> {
  while ((yield* load(s.count)) > 1) {
    const head = yield* load(s.head)
    const next = yield* ask(s.next[head]!, Cell.exchange, none)
    if (next < 0) continue
    if (yield* ask(s.head, Cell.compareExchange, { expected: head, next })) {
      yield* ask(s.count, Cell.fetchAdd, -1)
      return head
    }
    yield* ask(s.next[head]!, Cell.exchange, next)
  }
  return none
}

function* pushSafe(s: SafeStack, index: number): Path<void> {
  let head: number
  do {
    head = yield* load(s.head)
    yield* store(s.next[index]!, head)
  } while (!(yield* ask(s.head, Cell.compareExchange, { expected: head, next: index })))
  yield* ask(s.count, Cell.fetchAdd, 1)
}

function* useStack(s: SafeStack, me: number): Path<void> {
  for (let round = 0; round < 2; round++) {
    let taken: number
    do taken = yield* popSafe(s)
    while (taken < 0)
    yield* set(s.value[taken]!, me)
    assert((yield* get(s.value[taken]!)) === me, "array[elem].Value == idx")
    yield* pushSafe(s, taken)
  }
}

/** Needs at least five preemptions: the hard one of SCTBench. A failed compare-and-swap of a push reads head anew. */
export const safestack = programOf("safestack", "an element is popped by two threads", "assertion", (w) => {
  const s: SafeStack = {
    head: w.cell("head"),
    count: w.cell("count", 3),
    next: [1, 2, none].map((n, i) => w.cell(`next${i}`, n)),
    value: w.cells("value", 3)
  }
  for (const me of [0, 1, 2]) w.thread(`t${me}`, () => useStack(s, me))
}, { limit: 2000, maxSteps: 400 })
