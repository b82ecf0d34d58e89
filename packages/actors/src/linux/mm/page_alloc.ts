/** Getting and giving back pages: mm/page_alloc.c, mm/swap.c (folio_put). */
import { ask, call, type Path } from "@mmrace/core"
import {
  folio_ref_add,
  folio_ref_sub,
  free_pages_prepare,
  free_unref_page,
  prep_new_page,
  rmqueue,
  ZERO_PFN
} from "../../objects/Folio.ts"
import type { FolioRef, TaskRef } from "../../objects/World.ts"

/** A new folio with one reference; undefined when none is left. Its data is whatever was there before. */
export function* folio_alloc(task: TaskRef): Path<FolioRef | undefined> {
  const { buddy, folios } = task.world
  const pfn = yield* ask(buddy, rmqueue)
  if (pfn < 0) return undefined
  const folio = folios[pfn]!
  yield* ask(folio.folio, prep_new_page)
  return folio
}

/** One more reference on a folio that the caller knows to have one. */
export const folio_get = (folio: FolioRef): Path<void> => call(ref_add(folio))

function* ref_add(folio: FolioRef): Path<void> {
  yield* ask(folio.folio, folio_ref_add, 1)
}

/** Drops `refs` references; the last one frees the folio. */
export const folio_put_refs = (task: TaskRef, folio: FolioRef, refs: number): Path<void> =>
  call(ref_sub(task, folio, refs))

function* ref_sub(task: TaskRef, folio: FolioRef, refs: number): Path<void> {
  if ((yield* ask(folio.folio, folio_ref_sub, refs)) === 0) yield* __folio_put(task, folio)
}

export const folio_put = (task: TaskRef, folio: FolioRef): Path<void> => folio_put_refs(task, folio, 1)

/** __folio_put(): the count is 0 and nobody can find the folio any more. */
export function* __folio_put(task: TaskRef, folio: FolioRef): Path<void> {
  yield* ask(folio.folio, free_pages_prepare)
  yield* ask(task.world.buddy, free_unref_page, folio.pfn)
}

/** vm_normal_folio(): the folio a present entry maps; undefined for the zero page. */
export const vm_normal_folio = (task: TaskRef, pfn: number): FolioRef | undefined =>
  pfn === ZERO_PFN ? undefined : task.world.folios[pfn]
