/**
 * Folios (of one page each): reference count, mapcount and flags. Every field is a location of its own; the data
 * of the page is a separate actor, and PG_locked a mutex.
 *
 * A FOLL_PIN reference counts GUP_PIN_COUNTING_BIAS (1024), as in mm/gup.c for small folios.
 */
import { ActorType } from "@mmrace/core"
import { Schema } from "effect"

export const GUP_PIN_COUNTING_BIAS = 1024

/** The zero page: mapped by many, never counted, never written. */
export const ZERO_PFN = 0

export interface FolioState {
  readonly refcount: number
  readonly mapcount: number
  readonly anonExclusive: boolean
  readonly dirty: boolean
  readonly uptodate: boolean
  readonly swapbacked: boolean
  readonly writeback: boolean
  readonly lru: boolean
  /** Offset of the swap slot when the folio is in the swap cache, else -1. */
  readonly swap: number
  /** rmap identity: number of the region whose anon_vma `mapping` names, -1 when not anonymous. */
  readonly mapping: number
  /** rmap identity: page number (virtual address) at which it is mapped. */
  readonly index: number
}

export const freeFolio: FolioState = {
  refcount: 0,
  mapcount: 0,
  anonExclusive: false,
  dirty: false,
  uptodate: false,
  swapbacked: false,
  writeback: false,
  lru: false,
  swap: -1,
  mapping: -1,
  index: -1
}

const REFCOUNT = 0,
  MAPCOUNT = 1,
  EXCLUSIVE = 2,
  DIRTY = 3,
  UPTODATE = 4,
  SWAPBACKED = 5,
  WRITEBACK = 6,
  LRU = 7,
  SWAP = 8,
  MAPPING = 9

export const folioType = new ActorType<FolioState>("folio", {
  fields: [
    "refcount",
    "mapcount",
    "anon_exclusive",
    "dirty",
    "uptodate",
    "swapbacked",
    "writeback",
    "lru",
    "swap",
    "mapping"
  ],
  show: (f) =>
    `refs ${f.refcount} map ${f.mapcount}${f.anonExclusive ? " exclusive" : ""}${
      f.swap >= 0 ? ` swapcache ${f.swap}` : ""
    }`
})

// Reference count ---------------------------------------------------------------------------------

export const folio_ref_count = folioType.command<void, number>("folio_ref_count", {
  access: "read",
  field: REFCOUNT,
  ordering: "acquire",
  decide: (f) => f.refcount,
  result: Schema.Int
})

/** Adds n references to a folio that is known to have one. Returns the count after. */
export const folio_ref_add = folioType.command<number, number>("folio_ref_add", {
  access: "write",
  field: REFCOUNT,
  ordering: "acq_rel",
  decide: (f, n) => f.refcount + n,
  evolve: (f, _n, after) => ({ ...f, refcount: after }),
  arg: Schema.Int,
  result: Schema.Int
})

/** Adds n references unless the count is 0 (`folio_ref_add_unless`); false when it was. */
export const folio_ref_try_add = folioType.command<number, boolean>("folio_ref_try_add", {
  access: "write",
  field: REFCOUNT,
  ordering: "acq_rel",
  decide: (f) => f.refcount > 0,
  evolve: (f, n, done) => done ? { ...f, refcount: f.refcount + n } : f,
  arg: Schema.Int,
  result: Schema.Boolean
})

/** Drops n references; returns the count after. 0 means the caller frees the folio. */
export const folio_ref_sub = folioType.command<number, number>("folio_ref_sub", {
  access: "write",
  field: REFCOUNT,
  ordering: "acq_rel",
  decide: (f, n) => f.refcount - n,
  evolve: (f, _n, after) => ({ ...f, refcount: after }),
  arg: Schema.Int,
  result: Schema.Int
})

/** `folio_ref_freeze`: from exactly `expected` to 0; false when the count differs. */
export const folio_ref_freeze = folioType.command<number, boolean>("folio_ref_freeze", {
  access: "write",
  field: REFCOUNT,
  ordering: "acq_rel",
  decide: (f, expected) => f.refcount === expected,
  evolve: (f, _expected, done) => done ? { ...f, refcount: 0 } : f,
  arg: Schema.Int,
  result: Schema.Boolean
})

export const folio_ref_unfreeze = folioType.command<number>("folio_ref_unfreeze", {
  access: "write",
  field: REFCOUNT,
  ordering: "release",
  evolve: (f, count) => ({ ...f, refcount: count }),
  arg: Schema.Int
})

// Mapcount ----------------------------------------------------------------------------------------

export const folio_mapcount = folioType.command<void, number>("folio_mapcount", {
  access: "read",
  field: MAPCOUNT,
  decide: (f) => f.mapcount,
  result: Schema.Int
})

/** +1 or -1; returns the count after. */
export const folio_add_mapcount = folioType.command<number, number>("folio_add_mapcount", {
  access: "write",
  field: MAPCOUNT,
  ordering: "acq_rel",
  decide: (f, n) => f.mapcount + n,
  evolve: (f, _n, after) => ({ ...f, mapcount: after }),
  arg: Schema.Int,
  result: Schema.Int
})

// Flags -------------------------------------------------------------------------------------------

type Flag = "anonExclusive" | "dirty" | "uptodate" | "swapbacked" | "writeback" | "lru"

const testFlag = (name: string, field: number, flag: Flag) =>
  folioType.command<void, boolean>(name, { access: "read", field, decide: (f) => f[flag], result: Schema.Boolean })

const setFlag = (name: string, field: number, flag: Flag, value: boolean) =>
  folioType.command(name, {
    access: "write",
    field,
    ordering: "acq_rel",
    evolve: (f) => f[flag] === value ? f : { ...f, [flag]: value }
  })

