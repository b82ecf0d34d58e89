/** Memory accesses of user code, and the page-fault exception: arch/x86/mm/fault.c, do_user_addr_fault(). */
import { ask, call, type Path, settle } from "@mmrace/core"
import { Schema } from "effect"
import { feature } from "../../../../kernel/index.ts"
import { retire, tlb_fill, translate } from "../../../../objects/Cpu.ts"
import { buddyType, page_read, page_write } from "../../../../objects/Folio.ts"
import { hw_walk } from "../../../../objects/PageTable.ts"
import { fault_signal, type SignalMark } from "../../../../objects/Syscall.ts"
import { vma_fields, type VmaFields } from "../../../../objects/Vma.ts"
import type { FolioRef, MmRef, TaskRef } from "../../../../objects/World.ts"
import { errno, signal } from "../../../../program/constants.ts"
import { fatal_signal_pending } from "../../../kernel/signal.ts"
import { handle_mm_fault } from "../../../mm/memory/fault.ts"
import {
  lock_vma_under_rcu,
  mmap_read_lock_killable,
  mmap_read_trylock,
  mmap_read_unlock,
  vma_end_read,
  vma_lookup
} from "../../../mm/mmap_lock.ts"
import {
  FAULT_FLAG_ALLOW_RETRY,
  FAULT_FLAG_DEFAULT,
  FAULT_FLAG_TRIED,
  FAULT_FLAG_USER,
  FAULT_FLAG_VMA_LOCK,
  FAULT_FLAG_WRITE,
  VM_FAULT_COMPLETED,
  VM_FAULT_ERROR,
  VM_FAULT_MAJOR,
  VM_FAULT_OOM,
  VM_FAULT_RETRY,
  VM_FAULT_SIGSEGV,
  type VmaRef
} from "../../../types.ts"

const nr_free_pages = buddyType.command<void, number>("nr_free_pages", {
  access: "read",
  decide: (free) => free.length,
  result: Schema.Int
})

const SIGSEGV = signal("SIGSEGV")
const SIGBUS = signal("SIGBUS")

/**
 * The instruction is executed again after each fault, and is none the wiser (`settle`): to be called with `call`.
 *
 * A load from page `address`. Result: the data; signal("SIGSEGV") or signal("SIGBUS"); errno("ENOMEM") when no
 * page is left; errno("EINTR") when the thread is killed and gets no further.
 */
export function* user_load(task: TaskRef, address: number): Path<number> {
  for (;;) {
    settle("access")
    const folio = yield* translated(task, address, false)
    if (folio !== undefined) {
      const data = yield* ask(folio.page, page_read)
      yield* ask(task.cpu.actor, retire)
      return data
    }
    yield* ask(task.cpu.actor, retire)
    const fault = yield* call(exc_page_fault(task, address, false))
    if (fault !== 0) return yield* faulted(task, address, fault)
  }
}

/** A store to page `address`. Result: 0, or as for {@link user_load}. */
export function* user_store(task: TaskRef, address: number, value: number): Path<number> {
  for (;;) {
    settle("access")
    const folio = yield* translated(task, address, true)
    if (folio !== undefined) {
      yield* ask(folio.page, page_write, value)
      yield* ask(task.cpu.actor, retire)
      return 0
    }
    yield* ask(task.cpu.actor, retire)
    const fault = yield* call(exc_page_fault(task, address, true))
    if (fault !== 0) return yield* faulted(task, address, fault)
  }
}

/** The access is over, with a signal or because the thread gets no further. */
function* faulted(task: TaskRef, page: number, fault: number): Path<number> {
  if (fault === SIGSEGV) yield* signalled(task, { page, signal: "SIGSEGV" })
  if (fault === SIGBUS) yield* signalled(task, { page, signal: "SIGBUS" })
  return fault
}

function* signalled(task: TaskRef, mark: SignalMark): Path<void> {
  yield* ask(task.syscall, fault_signal, mark)
}

/** The instruction begins: TLB, then the page walk. Undefined: page fault. The instruction is in flight either way. */
function* translated(task: TaskRef, address: number, store: boolean): Path<FolioRef | undefined> {
  const { cpu, mm, world } = task
  const hit = yield* ask(cpu.actor, translate, { page: address, store })
  if (hit >= 0) return world.folios[hit]!
  const { dirty, pfn, write } = yield* ask(mm.ptes[address]!, hw_walk, store)
  if (pfn < 0) return undefined
  yield* ask(cpu.actor, tlb_fill, { page: address, pfn, write, dirty })
  return world.folios[pfn]!
}

