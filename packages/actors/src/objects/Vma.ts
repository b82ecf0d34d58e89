/**
 * VMAs with the per-VMA lock of 6.15+ (vm_refcnt, vm_lock_seq, mm_lock_seq), and the VMA tree.
 * include/linux/mmap_lock.h, mm/mmap_lock.c.
 */
import { ActorType, type LockEffect } from "@mmrace/core"
import { Schema } from "effect"

export type Prot = "none" | "r" | "rw"

/** The fields that only someone with the VMA write-locked may change. */
export interface VmaFields {
  /** First page number and the one after the last. */
  readonly start: number
  readonly end: number
  readonly prot: Prot
  /** VM_WRITE may be given back by mprotect. */
  readonly mayWrite: boolean
  /** Number of the userfaultfd context, -1 for none. */
  readonly uffd: number
  /** VM_UFFD_MISSING, VM_UFFD_WP. */
  readonly uffdMissing: boolean
  readonly uffdWp: boolean
  /** Region it belongs to (its anon_vma once faulted in). */
  readonly region: number
}

/** Writer bit of vm_refcnt. */
export const VMA_LOCK_OFFSET = 0x4000_0000

export interface VmaState {
  readonly fields: VmaFields
  /** 0 detached, 1 attached, +1 for each reader, + VMA_LOCK_OFFSET while a writer waits or drains. */
  readonly vm_refcnt: number
  /** Threads that hold it for reading, for reports. */
  readonly readers: ReadonlyArray<number>
  readonly vm_lock_seq: number
  /** `vma->anon_vma` is set. */
  readonly anon_vma: boolean
}

export const VmaFieldsShape = Schema.Struct({
  start: Schema.Int,
  end: Schema.Int,
  prot: Schema.Literals(["none", "r", "rw"]),
  mayWrite: Schema.Boolean,
  uffd: Schema.Int,
  uffdMissing: Schema.Boolean,
  uffdWp: Schema.Boolean,
  region: Schema.Int
})

export const noVmaFields: VmaFields = {
  start: 0,
  end: 0,
  prot: "none",
  mayWrite: false,
  uffd: -1,
  uffdMissing: false,
  uffdWp: false,
  region: -1
}

/** A VMA struct that is in no tree. */
export const detachedVma: VmaState = {
  fields: noVmaFields,
  vm_refcnt: 0,
  readers: [],
  vm_lock_seq: -1,
  anon_vma: false
}

const FIELDS = 0, REFCNT = 1, SEQ = 2, ANON_VMA = 3

export const vmaType = new ActorType<VmaState>("vma", {
  fields: ["fields", "vm_refcnt", "vm_lock_seq", "anon_vma"],
  waitsFor: (vma) => vma.readers,
  show: (vma) => `pages ${vma.fields.start}..${vma.fields.end - 1} ${vma.fields.prot}, vm_refcnt ${vma.vm_refcnt}`
})

const showFields = (f: VmaFields): string =>
  `pages ${f.start}..${f.end - 1} ${f.prot}${
    f.uffd >= 0 ? ` uffd ${f.uffd}${f.uffdMissing ? " missing" : ""}${f.uffdWp ? " wp" : ""}` : ""
  }`

export const vma_fields = vmaType.command<void, VmaFields>("vma_fields", {
  access: "read",
  field: FIELDS,
  decide: (vma) => vma.fields,
  result: VmaFieldsShape,
  show: (_, f) => showFields(f)
})

export const vma_set_fields = vmaType.command<VmaFields>("vma_set_fields", {
  access: "write",
  field: FIELDS,
  evolve: (vma, fields) => ({ ...vma, fields }),
  arg: VmaFieldsShape,
  show: showFields
})

export const vma_anon_vma = vmaType.command<void, boolean>("vma_anon_vma", {
  access: "read",
  field: ANON_VMA,
  decide: (vma) => vma.anon_vma,
  result: Schema.Boolean
})

export const vma_set_anon_vma = vmaType.command<boolean>("vma_set_anon_vma", {
  access: "write",
  field: ANON_VMA,
  ordering: "release",
  evolve: (vma, anon_vma) => vma.anon_vma === anon_vma ? vma : { ...vma, anon_vma },
  arg: Schema.Boolean
})

export const vm_lock_seq = vmaType.command<void, number>("vm_lock_seq", {
  access: "read",
  field: SEQ,
  decide: (vma) => vma.vm_lock_seq,
  result: Schema.Int
})

export const vma_set_lock_seq = vmaType.command<number>("vma_set_lock_seq", {
  access: "write",
  field: SEQ,
  evolve: (vma, seq) => ({ ...vma, vm_lock_seq: seq }),
  arg: Schema.Int
})

const readTry: LockEffect = { action: "try", mode: "read" }
const readRelease: LockEffect = { action: "release", mode: "read" }
const writeAcquire: LockEffect = { action: "acquire", mode: "write" }
const writeRelease: LockEffect = { action: "release", mode: "write" }