/** Test-and-clear: returns whether it was set. */
const takeFlag = (name: string, field: number, flag: Flag) =>
  folioType.command<void, boolean>(name, {
    access: "write",
    field,
    ordering: "acq_rel",
    decide: (f) => f[flag],
    evolve: (f, _arg, was) => was ? { ...f, [flag]: false } : f,
    result: Schema.Boolean
  })

export const PageAnonExclusive = testFlag("PageAnonExclusive", EXCLUSIVE, "anonExclusive")
export const SetPageAnonExclusive = setFlag("SetPageAnonExclusive", EXCLUSIVE, "anonExclusive", true)
export const ClearPageAnonExclusive = setFlag("ClearPageAnonExclusive", EXCLUSIVE, "anonExclusive", false)
export const folio_test_dirty = testFlag("folio_test_dirty", DIRTY, "dirty")
export const folio_mark_dirty = setFlag("folio_mark_dirty", DIRTY, "dirty", true)
export const folio_clear_dirty_for_io = takeFlag("folio_clear_dirty_for_io", DIRTY, "dirty")
export const folio_mark_uptodate = setFlag("folio_mark_uptodate", UPTODATE, "uptodate", true)
export const folio_test_uptodate = testFlag("folio_test_uptodate", UPTODATE, "uptodate")
export const folio_test_swapbacked = testFlag("folio_test_swapbacked", SWAPBACKED, "swapbacked")
export const folio_set_swapbacked = setFlag("folio_set_swapbacked", SWAPBACKED, "swapbacked", true)
/** What madvise(MADV_FREE) does (`lazyfree`). */
export const folio_clear_swapbacked = setFlag("folio_clear_swapbacked", SWAPBACKED, "swapbacked", false)
export const folio_test_writeback = testFlag("folio_test_writeback", WRITEBACK, "writeback")
export const folio_start_writeback = setFlag("folio_start_writeback", WRITEBACK, "writeback", true)
export const folio_end_writeback = setFlag("folio_end_writeback", WRITEBACK, "writeback", false)
export const folio_add_lru = setFlag("folio_add_lru", LRU, "lru", true)
/** Isolation: the one who cleared it owns the folio's place on the LRU. */
export const folio_test_clear_lru = takeFlag("folio_test_clear_lru", LRU, "lru")

// Swap cache and rmap identity ----------------------------------------------------------------------

/** Offset of the slot the folio caches, -1 when it is not in the swap cache (`folio_test_swapcache`, `folio->swap`). */
export const folio_swap_entry = folioType.command<void, number>("folio_swap_entry", {
  access: "read",
  field: SWAP,
  decide: (f) => f.swap,
  result: Schema.Int
})

/** -1 clears PG_swapcache. */
export const folio_set_swap_entry = folioType.command<number>("folio_set_swap_entry", {
  access: "write",
  field: SWAP,
  ordering: "acq_rel",
  evolve: (f, swap) => ({ ...f, swap }),
  arg: Schema.Int
})

export interface Rmap {
  readonly mapping: number
  readonly index: number
}
const RmapShape = Schema.Struct({ mapping: Schema.Int, index: Schema.Int })

/** `folio->mapping` and `folio->index`. */
export const folio_rmap = folioType.command<void, Rmap>("folio_rmap", {
  access: "read",
  field: MAPPING,
  decide: (f) => ({ mapping: f.mapping, index: f.index }),
  result: RmapShape
})

export const folio_set_rmap = folioType.command<Rmap>("folio_set_rmap", {
  access: "write",
  field: MAPPING,
  ordering: "release",
  evolve: (f, { mapping, index }) => ({ ...f, mapping, index }),
  arg: RmapShape
})

// Allocation ----------------------------------------------------------------------------------------

/** `prep_new_page`: one reference, all flags clear. The folio is the caller's own until it publishes it. */
export const prep_new_page = folioType.command("prep_new_page", {
  access: "write",
  field: REFCOUNT,
  also: { writes: "all" },
  evolve: () => ({ ...freeFolio, refcount: 1 })
})

/** `free_pages_prepare`: mapping and flags cleared. */
export const free_pages_prepare = folioType.command("free_pages_prepare", {
  access: "write",
  field: REFCOUNT,
  also: { writes: "all" },
  evolve: () => freeFolio
})

// Data ----------------------------------------------------------------------------------------------

/** The data of a page: one number stands for all its bytes. */
export const pageType = new ActorType<number>("page", { show: String })

export const page_read = pageType.command<void, number>("page_read", {
  access: "read",
  decide: (data) => data,
  result: Schema.Int
})

export const page_write = pageType.command<number>("page_write", {
  access: "write",
  evolve: (_, data) => data,
  arg: Schema.Int
})

// The page allocator ----------------------------------------------------------------------------------

/** Free page frame numbers, the next to be handed out last (per-CPU lists are LIFO too). */
export const buddyType = new ActorType<ReadonlyArray<number>>("page_allocator", {
  show: (free) => `${free.length} free`
})

/** A page frame number, or -1 when none is left. */
export const rmqueue = buddyType.command<void, number>("rmqueue", {
  access: "write",
  decide: (free) => free.length === 0 ? -1 : free[free.length - 1]!,
  evolve: (free, _arg, pfn) => pfn < 0 ? free : free.slice(0, -1),
  result: Schema.Int
})

export const free_unref_page = buddyType.command<number>("free_unref_page", {
  access: "write",
  evolve: (free, pfn) => [...free, pfn],
  arg: Schema.Int
})
