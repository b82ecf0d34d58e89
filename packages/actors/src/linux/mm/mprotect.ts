/** Changing what entries allow: mm/mprotect.c. */
import {
  archs,
  clearUffdWp,
  isMarker,
  isMigration,
  isNone,
  isPresent,
  isSwap,
  markerUffdWp,
  mkUffdWp,
  mkwrite,
  none,
  type Pte,
  type PteMigration,
  type PtePresent,
  pteSame,
  type PteSwap,
  swpClearUffdWp,
  swpMkUffdWp
} from "@mmrace/arch"
import { ask, Mutex, type Path } from "@mmrace/core"
import { feature, type Kernel } from "../../kernel/index.ts"
import { PageAnonExclusive } from "../../objects/Folio.ts"
import { ptep_get, ptep_get_and_clear, set_pte_at } from "../../objects/PageTable.ts"
import { ctx_features } from "../../objects/Userfaultfd.ts"
import { type Prot, vma_fields, type VmaFields } from "../../objects/Vma.ts"
import type { TaskRef } from "../../objects/World.ts"
import { errno } from "../../program/constants.ts"
import { flush_tlb_batched_pending } from "../arch/x86/mm/tlb.ts"
import { mmap_write_lock_killable, mmap_write_unlock, vma_lookup } from "./mmap_lock.ts"
import { type MmuGather, tlb_finish_mmu, tlb_flush_page, tlb_gather_mmu } from "./mmu_gather.ts"
import { vm_normal_folio } from "./page_alloc.ts"
import { valid_range, vma_change, vma_modify } from "./vma.ts"

/** MM_CP_UFFD_WP, MM_CP_UFFD_WP_RESOLVE and MM_CP_TRY_CHANGE_WRITABLE. */
export interface Change {
  readonly uffd_wp: boolean
  readonly uffd_wp_resolve: boolean
  readonly try_change_writable: boolean
}

/** pte_modify() with `vma->vm_page_prot`: that of a private mapping never allows to write, which is left to faults. */
export const page_prot = ({ prot }: VmaFields, pte: PtePresent): PtePresent => ({
  ...pte,
  write: false,
  protnone: prot === "none"
})

/** vma_wants_manual_pte_write_upgrade(). It came with 6.0; here with the exclusive pages that make it possible. */
export const wants_manual_write_upgrade = (kernel: Kernel, { prot }: VmaFields): boolean =>
  kernel.has(feature.anonExclusive) && prot === "rw"

/** change_protection(): pages start .. end-1 of a VMA whose fields are `fields`. The flush is the gather's. */
export function* change_protection(
  tlb: MmuGather,
  fields: VmaFields,
  start: number,
  end: number,
  change: Change
): Path<void> {
  const { mm, task } = tlb
  const markers = change.uffd_wp && (yield* userfaultfd_wp_use_markers(task, fields))
  const ptl = mm.ptls[fields.region]!
  yield* ask(ptl, Mutex.spinlock.lock)
  yield* flush_tlb_batched_pending(task, mm)
  for (let address = start; address < end; address++) {
    const ptep = mm.ptes[address]!
    const pte: Pte = yield* ask(ptep, ptep_get)
    if (isPresent(pte)) yield* change_present_pte(tlb, fields, address, change)
    else if (isNone(pte)) {
      if (markers) yield* ask(ptep, set_pte_at, markerUffdWp)
    } else if (isMarker(pte)) {
      if (change.uffd_wp_resolve && !pte.poisoned && !pte.guard) yield* ask(ptep, set_pte_at, none)
    } else if (isSwap(pte) || isMigration(pte)) {
      const entry = change_swap_pte(task.world.kernel, pte, change)
      if (!pteSame(entry, pte)) yield* ask(ptep, set_pte_at, entry)
    }
  }
  yield* ask(ptl, Mutex.spinlock.unlock)
}

/** userfaultfd_wp_use_markers() for anonymous memory: empty entries are protected on demand only. */
function* userfaultfd_wp_use_markers(task: TaskRef, { uffd }: VmaFields): Path<boolean> {
  if (uffd < 0 || !task.world.kernel.has(feature.uffdWpUnpopulated)) return false
  return (yield* ask(task.world.ctxs[uffd]!.ctx, ctx_features))?.wpUnpopulated === true
}