/** Outcome of the reader's increment: the count is limited while a writer is there, and 0 means detached. */
export type Inc = "got" | "detached" | "writer"

/** `__refcount_inc_not_zero_limited_acquire(vm_refcnt, VMA_REF_LIMIT)`. */
export const vma_refcount_inc = vmaType.command<void, Inc>("vma_refcount_inc", {
  access: "write",
  field: REFCNT,
  ordering: "acq_rel",
  decide: (vma) => vma.vm_refcnt === 0 ? "detached" : vma.vm_refcnt >= VMA_LOCK_OFFSET ? "writer" : "got",
  evolve: (vma, _arg, inc, thread) =>
    inc === "got" ? { ...vma, vm_refcnt: vma.vm_refcnt + 1, readers: [...vma.readers, thread] } : vma,
  lock: (inc) => inc === "got" ? readTry : undefined,
  result: Schema.Literals(["got", "detached", "writer"])
})

/** `vma_refcount_put`: returns the count after. A writer that waits is woken by the count itself. */
export const vma_refcount_put = vmaType.command<void, number>("vma_refcount_put", {
  access: "write",
  field: REFCNT,
  ordering: "acq_rel",
  decide: (vma) => vma.vm_refcnt - 1,
  evolve: (vma, _arg, after, thread) => {
    const at = vma.readers.lastIndexOf(thread)
    return { ...vma, vm_refcnt: after, readers: at < 0 ? vma.readers : vma.readers.toSpliced(at, 1) }
  },
  lock: () => readRelease,
  result: Schema.Int
})

/** Writer: adds VMA_LOCK_OFFSET unless the count is 0 (detached); false when it was. */
export const vma_refcount_exclude = vmaType.command<void, boolean>("vma_refcount_exclude", {
  access: "write",
  field: REFCNT,
  ordering: "acq_rel",
  decide: (vma) => vma.vm_refcnt !== 0,
  evolve: (vma, _arg, attached) => attached ? { ...vma, vm_refcnt: vma.vm_refcnt + VMA_LOCK_OFFSET } : vma,
  result: Schema.Boolean
})

/** Writer: waits until no reader is left (`rcuwait` on vma_writer_wait): count is OFFSET + 1 when attached, OFFSET when not. */
export const vma_await_readers = vmaType.command<number>("vma_await_readers", {
  access: "read",
  field: REFCNT,
  ordering: "acquire",
  blocked: (vma, target) => vma.vm_refcnt !== target,
  lock: () => writeAcquire,
  arg: Schema.Int
})

/** Writer: lets readers in again (they fail on the sequence until mmap_lock is dropped). */
export const vma_refcount_admit = vmaType.command("vma_refcount_admit", {
  access: "write",
  field: REFCNT,
  ordering: "acq_rel",
  evolve: (vma) => ({ ...vma, vm_refcnt: vma.vm_refcnt - VMA_LOCK_OFFSET }),
  lock: () => writeRelease
})

/** `vma_mark_attached`: count := 1, release. */
export const vma_mark_attached = vmaType.command("vma_mark_attached", {
  access: "write",
  field: REFCNT,
  ordering: "release",
  evolve: (vma) => ({ ...vma, vm_refcnt: 1 })
})

/** First step of `vma_mark_detached`: dec; returns the count after (0, or transient readers are left). */
export const vma_refcount_detach = vmaType.command<void, number>("vma_refcount_detach", {
  access: "write",
  field: REFCNT,
  ordering: "acq_rel",
  decide: (vma) => vma.vm_refcnt - 1,
  evolve: (vma, _arg, after) => ({ ...vma, vm_refcnt: after }),
  result: Schema.Int
})

// The VMA tree ----------------------------------------------------------------------------------------

/** By page number: the number of the VMA (within its mm) that covers the page, or -1. */
export type TreeState = ReadonlyArray<number>

export const mtType = new ActorType<TreeState>("vma_tree")

/** Number of the VMA that covers a page, -1 for a hole (`mas_walk`, lockless under RCU or under mmap_lock). */
export const mas_walk = mtType.command<number, number>("mas_walk", {
  access: "read",
  ordering: "acquire",
  decide: (tree, page) => tree[page] ?? -1,
  arg: Schema.Int,
  result: Schema.Int
})

export interface Store {
  readonly start: number
  readonly end: number
  /** -1 erases. */
  readonly vma: number
}

/** Stores a VMA, or a hole, over a range of pages (`vma_iter_store`, `mas_store_gfp`). */
export const mas_store = mtType.command<Store>("mas_store", {
  access: "write",
  ordering: "release",
  evolve: (tree, { end, start, vma }) => tree.map((v, page) => page >= start && page < end ? vma : v),
  arg: Schema.Struct({ start: Schema.Int, end: Schema.Int, vma: Schema.Int })
})
