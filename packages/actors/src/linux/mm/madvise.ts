/** madvise(2): mm/madvise.c. */
import { type Pte, isMarker, isNone, isPresent, isSwap, mkclean, mkold, none, type PtePresent } from "@mmrace/arch"
import { ask, call, Mutex, type Path } from "@mmrace/core"
import { feature } from "../../kernel/index.ts"
import {
  folio_add_lru,
  folio_clear_dirty_for_io,
  folio_clear_swapbacked,
  folio_mapcount,
  folio_swap_entry,
  folio_test_clear_lru,
  folio_test_dirty,
  folio_test_swapbacked
} from "../../objects/Folio.ts"
import { ptep_get, ptep_get_and_clear, set_pte_at } from "../../objects/PageTable.ts"
import { vma_fields, type VmaFields } from "../../objects/Vma.ts"
import type { FolioRef, MmRef, TaskRef } from "../../objects/World.ts"
import { errno } from "../../program/constants.ts"
import type { Advice } from "../../program/index.ts"
import { flush_tlb_batched_pending } from "../arch/x86/mm/tlb.ts"
import { userfaultfd_remove } from "../fs/userfaultfd/events.ts"
import type { VmaRef } from "../types.ts"
import { folio_trylock, folio_unlock } from "./filemap.ts"
import { unmap_page_range, zap_finish, zap_gather } from "./memory/zap.ts"
import { lock_vma_under_rcu, mmap_read_lock, mmap_read_unlock, vma_end_read, vma_lookup } from "./mmap_lock.ts"
import { type MmuGather, tlb_finish_mmu, tlb_flush_page, tlb_gather_mmu } from "./mmu_gather.ts"
import { vm_normal_folio } from "./page_alloc.ts"
import { folio_free_swap, free_swap_and_cache } from "./swapfile.ts"
import { valid_range, vma_find } from "./vma.ts"

/** A VMA that is locked, and what it says. */
interface Found extends VmaRef {
  readonly fields: VmaFields
}

/** madvise(2): 0; -EINVAL, -ENOMEM (a hole; what is mapped was advised all the same). */
export function* sys_madvise(task: TaskRef, start: number, end: number, advice: Advice): Path<number> {
  const { mm, world: { kernel } } = task
  if (advice === "free" && !kernel.has(feature.madvFree)) return errno("EINVAL")
  if (start === end) return 0
  if (!valid_range(task, start, end)) return errno("EINVAL")
  if (advice === "dontneed" && kernel.has(feature.dontneedUnderVmaLock)) {
    const vma = yield* try_vma_read_lock(task, start, end)
    if (vma !== undefined) {
      yield* madvise_dontneed_single_vma(task, vma.fields, start, end)
      yield* vma_end_read(vma)
      return 0
    }
  }
  yield* mmap_read_lock(mm)
  const result = yield* madvise_walk_vmas(task, start, end, advice)
  yield* mmap_read_unlock(mm)
  return result
}

/** try_vma_read_lock(): one VMA has it all, and no event will want mmap_lock dropped. */
function* try_vma_read_lock(task: TaskRef, start: number, end: number): Path<Found | undefined> {
  const vma = yield* call(lock_vma_under_rcu(task, task.mm, start))
  if (vma === undefined) return undefined
  const fields = yield* ask(vma.actor, vma_fields)
  if (end <= fields.end && !fields.uffdMissing && !fields.uffdWp) return { ...vma, fields }
  yield* vma_end_read(vma)
  return undefined
}

/** madvise_walk_vmas(): mmap_lock is held for read on return too, though it may have been dropped meanwhile. */
function* madvise_walk_vmas(task: TaskRef, start: number, end: number, advice: Advice): Path<number> {
  let unmapped_error = 0
  let address = start
  while (address < end) {
    const vma = yield* vma_find(task.mm, address, task.world.pages)
    if (vma === undefined) return errno("ENOMEM")
    const fields: VmaFields = yield* ask(vma.actor, vma_fields)
    if (address < fields.start) {
      unmapped_error = errno("ENOMEM")
      address = fields.start
      if (address >= end) break
    }
    const last = Math.min(end, fields.end)
    const error = yield* madvise_dontneed_free(task, fields, address, last, advice)
    if (error !== 0) return error
    address = last
  }
  return unmapped_error
}

