/** Small programs over all primitives, two to four threads each, small enough to enumerate. */
import {
  type Actor,
  ask,
  Cell,
  chooseNumber,
  commands,
  Completion,
  Condition,
  isThreadDone,
  joinThread,
  killThread,
  Mailbox,
  makeModel,
  type Model,
  type ModelBuilder,
  Mutex,
  type Path,
  Refcount,
  Rwsem,
  Semaphore,
  Seqcount,
  spawnThread,
  WaitQueue
} from "@mmrace/core"
import * as Effect from "effect/Effect"
import * as P from "./oracles.ts"

type Build = (m: ModelBuilder) => void

const cell = (m: ModelBuilder, name: string, initial = 0): Actor<number> => m.actor(Cell.cellType, name, initial)

const small: Readonly<Record<string, Build>> = {
  "message passing": (m) => {
    const data = cell(m, "data")
    const flag = cell(m, "flag")
    m.thread("W", function*(): Path<void> {
      yield* ask(data, Cell.write, 1)
      yield* ask(flag, Cell.store, 1)
    })
    m.thread("R", function*(): Path<unknown> {
      return [yield* ask(flag, Cell.load), yield* ask(data, Cell.read)]
    })
  },
  "store buffering": (m) => {
    const x = cell(m, "x")
    const y = cell(m, "y")
    for (const [mine, other] of [[x, y], [y, x]] as const) {
      m.thread(mine.name, function*(): Path<unknown> {
        yield* ask(mine, Cell.store, 1)
        return yield* ask(other, Cell.load)
      })
    }
  },
  "independent reads of independent writes": (m) => {
    const x = cell(m, "x")
    const y = cell(m, "y")
    for (const c of [x, y]) m.thread(`W${c.name}`, () => storeOne(c))
    for (const [a, b] of [[x, y], [y, x]] as const) {
      m.thread(`R${a.name}`, function*(): Path<unknown> {
        return [yield* ask(a, Cell.load), yield* ask(b, Cell.load)]
      })
    }
  },
  "silent stores": (m) => {
    const x = cell(m, "x")
    for (const i of [1, 2]) m.thread(`W${i}`, () => storeOne(x))
    m.thread("R", function*(): Path<unknown> {
      return [yield* ask(x, Cell.load), yield* ask(x, Cell.load)]
    })
  },
  "exchange": (m) => {
    const x = cell(m, "x")
    for (const i of [1, 2, 3]) {
      m.thread(`T${i}`, function*(): Path<unknown> {
        return yield* ask(x, Cell.exchange, i)
      })
    }
  },
  "compare and exchange by several": (m) => {
    const x = cell(m, "x")
    for (const i of [0, 1, 0, 2]) {
      m.thread(`T${m.threads.length}`, function*(): Path<unknown> {
        return yield* ask(x, Cell.compareExchange, { expected: i, next: i + 1 })
      })
    }
  },
  "waits for a value that comes and goes": (m) => {
    const x = cell(m, "x")
    m.thread("W", function*(): Path<void> {
      yield* ask(x, Cell.store, 1)
      yield* ask(x, Cell.store, 0)
    })
    m.thread("A", function*(): Path<void> {
      yield* ask(x, Cell.awaitValue, 1)
    })
  },
  "two wait for each other's value": (m) => {
    const x = cell(m, "x")
    const y = cell(m, "y")
    for (const [mine, other] of [[x, y], [y, x]] as const) {
      m.thread(mine.name, function*(): Path<void> {
        yield* ask(mine, Cell.awaitValue, 1)
        yield* ask(other, Cell.store, 1)
      })
    }
    m.thread("starter", () => storeOne(x))
  },
  "waiters of different values": (m) => {
    const x = cell(m, "x")
    for (const i of [1, 2]) {
      m.thread(`A${i}`, function*(): Path<void> {
        yield* ask(x, Cell.awaitValue, i)
        yield* ask(x, Cell.store, i + 1)
      })
    }
    m.thread("W", () => storeOne(x))
  },
  "bank": (m) => {
    const balance = cell(m, "balance", 10)
    for (const by of [5, 7]) {
      m.thread(`take${by}`, function*(): Path<unknown> {
        if ((yield* ask(balance, Cell.load)) < by) return false
        yield* ask(balance, Cell.fetchAdd, -by)
        return true
      })
    }
  },
  "mutex and trylock": (m) => {
    const lock = m.actor(Mutex.mutex.type, "m", Mutex.free)
    const x = cell(m, "x")
    m.thread("L", function*(): Path<void> {
      yield* ask(lock, Mutex.mutex.lock)
      yield* ask(x, Cell.store, 1)
      yield* ask(lock, Mutex.mutex.unlock)
    })
    m.thread("T", function*(): Path<unknown> {
      if (!(yield* ask(lock, Mutex.mutex.trylock))) return -1
      const seen = yield* ask(x, Cell.load)
      yield* ask(lock, Mutex.mutex.unlock)
      return seen
    })
  },
  "trylocks": (m) => {
    const lock = m.actor(Mutex.spinlock.type, "s", Mutex.free)
    for (const i of [0, 1, 2]) {
      m.thread(`T${i}`, function*(): Path<unknown> {
        const taken = yield* ask(lock, Mutex.spinlock.trylock)
        if (taken) yield* ask(lock, Mutex.spinlock.unlock)
        return taken
      })
    }
  },
  "unlock of another's lock": (m) => {
    const lock = m.actor(Mutex.mutex.type, "m", Mutex.free)
    m.thread("A", function*(): Path<void> {
      yield* ask(lock, Mutex.mutex.lock)
      yield* ask(lock, Mutex.mutex.unlock)
    })
    m.thread("B", function*(): Path<void> {
      yield* ask(lock, Mutex.mutex.unlock)
    })
  },
  "a lock never released": (m) => {
    const lock = m.actor(Mutex.mutex.type, "m", Mutex.free)
    for (const i of [0, 1]) {
      m.thread(`T${i}`, function*(): Path<void> {
        yield* ask(lock, Mutex.mutex.lock)
      })
    }
  },
  "three locks in a circle, one trylock": (m) => {
    const locks = [0, 1, 2].map((i) => m.actor(Mutex.mutex.type, `m${i}`, Mutex.free))
    for (const i of [0, 1, 2]) {
      m.thread(`T${i}`, function*(): Path<void> {
        const first = locks[i]!
        const second = locks[(i + 1) % 3]!
        yield* ask(first, Mutex.mutex.lock)
        if (i === 2) {
          if (yield* ask(second, Mutex.mutex.trylock)) yield* ask(second, Mutex.mutex.unlock)
        } else {
          yield* ask(second, Mutex.mutex.lock)
          yield* ask(second, Mutex.mutex.unlock)
        }
        yield* ask(first, Mutex.mutex.unlock)
      })
    }
  },
  "a circle of two while a third goes on": (m) => {
    const a = m.actor(Mutex.mutex.type, "a", Mutex.free)
    const b = m.actor(Mutex.mutex.type, "b", Mutex.free)
    const x = cell(m, "x")
    for (const [name, first, second] of [["T1", a, b], ["T2", b, a]] as const) {
      m.thread(name, function*(): Path<void> {
        yield* ask(first, Mutex.mutex.lock)
        yield* ask(second, Mutex.mutex.lock)
      })
    }
    m.thread("free", () => storeOne(x))
  },
  "a killable lock and its killer": (m) => {
    const lock = m.actor(Mutex.mutex.type, "m", Mutex.free)
    const holder = m.thread("holder", function*(): Path<void> {
      yield* ask(lock, Mutex.mutex.lock)
      yield* ask(lock, Mutex.mutex.unlock)
    })
    const victim = m.thread("victim", function*(): Path<unknown> {
      return yield* ask(lock, Mutex.mutex.lockKillable)
    })
    m.thread("killer", function*(): Path<void> {
      yield* ask(victim.actor, killThread)
      yield* ask(holder.actor, joinThread)
    })
  },
  "a circle of waiters that a kill undoes": (m) => {
    const lock = m.actor(Mutex.mutex.type, "m", Mutex.free)
    const x = cell(m, "x")
    const waiter = m.thread("waiter", function*(): Path<unknown> {
      return yield* ask(lock, Mutex.mutex.lockKillable)
    })
    m.thread("holder", function*(): Path<void> {
      yield* ask(lock, Mutex.mutex.lock)
      yield* ask(waiter.actor, joinThread)
      yield* ask(lock, Mutex.mutex.unlock)
    })
    m.thread("killer", function*(): Path<unknown> {
      yield* ask(waiter.actor, killThread)
      return yield* ask(x, Cell.load)
    })
    m.thread("writer", () => storeOne(x))
  },
  "rwsem: two readers and a writer": (m) => {
    const sem = m.actor(Rwsem.rwsem.type, "sem", Rwsem.unlocked)
    const x = cell(m, "x")
    for (const i of [0, 1]) {
      m.thread(`R${i}`, function*(): Path<unknown> {
        yield* Rwsem.downRead(sem)
        const seen = yield* ask(x, Cell.load)
        yield* Rwsem.upRead(sem)
        return seen
      })
    }
    m.thread("W", function*(): Path<void> {
      yield* Rwsem.downWrite(sem)
      yield* ask(x, Cell.store, 1)
      yield* Rwsem.upWrite(sem)
    })
  },
  "rwsem: two writers": (m) => {
    const sem = m.actor(Rwsem.rwsem.type, "sem", Rwsem.unlocked)
    const x = cell(m, "x")
    for (const i of [1, 2]) {
      m.thread(`W${i}`, function*(): Path<void> {
        yield* Rwsem.downWrite(sem)
        yield* ask(x, Cell.store, i)
        yield* Rwsem.upWrite(sem)
      })
    }
  },
  "rwsem: reads recursively": (m) => {
    const sem = m.actor(Rwsem.rwsem.type, "sem", Rwsem.unlocked)
    m.thread("R", function*(): Path<void> {
      yield* Rwsem.downRead(sem)
      yield* Rwsem.downRead(sem)
      yield* Rwsem.upRead(sem)
      yield* Rwsem.upRead(sem)
    })
    m.thread("W", function*(): Path<void> {
      yield* Rwsem.downWrite(sem)
      yield* Rwsem.upWrite(sem)
    })
  },
  "rwsem: downgrade": (m) => {
    const sem = m.actor(Rwsem.rwsem.type, "sem", Rwsem.unlocked)
    const x = cell(m, "x")
    m.thread("W", function*(): Path<unknown> {
      yield* Rwsem.downWrite(sem)
      yield* ask(x, Cell.store, 1)
      yield* Rwsem.downgradeWrite(sem)
      const seen = yield* ask(x, Cell.load)
      yield* Rwsem.upRead(sem)
      return seen
    })
    m.thread("R", function*(): Path<unknown> {
      yield* Rwsem.downRead(sem)
      const seen = yield* ask(x, Cell.load)
      yield* Rwsem.upRead(sem)
      return seen
    })
  },
  "rwsem: trylocks": (m) => {
    const sem = m.actor(Rwsem.rwsem.type, "sem", Rwsem.unlocked)
    for (const i of [0, 1]) {
      m.thread(`R${i}`, function*(): Path<unknown> {
        const taken = yield* Rwsem.downReadTrylock(sem)
        if (taken) yield* Rwsem.upRead(sem)
        return taken
      })
    }
    m.thread("W", function*(): Path<unknown> {
      const taken = yield* Rwsem.downWriteTrylock(sem)
      if (taken) yield* Rwsem.upWrite(sem)
      return taken
    })
  },
  "rwsem: looks at it": (m) => {
    const sem = m.actor(Rwsem.rwsem.type, "sem", Rwsem.unlocked)
    m.thread("R", function*(): Path<void> {
      yield* Rwsem.downRead(sem)
      yield* Rwsem.upRead(sem)
    })
    m.thread("W", function*(): Path<void> {
      yield* Rwsem.downWrite(sem)
      yield* Rwsem.upWrite(sem)
    })
    m.thread("L", function*(): Path<unknown> {
      return [yield* ask(sem, Rwsem.rwsem.isContended), yield* ask(sem, Rwsem.rwsem.isWriteLocked)]
    })
  },
  "rwsem: a killed writer leaves the queue": (m) => {
    const sem = m.actor(Rwsem.rwsem.type, "sem", { ...Rwsem.unlocked, readers: [0] })
    m.thread("holder", function*(): Path<void> {
      yield* Rwsem.upRead(sem)
    })
    const writer = m.thread("writer", function*(): Path<unknown> {
      return yield* Rwsem.downWriteKillable(sem)
    })
    m.thread("killer", function*(): Path<void> {
      yield* ask(writer.actor, killThread)
    })
  },
  "seqcount: a reader starts over": (m) => {
    const seq = m.actor(Seqcount.seqcount.type, "seq", Seqcount.zero)
    const x = cell(m, "x")
    m.thread("W", function*(): Path<void> {
      yield* Seqcount.writeBegin(seq)
      yield* ask(x, Cell.store, 1)
      yield* Seqcount.writeEnd(seq)
    })
    m.thread("R", function*(): Path<unknown> {
      const start = yield* Seqcount.readBegin(seq)
      const seen = yield* ask(x, Cell.load)
      return [seen, yield* Seqcount.readRetry(seq, start)]
    })
  },
  "seqcount: raw read": (m) => {
    const seq = m.actor(Seqcount.seqcount.type, "seq", Seqcount.zero)
    m.thread("W", function*(): Path<void> {
      yield* Seqcount.writeBegin(seq)
      yield* Seqcount.writeEnd(seq)
    })
    for (const i of [0, 1]) {
      m.thread(`R${i}`, function*(): Path<unknown> {
        return yield* Seqcount.read(seq)
      })
    }
  },
  "seqcount: two writers without a lock": (m) => {
    const seq = m.actor(Seqcount.seqcount.type, "seq", Seqcount.zero)
    for (const i of [0, 1]) {
      m.thread(`W${i}`, function*(): Path<void> {
        yield* Seqcount.writeBegin(seq)
        yield* Seqcount.writeEnd(seq)
      })
    }
  },
  "semaphore: two of three": (m) => {
    const sem = m.actor(Semaphore.semaphore.type, "sem", 2)
    const x = cell(m, "x")
    for (const i of [1, 2, 3]) {
      m.thread(`T${i}`, function*(): Path<unknown> {
        yield* Semaphore.down(sem)
        const before = yield* ask(x, Cell.fetchAdd, 1)
        return before
      })
    }
  },
  "semaphore: ups and downs": (m) => {
    const sem = m.actor(Semaphore.semaphore.type, "sem", 0)
    for (const i of [0, 1]) m.thread(`U${i}`, () => up(sem))
    m.thread("D", function*(): Path<unknown> {
      yield* Semaphore.down(sem)
      return yield* Semaphore.downTrylock(sem)
    })
  },
  "semaphore: a killed waiter": (m) => {
    const sem = m.actor(Semaphore.semaphore.type, "sem", 0)
    const waiter = m.thread("waiter", function*(): Path<unknown> {
      return yield* Semaphore.downKillable(sem)
    })
    m.thread("killer", function*(): Path<void> {
      yield* ask(waiter.actor, killThread)
    })
    m.thread("up", () => up(sem))
  },
  "completion: one for two": (m) => {
    const done = m.actor(Completion.completion.type, "done", 0)
    for (const i of [0, 1]) {
      m.thread(`W${i}`, function*(): Path<void> {
        yield* Completion.wait(done)
      })
    }
    m.thread("C", function*(): Path<void> {
      yield* Completion.complete(done)
    })
  },
  "completion: all": (m) => {
    const done = m.actor(Completion.completion.type, "done", 0)
    for (const i of [0, 1]) {
      m.thread(`W${i}`, function*(): Path<unknown> {
        yield* Completion.wait(done)
        return yield* ask(done, Completion.completion.isDone)
      })
    }
    m.thread("C", function*(): Path<void> {
      yield* Completion.completeAll(done)
    })
  },
  "completion: tries": (m) => {
    const done = m.actor(Completion.completion.type, "done", 0)
    for (const i of [0, 1]) {
      m.thread(`T${i}`, function*(): Path<unknown> {
        return yield* Completion.tryWait(done)
      })
    }
    for (const i of [0, 1]) {
      m.thread(`C${i}`, function*(): Path<void> {
        yield* Completion.complete(done)
      })
    }
  },
  "completion: reinit races with a waiter": (m) => {
    const done = m.actor(Completion.completion.type, "done", 1)
    m.thread("W", function*(): Path<void> {
      yield* Completion.wait(done)
    })
    m.thread("R", function*(): Path<void> {
      yield* ask(done, Completion.completion.reinit)
      yield* Completion.complete(done)
    })
  },
  "refcount: the last one out": (m) => {
    const count = m.actor(Refcount.refcount.type, "count", 2)
    for (const i of [0, 1]) {
      m.thread(`P${i}`, function*(): Path<unknown> {
        return yield* Refcount.decAndTest(count)
      })
    }
    m.thread("G", function*(): Path<unknown> {
      return yield* Refcount.incNotZero(count)
    })
  },
  "refcount: use after free": (m) => {
    const count = m.actor(Refcount.refcount.type, "count", 1)
    m.thread("P", function*(): Path<unknown> {
      return yield* Refcount.decAndTest(count)
    })
    m.thread("G", function*(): Path<unknown> {
      yield* Refcount.inc(count)
      return yield* Refcount.read(count)
    })
  },
  "refcount: three gets": (m) => {
    const count = m.actor(Refcount.refcount.type, "count", 1)
    for (const i of [0, 1, 2]) {
      m.thread(`G${i}`, function*(): Path<void> {
        yield* Refcount.inc(count)
      })
    }
    m.thread("R", function*(): Path<unknown> {
      return yield* Refcount.read(count)
    })
  },
  "wait queue: a lost wake-up": (m) => {
    const queue = m.actor(WaitQueue.waitQueue.type, "queue", WaitQueue.empty)
    const ready = cell(m, "ready")
    m.thread("W", function*(): Path<void> {
      if ((yield* ask(ready, Cell.load)) === 0) {
        yield* WaitQueue.prepare(queue)
        yield* WaitQueue.sleep(queue)
        yield* WaitQueue.finish(queue)
      }
    })
    m.thread("S", function*(): Path<unknown> {
      yield* ask(ready, Cell.store, 1)
      return yield* WaitQueue.wakeOne(queue)
    })
  },
  "wait queue: as it should be": (m) => {
    const queue = m.actor(WaitQueue.waitQueue.type, "queue", WaitQueue.empty)
    const ready = cell(m, "ready")
    m.thread("W", () =>
      WaitQueue.waitEvent(queue, function*(): Path<boolean> {
        return (yield* ask(ready, Cell.load)) === 1
      }))
    m.thread("S", function*(): Path<unknown> {
      yield* ask(ready, Cell.store, 1)
      return yield* WaitQueue.wakeAll(queue)
    })
  },
  "wait queue: who is woken": (m) => {
    const queue = m.actor(WaitQueue.waitQueue.type, "queue", WaitQueue.empty)
    for (const i of [0, 1]) {
      m.thread(`W${i}`, function*(): Path<void> {
        yield* WaitQueue.prepare(queue)
        yield* WaitQueue.sleep(queue)
      })
    }
    m.thread("S", function*(): Path<unknown> {
      return [yield* ask(queue, WaitQueue.waitQueue.isActive), yield* WaitQueue.wakeOne(queue)]
    })
  },
  "wait queue: a killed sleeper": (m) => {
    const queue = m.actor(WaitQueue.waitQueue.type, "queue", WaitQueue.empty)
    const sleeper = m.thread("sleeper", function*(): Path<unknown> {
      yield* WaitQueue.prepare(queue)
      const woken = yield* WaitQueue.sleepKillable(queue)
      yield* WaitQueue.finish(queue)
      return woken
    })
    m.thread("killer", function*(): Path<void> {
      yield* ask(sleeper.actor, killThread)
    })
    m.thread("waker", function*(): Path<unknown> {
      return yield* WaitQueue.wakeOne(queue)
    })
  },
  "condition: a signal nobody waits for": (m) => {
    const mutex = m.actor(Condition.condition.type, "m", Condition.unlocked)
    const ready = cell(m, "ready")
    m.thread("W", function*(): Path<void> {
      yield* Condition.lock(mutex)
      if ((yield* ask(ready, Cell.load)) === 0) yield* Condition.wait(mutex)
      yield* Condition.unlock(mutex)
    })
    m.thread("S", function*(): Path<void> {
      yield* ask(ready, Cell.store, 1)
      yield* Condition.signal(mutex)
    })
  },
  "condition: with the lock held": (m) => {
    const mutex = m.actor(Condition.condition.type, "m", Condition.unlocked)
    const ready = cell(m, "ready")
    for (const i of [0, 1]) {
      m.thread(`W${i}`, function*(): Path<void> {
        yield* Condition.lock(mutex)
        while ((yield* ask(ready, Cell.load)) === 0) yield* Condition.wait(mutex)
        yield* Condition.unlock(mutex)
      })
    }
    m.thread("S", function*(): Path<void> {
      yield* Condition.lock(mutex)
      yield* ask(ready, Cell.store, 1)
      yield* Condition.broadcast(mutex)
      yield* Condition.unlock(mutex)
    })
  },
  "mailbox: two senders": (m) => {
    const inbox = m.actor(Mailbox.numbers.type, "inbox", [])
    for (const i of [1, 2]) {
      m.thread(`S${i}`, function*(): Path<void> {
        yield* ask(inbox, Mailbox.numbers.send, i)
      })
    }
    m.thread("R", function*(): Path<unknown> {
      return [yield* ask(inbox, Mailbox.numbers.receive), yield* ask(inbox, Mailbox.numbers.tryReceive)]
    })
  },
  "mailbox: two receivers, one message": (m) => {
    const inbox = m.actor(Mailbox.numbers.type, "inbox", [])
    for (const i of [0, 1]) {
      m.thread(`R${i}`, function*(): Path<unknown> {
        return yield* ask(inbox, Mailbox.numbers.receive)
      })
    }
    m.thread("S", function*(): Path<void> {
      yield* ask(inbox, Mailbox.numbers.send, 7)
    })
  },
  "mailbox: a daemon answers": (m) => {
    const requests = m.actor(Mailbox.numbers.type, "requests", [])
    const answers = m.actor(Mailbox.numbers.type, "answers", [])
    m.thread("server", function*(): Path<unknown> {
      for (;;) yield* ask(answers, Mailbox.numbers.send, (yield* ask(requests, Mailbox.numbers.receive)) * 2)
    }, { daemon: true })
    for (const i of [1, 2]) {
      m.thread(`C${i}`, function*(): Path<unknown> {
        yield* ask(requests, Mailbox.numbers.send, i)
        return yield* ask(answers, Mailbox.numbers.receive)
      })
    }
  },
  "spawn and join": (m) => {
    const x = cell(m, "x")
    const child = m.thread("child", () => storeOne(x), { start: "spawned" })
    m.thread("parent", function*(): Path<unknown> {
      yield* ask(child.actor, spawnThread)
      const early = yield* ask(x, Cell.load)
      yield* ask(child.actor, joinThread)
      return [early, yield* ask(x, Cell.load)]
    })
    m.thread("other", function*(): Path<unknown> {
      return yield* ask(x, Cell.exchange, 5)
    })
  },
  "spawned twice": (m) => {
    const x = cell(m, "x")
    const child = m.thread("child", () => storeOne(x), { start: "spawned" })
    for (const i of [0, 1]) {
      m.thread(`P${i}`, function*(): Path<void> {
        yield* ask(child.actor, spawnThread)
      })
    }
  },
  "a child that ends at once": (m) => {
    const child = m.thread("child", () => Effect.succeed(1), { start: "spawned" })
    m.thread("parent", function*(): Path<void> {
      yield* ask(child.actor, spawnThread)
    })
    m.thread("looker", function*(): Path<unknown> {
      return yield* ask(child.actor, isThreadDone)
    })
  },
  "join of each other": (m) => {
    const a = m.thread("A", function*(): Path<void> {
      yield* ask(b.actor, joinThread)
    })
    const b = m.thread("B", function*(): Path<void> {
      yield* ask(a.actor, joinThread)
    })
  },
  "a look at who is done": (m) => {
    const x = cell(m, "x")
    const a = m.thread("A", () => storeOne(x))
    m.thread("B", function*(): Path<unknown> {
      return [yield* ask(a.actor, isThreadDone), yield* ask(x, Cell.load)]
    })
  },
  "a data choice": (m) => {
    const x = cell(m, "x")
    m.thread("A", function*(): Path<void> {
      yield* ask(x, Cell.store, yield* ask(m.choice, chooseNumber, 3))
    })
    m.thread("B", function*(): Path<unknown> {
      return yield* ask(x, Cell.load)
    })
  },
  "two data choices": (m) => {
    const x = cell(m, "x")
    for (const i of [0, 1]) {
      m.thread(`T${i}`, function*(): Path<unknown> {
        if ((yield* ask(m.choice, chooseNumber, 2)) === 1) yield* ask(x, Cell.fetchAdd, 1 + i)
        return yield* ask(x, Cell.load)
      })
    }
  },
  "a choice that only matters once": (m) => {
    const x = cell(m, "x")
    m.thread("A", function*(): Path<void> {
      yield* ask(x, Cell.store, 1)
      const n = yield* ask(m.choice, chooseNumber, 2)
      if (n === 1) yield* ask(x, Cell.store, 2)
    })
    for (const i of [0, 1]) {
      m.thread(`R${i}`, function*(): Path<unknown> {
        return yield* ask(x, Cell.load)
      })
    }
  },
  "a thread that throws": (m) => {
    const x = cell(m, "x")
    m.thread("A", function*(): Path<unknown> {
      if ((yield* ask(x, Cell.load)) === 1) throw new Error("seen")
      return yield* ask(x, Cell.load)
    })
    m.thread("B", () => storeOne(x))
  },
  "two ways to fail": (m) => {
    const x = cell(m, "x")
    const y = cell(m, "y")
    m.thread("A", function*(): Path<void> {
      if ((yield* ask(x, Cell.load)) === 1) throw new Error("x seen")
    })
    m.thread("B", function*(): Path<void> {
      if ((yield* ask(y, Cell.load)) === 1) throw new Error("y seen")
    })
    m.thread("C", function*(): Path<void> {
      yield* ask(x, Cell.store, 1)
      yield* ask(y, Cell.store, 1)
    })
  },
  "a failure hides what its thread does next": (m) => {
    const x = cell(m, "x")
    watchStores(m, (state) => state > 1)
    m.thread("A", function*(): Path<void> {
      yield* ask(x, Cell.store, 2)
      yield* ask(x, Cell.store, 1)
    })
    m.thread("B", function*(): Path<void> {
      yield* ask(x, Cell.store, (yield* ask(x, Cell.load)) + 1)
    })
  },
  "a monitor over two cells": (m) => {
    const x = cell(m, "x")
    const y = cell(m, "y")
    m.monitor<null>({
      id: "xy",
      title: "x is never behind y",
      on: commands(Cell.store),
      initial: () => null,
      step: (state, event) => {
        if (y.state > x.state) event.violate("behind")
        return state
      }
    })
    for (const c of [x, y]) {
      m.thread(c.name, function*(): Path<void> {
        yield* ask(c, Cell.store, 1)
      })
    }
    m.thread("again", () => storeOne(x))
  },
  "a monitor of the order of all steps": (m) => {
    const x = cell(m, "x")
    const y = cell(m, "y")
    m.monitor<string>({
      id: "order",
      title: "not B A B",
      on: "all",
      initial: () => "",
      step: (state, event) => {
        const next = state + event.threadName
        if (next.startsWith("BAB")) event.violate("B A B", "order")
        return next
      }
    })
    m.thread("A", () => storeOne(x))
    m.thread("B", function*(): Path<void> {
      yield* ask(y, Cell.store, 1)
      yield* ask(y, Cell.store, 2)
    })
  },
  "a monitor at the end": (m) => {
    const x = cell(m, "x")
    m.monitor<null>({
      id: "end",
      title: "x is 2",
      on: [],
      initial: () => null,
      step: (state) => state,
      end: (_, quiescence) => {
        if (x.state !== 2) quiescence.violate(`x is ${x.state}`, "x")
      }
    })
    for (const i of [0, 1]) {
      m.thread(`T${i}`, function*(): Path<void> {
        yield* ask(x, Cell.store, (yield* ask(x, Cell.load)) + 1)
      })
    }
  },
  "Peterson's lock": (m) => {
    const wants = [0, 1].map((i) => cell(m, `wants${i}`))
    const turn = cell(m, "turn")
    const inside = cell(m, "inside")
    for (const i of [0, 1]) {
      m.thread(`T${i}`, function*(): Path<unknown> {
        yield* ask(wants[i]!, Cell.store, 1)
        yield* ask(turn, Cell.store, 1 - i)
        if ((yield* ask(wants[1 - i]!, Cell.load)) === 1 && (yield* ask(turn, Cell.load)) !== i) return "waits"
        const others = yield* ask(inside, Cell.fetchAdd, 1)
        yield* ask(inside, Cell.fetchAdd, -1)
        return others
      })
    }
  },
  "a spin lock by hand": (m) => {
    const lock = cell(m, "lock")
    const x = cell(m, "x")
    for (const i of [0, 1]) {
      m.thread(`T${i}`, function*(): Path<unknown> {
        for (let tries = 0; tries < 2; tries++) {
          if ((yield* ask(lock, Cell.exchange, 1)) !== 0) continue
          const seen = yield* ask(x, Cell.fetchAdd, 1)
          yield* ask(lock, Cell.store, 0)
          return seen
        }
        return "gave up"
      })
    }
  },
  "spins until told": (m) => {
    const go = cell(m, "go")
    m.thread("S", function*(): Path<void> {
      yield* ask(go, Cell.awaitValue, 1)
      yield* ask(go, Cell.store, 2)
    })
    for (const i of [0, 1]) {
      m.thread(`G${i}`, function*(): Path<unknown> {
        return yield* ask(go, Cell.compareExchange, { expected: 0, next: 1 })
      })
    }
  }
}

function* storeOne(c: Actor<number>): Path<void> {
  yield* ask(c, Cell.store, 1)
}

function* up(sem: Actor<number>): Path<void> {
  yield* Semaphore.up(sem)
}

const watchStores = (m: ModelBuilder, bad: (state: number) => boolean): void =>
  m.monitor<null>({
    id: "stores",
    title: "no bad value is stored",
    on: commands(Cell.store),
    initial: () => null,
    step: (state, event) => {
      if (bad(event.actor.state as number)) event.violate("bad value")
      return state
    }
  })

/** Each call builds the models anew. */
export const suite = (): ReadonlyArray<Model> => [
  ...Object.entries(small).map(([name, build]) => makeModel(name, build)),
  P.inc(2),
  P.lockInc(2),
  P.lastZero(2),
  P.readers(2),
  P.casRot(3),
  P.account(),
  P.lazy01(),
  P.deadlock01(),
  P.philosophers(3),
  P.twoStage(1),
  P.bluetooth()
]
