/**
 * Programs whose number of equivalence classes is published: the tests of GenMC and Nidhugg, and SCTBench.
 * Every shared access is a step. Assertions are left out or recorded in a cell of their own, so that runs go on.
 */
import { type Actor, ask, Cell, makeModel, type Model, Mutex, type Path } from "@mmrace/core"

const range = (n: number): ReadonlyArray<number> => Array.from({ length: n }, (_, i) => i)

function* add(cell: Actor<number>): Path<void> {
  yield* ask(cell, Cell.fetchAdd, 1)
}

/** n threads, each adds once to each of `cells` counters. */
export const counters = (threads: number, cells: number): Model =>
  makeModel(`counters(${threads},${cells})`, (m) => {
    const all = range(cells).map((i) => m.actor(Cell.cellType, `c${i}`, 0))
    for (const i of range(threads)) {
      m.thread(`T${i}`, function*(): Path<void> {
        for (const cell of all) yield* add(cell)
      })
    }
  })

export const readers = (n: number): Model =>
  makeModel(`readers(${n})`, (m) => {
    const x = m.actor(Cell.cellType, "x", 0)
    m.thread("W", function*() {
      yield* ask(x, Cell.store, 42)
    })
    for (const i of range(n)) {
      m.thread(`R${i}`, function*() {
        yield* ask(x, Cell.load)
      })
    }
  })

export const inc = (n: number): Model =>
  makeModel(`inc(${n})`, (m) => {
    const x = m.actor(Cell.cellType, "x", 0)
    for (const i of range(n)) {
      m.thread(`T${i}`, function*() {
        yield* ask(x, Cell.store, (yield* ask(x, Cell.load)) + 1)
      })
    }
  })

export const lockInc = (n: number): Model =>
  makeModel(`lockinc(${n})`, (m) => {
    const x = m.actor(Cell.cellType, "x", 0)
    const lock = m.actor(Mutex.mutex.type, "m", Mutex.free)
    for (const i of range(n)) {
      m.thread(`T${i}`, function*() {
        yield* ask(lock, Mutex.mutex.lock)
        yield* ask(x, Cell.store, (yield* ask(x, Cell.load)) + 1)
        yield* ask(lock, Mutex.mutex.unlock)
      })
    }
  })

export const lastZero = (n: number): Model =>
  makeModel(`lastzero(${n})`, (m) => {
    const a = range(n + 1).map((i) => m.actor(Cell.cellType, `a${i}`, 0))
    m.thread("T0", function*() {
      let i = n
      while ((yield* ask(a[i]!, Cell.load)) !== 0) i--
      return i
    })
    for (const j of range(n).map((i) => i + 1)) {
      m.thread(`T${j}`, function*() {
        yield* ask(a[j]!, Cell.store, (yield* ask(a[j - 1]!, Cell.load)) + 1)
      })
    }
  })

/** Flanagan and Godefroid's indexer: each thread puts 4 messages into a hash table of 128 slots. */
export const indexer = (n: number): Model =>
  makeModel(`indexer(${n})`, (m) => {
    const table = range(128).map((i) => m.actor(Cell.cellType, `t${i}`, 0))
    for (const tid of range(n)) {
      m.thread(`T${tid}`, function*() {
        for (let k = 1; k <= 4; k++) {
          const w = k * 11 + tid
          let h = (w * 7) % 128
          while (!(yield* ask(table[h]!, Cell.compareExchange, { expected: 0, next: w }))) h = (h + 1) % 128
        }
      })
    }
  })

