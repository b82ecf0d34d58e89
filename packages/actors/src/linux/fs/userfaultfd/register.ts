/** UFFDIO_API, UFFDIO_REGISTER, UFFDIO_UNREGISTER and close: fs/userfaultfd.c. */
import { ask, Mutex, type Path } from "@mmrace/core"
import { feature, fix, type Kernel } from "../../../kernel/index.ts"
import {
  ctx_features,
  ctx_init_features,
  ctx_set_released,
  ctxType,
  type Features,
  FeaturesShape
} from "../../../objects/Userfaultfd.ts"
import { vma_fields, type VmaFields } from "../../../objects/Vma.ts"
import type { CtxRef, MmRef, TaskRef } from "../../../objects/World.ts"
import { errno } from "../../../program/constants.ts"
import { mmap_write_lock, mmap_write_unlock } from "../../mm/mmap_lock.ts"
import { mmget_not_zero, mmput } from "../../mm/mmput.ts"
import { uffd_wp_range } from "../../mm/userfaultfd.ts"
import { valid_range, vma_change, vma_find, vma_modify } from "../../mm/vma.ts"
import type { VmaRef } from "../../types.ts"
import { __wake_up_all, mm_of, userfaultfd_ctx_put, userfaultfd_is_initialized, wake_fd } from "./ctx.ts"
import { without_uffd } from "./events.ts"
import { __wake_userfault, wake_userfault } from "./wake.ts"

/** What UFFDIO_REGISTER asks to be told of. */
export interface Modes {
  readonly missing: boolean
  readonly wp: boolean
}

// UFFDIO_API --------------------------------------------------------------------------------------------

/** The plain store of the features, before 22e5fe2a2a27. */
const ctx_set_features = ctxType.command<Features>("ctx_set_features", {
  access: "write",
  field: 0,
  evolve: (ctx, features) => ({ ...ctx, features }),
  arg: FeaturesShape
})

const knows = (kernel: Kernel, features: Features): boolean =>
  (kernel.has(feature.uffdEvents) || !(features.eventFork || features.eventRemove || features.eventUnmap)) &&
  (kernel.has(feature.uffdWpAnon) || !features.pagefaultWp) &&
  (kernel.has(feature.uffdWpUnpopulated) || !features.wpUnpopulated)

/** UFFDIO_API: 0; -EINVAL for features the kernel does not have, or when it was done before. */
export function* userfaultfd_api(task: TaskRef, ctx: CtxRef, features: Features): Path<number> {
  const { kernel } = task.world
  // 22e5fe2a2a27 userfaultfd: prevent concurrent API initialization
  const cmpxchg = kernel.has(fix["22e5fe2a2a27"])
  if (!cmpxchg && (yield* ask(ctx.ctx, ctx_features)) !== undefined) return errno("EINVAL")
  if (!knows(kernel, features)) return errno("EINVAL")
  if (cmpxchg) return (yield* ask(ctx.ctx, ctx_init_features, features)) ? 0 : errno("EINVAL")
  yield* ask(ctx.ctx, ctx_set_features, features)
  return 0
}

// UFFDIO_REGISTER ---------------------------------------------------------------------------------------

/** UFFDIO_REGISTER: 0; -EINVAL, -EPERM, -EBUSY (another userfaultfd), -ENOMEM (address space gone, no VMA left). */
export function* userfaultfd_register(
  task: TaskRef,
  ctx: CtxRef,
  start: number,
  end: number,
  modes: Modes
): Path<number> {
  const error = yield* userfaultfd_is_initialized(ctx)
  if (error !== 0) return error
  if (!modes.missing && !modes.wp) return errno("EINVAL")
  if (modes.wp && !task.world.kernel.has(feature.uffdWpAnon)) return errno("EINVAL")
  if (!valid_range(task, start, end)) return errno("EINVAL")
  const mm = mm_of(task, ctx)
  if (!(yield* mmget_not_zero(mm))) return errno("ENOMEM")
  yield* mmap_write_lock(mm)
  const checked = yield* may_register(mm, ctx, start, end)
  const result = checked !== 0 ? checked : yield* userfaultfd_register_range(task, mm, ctx, start, end, modes)
  yield* mmap_write_unlock(mm)
  yield* mmput(task, mm)
  return result
}

/** All VMAs are looked at before the first one is changed. */
function* may_register(mm: MmRef, ctx: CtxRef, start: number, end: number): Path<number> {
  let vma = yield* vma_find(mm, start, end)
  if (vma === undefined) return errno("EINVAL")
  while (vma !== undefined) {
    const fields: VmaFields = yield* ask(vma.actor, vma_fields)
    if (!fields.mayWrite) return errno("EPERM")
    if (fields.uffd >= 0 && fields.uffd !== ctx.id) return errno("EBUSY")
    vma = yield* vma_find(mm, fields.end, end)
  }
  return 0
}

