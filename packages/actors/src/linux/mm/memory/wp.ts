/** Write-protect faults and copy-on-write: mm/memory.c, do_wp_page(), wp_page_copy(). */
import { mkdirty, mkSoftDirty, mkUffdWp, mkwrite, mkyoung, present, type PtePresent, pteSame } from "@mmrace/arch"
import { ask, call, type Path, settle } from "@mmrace/core"
import { fix, wpReuseRule } from "../../../kernel/index.ts"
import {
  folio_add_lru,
  folio_mapcount,
  folio_mark_uptodate,
  folio_ref_count,
  folio_set_rmap,
  folio_swap_entry,
  page_read,
  page_write,
  PageAnonExclusive,
  SetPageAnonExclusive
} from "../../../objects/Folio.ts"
import { ptep_get, ptep_get_and_clear, set_pte_at } from "../../../objects/PageTable.ts"
import { copy_begin, copy_end } from "../../../objects/Syscall.ts"
import { vma_fields, type VmaFields } from "../../../objects/Vma.ts"
import type { FolioRef } from "../../../objects/World.ts"
import { flush_tlb_page } from "../../arch/x86/mm/tlb.ts"
import { handle_userfault } from "../../fs/userfaultfd/fault.ts"
import { FAULT_FLAG_UNSHARE, VM_FAULT_OOM, type Vmf } from "../../types.ts"
import { folio_lock, folio_trylock, folio_unlock } from "../filemap.ts"
import { mm_tlb_flush_pending } from "../mmu_gather.ts"
import { folio_alloc, folio_get, folio_put, vm_normal_folio } from "../page_alloc.ts"
import { folio_add_new_anon_rmap, folio_remove_rmap_pte } from "../rmap.ts"
import { free_swap_cache } from "../swap_state.ts"
import { folio_free_swap, reuse_swap_page } from "../swapfile.ts"
import { pte_lock, pte_unlock, vmf_anon_prepare } from "./vmf.ts"

/** What may be done with the page the entry maps; "gone": the entry changed while nobody held its lock. */
type Reuse = "reuse" | "copy" | "gone"

/**
 * do_wp_page(): a write (or an unshare) through a read-only entry. Entered with the page-table lock held and `orig`
 * under it; always left without that lock.
 */
export function* do_wp_page(vmf: Vmf, orig: PtePresent): Path<number> {
  const { address, mm, task } = vmf
  const { kernel } = task.world
  const unshare = (vmf.flags & FAULT_FLAG_UNSHARE) !== 0
  const vma = yield* ask(vmf.vma.actor, vma_fields)
  if (!unshare) {
    if (vma.uffdWp && orig.uffdWp) {
      yield* pte_unlock(vmf)
      return yield* handle_userfault(vmf, "wp")
    }
    // 6ce64428d620 mm/userfaultfd: fix memory corruption due to writeprotect: another CPU may still write through an
    // entry it cached before a UFFDIO_WRITEPROTECT whose flush is yet to come.
    if (kernel.has(fix["6ce64428d620"]) && vma.uffdWp && (yield* call(mm_tlb_flush_pending(mm)))) {
      yield* flush_tlb_page(task, mm, address)
    }
  }
  const folio = vm_normal_folio(task, orig.pfn)
  const reuse = folio === undefined ? "copy" : yield* call(may_reuse(vmf, orig, folio))
  if (reuse === "gone") return 0
  if (reuse === "reuse") {
    // wp_page_reuse(); an unshare only wants the page to be exclusive.
    if (!unshare) yield* ask(vmf.pte, set_pte_at, maybe_mkwrite(mkdirty(mkyoung(orig)), vma))
    yield* pte_unlock(vmf)
    return 0
  }
  if (folio !== undefined) yield* folio_get(folio)
  yield* pte_unlock(vmf)
  return yield* wp_page_copy(vmf, orig, folio, vma)
}

const maybe_mkwrite = (pte: PtePresent, vma: VmaFields): PtePresent => vma.prot === "rw" ? mkwrite(pte) : pte

/** Whether the page can be written in place, by the kernel's rule. The page-table lock is held. */
function* may_reuse(vmf: Vmf, orig: PtePresent, folio: FolioRef): Path<Reuse> {
  switch (wpReuseRule(vmf.task.world.kernel)) {
    case "anon-exclusive":
      if (yield* ask(folio.folio, PageAnonExclusive)) return "reuse"
      if (!(yield* wp_can_reuse_anon_folio(vmf, folio))) return "copy"
      yield* ask(folio.folio, SetPageAnonExclusive)
      return "reuse"
    case "page-count":
      return yield* reuse_by_page_count(folio)
    case "break-early":
    case "mapcount":
      return yield* reuse_by_mapcount(vmf, orig, folio)
  }
}

