/** Deferred flushes: mm/mmu_gather.c (contract C2). */
import { ask, type Path } from "@mmrace/core"
import { fix } from "../../kernel/index.ts"
import { atomic_add_return, atomic_read } from "../../objects/Mm.ts"
import type { MmRef, TaskRef } from "../../objects/World.ts"
import { flush_tlb_mm, flush_tlb_page } from "../arch/x86/mm/tlb.ts"

/** `struct mmu_gather`: the pages whose flush is owed. */
export interface MmuGather {
  readonly task: TaskRef
  readonly mm: MmRef
  readonly pages: Array<number>
}

/** tlb_gather_mmu(): from here on others can tell that a flush may be pending (mm_tlb_flush_pending). */
export function* tlb_gather_mmu(task: TaskRef, mm: MmRef): Path<MmuGather> {
  yield* ask(mm.tlb_flush_pending, atomic_add_return, 1)
  return { task, mm, pages: [] }
}

/** tlb_flush_pte_range(): records a page. */
export const tlb_flush_page = (tlb: MmuGather, page: number): void => {
  tlb.pages.push(page)
}

/** mm_tlb_flush_pending(): meaningful under the page-table lock that the entries were changed under. */
export function* mm_tlb_flush_pending(mm: MmRef): Path<boolean> {
  return (yield* ask(mm.tlb_flush_pending, atomic_read)) > 0
}

/** tlb_flush_mmu(): flushes what was gathered, keeps the gather open. */
export function* tlb_flush_mmu(tlb: MmuGather): Path<void> {
  for (let i = 0; i < tlb.pages.length; i++) yield* flush_tlb_page(tlb.task, tlb.mm, tlb.pages[i]!)
  tlb.pages.length = 0
}

/** tlb_finish_mmu(): flushes what was gathered, or everything. */
export function* tlb_finish_mmu(tlb: MmuGather): Path<void> {
  if (yield* mm_tlb_flush_nested(tlb)) yield* flush_tlb_mm(tlb.task, tlb.mm)
  else yield* tlb_flush_mmu(tlb)
  yield* ask(tlb.mm.tlb_flush_pending, atomic_add_return, -1)
}

/**
 * mm_tlb_flush_nested(): another gather is open. 99baac21e458 mm: fix MADV_[FREE|DONTNEED] TLB flush miss problem: it may
 * have changed entries before we looked at them, so that we recorded nothing to flush.
 */
function* mm_tlb_flush_nested({ mm, task }: MmuGather): Path<boolean> {
  if (!task.world.kernel.has(fix["99baac21e458"])) return false
  return (yield* ask(mm.tlb_flush_pending, atomic_read)) > 1
}
