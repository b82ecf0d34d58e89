/**
 * get_user_pages and pin_user_pages, fast and slow, and what a device does with the pages: mm/gup.c.
 */
import { isPresent, type Pte, pteSame } from "@mmrace/arch"
import { ask, call, Mutex, type Path, Seqcount, settle } from "@mmrace/core"
import { fix, type Kernel } from "../../kernel/index.ts"
import { local_irq_disable, local_irq_enable } from "../../objects/Cpu.ts"
import {
  folio_mark_dirty,
  folio_ref_add,
  folio_ref_try_add,
  GUP_PIN_COUNTING_BIAS,
  page_read,
  page_write,
  PageAnonExclusive
} from "../../objects/Folio.ts"
import { atomic_read, atomic_set } from "../../objects/Mm.ts"
import { ptep_get } from "../../objects/PageTable.ts"
import { vma_fields } from "../../objects/Vma.ts"
import type { FolioRef, TaskRef } from "../../objects/World.ts"
import { errno } from "../../program/constants.ts"
import {
  FAULT_FLAG_ALLOW_RETRY,
  FAULT_FLAG_INTERRUPTIBLE,
  FAULT_FLAG_KILLABLE,
  FAULT_FLAG_TRIED,
  FAULT_FLAG_UNSHARE,
  FAULT_FLAG_WRITE,
  VM_FAULT_COMPLETED,
  VM_FAULT_ERROR,
  VM_FAULT_HWPOISON,
  VM_FAULT_OOM,
  VM_FAULT_RETRY
} from "../types.ts"
import { handle_mm_fault } from "./memory/fault.ts"
import { mmap_read_lock_killable, mmap_read_unlock, vma_lookup } from "./mmap_lock.ts"
import { folio_put, folio_put_refs, vm_normal_folio } from "./page_alloc.ts"

const FOLL_WRITE = 1 << 0
const FOLL_GET = 1 << 1
const FOLL_PIN = 1 << 2

/** References one page of a grab takes: a pin of a small folio counts GUP_PIN_COUNTING_BIAS. */
const refsOf = (flags: number): number => (flags & FOLL_PIN) !== 0 ? GUP_PIN_COUNTING_BIAS : 1

/** Undoes a grab (`gup_put_folio`). */
function* gup_put_folio(task: TaskRef, folio: FolioRef, flags: number): Path<void> {
  yield* folio_put_refs(task, folio, refsOf(flags))
}

/**
 * gup_must_unshare(): a read-only FOLL_PIN of an anonymous page that is not exclusive would go stale at the next
 * copy-on-write. a7f226604170 mm/gup: trigger FAULT_FLAG_UNSHARE when R/O-pinning a possibly shared anonymous page.
 */
function* gup_must_unshare(kernel: Kernel, flags: number, folio: FolioRef): Path<boolean> {
  if ((flags & FOLL_WRITE) !== 0 || (flags & FOLL_PIN) === 0) return false
  if (!kernel.has(fix["a7f226604170"])) return false
  return !(yield* ask(folio.folio, PageAnonExclusive))
}

/** gup_fast_pte_range() for one page: the folio, or undefined to stop (everything it took is given back). */
function* gup_fast_pte(task: TaskRef, address: number, flags: number): Path<FolioRef | undefined> {
  const { mm, world } = task
  const ptep = mm.ptes[address]!
  const pte = yield* ask(ptep, ptep_get)
  if (!isPresent(pte) || pte.protnone || ((flags & FOLL_WRITE) !== 0 && !pte.write)) return undefined
  const folio = vm_normal_folio(task, pte.pfn)
  if (folio === undefined) return undefined
  // try_grab_folio_fast(): never from 0.
  if (!(yield* ask(folio.folio, folio_ref_try_add, refsOf(flags)))) return undefined
  if (!pteSame(pte, yield* ask(ptep, ptep_get))) {
    yield* gup_put_folio(task, folio, flags)
    return undefined
  }
  if (!pte.write && (yield* gup_must_unshare(world.kernel, flags, folio))) {
    yield* gup_put_folio(task, folio, flags)
    return undefined
  }
  return folio
}

