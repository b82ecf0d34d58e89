/** Filling and write-protecting pages for user space: mm/userfaultfd.c. */
import { isNone, isNoneMostly, isUffdMarker, mkdirty, mkUffdWp, mkwrite, present, type Pte } from "@mmrace/arch"
import { ask, call, Mutex, type Path, Rwsem } from "@mmrace/core"
import { feature, fix, type Kernel } from "../../kernel/index.ts"
import { folio_add_lru, folio_mark_uptodate, page_write, ZERO_PFN } from "../../objects/Folio.ts"
import { ptep_get, set_pte_at } from "../../objects/PageTable.ts"
import { vma_anon_vma, vma_fields, type VmaFields } from "../../objects/Vma.ts"
import type { CtxRef, FolioRef, MmRef, TaskRef } from "../../objects/World.ts"
import { errno } from "../../program/constants.ts"
import { is_mmap_changing } from "../fs/userfaultfd/ctx.ts"
import { fatal_signal_pending } from "../kernel/signal.ts"
import type { VmaRef } from "../types.ts"
import {
  lock_vma_under_rcu,
  mmap_read_lock,
  mmap_read_unlock,
  vma_end_read,
  vma_lookup,
  vma_start_read_locked
} from "./mmap_lock.ts"
import { tlb_finish_mmu, tlb_gather_mmu } from "./mmu_gather.ts"
import { change_protection, page_prot, wants_manual_write_upgrade } from "./mprotect.ts"
import { folio_alloc, folio_put } from "./page_alloc.ts"
import { folio_add_new_anon_rmap } from "./rmap.ts"
import { anon_vma_prepare, vma_find } from "./vma.ts"

/** What a page is filled with: a copy of a user page that holds `value`, or the zero page. */
export interface Fill {
  readonly kind: "copy" | "zeropage"
  readonly value: number
  /** MFILL_ATOMIC_WP. */
  readonly wp: boolean
}

// Locking the destination -------------------------------------------------------------------------------

/** validate_dst_vma(): registered, with whichever context, and long enough. */
const validate_dst_vma = ({ end, uffd }: VmaFields, dst_end: number): boolean => dst_end <= end && uffd >= 0

/** uffd_lock_vma(): the VMA read-locked, with an anon_vma, and no mmap_lock; or -ENOENT, -EAGAIN. */
function* uffd_lock_vma(task: TaskRef, mm: MmRef, address: number): Path<VmaRef | number> {
  const quick = yield* call(lock_vma_under_rcu(task, mm, address))
  if (quick !== undefined) {
    if (yield* ask(quick.actor, vma_anon_vma)) return quick
    yield* vma_end_read(quick)
  }
  yield* mmap_read_lock(mm)
  const vma = yield* vma_lookup(mm, address)
  let result: VmaRef | number = errno("ENOENT")
  if (vma !== undefined) {
    yield* anon_vma_prepare(task, vma)
    result = (yield* vma_start_read_locked(vma)) ? vma : errno("EAGAIN")
  }
  yield* mmap_read_unlock(mm)
  return result
}

/** uffd_mfill_lock(): uffd_lock_vma(), and the VMA must do. */
function* uffd_mfill_lock(task: TaskRef, mm: MmRef, start: number, end: number): Path<VmaRef | number> {
  const vma = yield* uffd_lock_vma(task, mm, start)
  if (typeof vma === "number") return vma
  if (validate_dst_vma(yield* ask(vma.actor, vma_fields), end)) return vma
  yield* vma_end_read(vma)
  return errno("ENOENT")
}

/** With 5e4c24a57b0c the answer of is_mmap_changing() holds for as long as this is held. */
function* map_changing_lock(task: TaskRef, ctx: CtxRef): Path<void> {
  if (task.world.kernel.has(fix["5e4c24a57b0c"])) yield* Rwsem.downRead(ctx.map_changing_lock)
}