/** The entry is empty between ptep_modify_prot_start() and _commit(), so that hardware bits are not lost. */
function* change_present_pte(tlb: MmuGather, fields: VmaFields, address: number, change: Change): Path<void> {
  const { mm, task } = tlb
  const ptep = mm.ptes[address]!
  // Under the page-table lock a present entry stays present, hardware only sets bits in it.
  const old = (yield* ask(ptep, ptep_get_and_clear)) as PtePresent
  let entry = page_prot(fields, old)
  if (change.uffd_wp) entry = mkUffdWp(entry)
  else if (change.uffd_wp_resolve) entry = clearUffdWp(entry)
  if (change.try_change_writable && (yield* can_change_pte_writable(task, fields, entry))) entry = mkwrite(entry)
  yield* ask(ptep, set_pte_at, entry)
  if (archs[task.world.kernel.arch].pteNeedsFlush(old, entry)) tlb_flush_page(tlb, address)
}

/** can_change_pte_writable() for private mappings: nobody else has the page. */
function* can_change_pte_writable(task: TaskRef, fields: VmaFields, pte: PtePresent): Path<boolean> {
  if (fields.prot !== "rw" || pte.protnone || (fields.uffdWp && pte.uffdWp)) return false
  const folio = vm_normal_folio(task, pte.pfn)
  return folio !== undefined && (yield* ask(folio.folio, PageAnonExclusive))
}

const change_swap_pte = (kernel: Kernel, pte: PteSwap | PteMigration, change: Change): PteSwap | PteMigration => {
  const demoted: PteSwap | PteMigration = pte._tag === "migration" && pte.flavour === "writable"
    ? { ...pte, flavour: kernel.has(feature.anonExclusive) ? "readable-exclusive" : "readable" }
    : pte
  return change.uffd_wp ? swpMkUffdWp(demoted) : change.uffd_wp_resolve ? swpClearUffdWp(demoted) : demoted
}

// mprotect(2) ---------------------------------------------------------------------------------------------

/** mprotect(2): 0; -EINVAL, -EINTR (killed), -EACCES, -ENOMEM (a hole, or no VMA left; VMAs before it stay changed). */
export function* sys_mprotect(task: TaskRef, start: number, end: number, prot: Prot): Path<number> {
  const { mm } = task
  if (start === end) return 0
  if (!valid_range(task, start, end)) return errno("ENOMEM")
  if (!(yield* mmap_write_lock_killable(mm))) return errno("EINTR")
  let result = errno("ENOMEM")
  if ((yield* vma_lookup(mm, start)) !== undefined) {
    const tlb = yield* tlb_gather_mmu(task, mm)
    result = yield* do_mprotect(tlb, start, end, prot)
    yield* tlb_finish_mmu(tlb)
  }
  yield* mmap_write_unlock(mm)
  return result
}

function* do_mprotect(tlb: MmuGather, start: number, end: number, prot: Prot): Path<number> {
  const { mm, task } = tlb
  let address = start
  while (address < end) {
    const vma = yield* vma_lookup(mm, address)
    if (vma === undefined) return errno("ENOMEM")
    const fields: VmaFields = yield* ask(vma.actor, vma_fields)
    if (prot === "rw" && !fields.mayWrite) return errno("EACCES")
    const last = Math.min(end, fields.end)
    // mprotect_fixup(): the VMA changes before its entries do.
    if (fields.prot !== prot) {
      const error = yield* vma_modify(task, mm, vma, fields, address, last)
      if (error !== 0) return error
      const after: VmaFields = { ...fields, start: address, end: last, prot }
      yield* vma_change(task, mm, vma, after)
      yield* change_protection(tlb, after, address, last, {
        uffd_wp: false,
        uffd_wp_resolve: false,
        try_change_writable: wants_manual_write_upgrade(task.world.kernel, after)
      })
    }
    address = last
  }
  return 0
}
