/** What all fault handlers share: include/linux/mm.h, mm/memory.c. */
import { pteSame } from "@mmrace/arch"
import { ask, Mutex, type Path, Rwsem } from "@mmrace/core"
import { ptep_get } from "../../../objects/PageTable.ts"
import { vma_anon_vma, vma_set_anon_vma } from "../../../objects/Vma.ts"
import { FAULT_FLAG_ORIG_PTE_VALID, FAULT_FLAG_VMA_LOCK, VM_FAULT_RETRY, type Vmf } from "../../types.ts"
import { mmap_read_trylock, mmap_read_unlock, vma_end_read } from "../mmap_lock.ts"

/** release_fault_lock(): gives up whichever lock the fault is handled under; the caller returns VM_FAULT_RETRY. */
export function* release_fault_lock(vmf: Vmf): Path<void> {
  if ((vmf.flags & FAULT_FLAG_VMA_LOCK) !== 0) yield* vma_end_read(vmf.vma)
  else yield* mmap_read_unlock(vmf.mm)
}

/** pte_offset_map_lock(): tables are never freed here, so that it cannot fail. */
export function* pte_lock(vmf: Vmf): Path<void> {
  yield* ask(vmf.ptl, Mutex.spinlock.lock)
}

export function* pte_unlock(vmf: Vmf): Path<void> {
  yield* ask(vmf.ptl, Mutex.spinlock.unlock)
}

/** vmf_pte_changed(), under the page-table lock: the decisions made from orig_pte no longer hold. */
export function* vmf_pte_changed(vmf: Vmf): Path<boolean> {
  const pte = yield* ask(vmf.pte, ptep_get)
  return (vmf.flags & FAULT_FLAG_ORIG_PTE_VALID) !== 0 ? !pteSame(pte, vmf.orig_pte) : pte._tag !== "none"
}

/**
 * vmf_anon_prepare(): the VMA gets its anon_vma. 0, or VM_FAULT_RETRY with the VMA lock released: the reader of a VMA
 * must not wait for mmap_lock, whose writer may be waiting for that reader.
 */
export function* vmf_anon_prepare(vmf: Vmf): Path<number> {
  const vma = vmf.vma.actor
  if (yield* ask(vma, vma_anon_vma)) return 0
  const underVmaLock = (vmf.flags & FAULT_FLAG_VMA_LOCK) !== 0
  if (underVmaLock && !(yield* mmap_read_trylock(vmf.mm))) {
    yield* vma_end_read(vmf.vma)
    return VM_FAULT_RETRY
  }
  // __anon_vma_prepare(): anon_vma_lock_write() and page_table_lock, then whoever comes first sets it.
  yield* Rwsem.downWrite(vmf.region.anon_vma_lock)
  yield* ask(vma, vma_set_anon_vma, true)
  yield* Rwsem.upWrite(vmf.region.anon_vma_lock)
  if (underVmaLock) yield* mmap_read_unlock(vmf.mm)
  return 0
}