function* map_changing_unlock(task: TaskRef, ctx: CtxRef): Path<void> {
  if (task.world.kernel.has(fix["5e4c24a57b0c"])) yield* Rwsem.upRead(ctx.map_changing_lock)
}

// Filling -------------------------------------------------------------------------------------------------

/** mfill_atomic(): number of pages filled when any was, else a negative errno. mm_users is held. */
export function* mfill_atomic(
  task: TaskRef,
  ctx: CtxRef,
  mm: MmRef,
  start: number,
  end: number,
  fill: Fill
): Path<number> {
  return task.world.kernel.has(feature.uffdOpsUnderVmaLock)
    ? yield* mfill_under_vma_lock(task, ctx, mm, start, end, fill)
    : yield* mfill_under_mmap_lock(task, ctx, mm, start, end, fill)
}

/** 867a43a34ff8 userfaultfd: use per-vma locks in userfaultfd operations */
function* mfill_under_vma_lock(
  task: TaskRef,
  ctx: CtxRef,
  mm: MmRef,
  start: number,
  end: number,
  fill: Fill
): Path<number> {
  const vma = yield* uffd_mfill_lock(task, mm, start, end)
  if (typeof vma === "number") return vma
  yield* map_changing_lock(task, ctx)
  const result = (yield* is_mmap_changing(task, ctx))
    ? errno("EAGAIN")
    : yield* mfill_pages(task, mm, yield* ask(vma.actor, vma_fields), start, end, fill)
  yield* map_changing_unlock(task, ctx)
  yield* vma_end_read(vma)
  return result
}

function* mfill_under_mmap_lock(
  task: TaskRef,
  ctx: CtxRef,
  mm: MmRef,
  start: number,
  end: number,
  fill: Fill
): Path<number> {
  yield* mmap_read_lock(mm)
  yield* map_changing_lock(task, ctx)
  let result = errno("EAGAIN")
  if (!(yield* is_mmap_changing(task, ctx))) {
    result = errno("ENOENT")
    const vma = yield* vma_lookup(mm, start)
    const fields = vma === undefined ? undefined : yield* ask(vma.actor, vma_fields)
    if (vma !== undefined && fields !== undefined && validate_dst_vma(fields, end)) {
      yield* anon_vma_prepare(task, vma)
      result = yield* mfill_pages(task, mm, fields, start, end, fill)
    }
  }
  yield* map_changing_unlock(task, ctx)
  yield* mmap_read_unlock(mm)
  return result
}

function* mfill_pages(
  task: TaskRef,
  mm: MmRef,
  fields: VmaFields,
  start: number,
  end: number,
  fill: Fill
): Path<number> {
  if (fill.wp && !fields.uffdWp) return errno("EINVAL")
  let filled = 0
  let error = 0
  for (let address = start; address < end && error === 0; address++) {
    error = fill.kind === "copy"
      ? yield* mfill_atomic_pte_copy(task, mm, fields, address, fill)
      : yield* mfill_atomic_pte_zeropage(mm, fields, address)
    if (error !== 0) break
    filled++
    if (yield* fatal_signal_pending(task)) error = errno("EINTR")
  }
  return filled > 0 ? filled : error
}

/** mfill_atomic_pte_copy(). The source is a page of the caller that is always there. */
function* mfill_atomic_pte_copy(
  task: TaskRef,
  mm: MmRef,
  fields: VmaFields,
  address: number,
  { value, wp }: Fill
): Path<number> {
  const folio = yield* folio_alloc(task)
  if (folio === undefined) return errno("ENOMEM")
  yield* ask(folio.page, page_write, value)
  // The content must be there before the entry is (write barrier).
  yield* ask(folio.folio, folio_mark_uptodate)
  const error = yield* mfill_atomic_install_pte(task, mm, fields, address, folio, wp)
  if (error !== 0) yield* folio_put(task, folio)
  return error
}

