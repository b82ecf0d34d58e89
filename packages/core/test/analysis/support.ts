/** Small programs with published numbers of traces, random models, and the enumeration of all schedules. */
import * as fc from "fast-check"
import {
  type Actor,
  ask,
  type Ask,
  Cell,
  Executor,
  type ExecutorOptions,
  type Log,
  makeModel,
  type Model,
  Mutex,
  type Path,
  RandomWalk,
  type Strategy,
  type Verdict,
  type View
} from "@mmrace/core"

/** Follows a prefix of choices, then always 0, and remembers how many possibilities each point had. */
class Odometer implements Strategy {
  readonly name = "odometer"
  private digits: Array<number> = []
  private limits: Array<number> = []
  private position = 0

  begin(): void {
    this.position = 0
    this.limits = []
  }
  pick(view: View): number {
    return this.choose(view.enabledCount)
  }
  choose(n: number): number {
    this.limits.push(n)
    return this.digits[this.position++] ?? 0
  }
  /** Moves on to the next schedule; false when there is none. */
  advance(): boolean {
    const next = this.limits.map((_, i) => this.digits[i] ?? 0)
    while (next.length > 0 && next.at(-1)! + 1 === this.limits[next.length - 1]) next.pop()
    if (next.length === 0) return false
    next[next.length - 1]!++
    this.digits = next
    return true
  }
}

/** Executes every schedule of a model once; returns how many there are. */
export const everySchedule = (
  model: Model,
  options: ExecutorOptions = {},
  each: (executor: Executor, verdict: Verdict) => void = () => {}
): number => {
  const executor = new Executor(model, options)
  const odometer = new Odometer()
  let count = 0
  do {
    each(executor, executor.run(odometer))
    count++
  } while (odometer.advance())
  return count
}

type Cells = ReadonlyArray<Actor<number>>

const cells = (m: Parameters<Parameters<typeof makeModel>[1]>[0], n: number): Cells =>
  Array.from({ length: n }, (_, i) => m.actor(Cell.cellType, `x${i}`, 0))

function* increments(targets: Cells): Path<void> {
  for (const target of targets) yield* ask(target, Cell.fetchAdd, 1)
}

function* readThenWrite(x: Actor<number>): Path<void> {
  const value = yield* ask(x, Cell.load)
  yield* ask(x, Cell.store, value + 1)
}

function* lockedIncrement(lock: Actor<number>, x: Actor<number>): Path<void> {
  yield* ask(lock, Mutex.mutex.lock)
  yield* readThenWrite(x)
  yield* ask(lock, Mutex.mutex.unlock)
}

function* reader(x: Actor<number>): Path<void> {
  yield* ask(x, Cell.load)
}

function* writer(x: Actor<number>): Path<void> {
  yield* ask(x, Cell.store, 1)
}

function* scanDown(a: Cells): Path<void> {
  for (let i = a.length - 1; i > 0; i--) if ((yield* ask(a[i]!, Cell.load)) === 0) return
}

function* successor(a: Cells, j: number): Path<void> {
  const value = yield* ask(a[j - 1]!, Cell.load)
  yield* ask(a[j]!, Cell.store, value + 1)
}

/** Takes the locks in the order given, releases them in reverse. */
export function* nest(locks: ReadonlyArray<Actor<number>>): Path<void> {
  for (const lock of locks) yield* ask(lock, Mutex.mutex.lock)
  for (const lock of locks.toReversed()) yield* ask(lock, Mutex.mutex.unlock)
}

const each = (n: number, make: (i: number) => void): void => {
  for (let i = 0; i < n; i++) make(i)
}

/** n threads, each one atomic increment of each of `width` cells. */
export const incrementers = (n: number, width: number): Model =>
  makeModel(`inc ${n}x${width}`, (m) => {
    const x = cells(m, width)
    each(n, (i) => m.thread(`t${i}`, () => increments(x)))
  })

export const inc = (n: number): Model =>
  makeModel("inc", (m) => {
    const [x] = cells(m, 1)
    each(n, (i) => m.thread(`t${i}`, () => readThenWrite(x!)))
  })

