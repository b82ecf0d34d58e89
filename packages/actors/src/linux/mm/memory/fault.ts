/** Page faults: mm/memory.c (handle_mm_fault, handle_pte_fault). */
import { mkdirty, mkyoung, none, type PtePresent, pteSame } from "@mmrace/arch"
import { ask, type Path } from "@mmrace/core"
import { ptep_get, set_pte_at } from "../../../objects/PageTable.ts"
import type { MmRef, TaskRef } from "../../../objects/World.ts"
import { flush_tlb_fix_spurious_fault } from "../../arch/x86/mm/tlb.ts"
import {
  FAULT_FLAG_ORIG_PTE_VALID,
  FAULT_FLAG_TRIED,
  FAULT_FLAG_UNSHARE,
  FAULT_FLAG_WRITE,
  type VmaRef,
  type Vmf
} from "../../types.ts"
import { do_anonymous_page } from "./anon.ts"
import { do_swap_page } from "./swap.ts"
import { pte_lock, pte_unlock } from "./vmf.ts"
import { do_wp_page } from "./wp.ts"

/**
 * handle_mm_fault(): makes the access to page `address` possible. The caller holds the VMA lock (with
 * FAULT_FLAG_VMA_LOCK) or mmap_lock for read, and has checked the access. Result: VM_FAULT_ bits; after VM_FAULT_RETRY
 * the lock is gone (unless RETRY_NOWAIT), and the access has to be tried again in any case.
 */
export function* handle_mm_fault(task: TaskRef, mm: MmRef, vma: VmaRef, address: number, flags: number): Path<number> {
  const { regionOf, regions } = task.world
  const region = regions[regionOf[address]!]!
  return yield* handle_pte_fault({
    task,
    mm,
    vma,
    address,
    region,
    pte: mm.ptes[address]!,
    ptl: mm.ptls[region.id]!,
    flags,
    orig_pte: none
  })
}

/** handle_pte_fault(): what is there now decides; whoever acts on it checks again under the page-table lock. */
function* handle_pte_fault(vmf: Vmf): Path<number> {
  vmf.orig_pte = yield* ask(vmf.pte, ptep_get)
  vmf.flags |= FAULT_FLAG_ORIG_PTE_VALID
  if (vmf.orig_pte._tag === "none") return yield* do_anonymous_page(vmf)
  if (vmf.orig_pte._tag !== "present") return yield* do_swap_page(vmf)
  return yield* present_pte_fault(vmf, vmf.orig_pte)
}

function* present_pte_fault(vmf: Vmf, orig: PtePresent): Path<number> {
  yield* pte_lock(vmf)
  if (!pteSame(yield* ask(vmf.pte, ptep_get), orig)) {
    yield* pte_unlock(vmf)
    return 0
  }
  const write = (vmf.flags & FAULT_FLAG_WRITE) !== 0
  if ((write || (vmf.flags & FAULT_FLAG_UNSHARE) !== 0) && !orig.write) return yield* do_wp_page(vmf, orig)
  const entry = mkyoung(write ? mkdirty(orig) : orig)
  // ptep_set_access_flags(): x86 stores only what a write fault changed.
  if (!pteSame(entry, orig)) {
    if (write) yield* ask(vmf.pte, set_pte_at, entry)
  } else if (write && (vmf.flags & FAULT_FLAG_TRIED) === 0) {
    yield* flush_tlb_fix_spurious_fault(vmf.task, vmf.address)
  }
  yield* pte_unlock(vmf)
  return 0
}