/** access_error(): the VMA does not allow it. */
const access_error = (vma: VmaFields, write: boolean): boolean => write ? vma.prot !== "rw" : vma.prot === "none"

/** exc_page_fault(), do_user_addr_fault(): 0, try the access again; else what the access results in. */
export function* exc_page_fault(task: TaskRef, address: number, write: boolean): Path<number> {
  const { mm } = task
  const flags = FAULT_FLAG_DEFAULT | FAULT_FLAG_USER | (write ? FAULT_FLAG_WRITE : 0)
  let tried = 0
  const vma = yield* call(lock_vma_under_rcu(task, mm, address))
  if (vma !== undefined) {
    const fields = yield* ask(vma.actor, vma_fields)
    if (access_error(fields, write)) {
      yield* vma_end_read(vma)
      return SIGSEGV
    }
    if (may_fault_under_vma_lock(task, fields)) {
      const fault = yield* call(handle_mm_fault(task, mm, vma, address, flags | FAULT_FLAG_VMA_LOCK))
      if ((fault & (VM_FAULT_RETRY | VM_FAULT_COMPLETED)) === 0) yield* vma_end_read(vma)
      if ((fault & VM_FAULT_RETRY) === 0) return yield* mm_fault_error(task, fault)
      if ((fault & VM_FAULT_MAJOR) !== 0) tried = FAULT_FLAG_TRIED
      if (yield* fatal_signal_pending(task)) return errno("EINTR")
    } else {
      yield* vma_end_read(vma)
    }
  }
  return yield* fault_under_mmap_lock(task, address, flags | tried, write)
}

/** Before 29a22b9e08d7 lock_vma_under_rcu() refused a VMA that is registered with userfaultfd. */
const may_fault_under_vma_lock = (task: TaskRef, vma: VmaFields): boolean =>
  task.world.kernel.has(feature.uffdFaultUnderVmaLock) || !(vma.uffdMissing || vma.uffdWp)

function* fault_under_mmap_lock(task: TaskRef, address: number, first: number, write: boolean): Path<number> {
  const { mm, world } = task
  let flags = first
  for (;;) {
    settle("mmap_lock", flags)
    const vma = yield* call(lock_mm_and_find_vma(mm, address))
    if (vma === "killed") return errno("EINTR")
    if (vma === undefined) return SIGSEGV
    if (access_error(yield* ask(vma.actor, vma_fields), write)) {
      yield* mmap_read_unlock(mm)
      return SIGSEGV
    }
    const fault = yield* call(handle_mm_fault(task, mm, vma, address, flags))
    if ((fault & VM_FAULT_COMPLETED) !== 0) return 0
    if ((fault & VM_FAULT_RETRY) === 0) {
      yield* mmap_read_unlock(mm)
      return yield* mm_fault_error(task, fault)
    }
    if (yield* fatal_signal_pending(task)) return errno("EINTR")
    flags |= FAULT_FLAG_TRIED
    // Before 5.7 a fault could be retried once.
    if (!world.kernel.has(feature.faultMultiRetry)) flags &= ~FAULT_FLAG_ALLOW_RETRY
  }
}

/** lock_mm_and_find_vma(): mmap_lock is held for read only when a VMA is returned. Stacks that grow are not modelled. */
function* lock_mm_and_find_vma(mm: MmRef, address: number): Path<VmaRef | "killed" | undefined> {
  if (!(yield* mmap_read_trylock(mm)) && !(yield* mmap_read_lock_killable(mm))) return "killed"
  const vma = yield* vma_lookup(mm, address)
  if (vma === undefined) yield* mmap_read_unlock(mm)
  return vma
}

function* mm_fault_error(task: TaskRef, fault: number): Path<number> {
  if ((fault & VM_FAULT_ERROR) === 0) return 0
  if ((fault & VM_FAULT_OOM) !== 0) return yield* pagefault_out_of_memory(task)
  return (fault & VM_FAULT_SIGSEGV) !== 0 ? SIGSEGV : SIGBUS
}

/**
 * mm/oom_kill.c: pagefault_out_of_memory(). The allocator itself calls the OOM killer, so that a fault that reports no
 * memory is simply tried again; a swap-in reports it too when the slot was free for a moment. Only where there is no
 * page at all, and nobody to be killed for one, does the access end.
 */
function* pagefault_out_of_memory(task: TaskRef): Path<number> {
  return (yield* ask(task.world.buddy, nr_free_pages)) === 0 ? errno("ENOMEM") : 0
}
