/** TLB flushes: arch/x86/mm/tlb.c, and the batching of mm/rmap.c (contract C3). */
import { ask, type Path } from "@mmrace/core"
import { FLUSH_ALL, flush_tlb_ipi, flush_tlb_local } from "../../../../objects/Cpu.ts"
import { atomic_add_return, atomic_read, atomic_set } from "../../../../objects/Mm.ts"
import type { MmRef, TaskRef } from "../../../../objects/World.ts"
import { fix } from "../../../../kernel/index.ts"

/** Flushes one page, or FLUSH_ALL, on every CPU that runs the mm; returns when all have done it. */
function* flush_tlb_mm_range(task: TaskRef, mm: MmRef, page: number): Path<void> {
  for (let i = 0; i < mm.cpumask.length; i++) {
    const cpu = mm.cpumask[i]!
    if (cpu === task.cpu) yield* ask(cpu.actor, flush_tlb_local, page)
    else yield* ask(cpu.actor, flush_tlb_ipi, page)
  }
}

export function* flush_tlb_page(task: TaskRef, mm: MmRef, page: number): Path<void> {
  yield* flush_tlb_mm_range(task, mm, page)
}

/** Pages start .. end-1. */
export function* flush_tlb_range(task: TaskRef, mm: MmRef, start: number, end: number): Path<void> {
  for (let page = start; page < end; page++) yield* flush_tlb_mm_range(task, mm, page)
}

export function* flush_tlb_mm(task: TaskRef, mm: MmRef): Path<void> {
  yield* flush_tlb_mm_range(task, mm, FLUSH_ALL)
}

/** flush_tlb_fix_spurious_fault(): only the faulting CPU's own entry is too strict. */
export function* flush_tlb_fix_spurious_fault(task: TaskRef, page: number): Path<void> {
  yield* ask(task.cpu.actor, flush_tlb_local, page)
}

/** set_tlb_ubc_flush_pending(): an unmapped entry's flush is owed; the caller flushes later. */
export function* set_tlb_ubc_flush_pending(mm: MmRef): Path<void> {
  yield* ask(mm.batched_pending, atomic_add_return, 1)
}

/**
 * flush_tlb_batched_pending(): called right after taking a page-table lock by everybody who depends on what the
 * entries say. Before the fix nobody did.
 */
export function* flush_tlb_batched_pending(task: TaskRef, mm: MmRef): Path<void> {
  if (!task.world.kernel.has(fix["3ea277194daa"])) return
  const pending = yield* ask(mm.batched_pending, atomic_read)
  if (pending === (yield* ask(mm.batched_flushed, atomic_read))) return
  yield* flush_tlb_mm(task, mm)
  yield* ask(mm.batched_flushed, atomic_set, pending)
}