/** userfaultfd_register_range(). */
function* userfaultfd_register_range(
  task: TaskRef,
  mm: MmRef,
  ctx: CtxRef,
  start: number,
  end: number,
  { missing, wp }: Modes
): Path<number> {
  let vma = yield* vma_find(mm, start, end)
  while (vma !== undefined) {
    const fields: VmaFields = yield* ask(vma.actor, vma_fields)
    const nothing_to_do = fields.uffd === ctx.id && (fields.uffdMissing || !missing) && (fields.uffdWp || !wp)
    if (!nothing_to_do) {
      const first = Math.max(start, fields.start)
      const last = Math.min(end, fields.end)
      const error = yield* vma_modify(task, mm, vma, fields, first, last)
      if (error !== 0) return error
      // userfaultfd_set_ctx(): the context and the modes, VMA write-locked.
      const watched = { uffd: ctx.id, uffdMissing: missing, uffdWp: wp }
      yield* vma_change(task, mm, vma, { ...fields, start: first, end: last, ...watched })
    }
    vma = yield* vma_find(mm, Math.min(end, fields.end), end)
  }
  return 0
}

// UFFDIO_UNREGISTER -------------------------------------------------------------------------------------

/** UFFDIO_UNREGISTER: 0; -EINVAL, -ENOMEM (address space gone, no VMA left). */
export function* userfaultfd_unregister(task: TaskRef, ctx: CtxRef, start: number, end: number): Path<number> {
  const error = yield* userfaultfd_is_initialized(ctx)
  if (error !== 0) return error
  if (!valid_range(task, start, end)) return errno("EINVAL")
  const mm = mm_of(task, ctx)
  if (!(yield* mmget_not_zero(mm))) return errno("ENOMEM")
  yield* mmap_write_lock(mm)
  const checked = yield* may_unregister(mm, ctx, start, end)
  const result = checked !== 0 ? checked : yield* userfaultfd_unregister_range(task, mm, start, end)
  yield* mmap_write_unlock(mm)
  yield* mmput(task, mm)
  return result
}

function* may_unregister(mm: MmRef, ctx: CtxRef, start: number, end: number): Path<number> {
  let vma = yield* vma_find(mm, start, end)
  if (vma === undefined) return errno("EINVAL")
  while (vma !== undefined) {
    const fields: VmaFields = yield* ask(vma.actor, vma_fields)
    if (fields.uffd >= 0 && fields.uffd !== ctx.id) return errno("EINVAL")
    vma = yield* vma_find(mm, fields.end, end)
  }
  return 0
}

function* userfaultfd_unregister_range(task: TaskRef, mm: MmRef, start: number, end: number): Path<number> {
  let vma = yield* vma_find(mm, start, end)
  while (vma !== undefined) {
    const fields: VmaFields = yield* ask(vma.actor, vma_fields)
    if (fields.uffd >= 0) {
      const first = Math.max(start, fields.start)
      const last = Math.min(end, fields.end)
      // Threads that wait here must not wait for ever. They are woken before the VMA is write-locked.
      if (fields.uffdMissing) yield* wake_userfault(task, task.world.ctxs[fields.uffd]!, first, last)
      const error = yield* userfaultfd_clear_vma(task, mm, vma, fields, first, last, true)
      if (error !== 0) return error
    }
    vma = yield* vma_find(mm, Math.min(end, fields.end), end)
  }
  return 0
}

/** userfaultfd_clear_vma(): write-protection goes with its registration. */
function* userfaultfd_clear_vma(
  task: TaskRef,
  mm: MmRef,
  vma: VmaRef,
  fields: VmaFields,
  start: number,
  end: number,
  reset_ptes: boolean
): Path<number> {
  if (fields.uffdWp && reset_ptes) yield* uffd_wp_range(task, mm, fields, start, end, false)
  const error = yield* vma_modify(task, mm, vma, fields, start, end)
  if (error !== 0) return error
  yield* vma_change(task, mm, vma, without_uffd({ ...fields, start, end }))
  return 0
}

// close -------------------------------------------------------------------------------------------------

/** userfaultfd_release(): the last reference on the file is gone, so that no operation is in progress. */
export function* userfaultfd_release(task: TaskRef, ctx: CtxRef): Path<void> {
  yield* ask(ctx.ctx, ctx_set_released)
  yield* userfaultfd_release_all(task, ctx)
  // No fault can begin to wait from here on: those that wait are woken, whatever they wait for.
  yield* __wake_userfault(task, ctx, 0, task.world.pages)
  yield* ask(ctx.event_lock, Mutex.spinlock.lock)
  yield* __wake_up_all(task, ctx.event)
  yield* ask(ctx.event_lock, Mutex.spinlock.unlock)
  yield* wake_fd(task, ctx)
  yield* userfaultfd_ctx_put(ctx)
}

function* userfaultfd_release_all(task: TaskRef, ctx: CtxRef): Path<void> {
  const mm = mm_of(task, ctx)
  if (!(yield* mmget_not_zero(mm))) return
  // c88033efe9a3 mm/userfaultfd: reset ptes when close() for wr-protected ones
  const reset_ptes = task.world.kernel.has(fix["c88033efe9a3"])
  yield* mmap_write_lock(mm)
  let vma = yield* vma_find(mm, 0, task.world.pages)
  while (vma !== undefined) {
    const fields: VmaFields = yield* ask(vma.actor, vma_fields)
    if (fields.uffd === ctx.id) {
      yield* userfaultfd_clear_vma(task, mm, vma, fields, fields.start, fields.end, reset_ptes)
    }
    vma = yield* vma_find(mm, fields.end, task.world.pages)
  }
  yield* mmap_write_unlock(mm)
  yield* mmput(task, mm)
}
