/** Non-cooperative events: fs/userfaultfd.c, from dup_userfaultfd() on. */
import { ask, call, Mutex, type Path, settle } from "@mmrace/core"
import { schedule, set_current_state } from "../../../objects/Task.ts"
import {
  ctx_features,
  ctx_init,
  ctx_released,
  type Message,
  queue_add,
  queue_del,
  queue_read
} from "../../../objects/Userfaultfd.ts"
import { vma_fields, type VmaFields } from "../../../objects/Vma.ts"
import { type CtxRef, ctxNumber, type MmRef, type TaskRef } from "../../../objects/World.ts"
import { fatal_signal_pending } from "../../kernel/signal.ts"
import { mmap_read_unlock, mmap_write_lock, mmap_write_unlock } from "../../mm/mmap_lock.ts"
import { vma_change, vma_find } from "../../mm/vma.ts"
import type { VmaRef } from "../../types.ts"
import {
  mm_of,
  mmap_changing_begin,
  mmap_changing_end,
  userfaultfd_ctx_get,
  userfaultfd_ctx_put,
  wake_fd
} from "./ctx.ts"

/** Fields of a VMA that no userfaultfd watches any more (`userfaultfd_reset_ctx`). */
export const without_uffd = (fields: VmaFields): VmaFields => ({
  ...fields,
  uffd: -1,
  uffdMissing: false,
  uffdWp: false
})

const fork_msg = (child: CtxRef): Message => ({
  event: "fork",
  page: -1,
  pages: 0,
  write: false,
  wp: false,
  ctx: child.id
})

const range_msg = (event: "remove" | "unmap", start: number, end: number): Message => ({
  event,
  page: start,
  pages: end - start,
  write: false,
  wp: false,
  ctx: -1
})

/**
 * userfaultfd_event_wait_completion(): queues the event and sleeps until it was read, the userfaultfd is closed or the
 * thread killed. Ends what mmap_changing_begin() began and drops the reference on the context. No lock may be held.
 */
const userfaultfd_event_wait_completion = (task: TaskRef, ctx: CtxRef, message: Message): Path<void> =>
  call(wait_completion(task, ctx, message))

function* wait_completion(task: TaskRef, ctx: CtxRef, message: Message): Path<void> {
  let abandoned = false
  yield* ask(ctx.event_lock, Mutex.spinlock.lock)
  yield* ask(ctx.event, queue_add, { thread: task.id, message, waken: false })
  for (;;) {
    settle("wait")
    yield* ask(task.task, set_current_state, "TASK_KILLABLE")
    if (!(yield* ask(ctx.event, queue_read)).some(({ thread }) => thread === task.id)) break
    if ((yield* ask(ctx.ctx, ctx_released)) || (yield* fatal_signal_pending(task))) {
      yield* ask(ctx.event, queue_del, task.id)
      abandoned = true
      break
    }
    yield* ask(ctx.event_lock, Mutex.spinlock.unlock)
    yield* wake_fd(task, ctx)
    yield* ask(task.task, schedule)
    yield* ask(ctx.event_lock, Mutex.spinlock.lock)
  }
  settle("done", abandoned)
  yield* ask(task.task, set_current_state, "TASK_RUNNING")
  yield* ask(ctx.event_lock, Mutex.spinlock.unlock)
  // Nobody will ever watch the child: its VMAs must not wait for somebody who does.
  if (abandoned && message.event === "fork") yield* release_new_ctx(task, task.world.ctxs[message.ctx]!)
  yield* mmap_changing_end(task, ctx)
  yield* userfaultfd_ctx_put(ctx)
}

function* release_new_ctx(task: TaskRef, ctx: CtxRef): Path<void> {
  const mm = mm_of(task, ctx)
  yield* mmap_write_lock(mm)
  let vma = yield* vma_find(mm, 0, task.world.pages)
  while (vma !== undefined) {
    const fields: VmaFields = yield* ask(vma.actor, vma_fields)
    if (fields.uffd === ctx.id) yield* vma_change(task, mm, vma, without_uffd(fields))
    vma = yield* vma_find(mm, fields.end, task.world.pages)
  }
  yield* mmap_write_unlock(mm)
  yield* userfaultfd_ctx_put(ctx)
}

// fork ------------------------------------------------------------------------------------------------

/** `struct userfaultfd_fork_ctx`: the child's new context and the parent's it came from. */
export interface ForkContext {
  readonly orig: CtxRef
  readonly new: CtxRef
}