/** Flanagan and Godefroid's file system: 26 blocks, 32 inodes, a lock for each. */
export const filesystem = (n: number): Model =>
  makeModel(`filesystem(${n})`, (m) => {
    const blocks = 26
    const inodes = 32
    const inode = range(inodes).map((i) => m.actor(Cell.cellType, `inode${i}`, 0))
    const busy = range(blocks).map((i) => m.actor(Cell.cellType, `busy${i}`, 0))
    const locki = range(inodes).map((i) => m.actor(Mutex.mutex.type, `locki${i}`, Mutex.free))
    const lockb = range(blocks).map((i) => m.actor(Mutex.mutex.type, `lockb${i}`, Mutex.free))
    for (const tid of range(n)) {
      m.thread(`T${tid}`, function*() {
        const i = tid % inodes
        yield* ask(locki[i]!, Mutex.mutex.lock)
        if ((yield* ask(inode[i]!, Cell.load)) === 0) {
          let b = (i * 2) % blocks
          for (;;) {
            yield* ask(lockb[b]!, Mutex.mutex.lock)
            if ((yield* ask(busy[b]!, Cell.load)) === 0) {
              yield* ask(busy[b]!, Cell.store, 1)
              yield* ask(inode[i]!, Cell.store, b + 1)
              yield* ask(lockb[b]!, Mutex.mutex.unlock)
              break
            }
            yield* ask(lockb[b]!, Mutex.mutex.unlock)
            b = (b + 1) % blocks
          }
        }
        yield* ask(locki[i]!, Mutex.mutex.unlock)
      })
    }
  })

export const casRot = (n: number): Model =>
  makeModel(`casrot(${n})`, (m) => {
    const x = m.actor(Cell.cellType, "x", 0)
    for (const i of range(n)) {
      m.thread(`T${i}`, function*() {
        yield* ask(x, Cell.compareExchange, { expected: i, next: i + 1 })
      })
    }
  })

export const philosophers = (n: number): Model =>
  makeModel(`philosophers(${n})`, (m) => {
    const forks = range(n).map((i) => m.actor(Mutex.mutex.type, `fork${i}`, Mutex.free))
    for (const i of range(n)) {
      m.thread(`P${i}`, function*() {
        const first = forks[i]!
        const second = forks[(i + 1) % n]!
        yield* ask(first, Mutex.mutex.lock)
        yield* ask(second, Mutex.mutex.lock)
        yield* ask(second, Mutex.mutex.unlock)
        yield* ask(first, Mutex.mutex.unlock)
      })
    }
  })

function* locked(lock: Actor<number>, body: () => Path<void>): Path<void> {
  yield* ask(lock, Mutex.mutex.lock)
  yield* body()
  yield* ask(lock, Mutex.mutex.unlock)
}

export const account = (): Model =>
  makeModel("account", (m) => {
    const balance = m.actor(Cell.cellType, "balance", 1)
    const deposited = m.actor(Cell.cellType, "deposited", 0)
    const withdrawn = m.actor(Cell.cellType, "withdrawn", 0)
    const lock = m.actor(Mutex.mutex.type, "m", Mutex.free)
    m.thread("check", () =>
      locked(lock, function*() {
        if ((yield* ask(deposited, Cell.load)) === 0 || (yield* ask(withdrawn, Cell.load)) === 0) return
        yield* ask(balance, Cell.load)
      }))
    m.thread("deposit", () =>
      locked(lock, function*() {
        yield* ask(balance, Cell.store, (yield* ask(balance, Cell.load)) + 2)
        yield* ask(deposited, Cell.store, 1)
      }))
    m.thread("withdraw", () =>
      locked(lock, function*() {
        yield* ask(balance, Cell.store, (yield* ask(balance, Cell.load)) - 4)
        yield* ask(withdrawn, Cell.store, 1)
      }))
  })

export const lazy01 = (): Model =>
  makeModel("lazy01", (m) => {
    const data = m.actor(Cell.cellType, "data", 0)
    const lock = m.actor(Mutex.mutex.type, "m", Mutex.free)
    for (const by of [1, 2]) {
      m.thread(`add${by}`, () =>
        locked(lock, function*() {
          yield* ask(data, Cell.store, (yield* ask(data, Cell.load)) + by)
        }))
    }
    m.thread("check", () =>
      locked(lock, function*() {
        yield* ask(data, Cell.load)
      }))
  })

