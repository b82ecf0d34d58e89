/** UFFDIO_COPY, UFFDIO_ZEROPAGE, UFFDIO_WRITEPROTECT and UFFDIO_WAKE: fs/userfaultfd.c. */
import type { Path } from "@mmrace/core"
import { feature, fix } from "../../../kernel/index.ts"
import type { CtxRef, TaskRef } from "../../../objects/World.ts"
import { errno } from "../../../program/constants.ts"
import { mmget_not_zero, mmput } from "../../mm/mmput.ts"
import { type Fill, mfill_atomic, mwriteprotect_range } from "../../mm/userfaultfd.ts"
import { valid_range } from "../../mm/vma.ts"
import { is_mmap_changing, mm_of, userfaultfd_is_initialized } from "./ctx.ts"
import { wake_userfault } from "./wake.ts"

/** UFFDIO_COPY_MODE_WP and UFFDIO_COPY_MODE_DONTWAKE. */
export interface CopyMode {
  readonly wp: boolean
  readonly dontwake: boolean
}

/** Fills pages and wakes who waits for them: 0 when all were filled, -EAGAIN when fewer, else a negative errno. */
function* fill(task: TaskRef, ctx: CtxRef, start: number, end: number, kind: Fill, dontwake: boolean): Path<number> {
  const error = yield* userfaultfd_is_initialized(ctx)
  if (error !== 0) return error
  // 95567729173e also tells user space that nothing was copied; programs see the errno only.
  if (yield* is_mmap_changing(task, ctx)) return errno("EAGAIN")
  if (!valid_range(task, start, end)) return errno("EINVAL")
  if (kind.wp && !task.world.kernel.has(feature.uffdWpAnon)) return errno("EINVAL")
  const mm = mm_of(task, ctx)
  if (!(yield* mmget_not_zero(mm))) return errno("ESRCH")
  const filled = yield* mfill_atomic(task, ctx, mm, start, end, kind)
  yield* mmput(task, mm)
  if (filled < 0) return filled
  if (!dontwake) yield* wake_userfault(task, ctx, start, start + filled)
  return filled === end - start ? 0 : errno("EAGAIN")
}

/** UFFDIO_COPY of `value` to pages start .. end-1. */
export function* userfaultfd_copy(
  task: TaskRef,
  ctx: CtxRef,
  start: number,
  end: number,
  value: number,
  { dontwake, wp }: CopyMode
): Path<number> {
  return yield* fill(task, ctx, start, end, { kind: "copy", value, wp }, dontwake)
}

/** UFFDIO_ZEROPAGE. */
export function* userfaultfd_zeropage(
  task: TaskRef,
  ctx: CtxRef,
  start: number,
  end: number,
  { dontwake }: { readonly dontwake: boolean }
): Path<number> {
  return yield* fill(task, ctx, start, end, { kind: "zeropage", value: 0, wp: false }, dontwake)
}

/** UFFDIO_WRITEPROTECT: protects, or resolves and wakes (unless dontwake). */
export function* userfaultfd_writeprotect(
  task: TaskRef,
  ctx: CtxRef,
  start: number,
  end: number,
  protect: boolean,
  dontwake: boolean
): Path<number> {
  const error = yield* userfaultfd_is_initialized(ctx)
  if (error !== 0) return error
  if (!task.world.kernel.has(feature.uffdWpAnon)) return errno("EINVAL")
  if (yield* is_mmap_changing(task, ctx)) return errno("EAGAIN")
  if (!valid_range(task, start, end)) return errno("EINVAL")
  if (protect && dontwake) return errno("EINVAL")
  const mm = mm_of(task, ctx)
  // cb185d5f1ebf userfaultfd: fix a race between writeprotect and exit_mmap()
  const users = task.world.kernel.has(fix["cb185d5f1ebf"])
  if (users && !(yield* mmget_not_zero(mm))) return errno("ESRCH")
  const result = yield* mwriteprotect_range(task, ctx, mm, start, end, protect)
  if (users) yield* mmput(task, mm)
  if (result !== 0) return result
  if (!protect && !dontwake) yield* wake_userfault(task, ctx, start, end)
  return 0
}

/** UFFDIO_WAKE: whether anything is registered there does not matter. */
export function* userfaultfd_wake(task: TaskRef, ctx: CtxRef, start: number, end: number): Path<number> {
  const error = yield* userfaultfd_is_initialized(ctx)
  if (error !== 0) return error
  if (!valid_range(task, start, end)) return errno("EINVAL")
  yield* wake_userfault(task, ctx, start, end)
  return 0
}
