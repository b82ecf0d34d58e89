/** What fork does to page tables: mm/memory.c, copy_page_range() and what it calls. */
import {
  clearUffdWp,
  isMarker,
  isMigration,
  isNone,
  isPresent,
  isSwap,
  marker,
  migrationMkReadable,
  mkdirty,
  mkold,
  mkUffdWp,
  mkwrite,
  none,
  present,
  type Pte,
  type PtePresent,
  swpClearExclusive,
  swpClearUffdWp,
  wrprotect
} from "@mmrace/arch"
import { ask, Mutex, type Path, Seqcount } from "@mmrace/core"
import { feature, fix } from "../../../kernel/index.ts"
import {
  folio_add_lru,
  folio_add_mapcount,
  folio_mark_uptodate,
  folio_ref_add,
  page_read,
  page_write
} from "../../../objects/Folio.ts"
import { ptep_get, ptep_set_wrprotect, set_pte_at } from "../../../objects/PageTable.ts"
import { swap_duplicate } from "../../../objects/Swap.ts"
import { copy_begin, copy_end } from "../../../objects/Syscall.ts"
import { vma_anon_vma, vma_fields, type VmaFields } from "../../../objects/Vma.ts"
import type { FolioRef, MmRef, TaskRef } from "../../../objects/World.ts"
import { errno } from "../../../program/constants.ts"
import type { VmaRef } from "../../types.ts"
import { folio_alloc, folio_put, vm_normal_folio } from "../page_alloc.ts"
import { folio_add_new_anon_rmap, folio_needs_cow_for_dma, folio_try_dup_anon_rmap_pte } from "../rmap.ts"

const EAGAIN = errno("EAGAIN")

/** copy_page_range(): gives the child the parent's entries of one VMA. 0 or -ENOMEM. */
export function* copy_page_range(task: TaskRef, child: MmRef, src: VmaRef, dst: VmaRef): Path<number> {
  const { mm, world: { kernel } } = task
  const fields = yield* ask(dst.actor, vma_fields)
  // vma_needs_copy(): pages of a VMA that never had an anon_vma refault in the child.
  if (!fields.uffdWp && !(yield* ask(src.actor, vma_anon_vma))) return 0
  // Private writable mappings are COW mappings; 57efa1fe5957 tells GUP-fast that their write protection is under way.
  const bracket = fields.mayWrite && kernel.has(fix["57efa1fe5957"])
  if (bracket) yield* Seqcount.writeBegin(mm.write_protect_seq)
  const result = yield* copy_pte_range(task, child, fields)
  if (bracket) yield* Seqcount.writeEnd(mm.write_protect_seq)
  return result
}

/** copy_pte_range(): both page-table locks, the child's first, the parent's nested. */
function* copy_pte_range(task: TaskRef, child: MmRef, fields: VmaFields): Path<number> {
  const { mm } = task
  const src_ptl = mm.ptls[fields.region]!
  const dst_ptl = child.ptls[fields.region]!
  let prealloc: FolioRef | undefined = undefined
  let result = 0
  let address = fields.start
  while (address < fields.end && result === 0) {
    yield* ask(dst_ptl, Mutex.spinlock.lock)
    yield* ask(src_ptl, Mutex.spinlock.lock)
    let again = false
    for (; address < fields.end; address++) {
      const pte: Pte = yield* ask(mm.ptes[address]!, ptep_get)
      if (isNone(pte)) continue
      if (!isPresent(pte)) {
        yield* copy_nonpresent_pte(task, child, fields, address, pte)
        continue
      }
      const used: FolioRef | number | undefined = yield* copy_present_pte(task, child, fields, address, pte, prealloc)
      if (used === EAGAIN) {
        again = true
        break
      }
      if (typeof used === "object") prealloc = undefined
    }
    yield* ask(src_ptl, Mutex.spinlock.unlock)
    yield* ask(dst_ptl, Mutex.spinlock.unlock)
    if (again) {
      prealloc = yield* folio_alloc(task)
      if (prealloc === undefined) result = errno("ENOMEM")
    }
  }
  // A page that was preallocated and not needed after all.
  if (prealloc !== undefined) yield* folio_put(task, prealloc)
  return result
}

