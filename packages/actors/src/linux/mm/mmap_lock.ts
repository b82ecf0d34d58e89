/**
 * mmap_lock and the per-VMA locks: include/linux/mmap_lock.h, mm/mmap_lock.c (6.15 and later).
 *
 * Kernels 6.4 to 6.14 have another per-VMA lock (a rwsem in the VMA) with the same exclusion; here they use this
 * one. VMA structs are recycled within their mm only, so the reader's check of `vma->vm_mm` has nothing to find.
 */
import { type Actor, ask, type Path, Rwsem, settle } from "@mmrace/core"
import { feature } from "../../kernel/index.ts"
import { mm_lock_seq_inc, mm_lock_seq_read } from "../../objects/Mm.ts"
import {
  mas_walk,
  VMA_LOCK_OFFSET,
  vma_await_readers,
  vma_fields,
  vma_mark_attached as mark_attached,
  vma_refcount_admit,
  vma_refcount_detach,
  vma_refcount_exclude,
  vma_refcount_inc,
  vma_refcount_put,
  vma_set_lock_seq,
  vm_lock_seq,
  type VmaState
} from "../../objects/Vma.ts"
import type { MmRef, TaskRef } from "../../objects/World.ts"
import type { VmaRef } from "../types.ts"

export function* mmap_read_lock(mm: MmRef): Path<void> {
  yield* Rwsem.downRead(mm.mmap_lock)
}

/** False: a fatal signal came first (-EINTR). */
export function* mmap_read_lock_killable(mm: MmRef): Path<boolean> {
  return yield* Rwsem.downReadKillable(mm.mmap_lock)
}

export function* mmap_read_trylock(mm: MmRef): Path<boolean> {
  return yield* Rwsem.downReadTrylock(mm.mmap_lock)
}

export function* mmap_read_unlock(mm: MmRef): Path<void> {
  yield* Rwsem.upRead(mm.mmap_lock)
}

export function* mmap_write_lock(mm: MmRef): Path<void> {
  yield* Rwsem.downWrite(mm.mmap_lock)
  // mm_lock_seqcount_begin(): odd from here on.
  yield* ask(mm.mm_lock_seq, mm_lock_seq_inc)
}

/** False: a fatal signal came first (-EINTR). */
export function* mmap_write_lock_killable(mm: MmRef): Path<boolean> {
  if (!(yield* Rwsem.downWriteKillable(mm.mmap_lock))) return false
  yield* ask(mm.mm_lock_seq, mm_lock_seq_inc)
  return true
}

/** vma_end_write_all(): the even sequence releases every VMA write lock at once, then the rwsem goes. */
export function* mmap_write_unlock(mm: MmRef): Path<void> {
  yield* ask(mm.mm_lock_seq, mm_lock_seq_inc)
  yield* Rwsem.upWrite(mm.mmap_lock)
}

export function* mmap_write_downgrade(mm: MmRef): Path<void> {
  yield* ask(mm.mm_lock_seq, mm_lock_seq_inc)
  yield* Rwsem.downgradeWrite(mm.mmap_lock)
}

/** Looks a VMA up under mmap_lock (`vma_lookup`, `find_vma` of a page that must be covered). */
export function* vma_lookup(mm: MmRef, address: number): Path<VmaRef | undefined> {
  const number = yield* ask(mm.mt, mas_walk, address)
  return number < 0 ? undefined : { number, actor: mm.vmas[number]! }
}

/** vma_start_read(): "locked", "detached" (-EAGAIN: look it up again) or "busy" (NULL). */
export function* vma_start_read(mm: MmRef, vma: Actor<VmaState>): Path<"locked" | "detached" | "busy"> {
  if ((yield* ask(vma, vm_lock_seq)) === (yield* ask(mm.mm_lock_seq, mm_lock_seq_read))) return "busy"
  const inc = yield* ask(vma, vma_refcount_inc)
  if (inc !== "got") return inc === "detached" ? "detached" : "busy"
  // Acquire on mm_lock_seq pairs with the release in mmap_write_unlock().
  if ((yield* ask(vma, vm_lock_seq)) === (yield* ask(mm.mm_lock_seq, mm_lock_seq_read))) {
    yield* ask(vma, vma_refcount_put)
    return "busy"
  }
  return "locked"
}

/** vma_end_read(). A writer in `vma_await_readers` sees the count drop. */
export function* vma_end_read(vma: VmaRef): Path<void> {
  yield* ask(vma.actor, vma_refcount_put)
}

/**
 * lock_vma_under_rcu(): the VMA that covers `address`, read-locked, without mmap_lock; undefined: fall back. Settles: to be
 * called with `call`.
 */
export function* lock_vma_under_rcu(task: TaskRef, mm: MmRef, address: number): Path<VmaRef | undefined> {
  if (!task.world.kernel.has(feature.perVmaLock)) return undefined
  for (;;) {
    settle("walk")
    const number = yield* ask(mm.mt, mas_walk, address)
    if (number < 0) return undefined
    const vma: VmaRef = { number, actor: mm.vmas[number]! }
    const outcome = yield* vma_start_read(mm, vma.actor)
    if (outcome === "detached") continue
    if (outcome === "busy") return undefined
    const { end, start } = yield* ask(vma.actor, vma_fields)
    if (address < start || address >= end) {
      yield* vma_end_read(vma)
      return undefined
    }
    return vma
  }
}

/** vma_start_read_locked(): mmap_lock is held, so no writer can be there. False: too many readers. */
export function* vma_start_read_locked(vma: VmaRef): Path<boolean> {
  return (yield* ask(vma.actor, vma_refcount_inc)) === "got"
}

/** vma_start_write(): mmap_lock is held for write; on return there is no reader and none gets in until it is dropped. */
export function* vma_start_write(task: TaskRef, mm: MmRef, vma: VmaRef): Path<void> {
  if (!task.world.kernel.has(feature.perVmaLock)) return
  const seq = yield* ask(mm.mm_lock_seq, mm_lock_seq_read)
  if ((yield* ask(vma.actor, vm_lock_seq)) === seq) return
  const attached = yield* ask(vma.actor, vma_refcount_exclude)
  if (attached) yield* ask(vma.actor, vma_await_readers, VMA_LOCK_OFFSET + 1)
  yield* ask(vma.actor, vma_set_lock_seq, seq)
  if (attached) yield* ask(vma.actor, vma_refcount_admit)
}

/** vma_mark_attached(). */
export function* vma_mark_attached(vma: VmaRef): Path<void> {
  yield* ask(vma.actor, mark_attached)
}

/** vma_mark_detached(): the VMA is write-locked and out of the tree; transient readers are waited for. */
export function* vma_mark_detached(vma: VmaRef): Path<void> {
  if ((yield* ask(vma.actor, vma_refcount_detach)) === 0) return
  if (yield* ask(vma.actor, vma_refcount_exclude)) {
    yield* ask(vma.actor, vma_await_readers, VMA_LOCK_OFFSET)
    yield* ask(vma.actor, vma_refcount_admit)
  }
}
