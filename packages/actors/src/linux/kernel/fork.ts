/** fork as far as mm is concerned: kernel/fork.c, mm/mmap.c (dup_mmap). */
import { ask, type Path, Rwsem } from "@mmrace/core"
import { fix } from "../../kernel/index.ts"
import { atomic_set, mm_lock_seq_inc } from "../../objects/Mm.ts"
import { fork_begin, fork_copied } from "../../objects/Syscall.ts"
import {
  mas_store,
  mas_walk,
  vma_anon_vma,
  vma_fields,
  vma_mark_attached,
  vma_set_anon_vma,
  vma_set_fields
} from "../../objects/Vma.ts"
import type { MmRef, TaskRef } from "../../objects/World.ts"
import { errno } from "../../program/constants.ts"
import { flush_tlb_mm } from "../arch/x86/mm/tlb.ts"
import {
  dup_userfaultfd,
  dup_userfaultfd_complete,
  dup_userfaultfd_fail,
  type ForkContext
} from "../fs/userfaultfd/events.ts"
import { copy_page_range } from "../mm/memory/copy.ts"
import { mmap_write_lock_killable, mmap_write_unlock, vma_start_write } from "../mm/mmap_lock.ts"
import { mmput } from "../mm/mmput.ts"
import type { VmaRef } from "../types.ts"
import { fatal_signal_pending } from "./signal.ts"

/** dup_mmap(): 0, -EINTR or -ENOMEM. The contexts that fork made for the child are collected in `forks`. */
function* dup_mmap(task: TaskRef, child: MmRef, forks: Array<ForkContext>): Path<number> {
  const { mm, world } = task
  if (!(yield* mmap_write_lock_killable(mm))) return errno("EINTR")
  // mmap_write_lock_nested(mm, SINGLE_DEPTH_NESTING): the child's is a class of its own.
  yield* Rwsem.downWrite(child.mmap_lock)
  yield* ask(child.mm_lock_seq, mm_lock_seq_inc)
  yield* ask(task.syscall, fork_begin, child.id)
  let result = 0
  let address = 0
  while (address < world.pages && result === 0) {
    const number = yield* ask(mm.mt, mas_walk, address)
    if (number < 0) {
      address++
      continue
    }
    const src: VmaRef = { number, actor: mm.vmas[number]! }
    const dst: VmaRef = { number, actor: child.vmas[number]! }
    // fb49c455323f fork: lock VMAs of the parent process when forking
    if (world.kernel.has(fix["fb49c455323f"])) yield* vma_start_write(task, mm, src)
    if (world.kills && (yield* fatal_signal_pending(task))) {
      result = errno("EINTR")
      break
    }
    const fields = yield* ask(src.actor, vma_fields)
    // vm_area_dup(): not in the tree yet, so nobody else can see it.
    yield* ask(dst.actor, vma_set_fields, fields)
    yield* ask(dst.actor, vma_mark_attached)
    yield* dup_userfaultfd(task, src, dst, child, forks)
    // anon_vma_fork(): links the child under the root's lock.
    const anon_vma = yield* ask(src.actor, vma_anon_vma)
    if (anon_vma) {
      const { anon_vma_lock } = world.regions[fields.region]!
      yield* Rwsem.downWrite(anon_vma_lock)
      yield* ask(dst.actor, vma_set_anon_vma, true)
      yield* Rwsem.upWrite(anon_vma_lock)
    }
    yield* ask(child.mt, mas_store, { start: fields.start, end: fields.end, vma: number })
    result = yield* copy_page_range(task, child, src, dst)
    address = fields.end
  }
  yield* ask(child.mm_lock_seq, mm_lock_seq_inc)
  yield* Rwsem.upWrite(child.mmap_lock)
  // One flush for all the entries that were write-protected (contract C4).
  yield* flush_tlb_mm(task, mm)
  yield* ask(task.syscall, fork_copied, child.id)
  yield* mmap_write_unlock(mm)
  return result
}

/** fork(2): 0, or a negative errno. The child's threads are started by the caller. */
export function* sys_fork(task: TaskRef, child: MmRef): Path<number> {
  yield* ask(child.mm_users, atomic_set, 1)
  const forks: Array<ForkContext> = []
  const result = yield* dup_mmap(task, child, forks)
  if (result === 0) yield* dup_userfaultfd_complete(task, forks)
  else {
    yield* dup_userfaultfd_fail(task, forks)
    yield* mmput(task, child)
  }
  return result
}

/** exit_mm(): the process gives up its address space; the last user tears it down. */
export function* exit_mm(task: TaskRef): Path<void> {
  yield* mmput(task, task.mm)
}