/**
 * dup_userfaultfd(): what fork does with the context of one VMA, mmap_lock of both address spaces held for write.
 * The contexts it makes go to `list`; each has the event in flight until one of the next two functions was called.
 */
export function* dup_userfaultfd(
  task: TaskRef,
  _parent: VmaRef,
  child: VmaRef,
  mm: MmRef,
  list: Array<ForkContext>
): Path<void> {
  const { ctxs, uffds } = task.world
  const fields = yield* ask(child.actor, vma_fields)
  if (fields.uffd < 0) return
  const octx = ctxs[fields.uffd]!
  const features = yield* ask(octx.ctx, ctx_features)
  if (features === undefined || !features.eventFork) {
    yield* vma_change(task, mm, child, without_uffd(fields))
    return
  }
  const ctx = ctxs[ctxNumber(uffds, fields.uffd % uffds, mm.id)]!
  if (!list.some(({ orig }) => orig === octx)) {
    yield* ask(ctx.ctx, ctx_init, { mm: mm.id, features })
    yield* userfaultfd_ctx_get(octx)
    yield* mmap_changing_begin(task, octx)
    list.push({ orig: octx, new: ctx })
  }
  yield* vma_change(task, mm, child, { ...fields, uffd: ctx.id })
}

/** dup_userfaultfd_complete(): the fork succeeded; waits until its events were read. No lock may be held. */
export function* dup_userfaultfd_complete(task: TaskRef, list: ReadonlyArray<ForkContext>): Path<void> {
  for (let i = 0; i < list.length; i++) {
    yield* userfaultfd_event_wait_completion(task, list[i]!.orig, fork_msg(list[i]!.new))
  }
}

/** dup_userfaultfd_fail(): the fork failed; there is no event. */
export function* dup_userfaultfd_fail(task: TaskRef, list: ReadonlyArray<ForkContext>): Path<void> {
  for (let i = 0; i < list.length; i++) {
    const fork = list[i]!
    yield* mmap_changing_end(task, fork.orig)
    yield* userfaultfd_ctx_put(fork.orig)
    yield* userfaultfd_ctx_put(fork.new)
  }
}

// madvise ---------------------------------------------------------------------------------------------

/**
 * userfaultfd_remove(): tells of pages about to be dropped, mmap_lock held for read. False: there was an event,
 * mmap_lock is gone and the VMA may be, too.
 */
export function* userfaultfd_remove(
  task: TaskRef,
  mm: MmRef,
  { uffd }: VmaFields,
  start: number,
  end: number
): Path<boolean> {
  if (uffd < 0) return true
  const ctx = task.world.ctxs[uffd]!
  if ((yield* ask(ctx.ctx, ctx_features))?.eventRemove !== true) return true
  yield* userfaultfd_ctx_get(ctx)
  yield* mmap_changing_begin(task, ctx)
  yield* mmap_read_unlock(mm)
  yield* userfaultfd_event_wait_completion(task, ctx, range_msg("remove", start, end))
  return false
}

// munmap ----------------------------------------------------------------------------------------------

/** `struct userfaultfd_unmap_ctx`: an event to be sent once the unmapping is done. */
export interface UnmapContext {
  readonly ctx: CtxRef
  readonly start: number
  readonly end: number
}

/** userfaultfd_unmap_prep(): one VMA of start .. end-1 is about to go, mmap_lock held for write. */
export function* userfaultfd_unmap_prep(
  task: TaskRef,
  { uffd }: VmaFields,
  start: number,
  end: number,
  list: Array<UnmapContext>
): Path<void> {
  if (uffd < 0) return
  const ctx = task.world.ctxs[uffd]!
  if ((yield* ask(ctx.ctx, ctx_features))?.eventUnmap !== true) return
  // has_unmap_ctx(): one event for the whole range.
  if (list.some((unmap) => unmap.ctx === ctx && unmap.start === start && unmap.end === end)) return
  yield* userfaultfd_ctx_get(ctx)
  yield* mmap_changing_begin(task, ctx)
  list.push({ ctx, start, end })
}

/** userfaultfd_unmap_complete(): sends the events and waits until they were read. No lock may be held. */
export function* userfaultfd_unmap_complete(task: TaskRef, list: ReadonlyArray<UnmapContext>): Path<void> {
  for (let i = 0; i < list.length; i++) {
    const { ctx, end, start } = list[i]!
    yield* userfaultfd_event_wait_completion(task, ctx, range_msg("unmap", start, end))
  }
}