/** madvise_dontneed_free(): the event first; it is read before anything is zapped. */
function* madvise_dontneed_free(
  task: TaskRef,
  found: VmaFields,
  start: number,
  requested: number,
  advice: Advice
): Path<number> {
  const { mm } = task
  let fields = found
  let end = requested
  if (!(yield* userfaultfd_remove(task, mm, fields, start, end))) {
    yield* mmap_read_lock(mm)
    const vma = yield* vma_lookup(mm, start)
    if (vma === undefined) return errno("ENOMEM")
    fields = yield* ask(vma.actor, vma_fields)
    end = Math.min(end, fields.end)
  }
  if (advice === "dontneed") yield* madvise_dontneed_single_vma(task, fields, start, end)
  else yield* madvise_free_single_vma(task, fields, start, end)
  return 0
}

/** madvise_dontneed_single_vma(), zap_page_range_single(). */
function* madvise_dontneed_single_vma(task: TaskRef, fields: VmaFields, start: number, end: number): Path<void> {
  const gather = yield* zap_gather(task, task.mm)
  yield* unmap_page_range(gather, fields, start, end, false)
  yield* zap_finish(gather)
}

// MADV_FREE -------------------------------------------------------------------------------------------------

/** madvise_free_single_vma(), madvise_free_pte_range(): pages that are not written again may be dropped by reclaim. */
function* madvise_free_single_vma(task: TaskRef, fields: VmaFields, start: number, end: number): Path<void> {
  const { mm } = task
  const tlb = yield* tlb_gather_mmu(task, mm)
  const ptl = mm.ptls[fields.region]!
  yield* ask(ptl, Mutex.spinlock.lock)
  yield* flush_tlb_batched_pending(task, mm)
  for (let address = start; address < end; address++) yield* madvise_free_pte(tlb, address)
  yield* ask(ptl, Mutex.spinlock.unlock)
  yield* tlb_finish_mmu(tlb)
}

function* madvise_free_pte(tlb: MmuGather, address: number): Path<void> {
  const { mm, task } = tlb
  const ptep = mm.ptes[address]!
  const pte: Pte = yield* ask(ptep, ptep_get)
  if (isNone(pte)) return
  if (!isPresent(pte)) {
    yield* free_nonpresent(task, mm, address, pte)
    return
  }
  const folio = vm_normal_folio(task, pte.pfn)
  if (folio === undefined || !(yield* make_clean(task, folio))) return
  if (pte.young || pte.dirty) {
    // clear_young_dirty_ptes(); the flush comes after the lock is dropped.
    const old = (yield* ask(ptep, ptep_get_and_clear)) as PtePresent
    yield* ask(ptep, set_pte_at, mkold(mkclean(old)))
    tlb_flush_page(tlb, address)
  }
  yield* folio_mark_lazyfree(folio)
}

/** Swapped-out pages go at once, and so does a poison marker. */
function* free_nonpresent(task: TaskRef, mm: MmRef, address: number, pte: Pte): Path<void> {
  if (isSwap(pte)) {
    yield* free_swap_and_cache(task, task.world.slots[pte.offset]!)
    yield* ask(mm.ptes[address]!, set_pte_at, none)
  } else if (isMarker(pte) && pte.poisoned) yield* ask(mm.ptes[address]!, set_pte_at, none)
}

/** False: the folio is busy, or somebody else maps it, and is left alone. */
function* make_clean(task: TaskRef, folio: FolioRef): Path<boolean> {
  const cached = (yield* ask(folio.folio, folio_swap_entry)) >= 0
  if (!cached && !(yield* ask(folio.folio, folio_test_dirty))) return true
  if (!(yield* folio_trylock(folio))) return false
  const alone = (yield* ask(folio.folio, folio_mapcount)) === 1
  const clean = alone && (!cached || (yield* folio_free_swap(task, folio)))
  if (clean) yield* ask(folio.folio, folio_clear_dirty_for_io)
  yield* folio_unlock(folio)
  return clean
}

/** folio_mark_lazyfree(), without the batch that delays it on its CPU. */
function* folio_mark_lazyfree(folio: FolioRef): Path<void> {
  if (!(yield* may_be_lazyfree(folio))) return
  // folio_batch_move_lru(): whom reclaim has isolated, and may be giving a slot to, stays as it is.
  if (!(yield* ask(folio.folio, folio_test_clear_lru))) return
  // lru_lazyfree()
  if (yield* may_be_lazyfree(folio)) yield* ask(folio.folio, folio_clear_swapbacked)
  yield* ask(folio.folio, folio_add_lru)
}

function* may_be_lazyfree(folio: FolioRef): Path<boolean> {
  return (yield* ask(folio.folio, folio_test_swapbacked)) && (yield* ask(folio.folio, folio_swap_entry)) < 0
}
