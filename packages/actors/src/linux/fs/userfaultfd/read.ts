/** read(2) of a userfaultfd: fs/userfaultfd.c, userfaultfd_ctx_read(). */
import { ask, call, Mutex, type Path, Seqcount, settle } from "@mmrace/core"
import { fix } from "../../../kernel/index.ts"
import { schedule, set_current_state } from "../../../objects/Task.ts"
import {
  ctx_install_fd,
  type Message,
  queue_add,
  queue_del,
  queue_mark_waken,
  queue_read,
  type Waiter
} from "../../../objects/Userfaultfd.ts"
import type { CtxRef, TaskRef } from "../../../objects/World.ts"
import { errno } from "../../../program/constants.ts"
import { fatal_signal_pending } from "../../kernel/signal.ts"
import { __wake_up_all, userfaultfd_ctx_get, userfaultfd_ctx_put, userfaultfd_is_initialized } from "./ctx.ts"

/** The entry of a reader says no more than that it waits. */
const nothing: Message = { event: "pagefault", page: -1, pages: 0, write: false, wp: false, ctx: -1 }

/** find_userfault() and the refile: the oldest unread fault goes from the pending queue to the fault queue. */
function* take_fault(task: TaskRef, ctx: CtxRef): Path<Message | undefined> {
  // 2c5b7e1be74f: tells wake_userfault() that an entry may be in neither queue.
  const refile = task.world.kernel.has(fix["2c5b7e1be74f"])
  yield* ask(ctx.pending_lock, Mutex.spinlock.lock)
  const waiter = (yield* ask(ctx.pending, queue_read))[0]
  if (waiter !== undefined) {
    if (refile) yield* Seqcount.writeBegin(ctx.refile_seq)
    yield* ask(ctx.pending, queue_del, waiter.thread)
    yield* ask(ctx.fault_lock, Mutex.spinlock.lock)
    yield* ask(ctx.fault, queue_add, waiter)
    yield* ask(ctx.fault_lock, Mutex.spinlock.unlock)
    if (refile) yield* Seqcount.writeEnd(ctx.refile_seq)
  }
  yield* ask(ctx.pending_lock, Mutex.spinlock.unlock)
  return waiter?.message
}

/** userfaultfd_event_complete(): the event's thread may go on. The queue's lock is held. */
function* userfaultfd_event_complete(task: TaskRef, ctx: CtxRef, waiter: Waiter): Path<void> {
  yield* __wake_up_all(task, ctx.event)
  yield* ask(ctx.event, queue_del, waiter.thread)
}

/**
 * find_userfault_evt(): the oldest event nobody has read. A fork stays in the queue until its context has a descriptor;
 * where the kernel moves it to a list of the reader, here it is marked, and others pass over it.
 */
function* take_event(task: TaskRef, ctx: CtxRef): Path<Waiter | undefined> {
  yield* ask(ctx.event_lock, Mutex.spinlock.lock)
  const waiter = (yield* ask(ctx.event, queue_read)).find(({ waken }) => !waken)
  if (waiter !== undefined) {
    if (waiter.message.event !== "fork") yield* userfaultfd_event_complete(task, ctx, waiter)
    else {
      yield* ask(ctx.event, queue_mark_waken, waiter.thread)
      // 384632e67e08 userfaultfd: non-cooperative: fix fork use after free
      if (task.world.kernel.has(fix["384632e67e08"])) {
        yield* userfaultfd_ctx_get(task.world.ctxs[waiter.message.ctx]!)
      }
    }
  }
  yield* ask(ctx.event_lock, Mutex.spinlock.unlock)
  return waiter
}

/**
 * resolve_userfault_fork() and what follows: the child's context gets its descriptor. If the forking thread is gone, the
 * reader's reference on the context is the descriptor's.
 */
function* finish_fork(task: TaskRef, ctx: CtxRef, waiter: Waiter): Path<void> {
  const child = task.world.ctxs[waiter.message.ctx]!
  yield* ask(child.ctx, ctx_install_fd)
  yield* ask(ctx.event_lock, Mutex.spinlock.lock)
  if ((yield* ask(ctx.event, queue_read)).some(({ thread }) => thread === waiter.thread)) {
    if (task.world.kernel.has(fix["384632e67e08"])) yield* userfaultfd_ctx_put(child)
    yield* userfaultfd_event_complete(task, ctx, waiter)
  }
  yield* ask(ctx.event_lock, Mutex.spinlock.unlock)
}

/**
 * read(2) of one message; or -EINVAL (no UFFDIO_API), -EAGAIN (nonblock, nothing there), -EINTR (killed). Settles: to be
 * called with `call`.
 */
export function* userfaultfd_read(task: TaskRef, ctx: CtxRef, nonblock: boolean): Path<Message | number> {
  const error = yield* userfaultfd_is_initialized(ctx)
  if (error !== 0) return error
  yield* ask(ctx.fd_lock, Mutex.spinlock.lock)
  yield* ask(ctx.fd, queue_add, { thread: task.id, message: nothing, waken: false })
  let result: Message | number = 0
  let fork: Waiter | undefined = undefined
  for (;;) {
    settle("wait")
    yield* ask(task.task, set_current_state, "TASK_INTERRUPTIBLE")
    const fault = yield* call(take_fault(task, ctx))
    if (fault !== undefined) {
      result = fault
      break
    }
    const event: Waiter | undefined = yield* call(take_event(task, ctx))
    if (event !== undefined) {
      result = event.message
      if (event.message.event === "fork") fork = event
      break
    }
    if (yield* fatal_signal_pending(task)) {
      result = errno("EINTR")
      break
    }
    if (nonblock) {
      result = errno("EAGAIN")
      break
    }
    yield* ask(ctx.fd_lock, Mutex.spinlock.unlock)
    yield* ask(task.task, schedule)
    yield* ask(ctx.fd_lock, Mutex.spinlock.lock)
  }
  yield* ask(ctx.fd, queue_del, task.id)
  yield* ask(task.task, set_current_state, "TASK_RUNNING")
  yield* ask(ctx.fd_lock, Mutex.spinlock.unlock)
  if (fork !== undefined) yield* finish_fork(task, ctx, fork)
  return result
}
