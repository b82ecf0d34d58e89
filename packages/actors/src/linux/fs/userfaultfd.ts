/** userfaultfd for those outside fs/userfaultfd/: ioctls, read and close. fs/userfaultfd.c. */
import type { Path } from "@mmrace/core"
import type { Features, Message } from "../../objects/Userfaultfd.ts"
import type { CtxRef, TaskRef } from "../../objects/World.ts"

export interface Modes {
  readonly missing: boolean
  readonly wp: boolean
}
export interface CopyMode {
  readonly wp: boolean
  readonly dontwake: boolean
}

const later = (...a: ReadonlyArray<unknown>): never => {
  throw new Error(String(a))
}
export function* userfaultfd_api(task: TaskRef, ctx: CtxRef, features: Features): Path<number> {
  return later(task, ctx, features)
}
export function* userfaultfd_register(task: TaskRef, ctx: CtxRef, start: number, end: number, modes: Modes): Path<number> {
  return later(task, ctx, start, end, modes)
}
export function* userfaultfd_unregister(task: TaskRef, ctx: CtxRef, start: number, end: number): Path<number> {
  return later(task, ctx, start, end)
}
export function* userfaultfd_wake(task: TaskRef, ctx: CtxRef, start: number, end: number): Path<number> {
  return later(task, ctx, start, end)
}
export function* userfaultfd_copy(task: TaskRef, ctx: CtxRef, start: number, end: number, value: number, mode: CopyMode): Path<number> {
  return later(task, ctx, start, end, value, mode)
}
export function* userfaultfd_zeropage(task: TaskRef, ctx: CtxRef, start: number, end: number, mode: { readonly dontwake: boolean }): Path<number> {
  return later(task, ctx, start, end, mode)
}
export function* userfaultfd_writeprotect(task: TaskRef, ctx: CtxRef, start: number, end: number, protect: boolean, dontwake: boolean): Path<number> {
  return later(task, ctx, start, end, protect, dontwake)
}
export function* userfaultfd_read(task: TaskRef, ctx: CtxRef, nonblock: boolean): Path<Message | number> {
  return later(task, ctx, nonblock)
}
export function* userfaultfd_release(task: TaskRef, ctx: CtxRef): Path<void> {
  return later(task, ctx)
}
