/** Faults on entries that are neither none nor present: mm/memory.c, do_swap_page() and the PTE markers. */
import {
  mkdirty,
  mkSoftDirty,
  mkUffdWp,
  mkwrite,
  none,
  present,
  type PteMarker,
  type PtePresent,
  type PteSwap,
  pteSame
} from "@mmrace/arch"
import { ask, call, type Path } from "@mmrace/core"
import { feature, fix, swapinIdentityCheck } from "../../../kernel/index.ts"
import {
  folio_add_lru,
  folio_ref_count,
  folio_set_swapbacked,
  folio_swap_entry,
  folio_test_uptodate,
  folio_test_writeback
} from "../../../objects/Folio.ts"
import { ptep_get, set_pte_at } from "../../../objects/PageTable.ts"
import { swapcache_clear, swapcache_prepare } from "../../../objects/Swap.ts"
import { vma_fields, type VmaFields } from "../../../objects/Vma.ts"
import type { FolioRef, SlotRef } from "../../../objects/World.ts"
import {
  FAULT_FLAG_VMA_LOCK,
  FAULT_FLAG_WRITE,
  VM_FAULT_ERROR,
  VM_FAULT_HWPOISON,
  VM_FAULT_MAJOR,
  VM_FAULT_OOM,
  VM_FAULT_RETRY,
  VM_FAULT_SIGBUS,
  VM_FAULT_SIGSEGV,
  type Vmf
} from "../../types.ts"
import { folio_lock, folio_lock_or_retry, folio_unlock, folio_wait_locked } from "../filemap.ts"
import { folio_alloc, folio_put } from "../page_alloc.ts"
import { folio_add_anon_rmap_pte } from "../rmap.ts"
import { read_swap_cache_async, swap_cache_get_folio, swap_read_folio, swapcache_relax } from "../swap_state.ts"
import { folio_free_swap, reuse_swap_page, should_try_to_free_swap, swap_count, swap_free } from "../swapfile.ts"
import { do_anonymous_page } from "./anon.ts"
import { pte_lock, pte_unlock, release_fault_lock } from "./vmf.ts"
import { do_wp_page } from "./wp.ts"

/** do_swap_page(): entered with nothing but the fault's lock. */
export function* do_swap_page(vmf: Vmf): Path<number> {
  const { orig_pte } = vmf
  switch (orig_pte._tag) {
    case "migration":
      // migration_entry_wait(): the folio is locked for as long as the entry exists.
      yield* folio_wait_locked(vmf.task.world.folios[orig_pte.pfn]!)
      return 0
    case "marker":
      return yield* handle_pte_marker(vmf, orig_pte)
    case "hwpoison":
      return VM_FAULT_HWPOISON
    case "swap":
      return yield* swap_in(vmf, orig_pte, vmf.task.world.slots[orig_pte.offset]!)
    case "none":
    case "present":
      return 0
  }
}

/** handle_pte_marker(). */
function* handle_pte_marker(vmf: Vmf, marker: PteMarker): Path<number> {
  if (marker.poisoned) return VM_FAULT_HWPOISON
  if (marker.guard) return VM_FAULT_SIGSEGV
  if (!marker.uffdWp) return VM_FAULT_SIGBUS
  // pte_marker_handle_uffd_wp(): still registered, then as if there were nothing; else the marker is left over.
  if ((yield* ask(vmf.vma.actor, vma_fields)).uffdWp) return yield* do_anonymous_page(vmf)
  yield* pte_lock(vmf)
  if (pteSame(yield* ask(vmf.pte, ptep_get), marker)) yield* ask(vmf.pte, set_pte_at, none)
  yield* pte_unlock(vmf)
  return 0
}

/** What swap_in() found or brought in. */
interface Found {
  readonly folio: FolioRef
  /** Found in (or read into) the swap cache; false: read past it, nobody else has seen the folio. */
  readonly cached: boolean
  /** SWAP_HAS_CACHE is ours to clear. */
  readonly pinned: boolean
  /** VM_FAULT_MAJOR when the device was read. */
  readonly result: number
}

