/** Reverse-mapping bookkeeping of anonymous pages: mm/rmap.c, include/linux/rmap.h. */
import { ask, call, type Path } from "@mmrace/core"
import { feature } from "../../kernel/index.ts"
import {
  ClearPageAnonExclusive,
  folio_add_mapcount,
  folio_ref_count,
  folio_set_rmap,
  folio_set_swapbacked,
  GUP_PIN_COUNTING_BIAS,
  PageAnonExclusive,
  SetPageAnonExclusive
} from "../../objects/Folio.ts"
import type { FolioRef, TaskRef } from "../../objects/World.ts"
import { atomic_read } from "../../objects/Mm.ts"

/** folio_maybe_dma_pinned(): false positives possible, false negatives not. */
export function* folio_maybe_dma_pinned(folio: FolioRef): Path<boolean> {
  return (yield* ask(folio.folio, folio_ref_count)) >= GUP_PIN_COUNTING_BIAS
}

/** folio_needs_cow_for_dma(): MMF_HAS_PINNED first, then the folio. */
export function* folio_needs_cow_for_dma(task: TaskRef, folio: FolioRef): Path<boolean> {
  if ((yield* ask(task.mm.has_pinned, atomic_read)) === 0) return false
  return yield* folio_maybe_dma_pinned(folio)
}

/** Changes `_mapcount`; nobody looks at what it is then. */
const add_mapcount = (folio: FolioRef, n: number): Path<void> => call(mapcount_add(folio, n))

function* mapcount_add(folio: FolioRef, n: number): Path<void> {
  yield* ask(folio.folio, folio_add_mapcount, n)
}

/** folio_add_new_anon_rmap(): first mapping of a folio nobody else can see; RMAP_EXCLUSIVE. */
export function* folio_add_new_anon_rmap(task: TaskRef, folio: FolioRef, region: number, address: number): Path<void> {
  yield* ask(folio.folio, folio_set_swapbacked)
  yield* ask(folio.folio, folio_set_rmap, { mapping: region, index: address })
  yield* add_mapcount(folio, 1)
  if (task.world.kernel.has(feature.anonExclusive)) yield* ask(folio.folio, SetPageAnonExclusive)
}

/** folio_add_anon_rmap_pte(): a further or renewed mapping. */
export function* folio_add_anon_rmap_pte(
  task: TaskRef,
  folio: FolioRef,
  region: number,
  address: number,
  exclusive: boolean
): Path<void> {
  yield* ask(folio.folio, folio_set_rmap, { mapping: region, index: address })
  yield* add_mapcount(folio, 1)
  if (exclusive && task.world.kernel.has(feature.anonExclusive)) yield* ask(folio.folio, SetPageAnonExclusive)
}

/** folio_remove_rmap_pte(). */
export const folio_remove_rmap_pte = (folio: FolioRef): Path<void> => add_mapcount(folio, -1)

/**
 * folio_try_dup_anon_rmap_pte(): fork shares an anonymous page with the child, unless it may be pinned.
 * False: the child needs a copy now (-EBUSY in the kernel).
 */
export function* folio_try_dup_anon_rmap_pte(folio: FolioRef, needs_cow: boolean): Path<boolean> {
  if (yield* ask(folio.folio, PageAnonExclusive)) {
    if (needs_cow) return false
    yield* ask(folio.folio, ClearPageAnonExclusive)
  }
  yield* add_mapcount(folio, 1)
  return true
}

/**
 * folio_try_share_anon_rmap_pte(): the entry has been cleared; the page may lose its exclusivity unless GUP-fast
 * pinned it meanwhile. False: it is pinned, the entry must be restored. The barriers of 088b8aa537c2 order
 * the cleared entry before the pin check and the flag before what follows; steps here are ordered anyway.
 */
export function* folio_try_share_anon_rmap_pte(folio: FolioRef): Path<boolean> {
  if (yield* folio_maybe_dma_pinned(folio)) return false
  yield* ask(folio.folio, ClearPageAnonExclusive)
  return true
}
