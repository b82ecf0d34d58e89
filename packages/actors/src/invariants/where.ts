/** From an actor to what it stands for: tables by actor id, built once per world. -1: the actor is of another kind. */
import type { Pte } from "@mmrace/arch"
import type { Actor, Event } from "@mmrace/core"
import type { MmRef, World } from "../objects/index.ts"

export interface Where {
  /** Page-table entries: number of the mm, page number, and `key` of the two. */
  readonly pteMm: Int32Array
  readonly ptePage: Int32Array
  /** Page-table locks: number of the mm and of the region. */
  readonly ptlMm: Int32Array
  readonly ptlRegion: Int32Array
  /** Folios, their data, their PG_locked: page frame number. */
  readonly folio: Int32Array
  readonly data: Int32Array
  readonly pgLocked: Int32Array
  /** Swap slots: offset. */
  readonly slot: Int32Array
  /** mm_users, tlb_flush_pending, batched_pending and batched_flushed, mmap_lock: number of the mm. */
  readonly mmUsers: Int32Array
  readonly flushPending: Int32Array
  readonly batched: Int32Array
  readonly mmapLock: Int32Array
  /** mmap_changing: number of the context. */
  readonly mmapChanging: Int32Array
}

const tables = new WeakMap<World, Where>()

const build = (world: World): Where => {
  const actors: Array<Actor<never>> = []
  const note = (actor: unknown): number => {
    actors.push(actor as Actor<never>)
    return (actor as Actor<never>).id
  }
  const entries: Array<readonly [keyof Where, number, number]> = []
  const put = (table: keyof Where, actor: unknown, value: number): void => {
    entries.push([table, note(actor), value])
  }
  for (const mm of world.mms) {
    mm.ptes.forEach((pte, page) => {
      put("pteMm", pte, mm.id)
      put("ptePage", pte, page)
    })
    mm.ptls.forEach((ptl, region) => {
      put("ptlMm", ptl, mm.id)
      put("ptlRegion", ptl, region)
    })
    put("mmUsers", mm.mm_users, mm.id)
    put("flushPending", mm.tlb_flush_pending, mm.id)
    put("batched", mm.batched_pending, mm.id)
    put("batched", mm.batched_flushed, mm.id)
    put("mmapLock", mm.mmap_lock, mm.id)
  }
  for (const { folio, lock, page, pfn } of world.folios) {
    put("folio", folio, pfn)
    put("data", page, pfn)
    put("pgLocked", lock, pfn)
  }
  for (const { actor, offset } of world.slots) put("slot", actor, offset)
  for (const ctx of world.ctxs) put("mmapChanging", ctx.mmap_changing, ctx.id)
  const size = actors.reduce((n, actor) => Math.max(n, actor.id), -1) + 1
  const table = (): Int32Array => new Int32Array(size).fill(-1)
  const where: Where = {
    pteMm: table(),
    ptePage: table(),
    ptlMm: table(),
    ptlRegion: table(),
    folio: table(),
    data: table(),
    pgLocked: table(),
    slot: table(),
    mmUsers: table(),
    flushPending: table(),
    batched: table(),
    mmapLock: table(),
    mmapChanging: table()
  }
  for (const [name, id, value] of entries) where[name][id] = value
  return where
}

export const whereOf = (world: World): Where => {
  let where = tables.get(world)
  if (where === undefined) tables.set(world, where = build(world))
  return where
}

/** The table's entry for an actor that may be younger than the table. */
export const lookUp = (table: Int32Array, id: number): number => id < table.length ? table[id]! : -1

/** Index of (mm, page) in arrays over all address spaces. */
export const keyOf = (world: World, mm: number, page: number): number => mm * world.pages + page

/** Somebody holds the lock of the page table that `page` lies in: its entries may be half rewritten. */
export const inRewrite = (world: World, mm: MmRef, page: number): boolean =>
  mm.ptls[world.regionOf[page]!]!.state !== -1

/** Page frame that an entry maps or will map again after a migration; -1 for others. */
export const mappedPfn = (pte: Pte): number => pte._tag === "present" || pte._tag === "migration" ? pte.pfn : -1

export const pageName = (world: World, mm: MmRef, page: number): string => {
  const region = world.regions[world.regionOf[page]!]!
  const name = region.pages === 1 ? region.name : `${region.name}[${page - region.first}]`
  return mm.id === 0 ? name : `${mm.name}:${name}`
}

/** Thread of a step is executing a memory instruction of user space (and not the kernel). */
export const inInstruction = (world: World, event: Event): boolean => {
  const task = world.tasks[event.thread]
  return task !== undefined && task.cpu.actor.state.instruction === event.thread
}

/** The empty value of an array over threads, pages ... */
export const filled = <A>(length: number, value: A): ReadonlyArray<A> => Array.from({ length }, () => value)

/** `list` with one item changed; the same list when it is the same already. (`Array.with` is several times slower.) */
export const withItem = <A>(list: ReadonlyArray<A>, index: number, value: A): ReadonlyArray<A> => {
  if (list[index] === value) return list
  const changed = list.slice()
  changed[index] = value
  return changed
}
