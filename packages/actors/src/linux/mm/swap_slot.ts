/** What mm/swapfile.c and mm/swap_state.c need of each other: giving up a place in the swap cache, and the slot with it. */
import { ask, type Path } from "@mmrace/core"
import {
  folio_mark_dirty,
  folio_ref_sub,
  folio_set_swap_entry,
  folio_swap_entry,
  folio_test_writeback
} from "../../objects/Folio.ts"
import { swap_cache_set, swap_map_read, swapcache_clear } from "../../objects/Swap.ts"
import type { FolioRef, SlotRef, TaskRef } from "../../objects/World.ts"

/** put_swap_folio(): SWAP_HAS_CACHE goes; the slot is free when no entry refers to it. */
export function* put_swap_folio(slot: SlotRef): Path<void> {
  yield* ask(slot.actor, swapcache_clear)
}

/** __swap_count(), swap_swapcount(): how many entries refer to the slot. */
export function* swap_count(slot: SlotRef): Path<number> {
  return (yield* ask(slot.actor, swap_map_read)).count
}

/** __delete_from_swap_cache(): out of the index; SWAP_HAS_CACHE and the reference are the caller's to drop. */
export function* __delete_from_swap_cache(folio: FolioRef, slot: SlotRef): Path<void> {
  yield* ask(slot.actor, swap_cache_set, -1)
  yield* ask(folio.folio, folio_set_swap_entry, -1)
}

/** delete_from_swap_cache(): the folio is locked and the caller has a reference of its own. */
export function* delete_from_swap_cache(task: TaskRef, folio: FolioRef): Path<void> {
  const slot = task.world.slots[yield* ask(folio.folio, folio_swap_entry)]!
  yield* __delete_from_swap_cache(folio, slot)
  yield* put_swap_folio(slot)
  yield* ask(folio.folio, folio_ref_sub, 1)
}

/** folio_free_swap(): drops the locked folio's slot when no entry refers to it any more. False: it keeps it. */
export function* folio_free_swap(task: TaskRef, folio: FolioRef): Path<boolean> {
  const offset = yield* ask(folio.folio, folio_swap_entry)
  if (offset < 0) return false
  if (yield* ask(folio.folio, folio_test_writeback)) return false
  if ((yield* swap_count(task.world.slots[offset]!)) !== 0) return false
  yield* delete_from_swap_cache(task, folio)
  yield* ask(folio.folio, folio_mark_dirty)
  return true
}
