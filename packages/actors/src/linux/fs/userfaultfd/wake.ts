/** Waking threads that wait for a page: fs/userfaultfd.c, wake_userfault(). */
import { ask, call, Mutex, type Path, Seqcount, settle } from "@mmrace/core"
import { fix } from "../../../kernel/index.ts"
import { try_to_wake_up } from "../../../objects/Task.ts"
import { queue_del, queue_read, type QueueState } from "../../../objects/Userfaultfd.ts"
import type { CtxRef, TaskRef } from "../../../objects/World.ts"

/** userfaultfd_wake_function() on each entry; the queue's lock is held. Whoever was made to run is taken off. */
function* __wake_up_locked_key(task: TaskRef, queue: CtxRef["fault"], start: number, end: number): Path<void> {
  const waiters: QueueState = yield* ask(queue, queue_read)
  for (let i = 0; i < waiters.length; i++) {
    const { message, thread } = waiters[i]!
    if (message.page < start || message.page >= end) continue
    if (yield* ask(task.world.tasks[thread]!.task, try_to_wake_up)) yield* ask(queue, queue_del, thread)
  }
}

/** __wake_userfault(): wakes those that wait for pages start .. end-1, message read or not. */
export function* __wake_userfault(task: TaskRef, ctx: CtxRef, start: number, end: number): Path<void> {
  yield* ask(ctx.pending_lock, Mutex.spinlock.lock)
  yield* __wake_up_locked_key(task, ctx.pending, start, end)
  yield* ask(ctx.fault_lock, Mutex.spinlock.lock)
  yield* __wake_up_locked_key(task, ctx.fault, start, end)
  yield* ask(ctx.fault_lock, Mutex.spinlock.unlock)
  yield* ask(ctx.pending_lock, Mutex.spinlock.unlock)
}

/**
 * wake_userfault(): without the lock when nobody waits. The caller has changed the page table; a waiter that is not
 * in a queue yet will look at the page table after it has queued.
 */
export const wake_userfault = (task: TaskRef, ctx: CtxRef, start: number, end: number): Path<void> =>
  call(wake_waiters(task, ctx, start, end))

function* wake_waiters(task: TaskRef, ctx: CtxRef, start: number, end: number): Path<void> {
  // 2c5b7e1be74f userfaultfd: avoid missing wakeups during refile in userfaultfd_read: the reader moves entries from
  // one queue to the other, and between the two they are in none.
  let need_wakeup = false
  if (!task.world.kernel.has(fix["2c5b7e1be74f"])) need_wakeup = yield* waitqueue_active(ctx)
  else {
    let seq: number
    do {
      settle("look")
      seq = yield* Seqcount.readBegin(ctx.refile_seq)
      need_wakeup = yield* call(waitqueue_active(ctx))
    } while (yield* Seqcount.readRetry(ctx.refile_seq, seq))
  }
  if (need_wakeup) yield* __wake_userfault(task, ctx, start, end)
}

/** Whether somebody waits; one queue after the other, without their locks. */
function* waitqueue_active(ctx: CtxRef): Path<boolean> {
  return (yield* ask(ctx.pending, queue_read)).length > 0 || (yield* ask(ctx.fault, queue_read)).length > 0
}
