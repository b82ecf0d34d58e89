/** Mapping and unmapping: mm/mmap.c, mm/vma.c. */
import { ask, type Path } from "@mmrace/core"
import { type Kernel, ordinalOf } from "../../kernel/index.ts"
import { vma_fields, type VmaFields } from "../../objects/Vma.ts"
import type { MmRef, RegionRef, TaskRef } from "../../objects/World.ts"
import { errno } from "../../program/constants.ts"
import { type UnmapContext, userfaultfd_unmap_complete, userfaultfd_unmap_prep } from "../fs/userfaultfd/events.ts"
import type { VmaRef } from "../types.ts"
import { unmap_page_range, zap_finish, zap_gather } from "./memory/zap.ts"
import {
  mmap_read_lock,
  mmap_read_unlock,
  mmap_write_downgrade,
  mmap_write_lock,
  mmap_write_lock_killable,
  mmap_write_unlock,
  vma_mark_attached,
  vma_mark_detached,
  vma_start_write
} from "./mmap_lock.ts"
import { __split_vma, valid_range, vm_area_alloc, vma_find, vma_iter_clear, vma_link } from "./vma.ts"

/** A VMA on its way out, with what it covered. */
interface Detached {
  readonly vma: VmaRef
  readonly fields: VmaFields
}

/** munmap zaps under mmap_lock for read since 4.20 (dd2283f2605e). */
const downgrades = (kernel: Kernel): boolean => kernel.release.ordinal >= ordinalOf("4.20")

/**
 * vms_gather_munmap_vmas(): splits at the borders, detaches what lies between and begins the events. 0; or -ENOMEM, then
 * everything is attached again (the splits stay).
 */
function* vms_gather_munmap_vmas(
  task: TaskRef,
  mm: MmRef,
  start: number,
  end: number,
  detached: Array<Detached>,
  uf: Array<UnmapContext>
): Path<number> {
  let vma = yield* vma_find(mm, start, end)
  while (vma !== undefined) {
    let fields: VmaFields = yield* ask(vma.actor, vma_fields)
    let error = 0
    if (fields.start < start) {
      error = yield* __split_vma(task, mm, vma, fields, start, true)
      fields = { ...fields, start }
    }
    if (error === 0 && fields.end > end) {
      error = yield* __split_vma(task, mm, vma, fields, end, false)
      fields = { ...fields, end }
    }
    if (error !== 0) {
      // reattach_vmas()
      for (let i = 0; i < detached.length; i++) yield* vma_mark_attached(detached[i]!.vma)
      return error
    }
    yield* vma_start_write(task, mm, vma)
    yield* vma_mark_detached(vma)
    detached.push({ vma, fields })
    yield* userfaultfd_unmap_prep(task, fields, start, end, uf)
    vma = yield* vma_find(mm, fields.end, end)
  }
  return 0
}

/** vms_clear_ptes(): mmap_lock is held, the VMAs are in no tree any more. */
function* vms_clear_ptes(task: TaskRef, mm: MmRef, detached: ReadonlyArray<Detached>): Path<void> {
  const gather = yield* zap_gather(task, mm)
  for (let i = 0; i < detached.length; i++) {
    const { fields } = detached[i]!
    yield* unmap_page_range(gather, fields, fields.start, fields.end, true)
  }
  yield* zap_finish(gather)
}

/** munmap(2): 0; -EINVAL, -EINTR (killed), -ENOMEM (no VMA left for a split). Nothing mapped there is no error. */
export function* sys_munmap(task: TaskRef, start: number, end: number): Path<number> {
  const { mm } = task
  if (!valid_range(task, start, end)) return errno("EINVAL")
  if (!(yield* mmap_write_lock_killable(mm))) return errno("EINTR")
  const detached: Array<Detached> = []
  const uf: Array<UnmapContext> = []
  const error = yield* vms_gather_munmap_vmas(task, mm, start, end, detached, uf)
  if (error !== 0 || detached.length === 0) yield* mmap_write_unlock(mm)
  else {
    yield* vma_iter_clear(mm, start, end)
    // The address range is free; only the pages are still to go.
    const downgrade = downgrades(task.world.kernel)
    if (downgrade) yield* mmap_write_downgrade(mm)
    yield* vms_clear_ptes(task, mm, detached)
    if (downgrade) yield* mmap_read_unlock(mm)
    else yield* mmap_write_unlock(mm)
  }
  yield* userfaultfd_unmap_complete(task, uf)
  return error
}

/** mmap(2) of a whole region with MAP_FIXED, as the set-up mapped it and without pages: 0, -EINTR, -ENOMEM. */
export function* sys_mmap(task: TaskRef, region: RegionRef): Path<number> {
  const { mm } = task
  const start = region.first
  const end = start + region.pages
  if (!(yield* mmap_write_lock_killable(mm))) return errno("EINTR")
  const detached: Array<Detached> = []
  const uf: Array<UnmapContext> = []
  let error = yield* vms_gather_munmap_vmas(task, mm, start, end, detached, uf)
  if (error === 0 && detached.length > 0) {
    yield* vma_iter_clear(mm, start, end)
    yield* vms_clear_ptes(task, mm, detached)
  }
  if (error === 0) {
    const fields: VmaFields = {
      start,
      end,
      prot: region.prot,
      mayWrite: true,
      uffd: -1,
      uffdMissing: false,
      uffdWp: false,
      region: region.id
    }
    const vma = yield* vm_area_alloc(mm, fields, false)
    if (vma === undefined) error = errno("ENOMEM")
    else yield* vma_link(task, mm, vma, fields)
  }
  yield* mmap_write_unlock(mm)
  yield* userfaultfd_unmap_complete(task, uf)
  return error
}

/** exit_mmap(): the last user of the address space is gone. Nobody is told of it. */
export function* exit_mmap(task: TaskRef, mm: MmRef): Path<void> {
  const { pages } = task.world
  const found: Array<Detached> = []
  yield* mmap_read_lock(mm)
  let vma = yield* vma_find(mm, 0, pages)
  while (vma !== undefined) {
    const fields: VmaFields = yield* ask(vma.actor, vma_fields)
    found.push({ vma, fields })
    vma = yield* vma_find(mm, fields.end, pages)
  }
  const gather = yield* zap_gather(task, mm)
  for (let i = 0; i < found.length; i++) {
    const { fields } = found[i]!
    yield* unmap_page_range(gather, fields, fields.start, fields.end, true)
  }
  yield* mmap_read_unlock(mm)
  yield* mmap_write_lock(mm)
  yield* zap_finish(gather)
  for (let i = 0; i < found.length; i++) {
    yield* vma_start_write(task, mm, found[i]!.vma)
    yield* vma_mark_detached(found[i]!.vma)
  }
  yield* vma_iter_clear(mm, 0, pages)
  yield* mmap_write_unlock(mm)
}
