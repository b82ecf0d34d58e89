/** PG_locked: mm/filemap.c, include/linux/pagemap.h. */
import { ask, Mutex, type Path } from "@mmrace/core"
import { Schema } from "effect"
import type { FolioRef } from "../../objects/World.ts"
import {
  FAULT_FLAG_ALLOW_RETRY,
  FAULT_FLAG_KILLABLE,
  FAULT_FLAG_RETRY_NOWAIT,
  FAULT_FLAG_TRIED,
  VM_FAULT_RETRY,
  type Vmf
} from "../types.ts"
import { release_fault_lock } from "./memory/vmf.ts"

/** Waits until nobody holds the lock, without taking it. */
const wait_unlocked = Mutex.mutex.type.command("wait_unlocked", {
  access: "read",
  ordering: "acquire",
  blocked: (owner) => owner !== Mutex.free
})

/** The same; false when a fatal signal came first. */
const wait_unlocked_killable = Mutex.mutex.type.command<void, boolean>("wait_unlocked_killable", {
  access: "read",
  ordering: "acquire",
  blocked: (owner, _arg, thread) => owner !== Mutex.free && !thread.killed,
  decide: (owner) => owner === Mutex.free,
  result: Schema.Boolean
})

export function* folio_lock(folio: FolioRef): Path<void> {
  yield* ask(folio.lock, Mutex.mutex.lock)
}

export function* folio_trylock(folio: FolioRef): Path<boolean> {
  return yield* ask(folio.lock, Mutex.mutex.trylock)
}

export function* folio_unlock(folio: FolioRef): Path<void> {
  yield* ask(folio.lock, Mutex.mutex.unlock)
}

export function* folio_wait_locked(folio: FolioRef): Path<void> {
  yield* ask(folio.lock, wait_unlocked)
}

/** False: a fatal signal ended the wait. */
export function* folio_wait_locked_killable(folio: FolioRef): Path<boolean> {
  return yield* ask(folio.lock, wait_unlocked_killable)
}

/**
 * folio_lock_or_retry(): 0 with the folio locked; or VM_FAULT_RETRY, and then the lock the fault was handled under is
 * released (unless RETRY_NOWAIT): a first attempt does not sleep on a folio with mmap_lock held.
 */
export function* folio_lock_or_retry(folio: FolioRef, vmf: Vmf): Path<number> {
  if (yield* folio_trylock(folio)) return 0
  const { flags } = vmf
  if ((flags & FAULT_FLAG_ALLOW_RETRY) !== 0 && (flags & FAULT_FLAG_TRIED) === 0) {
    if ((flags & FAULT_FLAG_RETRY_NOWAIT) !== 0) return VM_FAULT_RETRY
    yield* release_fault_lock(vmf)
    if ((flags & FAULT_FLAG_KILLABLE) !== 0) yield* folio_wait_locked_killable(folio)
    else yield* folio_wait_locked(folio)
    return VM_FAULT_RETRY
  }
  if ((flags & FAULT_FLAG_KILLABLE) === 0) {
    yield* folio_lock(folio)
    return 0
  }
  if (yield* ask(folio.lock, Mutex.mutex.lockKillable)) return 0
  yield* release_fault_lock(vmf)
  return VM_FAULT_RETRY
}
