/** Reclaim of one page: mm/vmscan.c, shrink_folio_list() for a list of one folio. */
import { isPresent } from "@mmrace/arch"
import { ask, Mutex, type Path } from "@mmrace/core"
import { fix } from "../../kernel/index.ts"
import {
  folio_add_lru,
  folio_clear_dirty_for_io,
  folio_end_writeback,
  folio_mapcount,
  folio_ref_count,
  folio_ref_freeze,
  folio_ref_try_add,
  folio_ref_unfreeze,
  folio_set_swap_entry,
  folio_start_writeback,
  folio_swap_entry,
  folio_test_clear_lru,
  folio_test_dirty,
  folio_test_swapbacked,
  folio_test_writeback,
  page_read
} from "../../objects/Folio.ts"
import { ptep_get } from "../../objects/PageTable.ts"
import { swap_cache_set, swap_write_data, swapcache_clear } from "../../objects/Swap.ts"
import type { FolioRef, MmRef, TaskRef } from "../../objects/World.ts"
import { __folio_put, folio_put, vm_normal_folio } from "./page_alloc.ts"
import { folio_maybe_dma_pinned } from "./rmap.ts"
import {
  emptyBatch,
  try_to_unmap,
  try_to_unmap_flush,
  try_to_unmap_flush_dirty,
  type UnmapBatch
} from "./rmap_unmap.ts"
import { folio_alloc_swap } from "./swapfile.ts"

/** Reclaims the page that `mm` maps at `address`, as kswapd would on its way down the LRU. 1: freed, 0: kept. */
export function* shrink_page(task: TaskRef, mm: MmRef, address: number): Path<number> {
  const pte = yield* ask(mm.ptes[address]!, ptep_get)
  const folio = isPresent(pte) ? vm_normal_folio(task, pte.pfn) : undefined
  if (folio === undefined) return 0
  // isolate_lru_folios(): a reference, then the place on the LRU.
  if (!(yield* ask(folio.folio, folio_ref_try_add, 1))) return 0
  if (!(yield* ask(folio.folio, folio_test_clear_lru))) {
    yield* folio_put(task, folio)
    return 0
  }
  const batch = emptyBatch()
  const freed = yield* shrink_folio(task, folio, batch)
  if (!freed) {
    // move_folios_to_lru(): put it back and drop the isolation reference.
    yield* ask(folio.folio, folio_add_lru)
    yield* try_to_unmap_flush(task, batch)
    yield* folio_put(task, folio)
    return 0
  }
  // The last flush, then the page goes back to the allocator.
  yield* try_to_unmap_flush(task, batch)
  yield* __folio_put(task, folio)
  return 1
}

/** True: nobody has the folio any more, its count is frozen to 0. */
function* shrink_folio(task: TaskRef, folio: FolioRef, batch: UnmapBatch): Path<boolean> {
  if (!(yield* ask(folio.lock, Mutex.mutex.trylock))) return false
  const freed = yield* shrink_locked(task, folio, batch)
  yield* ask(folio.lock, Mutex.mutex.unlock)
  return freed
}

function* shrink_locked(task: TaskRef, folio: FolioRef, batch: UnmapBatch): Path<boolean> {
  const { kernel } = task.world
  if (yield* ask(folio.folio, folio_test_writeback)) return false
  const knowsPins = kernel.has(fix["70e806e4e645"])
  if (knowsPins && (yield* folio_maybe_dma_pinned(folio))) return false
  const swapbacked = yield* ask(folio.folio, folio_test_swapbacked)
  if (swapbacked && (yield* ask(folio.folio, folio_swap_entry)) < 0) {
    // Marks it dirty, too: it must be written before it can be dropped.
    if (!(yield* folio_alloc_swap(task, folio))) return false
  }
  if ((yield* ask(folio.folio, folio_mapcount)) > 0) {
    yield* try_to_unmap(task, folio, batch)
    if ((yield* ask(folio.folio, folio_mapcount)) > 0) return false
  }
  // A GUP-fast pin may have come between the first look and the cleared entry.
  if (knowsPins && (yield* folio_maybe_dma_pinned(folio))) return false
  if (!swapbacked) return yield* free_lazyfree(folio)
  if (yield* ask(folio.folio, folio_test_dirty)) {
    yield* try_to_unmap_flush_dirty(task, batch)
    if (!(yield* pageout(task, folio))) return false
  }
  return yield* remove_mapping(task, folio)
}

/** The lazyfree case: nothing to write; the isolation reference must be the only one. */
function* free_lazyfree(folio: FolioRef): Path<boolean> {
  return yield* ask(folio.folio, folio_ref_freeze, 1)
}

/** pageout() and swap_writepage(): writes the data to the slot. False: somebody else uses the page. */
function* pageout(task: TaskRef, folio: FolioRef): Path<boolean> {
  // is_page_cache_freeable(): the isolation reference and the swap cache's.
  if ((yield* ask(folio.folio, folio_ref_count)) !== 2) return false
  if (!(yield* ask(folio.folio, folio_clear_dirty_for_io))) return true
  yield* ask(folio.folio, folio_start_writeback)
  const offset = yield* ask(folio.folio, folio_swap_entry)
  yield* ask(task.world.slots[offset]!.actor, swap_write_data, yield* ask(folio.page, page_read))
  yield* ask(folio.folio, folio_end_writeback)
  return true
}

/** __remove_mapping(): takes the folio out of the swap cache if nobody else has it. */
function* remove_mapping(task: TaskRef, folio: FolioRef): Path<boolean> {
  if (!(yield* ask(folio.folio, folio_ref_freeze, 2))) return false
  if (yield* ask(folio.folio, folio_test_dirty)) {
    yield* ask(folio.folio, folio_ref_unfreeze, 2)
    return false
  }
  const offset = yield* ask(folio.folio, folio_swap_entry)
  const slot = task.world.slots[offset]!.actor
  // __delete_from_swap_cache(), put_swap_folio(): the slot is free when no entry refers to it.
  yield* ask(slot, swap_cache_set, -1)
  yield* ask(folio.folio, folio_set_swap_entry, -1)
  yield* ask(slot, swapcache_clear)
  return true
}