/** gup_fast(): without any lock, interrupts off so that page tables stay. */
function* gup_fast(task: TaskRef, address: number, flags: number): Path<FolioRef | undefined> {
  const { cpu, mm, world } = task
  const pin = (flags & FOLL_PIN) !== 0
  // 57efa1fe5957 mm/gup: prevent gup_fast from racing with COW during fork
  const seqcount = pin && world.kernel.has(fix["57efa1fe5957"])
  let seq = 0
  if (seqcount) {
    seq = yield* Seqcount.read(mm.write_protect_seq)
    if (Seqcount.isOdd(seq)) return undefined
  }
  yield* ask(cpu.actor, local_irq_disable)
  const folio = yield* gup_fast_pte(task, address, flags)
  yield* ask(cpu.actor, local_irq_enable)
  if (seqcount && folio !== undefined && (yield* Seqcount.read(mm.write_protect_seq)) !== seq) {
    // gup_fast_unpin_user_pages(): fork write-protected pages meanwhile.
    yield* gup_put_folio(task, folio, flags)
    return undefined
  }
  return folio
}

const EMLINK = errno("EMLINK")
const NOT_THERE = 0

/** follow_page_pte(): the grabbed folio, NOT_THERE to fault it in, or -EMLINK to unshare it first. */
function* follow_page_pte(task: TaskRef, address: number, flags: number): Path<FolioRef | number> {
  const { mm, world } = task
  const ptl = mm.ptls[world.regionOf[address]!]!
  yield* ask(ptl, Mutex.spinlock.lock)
  const pte: Pte = yield* ask(mm.ptes[address]!, ptep_get)
  let outcome: FolioRef | number = NOT_THERE
  if (isPresent(pte) && !pte.protnone && ((flags & FOLL_WRITE) === 0 || pte.write)) {
    const folio = world.folios[pte.pfn]!
    const shared = vm_normal_folio(task, pte.pfn)
    if (!pte.write && shared !== undefined && (yield* gup_must_unshare(world.kernel, flags, shared))) outcome = EMLINK
    else {
      // try_grab_folio(); the zero page is not counted by FOLL_PIN.
      if (shared !== undefined || (flags & FOLL_GET) !== 0) yield* ask(folio.folio, folio_ref_add, refsOf(flags))
      if (shared !== undefined && (flags & FOLL_WRITE) !== 0) yield* ask(folio.folio, folio_mark_dirty)
      outcome = folio
    }
  }
  yield* ask(ptl, Mutex.spinlock.unlock)
  return outcome
}

/** __get_user_pages_locked() with FOLL_UNLOCKABLE, for one page: the folio or a negative errno. */
const __get_user_pages_locked = (task: TaskRef, address: number, flags: number): Path<FolioRef | number> =>
  call(gup_slow(task, address, flags))

function* gup_slow(task: TaskRef, address: number, flags: number): Path<FolioRef | number> {
  const { mm, world } = task
  const write = (flags & FOLL_WRITE) !== 0
  let tried = 0
  for (;;) {
    settle("lock", tried)
    if (!(yield* mmap_read_lock_killable(mm))) return errno("EINTR")
    let dropped = false
    while (!dropped) {
      settle("walk", tried)
      const vma = yield* vma_lookup(mm, address)
      if (vma === undefined) {
        yield* mmap_read_unlock(mm)
        return errno("EFAULT")
      }
      // check_vma_flags()
      const { prot } = yield* ask(vma.actor, vma_fields)
      if (prot === "none" || (write && prot !== "rw")) {
        yield* mmap_read_unlock(mm)
        return errno("EFAULT")
      }
      // Before COW was decided by exclusivity or reference count, a read for GUP broke COW up front.
      // 17839856fd58 gup: document and work around 'COW can break either way' issue
      const breakEarly = !write && (flags & (FOLL_GET | FOLL_PIN)) !== 0 && world.kernel.has(fix["17839856fd58"]) &&
        !world.kernel.has(fix["09854ba94c6a"]) && prot === "rw"
      const found = yield* follow_page_pte(task, address, breakEarly ? flags | FOLL_WRITE : flags)
      if (typeof found !== "number") {
        yield* mmap_read_unlock(mm)
        return found
      }
      // faultin_page()
      const fault_flags = FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_KILLABLE | FAULT_FLAG_INTERRUPTIBLE | tried |
        (write || breakEarly ? FAULT_FLAG_WRITE : 0) | (found === EMLINK ? FAULT_FLAG_UNSHARE : 0)
      const fault = yield* call(handle_mm_fault(task, mm, vma, address, fault_flags))
      if ((fault & VM_FAULT_COMPLETED) !== 0) dropped = true
      else if ((fault & VM_FAULT_RETRY) !== 0) {
        dropped = true
        tried = FAULT_FLAG_TRIED
      } else if ((fault & VM_FAULT_ERROR) !== 0) {
        yield* mmap_read_unlock(mm)
        return (fault & VM_FAULT_OOM) !== 0
          ? errno("ENOMEM")
          : (fault & VM_FAULT_HWPOISON) !== 0
          ? errno("EHWPOISON")
          : errno("EFAULT")
      }
    }
  }
}

