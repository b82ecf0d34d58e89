/** What all of userfaultfd uses of a context: fs/userfaultfd.c. */
import { ask, call, Mutex, type Path, Rwsem } from "@mmrace/core"
import { fix, mmapChanging } from "../../../kernel/index.ts"
import { atomic_add_return, atomic_read, atomic_set } from "../../../objects/Mm.ts"
import { event_begin, event_end } from "../../../objects/Syscall.ts"
import { try_to_wake_up } from "../../../objects/Task.ts"
import { ctx_features, ctx_ref_add, queue_read } from "../../../objects/Userfaultfd.ts"
import type { CtxRef, MmRef, TaskRef } from "../../../objects/World.ts"
import { errno } from "../../../program/constants.ts"

/** `ctx->mm`, which never changes: each context has its place among those of its address space. */
export const mm_of = (task: TaskRef, ctx: CtxRef): MmRef => task.world.mms[Math.floor(ctx.id / task.world.uffds)]!

/** userfaultfd_ctx_get(). */
export const userfaultfd_ctx_get = (ctx: CtxRef): Path<void> => call(ref_add(ctx, 1))

/** userfaultfd_ctx_put(). The last one frees the context; here its place stays unused. */
export const userfaultfd_ctx_put = (ctx: CtxRef): Path<void> => call(ref_add(ctx, -1))

function* ref_add(ctx: CtxRef, refs: number): Path<void> {
  yield* ask(ctx.ctx, ctx_ref_add, refs)
}

/** Before every operation but UFFDIO_API, which must have been done: 0 or -EINVAL. */
export function* userfaultfd_is_initialized(ctx: CtxRef): Path<number> {
  return (yield* ask(ctx.ctx, ctx_features)) === undefined ? errno("EINVAL") : 0
}

/** An event of this context begins: until it is over, fills fail with -EAGAIN. */
export function* mmap_changing_begin(task: TaskRef, ctx: CtxRef): Path<void> {
  const { kernel } = task.world
  const kind = mmapChanging(kernel)
  // df2cc96e7701 userfaultfd: prevent non-cooperative events vs mcopy_atomic races
  if (kind === "none") {
    yield* ask(task.syscall, event_begin, ctx.id)
    return
  }
  // 5e4c24a57b0c: waits for the fills that have seen no event in flight.
  const locked = kernel.has(fix["5e4c24a57b0c"])
  if (locked) yield* Rwsem.downWrite(ctx.map_changing_lock)
  // a759a909d42d userfaultfd: change mmap_changing to atomic
  if (kind === "counter") yield* ask(ctx.mmap_changing, atomic_add_return, 1)
  else yield* ask(ctx.mmap_changing, atomic_set, 1)
  if (locked) yield* Rwsem.upWrite(ctx.map_changing_lock)
}

/** The event is over: it was read, or given up. */
export function* mmap_changing_end(task: TaskRef, ctx: CtxRef): Path<void> {
  const kind = mmapChanging(task.world.kernel)
  if (kind === "none") yield* ask(task.syscall, event_end, ctx.id)
  else if (kind === "counter") yield* ask(ctx.mmap_changing, atomic_add_return, -1)
  else yield* ask(ctx.mmap_changing, atomic_set, 0)
}

/** Whether an event is in flight. */
export function* is_mmap_changing(task: TaskRef, ctx: CtxRef): Path<boolean> {
  return mmapChanging(task.world.kernel) !== "none" && (yield* ask(ctx.mmap_changing, atomic_read)) !== 0
}

/** Wakes all who sleep on a wait queue whose entries stay (`default_wake_function`); its lock is held. */
export function* __wake_up_all(task: TaskRef, queue: CtxRef["event"]): Path<void> {
  const waiters = yield* ask(queue, queue_read)
  for (let i = 0; i < waiters.length; i++) yield* ask(task.world.tasks[waiters[i]!.thread]!.task, try_to_wake_up)
}

/** wake_up_poll(&ctx->fd_wqh): there is something to read. */
export function* wake_fd(task: TaskRef, ctx: CtxRef): Path<void> {
  yield* ask(ctx.fd_lock, Mutex.spinlock.lock)
  yield* __wake_up_all(task, ctx.fd)
  yield* ask(ctx.fd_lock, Mutex.spinlock.unlock)
}
