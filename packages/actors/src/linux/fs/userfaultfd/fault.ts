/** Delivering page faults to user space: fs/userfaultfd.c, handle_userfault() and what it calls. */
import { isMarker, isNone, isPresent, type Pte } from "@mmrace/arch"
import { ask, call, Mutex, type Path, settle } from "@mmrace/core"
import { fix, releasedResult } from "../../../kernel/index.ts"
import { ptep_get } from "../../../objects/PageTable.ts"
import { schedule, set_current_state, type Sleep } from "../../../objects/Task.ts"
import { ctx_features, ctx_released, type Message, queue_add, queue_del } from "../../../objects/Userfaultfd.ts"
import { vma_fields } from "../../../objects/Vma.ts"
import {
  FAULT_FLAG_ALLOW_RETRY,
  FAULT_FLAG_INTERRUPTIBLE,
  FAULT_FLAG_KILLABLE,
  FAULT_FLAG_RETRY_NOWAIT,
  FAULT_FLAG_WRITE,
  VM_FAULT_NOPAGE,
  VM_FAULT_RETRY,
  VM_FAULT_SIGBUS,
  type Vmf
} from "../../types.ts"
import { release_fault_lock } from "../../mm/memory/vmf.ts"
import { userfaultfd_ctx_get, userfaultfd_ctx_put, wake_fd } from "./ctx.ts"

export type Reason = "missing" | "wp"

/** pte_write() on any entry, as must_wait applied it: in x86's swap format the write bit's place holds soft-dirty. */
const raw_pte_write = (pte: Pte): boolean =>
  isPresent(pte) ? pte.write : (pte._tag === "swap" || pte._tag === "migration") && pte.softDirty

/**
 * userfaultfd_must_wait(): looks at the entry without its lock, after the thread has queued: whoever resolves the
 * fault changes the entry first and looks at the queue then, so that one of the two sees the other.
 */
function* userfaultfd_must_wait(vmf: Vmf, reason: Reason): Path<boolean> {
  const pte: Pte = yield* ask(vmf.pte, ptep_get)
  if (isNone(pte) || isMarker(pte)) return true
  if (reason !== "wp") return false
  // 8e80af52db65 userfaultfd: gate must_wait writability check on pte_present()
  if (vmf.task.world.kernel.has(fix["8e80af52db65"])) return isPresent(pte) && !pte.write
  return !raw_pte_write(pte)
}

const userfault_msg = (vmf: Vmf, reason: Reason): Message => ({
  event: "pagefault",
  page: vmf.address,
  pages: 1,
  write: (vmf.flags & FAULT_FLAG_WRITE) !== 0,
  wp: reason === "wp",
  ctx: -1
})

const blocking_state = (flags: number): Sleep =>
  (flags & FAULT_FLAG_INTERRUPTIBLE) !== 0
    ? "TASK_INTERRUPTIBLE"
    : (flags & FAULT_FLAG_KILLABLE) !== 0
    ? "TASK_KILLABLE"
    : "TASK_UNINTERRUPTIBLE"

/**
 * handle_userfault(): tells user space of the fault and sleeps until it is resolved. Returns VM_FAULT_ bits: after
 * RETRY the lock of the fault is released (unless RETRY_NOWAIT) and the access is to be tried again; with SIGBUS and
 * NOPAGE it is still held. The caller holds no page-table lock.
 */
export function* handle_userfault(vmf: Vmf, reason: Reason): Path<number> {
  const { task } = vmf
  const { kernel } = task.world
  const { uffd } = yield* ask(vmf.vma.actor, vma_fields)
  if (uffd < 0) return VM_FAULT_SIGBUS
  const ctx = task.world.ctxs[uffd]!
  if ((yield* ask(ctx.ctx, ctx_features))?.sigbus === true) return VM_FAULT_SIGBUS
  const released = releasedResult(kernel)
  // 656710a60e36: no SIGBUS for an access that merely raced with close(). Lock kept, so that GUP tried again and again
  // with mmap_lock held while close() waited for it.
  if (released !== "retry" && (yield* ask(ctx.ctx, ctx_released))) {
    return released === "nopage" ? VM_FAULT_NOPAGE : VM_FAULT_SIGBUS
  }
  if ((vmf.flags & FAULT_FLAG_ALLOW_RETRY) === 0) return VM_FAULT_SIGBUS
  if ((vmf.flags & FAULT_FLAG_RETRY_NOWAIT) !== 0) return VM_FAULT_RETRY
  // fe4cdc2c4e24 mm/userfaultfd: fix release hang over concurrent GUP
  if (released === "retry" && (yield* ask(ctx.ctx, ctx_released))) {
    yield* release_fault_lock(vmf)
    return VM_FAULT_RETRY
  }

  // Taken while the VMA lock still pins the context.
  yield* userfaultfd_ctx_get(ctx)
  // What led here does not matter any more: callers hand the result on as it is.
  settle(reason, uffd)
  yield* ask(ctx.pending_lock, Mutex.spinlock.lock)
  // After this the message can be read, and the waiter be woken.
  yield* ask(ctx.pending, queue_add, { thread: task.id, message: userfault_msg(vmf, reason), waken: false })
  yield* ask(task.task, set_current_state, blocking_state(vmf.flags))
  yield* ask(ctx.pending_lock, Mutex.spinlock.unlock)
  // 8d2afd96c203 userfaultfd: solve the race between UFFDIO_COPY|ZEROPAGE and read
  const must_wait = !kernel.has(fix["8d2afd96c203"]) || (yield* userfaultfd_must_wait(vmf, reason))
  yield* release_fault_lock(vmf)
  if (must_wait && !(yield* ask(ctx.ctx, ctx_released))) {
    yield* call(wake_fd(task, ctx))
    yield* ask(task.task, schedule)
  }
  settle("woken", uffd)
  yield* ask(task.task, set_current_state, "TASK_RUNNING")
  // The kernel skips the lock when list_empty_careful() says that the waker has unlinked the entry. An entry on its way
  // from one queue to the other is not empty by that test, but would be in neither queue here: so always lock.
  yield* ask(ctx.pending_lock, Mutex.spinlock.lock)
  yield* ask(ctx.pending, queue_del, task.id)
  yield* ask(ctx.fault, queue_del, task.id)
  yield* ask(ctx.pending_lock, Mutex.spinlock.unlock)
  yield* userfaultfd_ctx_put(ctx)
  return VM_FAULT_RETRY
}