function* swap_in(vmf: Vmf, entry: PteSwap, slot: SlotRef): Path<number> {
  const { kernel } = vmf.task.world
  // 1235ccd05b6d: before it, a swap fault needed mmap_lock.
  if ((vmf.flags & FAULT_FLAG_VMA_LOCK) !== 0 && !kernel.has(feature.swapFaultUnderVmaLock)) {
    yield* release_fault_lock(vmf)
    return VM_FAULT_RETRY
  }
  const found = yield* call(find_or_read(vmf, entry, slot))
  if (typeof found === "number") return found
  // Nobody looks at what this writes to `vmf` afterwards.
  const result = yield* call(swap_in_folio(vmf, entry, slot, found))
  // Only now, after the page-table lock is dropped, may the slot be used again.
  if (found.pinned) yield* ask(slot.actor, swapcache_clear)
  return result
}

/** The folio for the entry, with a reference and not locked; a number ends the fault with that result. */
function* find_or_read(vmf: Vmf, entry: PteSwap, slot: SlotRef): Path<Found | number> {
  const { task } = vmf
  const { kernel, swapDevice } = task.world
  const cached = yield* call(swap_cache_get_folio(task, slot))
  if (cached !== undefined) return { folio: cached, cached: true, pinned: false, result: 0 }
  let folio: FolioRef | undefined
  let pinned = false
  // SWP_SYNCHRONOUS_IO and no other entry for the slot: there is nobody to share the swap cache with.
  const bypass = swapDevice !== "disk" && (yield* swap_count(slot)) === 1
  if (bypass) {
    folio = yield* folio_alloc(task)
    if (folio !== undefined) {
      yield* folio_lock(folio)
      yield* ask(folio.folio, folio_set_swapbacked)
      // 13ddaf26be32 mm/swap: fix race when skipping swapcache: the slot cannot be freed and used again meanwhile.
      if (kernel.has(fix["13ddaf26be32"])) {
        if (!(yield* ask(slot.actor, swapcache_prepare))) {
          yield* ask(slot.actor, swapcache_relax)
          yield* folio_unlock(folio)
          yield* folio_put(task, folio)
          return 0
        }
        pinned = true
      }
      yield* ask(folio.folio, folio_add_lru)
      yield* swap_read_folio(task, folio, slot)
    }
  } else {
    folio = yield* call(read_swap_cache_async(task, slot))
  }
  if (folio !== undefined) return { folio, cached: !bypass, pinned, result: VM_FAULT_MAJOR }
  // Back out if somebody else has faulted it in meanwhile.
  yield* pte_lock(vmf)
  const same = pteSame(yield* ask(vmf.pte, ptep_get), entry)
  yield* pte_unlock(vmf)
  return same ? VM_FAULT_OOM : 0
}

function* swap_in_folio(vmf: Vmf, entry: PteSwap, slot: SlotRef, { cached, folio, result }: Found): Path<number> {
  const { task } = vmf
  const locked = yield* folio_lock_or_retry(folio, vmf)
  if (locked !== 0) {
    yield* folio_put(task, folio)
    return result | locked
  }
  // What was looked up without the lock may have left the swap cache, or be in it for another slot.
  if (cached && !(yield* still_caches(vmf, folio, slot))) {
    yield* folio_unlock(folio)
    yield* folio_put(task, folio)
    return result
  }
  yield* pte_lock(vmf)
  const same = pteSame(yield* ask(vmf.pte, ptep_get), entry)
  if (!same || !(yield* ask(folio.folio, folio_test_uptodate))) {
    yield* pte_unlock(vmf)
    yield* folio_unlock(folio)
    yield* folio_put(task, folio)
    return same ? result | VM_FAULT_SIGBUS : result
  }
  // I-06: the kernel has a BUG_ON() here, no page with an entry in swap is exclusive.
  const mapped = task.world.kernel.has(feature.anonExclusive)
    ? yield* map_folio(vmf, entry, slot, folio, cached)
    : yield* map_folio_by_count(vmf, entry, slot, folio)
  if ((vmf.flags & FAULT_FLAG_WRITE) === 0) {
    yield* pte_unlock(vmf)
    return result
  }
  const written = yield* call(do_wp_page(vmf, mapped))
  return (written & VM_FAULT_ERROR) !== 0 ? written & VM_FAULT_ERROR : result | written
}

