/**
 * The swap cache: mm/swap_state.c, and reading a slot: mm/page_io.c.
 *
 * A folio is in the swap cache when the slot's index names it and its own `swap` names the slot. Adding writes the
 * folio first, deleting the index first: whoever finds it by the index and holds its lock can rely on both.
 */
import { ask, call, type Path, settle } from "@mmrace/core"
import { Schema } from "effect"
import { fix } from "../../kernel/index.ts"
import {
  folio_add_lru,
  folio_mapcount,
  folio_mark_dirty,
  folio_mark_uptodate,
  folio_ref_add,
  folio_set_swap_entry,
  folio_set_swapbacked,
  folio_swap_entry,
  folioType,
  page_write
} from "../../objects/Folio.ts"
import {
  slotType,
  swap_cache_get,
  swap_cache_set,
  swap_map_read,
  swap_read_data,
  swap_write_data,
  swapcache_prepare
} from "../../objects/Swap.ts"
import type { FolioRef, SlotRef, TaskRef } from "../../objects/World.ts"
import { folio_lock, folio_trylock, folio_unlock } from "./filemap.ts"
import { folio_alloc, folio_put } from "./page_alloc.ts"
import { folio_free_swap } from "./swap_slot.ts"

export { __delete_from_swap_cache, delete_from_swap_cache } from "./swap_slot.ts"

/**
 * folio_try_get() of a folio found in the index: false when it has no reference left. While reclaim has the count
 * frozen at 0 the kernel looks again and again; here the step waits, until the folio is unfrozen or out of the cache.
 */
const folio_try_get_swapcache = folioType.command<number, boolean>("folio_try_get_swapcache", {
  access: "write",
  also: { reads: ["swap"] },
  ordering: "acq_rel",
  blocked: (folio, offset) => folio.refcount === 0 && folio.swap === offset,
  decide: (folio) => folio.refcount > 0,
  evolve: (folio, _offset, got) => got ? { ...folio, refcount: folio.refcount + 1 } : folio,
  arg: Schema.Int,
  result: Schema.Boolean,
  show: (offset, got) => `slot ${offset}: ${got ? "got" : "no reference left"}`
})

/**
 * The sleep of one jiffy after SWAP_HAS_CACHE was found set (schedule_timeout_uninterruptible(1)): until it is clear,
 * there is a folio to be found, or the slot's last entry is gone. Trying again before that changes nothing.
 */
export const swapcache_relax = slotType.command("swapcache_relax", {
  access: "read",
  also: { reads: ["cache"] },
  blocked: (slot) => slot.hasCache && slot.cache < 0 && slot.count > 0
})

/**
 * swap_cache_get_folio(): lockless look-up; the folio comes with a reference. What it caches may change until it is locked.
 * Settles: to be called with `call`.
 */
export function* swap_cache_get_folio(task: TaskRef, slot: SlotRef): Path<FolioRef | undefined> {
  for (;;) {
    settle("find")
    const pfn = yield* ask(slot.actor, swap_cache_get)
    if (pfn < 0) return undefined
    const folio = task.world.folios[pfn]!
    if (!(yield* ask(folio.folio, folio_try_get_swapcache, slot.offset))) continue
    if ((yield* ask(slot.actor, swap_cache_get)) === pfn) return folio
    // The reference may be on a folio that has been freed and reused since (filemap_get_entry).
    yield* folio_put(task, folio)
  }
}

/** add_to_swap_cache(): SWAP_HAS_CACHE is set and the folio locked. The swap cache holds one reference. */
export function* add_to_swap_cache(folio: FolioRef, slot: SlotRef): Path<void> {
  yield* ask(folio.folio, folio_ref_add, 1)
  yield* ask(folio.folio, folio_set_swap_entry, slot.offset)
  yield* ask(slot.actor, swap_cache_set, folio.pfn)
}

/** free_swap_cache(): the caller's reference may be the last but that of the swap cache; then the slot goes first. */
export function* free_swap_cache(task: TaskRef, folio: FolioRef): Path<void> {
  if ((yield* ask(folio.folio, folio_swap_entry)) < 0) return
  if ((yield* ask(folio.folio, folio_mapcount)) !== 0) return
  if (!(yield* folio_trylock(folio))) return
  yield* folio_free_swap(task, folio)
  yield* folio_unlock(folio)
}

/** swap_read_folio(): fills the locked folio from the device and unlocks it (end_swap_bio_read). */
export function* swap_read_folio(task: TaskRef, folio: FolioRef, slot: SlotRef): Path<void> {
  const { kernel, swapDevice } = task.world
  yield* ask(folio.page, page_write, yield* ask(slot.actor, swap_read_data))
  yield* ask(folio.folio, folio_mark_uptodate)
  // e914d8f00391: swap_slot_free_notify() told zram, once the data was read, that it need not keep it.
  if (
    swapDevice === "zram" && !kernel.has(fix["e914d8f00391"]) && (yield* ask(slot.actor, swap_map_read)).count === 1
  ) {
    yield* ask(folio.folio, folio_mark_dirty)
    yield* ask(slot.actor, swap_write_data, 0)
  }
  yield* folio_unlock(folio)
}

/**
 * swapin_readahead(), read_swap_cache_async(): the folio that caches the slot, read if it was not there. With a
 * reference, not locked. Undefined: no memory, or no entry refers to the slot any more. Settles: to be called with `call`.
 */
export function* read_swap_cache_async(task: TaskRef, slot: SlotRef): Path<FolioRef | undefined> {
  for (;;) {
    settle("read")
    const cached = yield* call(swap_cache_get_folio(task, slot))
    if (cached !== undefined) return cached
    if ((yield* ask(slot.actor, swap_map_read)).count === 0) return undefined
    const folio = yield* folio_alloc(task)
    if (folio === undefined) return undefined
    if (yield* ask(slot.actor, swapcache_prepare)) {
      yield* folio_lock(folio)
      yield* ask(folio.folio, folio_set_swapbacked)
      yield* add_to_swap_cache(folio, slot)
      yield* ask(folio.folio, folio_add_lru)
      yield* swap_read_folio(task, folio, slot)
      return folio
    }
    // Somebody else is bringing it in, or taking it out.
    yield* folio_put(task, folio)
    yield* ask(slot.actor, swapcache_relax)
  }
}