export const lockinc = (n: number): Model =>
  makeModel("lockinc", (m) => {
    const [x] = cells(m, 1)
    const lock = m.actor(Mutex.mutex.type, "lock", Mutex.free)
    each(n, (i) => m.thread(`t${i}`, () => lockedIncrement(lock, x!)))
  })

export const readers = (n: number): Model =>
  makeModel("readers", (m) => {
    const [x] = cells(m, 1)
    m.thread("w", () => writer(x!))
    each(n, (i) => m.thread(`r${i}`, () => reader(x!)))
  })

export const lastzero = (n: number): Model =>
  makeModel("lastzero", (m) => {
    const a = cells(m, n + 1)
    m.thread("scan", () => scanDown(a))
    each(n, (i) => m.thread(`t${i + 1}`, () => successor(a, i + 1)))
  })

/** Each entry is one thread: the locks it nests, by number. */
export const nesting = (...threads: ReadonlyArray<ReadonlyArray<number>>): Model =>
  makeModel("nesting", (m) => {
    const locks = Array.from({ length: Math.max(...threads.flat()) + 1 }, (_, i) =>
      m.actor(Mutex.mutex.type, `l${i}`, Mutex.free, { lockClass: `l${i}` }))
    threads.forEach((order, i) =>
      m.thread(`t${i}`, () => nest(order.map((l) => locks[l]!)))
    )
  })

export const philosophers = (n: number): Model => nesting(...Array.from({ length: n }, (_, i) => [i, (i + 1) % n]))

/** One operation of a random thread. Operations 0..4 act on a cell, 5 is a critical section of mutex `on`. */
export interface RandomOp {
  readonly kind: number
  readonly on: number
}

function* randomThread(ops: ReadonlyArray<RandomOp>, x: Cells, locks: Cells): Path<void> {
  for (const op of ops) {
    const cell = x[op.on % x.length]!
    if (op.kind === 0) yield* ask(cell, Cell.read)
    else if (op.kind === 1) yield* ask(cell, Cell.write, op.on)
    else if (op.kind === 2) yield* ask(cell, Cell.load)
    else if (op.kind === 3) yield* ask(cell, Cell.store, op.on)
    else if (op.kind === 4) yield* ask(cell, Cell.fetchAdd, 1)
    else yield* criticalSection(locks[op.on % locks.length]!, cell)
  }
}

function* criticalSection(lock: Actor<number>, cell: Actor<number>): Path<void> {
  yield* ask(lock, Mutex.mutex.lock)
  const value = yield* ask(cell, Cell.read)
  yield* ask(cell, Cell.write, value + 1)
  yield* ask(lock, Mutex.mutex.unlock)
}

/** Models of 2 to 3 threads with up to 5 operations each on 3 cells and 2 mutexes. */
export const randomModel: fc.Arbitrary<Model> = fc
  .array(fc.array(fc.record({ kind: fc.nat(5), on: fc.nat(5) }), { minLength: 1, maxLength: 5, size: "max" }), {
    minLength: 2,
    maxLength: 3,
    size: "max"
  })
  .map((threads) => {
    const model = makeModel("random", (m) => {
      const x = cells(m, 3)
      const locks = [0, 1].map((i) => m.actor(Mutex.mutex.type, `m${i}`, Mutex.free, { lockClass: `m${i}` }))
      threads.forEach((ops, i) => m.thread(`t${i}`, () => randomThread(ops, x, locks)))
    })
    // What a failing property prints.
    return Object.assign(model, { [fc.toStringMethod]: () => JSON.stringify(threads) })
  })

/** The log of one random walk. */
export const randomLog = (model: Model, seed: number, options: ExecutorOptions = {}): Log => {
  const executor = new Executor(model, options)
  executor.run(new RandomWalk(), seed)
  return executor.copyLog()
}

/** A log written by hand: thread, ask, result. */
export const logOf = (
  steps: ReadonlyArray<readonly [thread: number, pending: object, result?: unknown]>
): Log => ({
  length: steps.length,
  threads: steps.map(([thread]) => thread),
  asks: steps.map(([, pending]) => pending as Ask<unknown>),
  results: steps.map(([, , result]) => result)
})

/** A thread that does nothing: for logs written by hand. */
export function* idle(): Path<void> {}
