/**
 * Faults under the per-VMA lock against those who change and unmap the VMA (include/linux/mmap_lock.h: vma_start_read,
 * vma_start_write). A fault counts itself in vm_refcnt and then makes sure that nobody has write-locked the VMA since
 * it looked. Who cannot have the VMA lock takes mmap_lock. No fault sees half a change or a VMA that was freed.
 */
import { type Actor, ActorType } from "@mmrace/core/Actor"
import { ask, type Path } from "@mmrace/core/Ask"
import { settle } from "@mmrace/core/Settle"
import * as Rwsem from "@mmrace/core/primitives/Rwsem"
import { add, assert, load, programOf, store, type Word, wordNamed } from "../Program.ts"

/** What a writer adds to vm_refcnt: more than there can be readers. */
const excludeReaders = 64

const refcntType = new ActorType<number>("vm_refcnt")
const refcnt = {
  /** Counts a reader; false: detached, or a writer is at work. */
  getReader: refcntType.command<void, boolean>("get_reader", {
    access: "write",
    decide: (count) => count !== 0 && count < excludeReaders,
    evolve: (count, _arg, taken) => taken ? count + 1 : count
  }),
  put: refcntType.command("put", { access: "write", evolve: (count) => count - 1 }),
  /** True: that was the last one. */
  putAndTest: refcntType.command<void, boolean>("put_and_test", {
    access: "write",
    decide: (count) => count === 1,
    evolve: (count) => count - 1
  }),
  /** False: detached. */
  exclude: refcntType.command<void, boolean>("exclude", {
    access: "write",
    decide: (count) => count !== 0,
    evolve: (count, _arg, attached) => attached ? count + excludeReaders : count
  }),
  admit: refcntType.command("admit", { access: "write", evolve: (count) => count - excludeReaders }),
  awaitReaders: refcntType.command<number>("await_readers", {
    access: "read",
    blocked: (count, others) => count !== excludeReaders + others
  })
}

interface Vma {
  readonly broken: boolean
  readonly mmapLock: Actor<Rwsem.RwsemState>
  readonly mmLockSeq: Word
  readonly vmLockSeq: Word
  readonly vmRefcnt: Actor<number>
  /** Two fields that change together. */
  readonly vmStart: Word
  readonly vmPgoff: Word
  readonly freed: Word
}

function* checkFields(vma: Vma): Path<void> {
  const start = yield* load(vma.vmStart)
  assert((yield* load(vma.vmPgoff)) === start, "a fault sees half a change of the VMA")
}

/** lock_vma_under_rcu, vma_start_read. */
function* lockVma(vma: Vma): Path<boolean> {
  const vmLockSeq = yield* load(vma.vmLockSeq)
  if ((yield* load(vma.mmLockSeq)) === vmLockSeq) return false
  settle("looked")
  if (!(yield* ask(vma.vmRefcnt, refcnt.getReader))) return false
  settle("counted")
  if (vma.broken) return true
  const mmLockSeq = yield* load(vma.mmLockSeq)
  if ((yield* load(vma.vmLockSeq)) !== mmLockSeq) return true
  settle("locked by a writer")
  yield* ask(vma.vmRefcnt, refcnt.put)
  return false
}

function* fault(vma: Vma): Path<void> {
  const locked = yield* lockVma(vma)
  settle(locked)
  if (locked) {
    assert((yield* load(vma.freed)) === 0, "a fault holds the lock of a VMA that was freed")
    yield* checkFields(vma)
    settle("put")
    yield* ask(vma.vmRefcnt, refcnt.put)
  } else {
    yield* Rwsem.downRead(vma.mmapLock)
    settle("mmap_lock")
    if ((yield* load(vma.freed)) === 0) yield* checkFields(vma)
    settle("up")
    yield* Rwsem.upRead(vma.mmapLock)
  }
}

/** mmap_write_lock, vma_start_write. */
function* beginWrite(vma: Vma, turn: number): Path<void> {
  settle(turn)
  yield* Rwsem.downWrite(vma.mmapLock)
  settle(["locked", turn])
  yield* add(vma.mmLockSeq, 1)
  if (!(yield* ask(vma.vmRefcnt, refcnt.exclude))) return
  yield* ask(vma.vmRefcnt, refcnt.awaitReaders, 1)
  const seq = yield* load(vma.mmLockSeq)
  yield* store(vma.vmLockSeq, seq)
  settle(["write-locked", turn])
  yield* ask(vma.vmRefcnt, refcnt.admit)
}

function* endWrite(vma: Vma, turn: number): Path<void> {
  settle(["end", turn])
  yield* add(vma.mmLockSeq, 1)
  yield* Rwsem.upWrite(vma.mmapLock)
}

function* change(vma: Vma, turn: number): Path<void> {
  yield* beginWrite(vma, turn)
  if ((yield* load(vma.freed)) === 0) {
    yield* add(vma.vmStart, 1)
    yield* add(vma.vmPgoff, 1)
  }
  yield* endWrite(vma, turn)
}

function* mprotect(vma: Vma): Path<void> {
  yield* change(vma, 0)
  yield* change(vma, 1)
}

function* munmap(vma: Vma): Path<void> {
  yield* change(vma, 0)
  yield* beginWrite(vma, 1)
  settle("detach")
  // vma_mark_detached
  if (!(yield* ask(vma.vmRefcnt, refcnt.putAndTest)) && (yield* ask(vma.vmRefcnt, refcnt.exclude))) {
    yield* ask(vma.vmRefcnt, refcnt.awaitReaders, 0)
    yield* ask(vma.vmRefcnt, refcnt.admit)
  }
  yield* store(vma.freed, 1)
  yield* endWrite(vma, 1)
}

export const vmaLock = programOf("vma-lock", {
  about: "3 faults under the per-VMA lock, 1 thread that changes the VMA twice, 1 that changes and unmaps it",
  without: "a fault does not look at the sequences again once it is counted"
}, (m, broken, small) => {
  const vma: Vma = {
    broken,
    mmapLock: m.actor(Rwsem.rwsem.type, "mmap_lock", Rwsem.unlocked),
    mmLockSeq: wordNamed(m, "mm_lock_seq", 0),
    vmLockSeq: wordNamed(m, "vm_lock_seq", -1),
    vmRefcnt: m.actor(refcntType, "vm_refcnt", 1),
    vmStart: wordNamed(m, "vm_start", 0),
    vmPgoff: wordNamed(m, "vm_pgoff", 0),
    freed: wordNamed(m, "freed", 0)
  }
  for (const i of small ? [0] : [0, 1, 2]) m.thread(`fault ${i}`, () => fault(vma))
  m.thread("mprotect", () => mprotect(vma))
  m.thread("munmap", () => munmap(vma))
})
