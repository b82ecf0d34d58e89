/** Taking every mapping of a folio away: mm/rmap.c, try_to_unmap() with TTU_BATCH_FLUSH. */
import { isPresent, type PtePresent, swap } from "@mmrace/arch"
import { ask, Mutex, type Path, Rwsem } from "@mmrace/core"
import { feature, fix } from "../../kernel/index.ts"
import {
  folio_mapcount,
  folio_mark_dirty,
  folio_ref_count,
  folio_rmap,
  folio_set_swapbacked,
  folio_swap_entry,
  folio_test_dirty,
  folio_test_swapbacked,
  PageAnonExclusive
} from "../../objects/Folio.ts"
import { ptep_get, ptep_get_and_clear, set_pte_at } from "../../objects/PageTable.ts"
import { swap_duplicate, swap_free } from "../../objects/Swap.ts"
import { mas_walk } from "../../objects/Vma.ts"
import type { FolioRef, MmRef, TaskRef } from "../../objects/World.ts"
import { flush_tlb_mm, set_tlb_ubc_flush_pending } from "../arch/x86/mm/tlb.ts"
import { folio_put } from "./page_alloc.ts"
import { folio_remove_rmap_pte, folio_try_share_anon_rmap_pte } from "./rmap.ts"

/** `struct tlbflush_unmap_batch` of the reclaiming task: the flushes it still owes. */
export interface UnmapBatch {
  readonly mms: Set<MmRef>
  /** An entry that was dirty was unmapped: flush before I/O. */
  writable: boolean
}

export const emptyBatch = (): UnmapBatch => ({ mms: new Set(), writable: false })

/** try_to_unmap_flush(). */
export function* try_to_unmap_flush(task: TaskRef, batch: UnmapBatch): Path<void> {
  for (const mm of batch.mms) yield* flush_tlb_mm(task, mm)
  batch.mms.clear()
  batch.writable = false
}

/** try_to_unmap_flush_dirty(): before I/O is started on a page that was mapped dirty. */
export function* try_to_unmap_flush_dirty(task: TaskRef, batch: UnmapBatch): Path<void> {
  if (batch.writable) yield* try_to_unmap_flush(task, batch)
}

/** try_to_unmap(): the folio is locked. Whether mappings are left is for the caller to see (folio_mapped). */
export function* try_to_unmap(task: TaskRef, folio: FolioRef, batch: UnmapBatch): Path<void> {
  const { world } = task
  const { index, mapping } = yield* ask(folio.folio, folio_rmap)
  if (mapping < 0) return
  const { anon_vma_lock } = world.regions[mapping]!
  yield* Rwsem.downRead(anon_vma_lock)
  for (let i = 0; i < world.mms.length; i++) {
    const mm = world.mms[i]!
    if ((yield* ask(mm.mt, mas_walk, index)) < 0) continue
    if (!(yield* try_to_unmap_one(task, folio, mm, index, batch))) break
  }
  yield* Rwsem.upRead(anon_vma_lock)
}

/** try_to_unmap_one(): false ends the walk (the folio cannot be unmapped). */
function* try_to_unmap_one(
  task: TaskRef,
  folio: FolioRef,
  mm: MmRef,
  address: number,
  batch: UnmapBatch
): Path<boolean> {
  const ptl = mm.ptls[task.world.regionOf[address]!]!
  yield* ask(ptl, Mutex.spinlock.lock)
  const entry = yield* ask(mm.ptes[address]!, ptep_get)
  let unmapped = true
  if (isPresent(entry) && entry.pfn === folio.pfn) unmapped = yield* unmap_entry(task, folio, mm, address, batch)
  yield* ask(ptl, Mutex.spinlock.unlock)
  return unmapped
}

/** The body for one entry that maps the folio; the page-table lock is held. False: the entry was put back. */
function* unmap_entry(task: TaskRef, folio: FolioRef, mm: MmRef, address: number, batch: UnmapBatch): Path<boolean> {
  const { kernel, slots } = task.world
  const pte = mm.ptes[address]!
  const anon_exclusive = kernel.has(feature.anonExclusive) && (yield* ask(folio.folio, PageAnonExclusive))
  // should_defer_flush(): the entry goes now, stale translations later.
  const pteval = (yield* ask(pte, ptep_get_and_clear)) as PtePresent
  yield* set_tlb_ubc_flush_pending(mm)
  batch.mms.add(mm)
  if (pteval.dirty) {
    batch.writable = true
    yield* ask(folio.folio, folio_mark_dirty)
  }
  if (!(yield* ask(folio.folio, folio_test_swapbacked))) {
    if (!(yield* may_discard_lazyfree(task, folio))) {
      // The page was redirtied, or somebody else uses it: it is an ordinary page again.
      yield* ask(pte, set_pte_at, pteval)
      if (yield* ask(folio.folio, folio_test_dirty)) yield* ask(folio.folio, folio_set_swapbacked)
      return false
    }
  } else {
    const offset = yield* ask(folio.folio, folio_swap_entry)
    const slot = slots[offset]!.actor
    yield* ask(slot, swap_duplicate)
    if (anon_exclusive && !(yield* folio_try_share_anon_rmap_pte(folio))) {
      yield* ask(slot, swap_free)
      yield* ask(pte, set_pte_at, pteval)
      return false
    }
    // 1493a1913e34 mm/swap: remember PG_anon_exclusive via a swp pte bit
    const exclusive = anon_exclusive && kernel.has(fix["1493a1913e34"])
    yield* ask(pte, set_pte_at, swap(0, offset, { exclusive, softDirty: pteval.softDirty, uffdWp: pteval.uffdWp }))
  }
  yield* folio_remove_rmap_pte(folio)
  yield* folio_put(task, folio)
  return true
}

/** Whether a lazyfree page may be dropped. */
function* may_discard_lazyfree(task: TaskRef, folio: FolioRef): Path<boolean> {
  // 6c8e2a256915 mm: fix race between MADV_FREE reclaim and blkdev direct IO read: somebody who took a reference
  // through the entry before it was cleared may still write, and marks the page dirty before it drops the reference.
  if (task.world.kernel.has(fix["6c8e2a256915"])) {
    const refs = yield* ask(folio.folio, folio_ref_count)
    const maps = yield* ask(folio.folio, folio_mapcount)
    if (refs !== 1 + maps) return false
  }
  return !(yield* ask(folio.folio, folio_test_dirty))
}
