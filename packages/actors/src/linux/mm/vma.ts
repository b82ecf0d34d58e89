/** Finding, making, splitting and freeing VMAs: mm/vma.c. mmap_lock is held for write unless said otherwise. */
import { ask, type Path, Rwsem } from "@mmrace/core"
import { Schema } from "effect"
import {
  mas_store,
  mtType,
  vma_anon_vma,
  vma_fields,
  type VmaFields,
  vma_set_anon_vma,
  vma_set_fields
} from "../../objects/Vma.ts"
import type { MmRef, TaskRef } from "../../objects/World.ts"
import { errno } from "../../program/constants.ts"
import type { VmaRef } from "../types.ts"
import { vma_mark_attached, vma_start_write } from "./mmap_lock.ts"

const RangeShape = Schema.Struct({ start: Schema.Int, end: Schema.Int })

/** Number of the first VMA with a page in start .. end-1, -1 for none. */
const mas_find = mtType.command<{ readonly start: number; readonly end: number }, number>("mas_find", {
  access: "read",
  ordering: "acquire",
  decide: (tree, { end, start }) => tree.slice(start, end).find((vma) => vma >= 0) ?? -1,
  arg: RangeShape,
  result: Schema.Int
})

/** kmem_cache_alloc(vm_area_cachep): a number of the pool that is in no tree, -1 when there is none. */
const vma_slab_alloc = mtType.command<number, number>("vma_slab_alloc", {
  access: "read",
  decide: (tree, pool) => {
    for (let number = 0; number < pool; number++) if (!tree.includes(number)) return number
    return -1
  },
  arg: Schema.Int,
  result: Schema.Int
})

/** vma_find(): the first VMA with a page in start .. end-1. mmap_lock is held. */
export function* vma_find(mm: MmRef, start: number, end: number): Path<VmaRef | undefined> {
  const number = start < end ? yield* ask(mm.mt, mas_find, { start, end }) : -1
  return number < 0 ? undefined : { number, actor: mm.vmas[number]! }
}

/** vm_area_alloc(): a VMA that nobody can see yet; undefined when the pool is empty (-ENOMEM). */
export function* vm_area_alloc(mm: MmRef, fields: VmaFields, anon_vma: boolean): Path<VmaRef | undefined> {
  const number = yield* ask(mm.mt, vma_slab_alloc, mm.vmas.length)
  if (number < 0) return undefined
  const vma: VmaRef = { number, actor: mm.vmas[number]! }
  yield* ask(vma.actor, vma_set_fields, fields)
  yield* ask(vma.actor, vma_set_anon_vma, anon_vma)
  return vma
}

/** vma_link(): write-locked before anybody can find it. */
export function* vma_link(task: TaskRef, mm: MmRef, vma: VmaRef, fields: VmaFields): Path<void> {
  yield* vma_start_write(task, mm, vma)
  yield* vma_mark_attached(vma)
  yield* ask(mm.mt, mas_store, { start: fields.start, end: fields.end, vma: vma.number })
}

/** Takes the VMAs of start .. end-1 out of the tree (`vma_iter_clear`). */
export function* vma_iter_clear(mm: MmRef, start: number, end: number): Path<void> {
  yield* ask(mm.mt, mas_store, { start, end, vma: -1 })
}

/**
 * __split_vma(): `vma` keeps the pages on the other side of `address` than the new VMA. Reverse mapping looks at the
 * borders, so that they change under the anon_vma lock. 0 or -ENOMEM.
 */
export function* __split_vma(
  task: TaskRef,
  mm: MmRef,
  vma: VmaRef,
  fields: VmaFields,
  address: number,
  new_below: boolean
): Path<number> {
  const below = { ...fields, end: address }
  const above = { ...fields, start: address }
  const made = new_below ? below : above
  const anon_vma = yield* ask(vma.actor, vma_anon_vma)
  const fresh = yield* vm_area_alloc(mm, made, anon_vma)
  if (fresh === undefined) return errno("ENOMEM")
  yield* vma_start_write(task, mm, vma)
  // vma_prepare() .. vma_complete()
  const { anon_vma_lock } = task.world.regions[fields.region]!
  if (anon_vma) yield* Rwsem.downWrite(anon_vma_lock)
  yield* ask(vma.actor, vma_set_fields, new_below ? above : below)
  yield* vma_link(task, mm, fresh, made)
  if (anon_vma) yield* Rwsem.upWrite(anon_vma_lock)
  return 0
}

/**
 * vma_modify(): splits so that `vma` (with `fields`) covers start .. end-1 only; never merges. 0, or -ENOMEM, and then
 * the first of two splits may have been done.
 */
export function* vma_modify(
  task: TaskRef,
  mm: MmRef,
  vma: VmaRef,
  fields: VmaFields,
  start: number,
  end: number
): Path<number> {
  if (fields.start < start) {
    const error = yield* __split_vma(task, mm, vma, fields, start, true)
    if (error !== 0) return error
  }
  return fields.end > end ? yield* __split_vma(task, mm, vma, { ...fields, start }, end, false) : 0
}

/** Sets the fields under the VMA write lock (`vm_flags_reset`, `userfaultfd_set_ctx`). */
export function* vma_change(task: TaskRef, mm: MmRef, vma: VmaRef, fields: VmaFields): Path<void> {
  yield* vma_start_write(task, mm, vma)
  yield* ask(vma.actor, vma_set_fields, fields)
}

/** anon_vma_prepare(): mmap_lock is held, for read at least; whoever comes first sets it. */
export function* anon_vma_prepare(task: TaskRef, vma: VmaRef): Path<void> {
  if (yield* ask(vma.actor, vma_anon_vma)) return
  const { region } = yield* ask(vma.actor, vma_fields)
  const { anon_vma_lock } = task.world.regions[region]!
  yield* Rwsem.downWrite(anon_vma_lock)
  yield* ask(vma.actor, vma_set_anon_vma, true)
  yield* Rwsem.upWrite(anon_vma_lock)
}

/** Pages that may be given to a system call: not empty, inside the address space. */
export const valid_range = (task: TaskRef, start: number, end: number): boolean =>
  start >= 0 && start < end && end <= task.world.pages