/** mm_set_has_pinned_flag(): before the first pin can be taken. 70e806e4e645 and later. */
function* mm_set_has_pinned_flag(task: TaskRef): Path<void> {
  if ((yield* ask(task.mm.has_pinned, atomic_read)) === 0) yield* ask(task.mm.has_pinned, atomic_set, 1)
}

/** gup_fast_fallback(). */
function* gup_fast_fallback(task: TaskRef, address: number, flags: number): Path<FolioRef | number> {
  if ((flags & FOLL_PIN) !== 0) yield* mm_set_has_pinned_flag(task)
  const folio = yield* call(gup_fast(task, address, breaksCowEarly(task, flags) ? flags | FOLL_WRITE : flags))
  return folio ?? (yield* __get_user_pages_locked(task, address, flags))
}

/** With 17839856fd58 alone, GUP-fast took read references only through writable entries. */
const breaksCowEarly = ({ world: { kernel } }: TaskRef, flags: number): boolean =>
  (flags & FOLL_WRITE) === 0 && kernel.has(fix["17839856fd58"]) && !kernel.has(fix["09854ba94c6a"])

const writeFlag = (write: boolean): number => write ? FOLL_WRITE : 0

export function* pin_user_pages_fast(task: TaskRef, address: number, write: boolean): Path<FolioRef | number> {
  return yield* gup_fast_fallback(task, address, FOLL_PIN | writeFlag(write))
}

export function* get_user_pages_fast(task: TaskRef, address: number, write: boolean): Path<FolioRef | number> {
  return yield* gup_fast_fallback(task, address, FOLL_GET | writeFlag(write))
}

export function* pin_user_pages(task: TaskRef, address: number, write: boolean): Path<FolioRef | number> {
  yield* mm_set_has_pinned_flag(task)
  return yield* __get_user_pages_locked(task, address, FOLL_PIN | writeFlag(write))
}

export function* get_user_pages(task: TaskRef, address: number, write: boolean): Path<FolioRef | number> {
  return yield* __get_user_pages_locked(task, address, FOLL_GET | writeFlag(write))
}

/** unpin_user_page(). The zero page was not counted. */
export function* unpin_user_page(task: TaskRef, folio: FolioRef): Path<void> {
  if (vm_normal_folio(task, folio.pfn) !== undefined) yield* gup_put_folio(task, folio, FOLL_PIN)
}

export function* put_page(task: TaskRef, folio: FolioRef): Path<void> {
  yield* folio_put(task, folio)
}

/** A device reads through the page's physical address: no translation, no TLB. */
export function* dma_read(folio: FolioRef): Path<number> {
  return yield* ask(folio.page, page_read)
}

/** A device writes; the driver marks the page dirty, as drivers must for pages they wrote to. */
export function* dma_write(folio: FolioRef, value: number): Path<void> {
  yield* ask(folio.page, page_write, value)
  yield* ask(folio.folio, folio_mark_dirty)
}