/** wp_can_reuse_anon_folio(): nobody else has a reference, once the swap cache has given up its own. */
function* wp_can_reuse_anon_folio(vmf: Vmf, folio: FolioRef): Path<boolean> {
  // The first looks only save the lock where there is little hope.
  if ((yield* ask(folio.folio, folio_ref_count)) > 3) return false
  const cached = (yield* ask(folio.folio, folio_swap_entry)) >= 0 ? 1 : 0
  if ((yield* ask(folio.folio, folio_ref_count)) > 1 + cached) return false
  // Under the page-table lock the folio lock can only be tried.
  if (!(yield* folio_trylock(folio))) return false
  if ((yield* ask(folio.folio, folio_swap_entry)) >= 0) yield* folio_free_swap(vmf.task, folio)
  const alone = (yield* ask(folio.folio, folio_ref_count)) === 1
  // folio_move_anon_rmap().
  if (alone) yield* ask(folio.folio, folio_set_rmap, { mapping: vmf.region.id, index: vmf.address })
  yield* folio_unlock(folio)
  return alone
}

/** 5.9 to 5.18 (09854ba94c6a mm: do_wp_page() simplification): one reference, whoever holds the others. */
function* reuse_by_page_count(folio: FolioRef): Path<Reuse> {
  if ((yield* ask(folio.folio, folio_ref_count)) !== 1) return "copy"
  if (!(yield* folio_trylock(folio))) return "copy"
  const alone = (yield* ask(folio.folio, folio_mapcount)) === 1 && (yield* ask(folio.folio, folio_ref_count)) === 1
  yield* folio_unlock(folio)
  return alone ? "reuse" : "copy"
}

/** Up to 5.8: one mapping. References are not counted, so a page that somebody holds without mapping it is written too. */
function* reuse_by_mapcount(vmf: Vmf, orig: PtePresent, folio: FolioRef): Path<Reuse> {
  if (!(yield* folio_trylock(folio))) {
    yield* folio_get(folio)
    yield* pte_unlock(vmf)
    yield* folio_lock(folio)
    yield* pte_lock(vmf)
    if (!pteSame(yield* ask(vmf.pte, ptep_get), orig)) {
      yield* folio_unlock(folio)
      yield* pte_unlock(vmf)
      yield* folio_put(vmf.task, folio)
      return "gone"
    }
    yield* folio_put(vmf.task, folio)
  }
  const reuse = yield* reuse_swap_page(vmf.task, folio)
  yield* folio_unlock(folio)
  return reuse ? "reuse" : "copy"
}

/**
 * wp_page_copy(): a page of its own for this mapping. No page-table lock is held; the caller took a reference on `old`
 * (undefined: the zero page), which is dropped here.
 *
 * Order matters: the old entry is cleared and flushed, then the new one set, then the old page loses its mapping.
 */
function* wp_page_copy(vmf: Vmf, orig: PtePresent, old: FolioRef | undefined, vma: VmaFields): Path<number> {
  const { address, mm, region, task } = vmf
  const prepared = yield* vmf_anon_prepare(vmf)
  const folio = prepared === 0 ? yield* folio_alloc(task) : undefined
  if (folio === undefined) {
    if (old !== undefined) yield* folio_put(task, old)
    return prepared !== 0 ? prepared : VM_FAULT_OOM
  }
  if (old === undefined) yield* ask(folio.page, page_write, 0)
  else {
    yield* ask(task.syscall, copy_begin, { pfn: old.pfn, mm: mm.id, page: address, forChild: false })
    yield* call(copy_user_highpage(folio, old))
  }
  yield* ask(folio.folio, folio_mark_uptodate)
  yield* pte_lock(vmf)
  if (!pteSame(yield* ask(vmf.pte, ptep_get), orig)) {
    yield* pte_unlock(vmf)
    if (old !== undefined) yield* ask(task.syscall, copy_end)
    yield* folio_put(task, folio)
    if (old !== undefined) yield* folio_put(task, old)
    return 0
  }
  const entry = copied_entry(vmf, orig, folio, vma)
  // ptep_clear_flush(): no CPU may go on using the old page once another one can see the new.
  yield* ask(vmf.pte, ptep_get_and_clear)
  yield* flush_tlb_page(task, mm, address)
  yield* folio_add_new_anon_rmap(task, folio, region.id, address)
  yield* ask(folio.folio, folio_add_lru)
  yield* ask(vmf.pte, set_pte_at, entry)
  // What was copied where does not matter any more: callers hand the result on as it is.
  settle("copied", old?.pfn)
  if (old !== undefined) {
    yield* ask(task.syscall, copy_end)
    yield* folio_remove_rmap_pte(old)
  }
  yield* pte_unlock(vmf)
  if (old !== undefined) {
    // The reference of the mapping, then ours.
    yield* folio_put(task, old)
    yield* free_swap_cache(task, old)
    yield* folio_put(task, old)
  }
  return 0
}

/** The source may be written meanwhile. */
function* copy_user_highpage(to: FolioRef, from: FolioRef): Path<void> {
  yield* ask(to.page, page_write, yield* ask(from.page, page_read))
}

const copied_entry = (vmf: Vmf, orig: PtePresent, folio: FolioRef, vma: VmaFields): PtePresent => {
  const entry = present(folio.pfn, { young: true })
  if ((vmf.flags & FAULT_FLAG_UNSHARE) === 0) return maybe_mkwrite(mkdirty(entry), vma)
  const softDirty = orig.softDirty ? mkSoftDirty(entry) : entry
  return orig.uffdWp ? mkUffdWp(softDirty) : softDirty
}
