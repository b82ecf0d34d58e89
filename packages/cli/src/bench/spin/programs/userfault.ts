/**
 * Faults that wait for user space, and who wakes them (fs/userfaultfd.c; 2c5b7e1be74f). A fault queues itself, looks
 * at the page again and sleeps. read() moves it from the pending queue to the other one. Whoever fills a page looks
 * without a lock whether anybody waits; refile_seq tells it that a waiter was on neither queue for a moment.
 * Nobody sleeps for ever.
 */
import { type Actor, ActorType } from "@mmrace/core/Actor"
import { ask, type Path } from "@mmrace/core/Ask"
import { settle } from "@mmrace/core/Settle"
import * as Seqcount from "@mmrace/core/primitives/Seqcount"
import {
  load,
  type Lock,
  lock,
  lockNamed,
  programOf,
  store,
  testAndSet,
  unlock,
  until,
  type Word,
  words
} from "../Program.ts"

const addresses = [0, 1]

/** Addresses that are waited for, in the order they came. */
const queueType = new ActorType<ReadonlyArray<number>>("queue")
const queue = {
  put: queueType.command<number>("put", { access: "write", evolve: (state, address) => [...state, address] }),
  /** False: it was not there. */
  take: queueType.command<number, boolean>("take", {
    access: "write",
    decide: (state, address) => state.includes(address),
    evolve: (state, address, found) => found ? state.filter((a) => a !== address) : state
  }),
  takeFirst: queueType.command<void, number>("take_first", {
    access: "write",
    decide: (state) => state[0]!,
    evolve: (state) => state.slice(1)
  }),
  isEmpty: queueType.command<void, boolean>("is_empty", { access: "read", decide: (state) => state.length === 0 }),
  awaitSome: queueType.command("await_some", {
    access: "read",
    waits: "user",
    blocked: (state) => state.length === 0
  })
}

/** Addresses in no order, as bits. */
const setType = new ActorType<number>("set")
const set = {
  put: setType.command<number>("put", { access: "write", evolve: (state, address) => state | (1 << address) }),
  take: setType.command<number, boolean>("take", {
    access: "write",
    decide: (state, address) => (state & (1 << address)) !== 0,
    evolve: (state, address) => state & ~(1 << address)
  }),
  isEmpty: setType.command<void, boolean>("is_empty", { access: "read", decide: (state) => state === 0 })
}

interface Context {
  readonly broken: boolean
  readonly present: ReadonlyArray<Word>
  readonly woken: ReadonlyArray<Word>
  /** Messages that nobody has read, and those that somebody has. */
  readonly pending: Actor<ReadonlyArray<number>>
  readonly fault: Actor<number>
  readonly queueLock: Lock
  readonly refileSeq: Actor<Seqcount.SeqcountState>
}

/** handle_userfault, until the page is there. */
function* faulter(ctx: Context, address: number): Path<void> {
  for (;;) {
    settle("fault")
    if ((yield* load(ctx.present[address]!)) === 1) return
    yield* lock(ctx.queueLock)
    yield* store(ctx.woken[address]!, 0)
    yield* ask(ctx.pending, queue.put, address)
    yield* unlock(ctx.queueLock)
    if ((yield* load(ctx.present[address]!)) === 0) {
      yield* until(ctx.woken[address]!, 1)
    } else if ((yield* load(ctx.woken[address]!)) === 0) {
      yield* lock(ctx.queueLock)
      if (!(yield* ask(ctx.pending, queue.take, address))) yield* ask(ctx.fault, set.take, address)
      settle("leave")
      yield* unlock(ctx.queueLock)
    }
  }
}

/** userfaultfd_ctx_read, then UFFDIO_COPY. */
function* reader(ctx: Context): Path<void> {
  for (;;) {
    settle("read")
    yield* ask(ctx.pending, queue.awaitSome)
    yield* lock(ctx.queueLock)
    const nothing = yield* ask(ctx.pending, queue.isEmpty)
    if (!nothing) {
      yield* Seqcount.writeBegin(ctx.refileSeq)
      const address = yield* ask(ctx.pending, queue.takeFirst)
      yield* ask(ctx.fault, set.put, address)
      yield* Seqcount.writeEnd(ctx.refileSeq)
      yield* unlock(ctx.queueLock)
      settle(address)
      yield* copy(ctx, address)
    } else yield* unlock(ctx.queueLock)
  }
}

function* prefetcher(ctx: Context): Path<void> {
  for (const address of addresses) {
    settle(address)
    yield* copy(ctx, address)
  }
}

/** UFFDIO_COPY. Who finds the page there already (-EEXIST) wakes nobody. */
function* copy(ctx: Context, address: number): Path<void> {
  if (!(yield* testAndSet(ctx.present[address]!))) return
  if (!(yield* needsWake(ctx, address))) return
  settle(["wake", address])
  yield* wakeQueued(ctx, address)
}

/** wake_userfault */
function* needsWake(ctx: Context, address: number): Path<boolean> {
  for (;;) {
    settle(["needs wake", address])
    const seq = ctx.broken ? 0 : yield* Seqcount.readBegin(ctx.refileSeq)
    const need = !(yield* ask(ctx.pending, queue.isEmpty)) || !(yield* ask(ctx.fault, set.isEmpty))
    settle(["again", need, seq, address])
    if (ctx.broken || !(yield* Seqcount.readRetry(ctx.refileSeq, seq))) return need
  }
}

/** __wake_userfault */
function* wakeQueued(ctx: Context, address: number): Path<void> {
  yield* lock(ctx.queueLock)
  if (yield* ask(ctx.pending, queue.take, address)) yield* store(ctx.woken[address]!, 1)
  settle(["wake the others", address])
  if (yield* ask(ctx.fault, set.take, address)) yield* store(ctx.woken[address]!, 1)
  settle(["woke", address])
  yield* unlock(ctx.queueLock)
}

export const userfault = programOf("userfault", {
  about: "2 faults, 2 readers that fill what they read, and a prefetcher that fills everything",
  without: "a wake-up does not look at refile_seq"
}, (m, broken, small) => {
  const ctx: Context = {
    broken,
    present: words(m, "present", [0, 0]),
    woken: words(m, "woken", [0, 0]),
    pending: m.actor(queueType, "pending", []),
    fault: m.actor(setType, "fault", 0),
    queueLock: lockNamed(m, "queue_lock"),
    refileSeq: m.actor(Seqcount.seqcount.type, "refile_seq", Seqcount.zero)
  }
  for (const address of addresses) m.thread(`fault ${address}`, () => faulter(ctx, address))
  for (const i of small ? [0] : [0, 1]) m.thread(`reader ${i}`, () => reader(ctx), { daemon: true })
  m.thread("prefetcher", () => prefetcher(ctx))
})
