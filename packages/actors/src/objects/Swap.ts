/**
 * A swap slot: its byte of swap_map (count and SWAP_HAS_CACHE), the swap-cache index at its offset, and the data on
 * the device. mm/swapfile.c, mm/swap_state.c.
 */
import { ActorType } from "@mmrace/core"
import { Schema } from "effect"

export interface SlotState {
  /** Number of swap PTEs that refer to the slot. */
  readonly count: number
  /** SWAP_HAS_CACHE: a folio is, or is about to be, in the swap cache at this offset. */
  readonly hasCache: boolean
  /** Page frame number of the folio in the swap cache, -1 for none. */
  readonly cache: number
  /** What was written to the device; undefined content is 0 (zram after a free reads zeros). */
  readonly data: number
}

export const freeSlot: SlotState = { count: 0, hasCache: false, cache: -1, data: 0 }

const MAP = 0, CACHE = 1, DATA = 2

export const slotType = new ActorType<SlotState>("swap_slot", {
  fields: ["map", "cache", "data"],
  show: (s) => `count ${s.count}${s.hasCache ? " has-cache" : ""}${s.cache >= 0 ? ` pfn ${s.cache}` : ""}`
})

/** `cluster_alloc_swap_entry` for one slot: takes it (HAS_CACHE set) when count is 0 and there is no cache. */
export const slot_try_alloc = slotType.command<void, boolean>("slot_try_alloc", {
  access: "write",
  field: MAP,
  ordering: "acq_rel",
  decide: (s) => s.count === 0 && !s.hasCache,
  evolve: (s, _arg, taken) => taken ? { ...s, hasCache: true } : s,
  result: Schema.Boolean
})

/** `swap_duplicate`: count + 1; returns the count after. */
export const swap_duplicate = slotType.command<void, number>("swap_duplicate", {
  access: "write",
  field: MAP,
  ordering: "acq_rel",
  decide: (s) => s.count + 1,
  evolve: (s, _arg, count) => ({ ...s, count }),
  result: Schema.Int
})

/** `swap_free`: count - 1; returns the count after. */
export const swap_free = slotType.command<void, number>("swap_free", {
  access: "write",
  field: MAP,
  ordering: "acq_rel",
  decide: (s) => s.count - 1,
  evolve: (s, _arg, count) => ({ ...s, count }),
  result: Schema.Int
})

/** `swapcache_prepare`: sets SWAP_HAS_CACHE; false (-EEXIST) when it is set already, or the slot is free. */
export const swapcache_prepare = slotType.command<void, boolean>("swapcache_prepare", {
  access: "write",
  field: MAP,
  ordering: "acq_rel",
  decide: (s) => !s.hasCache && s.count > 0,
  evolve: (s, _arg, done) => done ? { ...s, hasCache: true } : s,
  result: Schema.Boolean
})

/** `swapcache_clear`, `put_swap_folio`: clears SWAP_HAS_CACHE. */
export const swapcache_clear = slotType.command("swapcache_clear", {
  access: "write",
  field: MAP,
  ordering: "acq_rel",
  evolve: (s) => ({ ...s, hasCache: false })
})

export interface MapByte {
  readonly count: number
  readonly hasCache: boolean
}

export const swap_map_read = slotType.command<void, MapByte>("swap_map_read", {
  access: "read",
  field: MAP,
  decide: (s) => ({ count: s.count, hasCache: s.hasCache }),
  result: Schema.Struct({ count: Schema.Int, hasCache: Schema.Boolean })
})

/** Page frame number in the swap cache at this offset, -1 for none. Takes no reference. */
export const swap_cache_get = slotType.command<void, number>("swap_cache_get", {
  access: "read",
  field: CACHE,
  ordering: "acquire",
  decide: (s) => s.cache,
  result: Schema.Int
})

/** -1 deletes. */
export const swap_cache_set = slotType.command<number>("swap_cache_set", {
  access: "write",
  field: CACHE,
  ordering: "release",
  evolve: (s, cache) => ({ ...s, cache }),
  arg: Schema.Int
})

/** Device read: the data, 0 once the device has dropped it. */
export const swap_read_data = slotType.command<void, number>("swap_read_data", {
  access: "read",
  field: DATA,
  decide: (s) => s.data,
  result: Schema.Int
})

export const swap_write_data = slotType.command<number>("swap_write_data", {
  access: "write",
  field: DATA,
  evolve: (s, data) => ({ ...s, data }),
  arg: Schema.Int
})