/** copy_nonpresent_pte(): swap, migration and marker entries. */
function* copy_nonpresent_pte(task: TaskRef, child: MmRef, fields: VmaFields, address: number, pte: Pte): Path<void> {
  const src = task.mm.ptes[address]!
  const dst = child.ptes[address]!
  if (isSwap(pte)) {
    yield* ask(task.world.slots[pte.offset]!.actor, swap_duplicate)
    // 1493a1913e34 mm/swap: remember PG_anon_exclusive via a swp pte bit: neither copy is the only one now.
    if (pte.exclusive) yield* ask(src, set_pte_at, swpClearExclusive(pte))
    const entry = swpClearExclusive(pte)
    yield* ask(dst, set_pte_at, fields.uffdWp ? entry : swpClearUffdWp(entry))
  } else if (isMigration(pte)) {
    // Neither mapped nor referenced by the entry: the folio is locked for as long as the entry exists.
    const readable = migrationMkReadable(pte)
    if (readable !== pte) yield* ask(src, set_pte_at, readable)
    yield* ask(dst, set_pte_at, fields.uffdWp ? readable : swpClearUffdWp(readable))
  } else if (isMarker(pte)) {
    // copy_pte_marker(): 49d6d7fb6313 a write-protect marker goes to a write-protect-registered child only.
    const kept = marker({
      ...pte,
      uffdWp: pte.uffdWp && (fields.uffdWp || !task.world.kernel.has(fix["49d6d7fb6313"]))
    })
    yield* ask(dst, set_pte_at, kept.uffdWp || kept.poisoned || kept.guard ? kept : none)
  }
}

/**
 * copy_present_ptes() for one entry. Returns the preallocated folio when it was used up, EAGAIN when one is needed
 * first, else undefined.
 */
function* copy_present_pte(
  task: TaskRef,
  child: MmRef,
  fields: VmaFields,
  address: number,
  pte: PtePresent,
  prealloc: FolioRef | undefined
): Path<FolioRef | number | undefined> {
  const { mm, world: { kernel } } = task
  const folio = vm_normal_folio(task, pte.pfn)
  if (folio !== undefined) {
    if (yield* must_copy_now(task, folio)) {
      return yield* copy_present_page(task, child, fields, address, pte, folio, prealloc)
    }
    yield* ask(folio.folio, folio_ref_add, 1)
    if (kernel.has(feature.anonExclusive)) {
      if (!(yield* folio_try_dup_anon_rmap_pte(folio, yield* folio_needs_cow_for_dma(task, folio)))) {
        yield* folio_put(task, folio)
        return yield* copy_present_page(task, child, fields, address, pte, folio, prealloc)
      }
    } else yield* ask(folio.folio, folio_add_mapcount, 1)
  }
  // __copy_present_ptes(): write-protect the parent's entry in place, then give the child its copy.
  if (pte.write) yield* ask(mm.ptes[address]!, ptep_set_wrprotect)
  let entry = mkold(wrprotect(pte))
  if (!fields.uffdWp) entry = clearUffdWp(entry)
  yield* ask(child.ptes[address]!, set_pte_at, entry)
  return undefined
}

/**
 * Before PG_anon_exclusive, page_needs_cow_for_dma() alone decided, on its own and before the reference was taken.
 * 70e806e4e645 mm: do early cow for pinned pages during fork() for ptes
 */
function* must_copy_now(task: TaskRef, folio: FolioRef): Path<boolean> {
  const { kernel } = task.world
  if (kernel.has(feature.anonExclusive) || !kernel.has(fix["70e806e4e645"])) return false
  return yield* folio_needs_cow_for_dma(task, folio)
}

/** copy_present_page(): the parent keeps its pinned page; the child gets a copy at once. */
function* copy_present_page(
  task: TaskRef,
  child: MmRef,
  fields: VmaFields,
  address: number,
  pte: PtePresent,
  folio: FolioRef,
  prealloc: FolioRef | undefined
): Path<FolioRef | number> {
  if (prealloc === undefined) return EAGAIN
  yield* ask(task.syscall, copy_begin, { pfn: folio.pfn, mm: task.mm.id, page: address, forChild: true })
  const data = yield* ask(folio.page, page_read)
  yield* ask(prealloc.page, page_write, data)
  yield* ask(prealloc.folio, folio_mark_uptodate)
  yield* folio_add_new_anon_rmap(task, prealloc, fields.region, address)
  yield* ask(prealloc.folio, folio_add_lru)
  let entry = mkdirty(present(prealloc.pfn))
  if (fields.prot === "rw") entry = mkwrite(entry)
  if (fields.uffdWp && pte.uffdWp) entry = mkUffdWp(entry)
  yield* ask(child.ptes[address]!, set_pte_at, entry)
  yield* ask(task.syscall, copy_end)
  return prealloc
}