export const deadlock01 = (): Model =>
  makeModel("deadlock01", (m) => {
    const a = m.actor(Mutex.mutex.type, "a", Mutex.free)
    const b = m.actor(Mutex.mutex.type, "b", Mutex.free)
    for (const [name, first, second] of [["T1", a, b], ["T2", b, a]] as const) {
      m.thread(name, function*() {
        yield* ask(first, Mutex.mutex.lock)
        yield* ask(second, Mutex.mutex.lock)
        yield* ask(second, Mutex.mutex.unlock)
        yield* ask(first, Mutex.mutex.unlock)
      })
    }
  })

export const twoStage = (writers: number): Model =>
  makeModel(`twostage(${writers})`, (m) => {
    const d1 = m.actor(Cell.cellType, "d1", 0)
    const d2 = m.actor(Cell.cellType, "d2", 0)
    const l1 = m.actor(Mutex.mutex.type, "l1", Mutex.free)
    const l2 = m.actor(Mutex.mutex.type, "l2", Mutex.free)
    for (const i of range(writers)) {
      m.thread(`W${i}`, function*() {
        yield* ask(l1, Mutex.mutex.lock)
        yield* ask(d1, Cell.store, 1)
        yield* ask(l1, Mutex.mutex.unlock)
        yield* ask(l2, Mutex.mutex.lock)
        yield* ask(d2, Cell.store, (yield* ask(d1, Cell.load)) + 1)
        yield* ask(l2, Mutex.mutex.unlock)
      })
    }
    m.thread("R", function*() {
      yield* ask(l1, Mutex.mutex.lock)
      const t1 = yield* ask(d1, Cell.load)
      yield* ask(l1, Mutex.mutex.unlock)
      if (t1 === 0) return true
      yield* ask(l2, Mutex.mutex.lock)
      const t2 = yield* ask(d2, Cell.load)
      yield* ask(l2, Mutex.mutex.unlock)
      if (t2 !== t1 + 1) throw new Error("the second stage is older than the first")
      return false
    })
  })

export const bluetooth = (): Model =>
  makeModel("bluetooth", (m) => {
    const pending = m.actor(Cell.cellType, "pending", 1)
    const stopping = m.actor(Cell.cellType, "stopping", 0)
    const event = m.actor(Cell.cellType, "event", 0)
    const stopped = m.actor(Cell.cellType, "stopped", 0)
    m.thread("requester", function*() {
      let fine = true
      if ((yield* ask(stopping, Cell.load)) === 0) {
        yield* ask(pending, Cell.fetchAdd, 1)
        fine = (yield* ask(stopped, Cell.load)) === 0
      }
      if ((yield* ask(pending, Cell.fetchAdd, -1)) === 1) yield* ask(event, Cell.store, 1)
      return fine
    })
    m.thread("stopper", function*() {
      yield* ask(stopping, Cell.store, 1)
      if ((yield* ask(pending, Cell.fetchAdd, -1)) === 1) yield* ask(event, Cell.store, 1)
      if ((yield* ask(event, Cell.load)) !== 0) yield* ask(stopped, Cell.store, 1)
    })
  })

export const stack = (n: number): Model =>
  makeModel(`stack(${n})`, (m) => {
    const top = m.actor(Cell.cellType, "top", 0)
    const flag = m.actor(Cell.cellType, "flag", 0)
    const lock = m.actor(Mutex.mutex.type, "m", Mutex.free)
    m.thread("push", function*() {
      for (let i = 0; i < n; i++) {
        yield* ask(lock, Mutex.mutex.lock)
        yield* ask(top, Cell.fetchAdd, 1)
        yield* ask(flag, Cell.store, 1)
        yield* ask(lock, Mutex.mutex.unlock)
      }
    })
    m.thread("pop", function*() {
      for (let i = 0; i < n; i++) {
        yield* ask(lock, Mutex.mutex.lock)
        if ((yield* ask(flag, Cell.load)) !== 0 && (yield* ask(top, Cell.fetchAdd, -1)) <= 0) {
          throw new Error("underflow")
        }
        yield* ask(lock, Mutex.mutex.unlock)
      }
    })
  })
