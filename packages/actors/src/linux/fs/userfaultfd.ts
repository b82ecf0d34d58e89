/**
 * The system calls on a userfaultfd: each pins the file while it is at work (fdget), so that close() in another thread
 * releases the context no sooner than the last of them is done. fs/userfaultfd.c, fs/ioctl.c, fs/read_write.c.
 */
import { ask, call, type Path } from "@mmrace/core"
import {
  ctx_close_fd,
  ctx_fdget,
  ctx_file_free,
  ctx_fput,
  type Features,
  type Message
} from "../../objects/Userfaultfd.ts"
import { type Call, enter, leave } from "../../objects/Syscall.ts"
import type { CtxRef, TaskRef } from "../../objects/World.ts"
import { errno } from "../../program/constants.ts"
import * as fill from "./userfaultfd/fill.ts"
import * as read from "./userfaultfd/read.ts"
import * as register from "./userfaultfd/register.ts"

export type { CopyMode } from "./userfaultfd/fill.ts"
export type { Modes } from "./userfaultfd/register.ts"

/** Runs an operation with the file pinned; -EBADF when the descriptor is closed. */
function* with_file<T>(task: TaskRef, ctx: CtxRef, operation: Path<T>): Path<T | number> {
  if (!(yield* ask(ctx.ctx, ctx_fdget))) return errno("EBADF")
  const result = yield* call(operation)
  if ((yield* ask(ctx.ctx, ctx_fput)) === 0) {
    // Closed meanwhile. The release is task work on the way back to user space, after the operation and none of it.
    const close: Call = { name: "close", page: -1, pages: 0, mode: 0, dontwake: false, ctx: ctx.id }
    yield* ask(task.syscall, enter, close)
    yield* __fput(task, ctx)
    yield* ask(task.syscall, leave, { name: close.name, result: 0 })
  }
  return result
}

/** __fput(): the last reference on the file is gone. */
function* __fput(task: TaskRef, ctx: CtxRef): Path<void> {
  yield* register.userfaultfd_release(task, ctx)
  yield* ask(ctx.ctx, ctx_file_free)
}

/** close(2). */
export function* userfaultfd_release(task: TaskRef, ctx: CtxRef): Path<void> {
  if (!(yield* ask(ctx.ctx, ctx_close_fd))) return
  if ((yield* ask(ctx.ctx, ctx_fput)) === 0) yield* __fput(task, ctx)
}

/** read(2): a message or a negative errno. */
export const userfaultfd_read = (task: TaskRef, ctx: CtxRef, nonblock: boolean): Path<Message | number> =>
  with_file(task, ctx, read.userfaultfd_read(task, ctx, nonblock))

// ioctl(2): 0 or a negative errno.

export const userfaultfd_api = (task: TaskRef, ctx: CtxRef, features: Features): Path<number> =>
  with_file(task, ctx, register.userfaultfd_api(task, ctx, features))

export const userfaultfd_register = (
  task: TaskRef,
  ctx: CtxRef,
  start: number,
  end: number,
  modes: register.Modes
): Path<number> => with_file(task, ctx, register.userfaultfd_register(task, ctx, start, end, modes))

export const userfaultfd_unregister = (task: TaskRef, ctx: CtxRef, start: number, end: number): Path<number> =>
  with_file(task, ctx, register.userfaultfd_unregister(task, ctx, start, end))

export const userfaultfd_copy = (
  task: TaskRef,
  ctx: CtxRef,
  start: number,
  end: number,
  value: number,
  mode: fill.CopyMode
): Path<number> => with_file(task, ctx, fill.userfaultfd_copy(task, ctx, start, end, value, mode))

export const userfaultfd_zeropage = (
  task: TaskRef,
  ctx: CtxRef,
  start: number,
  end: number,
  mode: { readonly dontwake: boolean }
): Path<number> => with_file(task, ctx, fill.userfaultfd_zeropage(task, ctx, start, end, mode))

export const userfaultfd_writeprotect = (
  task: TaskRef,
  ctx: CtxRef,
  start: number,
  end: number,
  protect: boolean,
  dontwake: boolean
): Path<number> => with_file(task, ctx, fill.userfaultfd_writeprotect(task, ctx, start, end, protect, dontwake))

export const userfaultfd_wake = (task: TaskRef, ctx: CtxRef, start: number, end: number): Path<number> =>
  with_file(task, ctx, fill.userfaultfd_wake(task, ctx, start, end))
