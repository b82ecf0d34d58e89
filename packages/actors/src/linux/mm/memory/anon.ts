/** Faults on entries that map nothing: mm/memory.c, do_anonymous_page(). */
import { type Pte, mkdirty, mkUffdWp, mkwrite, present } from "@mmrace/arch"
import { ask, type Path } from "@mmrace/core"
import { folio_add_lru, folio_mark_uptodate, page_write, ZERO_PFN } from "../../../objects/Folio.ts"
import { set_pte_at } from "../../../objects/PageTable.ts"
import { vma_fields } from "../../../objects/Vma.ts"
import { handle_userfault } from "../../fs/userfaultfd/fault.ts"
import { FAULT_FLAG_WRITE, VM_FAULT_OOM, type Vmf } from "../../types.ts"
import { folio_alloc, folio_put } from "../page_alloc.ts"
import { folio_add_new_anon_rmap } from "../rmap.ts"
import { pte_lock, pte_unlock, vmf_anon_prepare, vmf_pte_changed } from "./vmf.ts"

/** vmf_orig_pte_uffd_wp(): a marker hands its write-protection on to the entry that replaces it. */
const inherits_uffd_wp = (orig: Pte): boolean => orig._tag === "marker" && orig.uffdWp

/** do_anonymous_page(): a zeroed page for a write, the zero page for a read. No lock but the fault's is held. */
export function* do_anonymous_page(vmf: Vmf): Path<number> {
  return (vmf.flags & FAULT_FLAG_WRITE) !== 0 ? yield* new_page(vmf) : yield* zero_page(vmf)
}

function* zero_page(vmf: Vmf): Path<number> {
  const entry = present(ZERO_PFN, { special: true, young: true })
  yield* pte_lock(vmf)
  if (yield* vmf_pte_changed(vmf)) {
    yield* pte_unlock(vmf)
    return 0
  }
  // Deliver the fault to user space: checked last, under the page-table lock.
  if ((yield* ask(vmf.vma.actor, vma_fields)).uffdMissing) {
    yield* pte_unlock(vmf)
    return yield* handle_userfault(vmf, "missing")
  }
  yield* ask(vmf.pte, set_pte_at, inherits_uffd_wp(vmf.orig_pte) ? mkUffdWp(entry) : entry)
  yield* pte_unlock(vmf)
  return 0
}

function* new_page(vmf: Vmf): Path<number> {
  const { address, region, task } = vmf
  const prepared = yield* vmf_anon_prepare(vmf)
  if (prepared !== 0) return prepared
  const folio = yield* folio_alloc(task)
  if (folio === undefined) return VM_FAULT_OOM
  // __GFP_ZERO; then the barrier of __folio_mark_uptodate(): contents before the entry that shows them.
  yield* ask(folio.page, page_write, 0)
  yield* ask(folio.folio, folio_mark_uptodate)
  yield* pte_lock(vmf)
  if (yield* vmf_pte_changed(vmf)) {
    yield* folio_put(task, folio)
    yield* pte_unlock(vmf)
    return 0
  }
  const vma = yield* ask(vmf.vma.actor, vma_fields)
  if (vma.uffdMissing) {
    yield* pte_unlock(vmf)
    yield* folio_put(task, folio)
    return yield* handle_userfault(vmf, "missing")
  }
  const young = present(folio.pfn, { young: true })
  const entry = vma.prot === "rw" ? mkwrite(mkdirty(young)) : young
  yield* folio_add_new_anon_rmap(task, folio, region.id, address)
  yield* ask(folio.folio, folio_add_lru)
  yield* ask(vmf.pte, set_pte_at, inherits_uffd_wp(vmf.orig_pte) ? mkUffdWp(entry) : entry)
  yield* pte_unlock(vmf)
  return 0
}