/** The identity check of the locked folio: 4969c1192d15, 31c4a3d3a0f8. */
function* still_caches(vmf: Vmf, folio: FolioRef, slot: SlotRef): Path<boolean> {
  switch (swapinIdentityCheck(vmf.task.world.kernel)) {
    case "none":
      return true
    case "swapcache":
      return (yield* ask(folio.folio, folio_swap_entry)) >= 0
    case "entry":
      return (yield* ask(folio.folio, folio_swap_entry)) === slot.offset
  }
}

const restored_entry = (entry: PteSwap, folio: FolioRef): PtePresent => {
  const pte = present(folio.pfn, { young: true })
  const softDirty = entry.softDirty ? mkSoftDirty(pte) : pte
  return entry.uffdWp ? mkUffdWp(softDirty) : softDirty
}

/** Maps the folio in place of the entry, since 5.19. Page-table lock and folio lock are held; the latter is dropped. */
function* map_folio(vmf: Vmf, entry: PteSwap, slot: SlotRef, folio: FolioRef, cached: boolean): Path<PtePresent> {
  const { address, region, task } = vmf
  const vma = yield* ask(vmf.vma.actor, vma_fields)
  const write = (vmf.flags & FAULT_FLAG_WRITE) !== 0
  let exclusive = entry.exclusive
  if (!cached) exclusive = true
  // zram wants what it compresses to hold still (SWP_STABLE_WRITES).
  else if (exclusive && task.world.swapDevice === "zram" && (yield* ask(folio.folio, folio_test_writeback))) {
    exclusive = false
  }
  yield* swap_free(slot)
  if (yield* should_try_to_free_swap(task, folio, write)) yield* folio_free_swap(task, folio)
  let pte = restored_entry(entry, folio)
  const alone = exclusive || (yield* ask(folio.folio, folio_ref_count)) === 1
  if (alone && may_write(vma, pte)) {
    pte = mkwrite(pte)
    if (write) {
      pte = mkdirty(pte)
      vmf.flags &= ~FAULT_FLAG_WRITE
    }
  }
  yield* folio_add_anon_rmap_pte(task, folio, region.id, address, alone)
  yield* ask(vmf.pte, set_pte_at, pte)
  vmf.orig_pte = pte
  yield* folio_unlock(folio)
  return pte
}

const may_write = (vma: VmaFields, pte: PtePresent): boolean => vma.prot === "rw" && !(vma.uffdWp && pte.uffdWp)

/**
 * The same before 5.19: nothing remembers that a page was exclusive, a write fault asks reuse_swap_page(), a read maps
 * read-only; the entry's count is dropped after the new entry is set.
 */
function* map_folio_by_count(vmf: Vmf, entry: PteSwap, slot: SlotRef, folio: FolioRef): Path<PtePresent> {
  const { address, region, task } = vmf
  const vma = yield* ask(vmf.vma.actor, vma_fields)
  let pte = restored_entry(entry, folio)
  if ((vmf.flags & FAULT_FLAG_WRITE) !== 0 && !entry.uffdWp && (yield* reuse_swap_page(task, folio))) {
    pte = mkdirty(pte)
    if (vma.prot === "rw") pte = mkwrite(pte)
    vmf.flags &= ~FAULT_FLAG_WRITE
  }
  yield* ask(vmf.pte, set_pte_at, pte)
  vmf.orig_pte = pte
  yield* folio_add_anon_rmap_pte(task, folio, region.id, address, false)
  yield* swap_free(slot)
  yield* folio_unlock(folio)
  return pte
}