/** Entries a fill may overwrite. feature.uffdMarkerOnlyOverwrite: a guard is not userfaultfd's to remove. */
const may_overwrite = (kernel: Kernel, pte: Pte): boolean =>
  kernel.has(feature.uffdMarkerOnlyOverwrite) ? isNone(pte) || isUffdMarker(pte) : isNoneMostly(pte)

/** mfill_atomic_install_pte(): -EEXIST when something is mapped. No flush: nothing was. */
function* mfill_atomic_install_pte(
  task: TaskRef,
  mm: MmRef,
  fields: VmaFields,
  address: number,
  folio: FolioRef,
  wp: boolean
): Path<number> {
  let entry = mkdirty(page_prot(fields, present(folio.pfn, { young: true })))
  if (fields.prot === "rw") entry = mkwrite(entry)
  if (wp) entry = mkUffdWp(entry)
  const ptl = mm.ptls[fields.region]!
  yield* ask(ptl, Mutex.spinlock.lock)
  let error = 0
  if (!may_overwrite(task.world.kernel, yield* ask(mm.ptes[address]!, ptep_get))) error = errno("EEXIST")
  else {
    yield* folio_add_new_anon_rmap(task, folio, fields.region, address)
    yield* ask(folio.folio, folio_add_lru)
    yield* ask(mm.ptes[address]!, set_pte_at, entry)
  }
  yield* ask(ptl, Mutex.spinlock.unlock)
  return error
}

/** mfill_atomic_pte_zeropage(): the entry must be empty, a marker will not do. */
function* mfill_atomic_pte_zeropage(mm: MmRef, fields: VmaFields, address: number): Path<number> {
  const ptl = mm.ptls[fields.region]!
  yield* ask(ptl, Mutex.spinlock.lock)
  const empty = isNone(yield* ask(mm.ptes[address]!, ptep_get))
  if (empty) {
    yield* ask(mm.ptes[address]!, set_pte_at, page_prot(fields, present(ZERO_PFN, { special: true, young: true })))
  }
  yield* ask(ptl, Mutex.spinlock.unlock)
  return empty ? 0 : errno("EEXIST")
}

// Write-protecting ----------------------------------------------------------------------------------------

/** uffd_wp_range(): protects or resolves pages start .. end-1 of one VMA. */
export function* uffd_wp_range(
  task: TaskRef,
  mm: MmRef,
  fields: VmaFields,
  start: number,
  end: number,
  enable_wp: boolean
): Path<void> {
  const tlb = yield* tlb_gather_mmu(task, mm)
  yield* change_protection(tlb, fields, start, end, {
    uffd_wp: enable_wp,
    uffd_wp_resolve: !enable_wp,
    try_change_writable: !enable_wp && wants_manual_write_upgrade(task.world.kernel, fields)
  })
  yield* tlb_finish_mmu(tlb)
}

/** mwriteprotect_range(): under mmap_lock for read, never under a VMA lock. 0, -EAGAIN, or -ENOENT (VMAs before stay changed). */
export function* mwriteprotect_range(
  task: TaskRef,
  ctx: CtxRef,
  mm: MmRef,
  start: number,
  end: number,
  enable_wp: boolean
): Path<number> {
  yield* mmap_read_lock(mm)
  yield* map_changing_lock(task, ctx)
  let result = errno("EAGAIN")
  if (!(yield* is_mmap_changing(task, ctx))) {
    result = errno("ENOENT")
    let vma = yield* vma_find(mm, start, end)
    while (vma !== undefined) {
      const fields: VmaFields = yield* ask(vma.actor, vma_fields)
      if (!fields.uffdWp) {
        result = errno("ENOENT")
        break
      }
      yield* uffd_wp_range(task, mm, fields, Math.max(start, fields.start), Math.min(end, fields.end), enable_wp)
      result = 0
      vma = yield* vma_find(mm, fields.end, end)
    }
  }
  yield* map_changing_unlock(task, ctx)
  yield* mmap_read_unlock(mm)
  return result
}
