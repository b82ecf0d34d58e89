/**
 * Swap slots: mm/swapfile.c. The map byte of a slot (count and SWAP_HAS_CACHE) changes under the cluster lock, one
 * atomic step each here. The device is never swapped off, so get_swap_device() has nothing to guard.
 */
import { ask, call, type Path } from "@mmrace/core"
import { feature } from "../../kernel/index.ts"
import {
  folio_mapcount,
  folio_mark_dirty,
  folio_ref_count,
  folio_swap_entry,
  folio_test_writeback
} from "../../objects/Folio.ts"
import { slot_try_alloc, swap_free as swap_map_dec, swap_map_read } from "../../objects/Swap.ts"
import type { FolioRef, SlotRef, TaskRef } from "../../objects/World.ts"
import { folio_trylock, folio_unlock } from "./filemap.ts"
import { folio_put } from "./page_alloc.ts"
import { delete_from_swap_cache, folio_free_swap, swap_count } from "./swap_slot.ts"
import { add_to_swap_cache, swap_cache_get_folio } from "./swap_state.ts"

export { folio_free_swap, put_swap_folio, swap_count } from "./swap_slot.ts"

/** Takes the first free slot, SWAP_HAS_CACHE set; undefined when all are in use (get_swap_page, folio_alloc_swap). */
export function* get_swap_page(task: TaskRef): Path<SlotRef | undefined> {
  const { slots } = task.world
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i]!
    if (yield* ask(slot.actor, slot_try_alloc)) return slot
  }
  return undefined
}

/**
 * folio_alloc_swap() (add_to_swap() before 6.16): gives the locked folio a slot and a place in the swap cache, which
 * holds a reference, and marks it dirty, so that it is written. False: no free slot, nothing changed.
 */
export function* folio_alloc_swap(task: TaskRef, folio: FolioRef): Path<boolean> {
  const slot = yield* get_swap_page(task)
  if (slot === undefined) return false
  yield* add_to_swap_cache(folio, slot)
  yield* ask(folio.folio, folio_mark_dirty)
  return true
}

/** swap_free(): one entry less refers to the slot. Returns how many do. */
export function* swap_free(slot: SlotRef): Path<number> {
  return yield* ask(slot.actor, swap_map_dec)
}

/**
 * free_swap_and_cache(): an entry is zapped. When it was the last one, a folio that only the swap cache still holds
 * goes too (__try_to_reclaim_swap), if its lock is free.
 */
export function* free_swap_and_cache(task: TaskRef, slot: SlotRef): Path<void> {
  if ((yield* swap_free(slot)) !== 0) return
  if (!(yield* ask(slot.actor, swap_map_read)).hasCache) return
  const folio = yield* call(swap_cache_get_folio(task, slot))
  if (folio === undefined) return
  if (yield* folio_trylock(folio)) {
    // It may have left the swap cache, or have got another slot, before it was locked.
    if (
      (yield* ask(folio.folio, folio_swap_entry)) === slot.offset && (yield* ask(folio.folio, folio_mapcount)) === 0
    ) {
      yield* folio_free_swap(task, folio)
    }
    yield* folio_unlock(folio)
  }
  yield* folio_put(task, folio)
}

/**
 * reuse_swap_page() of kernels before 5.18, folio locked: the page may be written in place when this is the only
 * mapping, entries in swap counted too. References of others do not matter, which is the weakness of the rule.
 */
export function* reuse_swap_page(task: TaskRef, folio: FolioRef): Path<boolean> {
  let count = yield* ask(folio.folio, folio_mapcount)
  const offset = yield* ask(folio.folio, folio_swap_entry)
  if (offset >= 0) count += yield* swap_count(task.world.slots[offset]!)
  if (count === 1 && offset >= 0 && !(yield* ask(folio.folio, folio_test_writeback))) {
    yield* delete_from_swap_cache(task, folio)
    yield* ask(folio.folio, folio_mark_dirty)
  }
  return count <= 1
}

/** should_try_to_free_swap(): a write fault that is likely to own the page alone does without its slot. */
export function* should_try_to_free_swap(task: TaskRef, folio: FolioRef, write: boolean): Path<boolean> {
  if (!write || !task.world.kernel.has(feature.anonExclusive)) return false
  if ((yield* ask(folio.folio, folio_swap_entry)) < 0) return false
  // One for the swap cache, one of the fault.
  return (yield* ask(folio.folio, folio_ref_count)) === 2
}
