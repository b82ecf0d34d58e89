/** Taking pages out of a range: mm/memory.c, unmap_page_range() and zap_page_range_single(). */
import type { Pte } from "@mmrace/arch"
import { isMarker, isNone, isPresent, isSwap, none } from "@mmrace/arch"
import { ask, Mutex, type Path } from "@mmrace/core"
import { ptep_get, ptep_get_and_clear, set_pte_at } from "../../../objects/PageTable.ts"
import type { VmaFields } from "../../../objects/Vma.ts"
import type { FolioRef, MmRef, TaskRef } from "../../../objects/World.ts"
import { flush_tlb_batched_pending } from "../../arch/x86/mm/tlb.ts"
import { type MmuGather, tlb_finish_mmu, tlb_flush_page, tlb_gather_mmu } from "../mmu_gather.ts"
import { folio_put, vm_normal_folio } from "../page_alloc.ts"
import { folio_remove_rmap_pte } from "../rmap.ts"
import { free_swap_cache } from "../swap_state.ts"
import { free_swap_and_cache } from "../swapfile.ts"

/** A gather together with the pages that are freed once their translations are flushed (`struct mmu_gather_batch`). */
export interface ZapGather {
  readonly tlb: MmuGather
  readonly folios: Array<FolioRef>
}

export function* zap_gather(task: TaskRef, mm: MmRef): Path<ZapGather> {
  return { tlb: yield* tlb_gather_mmu(task, mm), folios: [] }
}

/** tlb_finish_mmu(): flush, then free_pages_and_swap_cache() of what was gathered. */
export function* zap_finish({ folios, tlb }: ZapGather): Path<void> {
  yield* tlb_finish_mmu(tlb)
  for (let i = 0; i < folios.length; i++) {
    yield* free_swap_cache(tlb.task, folios[i]!)
    yield* folio_put(tlb.task, folios[i]!)
  }
}

/**
 * unmap_page_range(): zaps pages start .. end-1 of a VMA. With `drop_marker` (ZAP_FLAG_DROP_MARKER: the VMA goes too)
 * nothing is left, else guard markers stay. Anonymous memory keeps no other marker.
 */
export function* unmap_page_range(
  gather: ZapGather,
  fields: VmaFields,
  start: number,
  end: number,
  drop_marker: boolean
): Path<void> {
  const { mm, task } = gather.tlb
  const ptl = mm.ptls[fields.region]!
  yield* ask(ptl, Mutex.spinlock.lock)
  yield* flush_tlb_batched_pending(task, mm)
  for (let address = start; address < end; address++) yield* zap_pte(gather, address, drop_marker)
  yield* ask(ptl, Mutex.spinlock.unlock)
}

function* zap_pte(gather: ZapGather, address: number, drop_marker: boolean): Path<void> {
  const { folios, tlb } = gather
  const { mm, task } = tlb
  const ptep = mm.ptes[address]!
  const pte: Pte = yield* ask(ptep, ptep_get)
  if (isNone(pte)) return
  if (isPresent(pte)) {
    // zap_present_ptes(): hardware may have changed bits since, not the page.
    yield* ask(ptep, ptep_get_and_clear)
    tlb_flush_page(tlb, address)
    const folio = vm_normal_folio(task, pte.pfn)
    if (folio === undefined) return
    yield* folio_remove_rmap_pte(folio)
    folios.push(folio)
    return
  }
  // zap_nonpresent_ptes()
  if (isMarker(pte) && pte.guard && !drop_marker) return
  if (isSwap(pte)) yield* free_swap_and_cache(task, task.world.slots[pte.offset]!)
  yield* ask(ptep, set_pte_at, none)
}
