/** I-19, I-20, I-21: a swap slot, the folio that caches it, and the data that belongs to it. */
import type { Pte } from "@mmrace/arch"
import { commands, type Event, type Monitor, Mutex } from "@mmrace/core"
import {
  folio_set_swap_entry,
  page_write,
  prep_new_page,
  set_pte_at,
  slot_try_alloc,
  type SlotState,
  swap_cache_set,
  swap_free,
  swap_read_data,
  swap_write_data,
  swapcache_clear,
  swapcache_prepare,
  type World,
  ZERO_PFN
} from "../objects/index.ts"
import { filled, lookUp, pageName, whereOf, withItem } from "./where.ts"

/** By slot: thread between setting SWAP_HAS_CACHE and indexing a folio, or between removing the folio and clearing; -1. */
export type Between = ReadonlyArray<number>

export const hasCache = (world: World): Monitor<Between> => {
  const where = whereOf(world)
  const nobody = filled(world.slots.length, -1)
  return {
    id: "I-19",
    title: "HasCache",
    on: commands(slot_try_alloc, swapcache_prepare, swapcache_clear, swap_cache_set),
    initial: () => nobody,
    step(state, event) {
      const slot = lookUp(where.slot, event.actor.id)
      const command: unknown = event.command
      const before = event.before as SlotState
      const between = state[slot]!
      const { thread } = event
      const complain = (what: string): void => event.violate(`swap slot ${slot}: ${what}`, "SWAP_HAS_CACHE")
      if (command === slot_try_alloc || command === swapcache_prepare) {
        return event.result === true ? withItem(state, slot, thread) : state
      }
      if (command === swapcache_clear) {
        if (!before.hasCache) complain("SWAP_HAS_CACHE is cleared although it is not set")
        else if (before.cache >= 0) complain(`SWAP_HAS_CACHE is cleared while pfn ${before.cache} is in the swap cache`)
        return withItem(state, slot, -1)
      }
      const pfn = event.arg as number
      if (pfn < 0) {
        if (between >= 0) complain("a folio is removed while another task is adding or removing one")
        return withItem(state, slot, thread)
      }
      if (!before.hasCache) complain(`pfn ${pfn} enters the swap cache without SWAP_HAS_CACHE`)
      else if (before.cache >= 0) complain(`pfn ${pfn} replaces pfn ${before.cache} in the swap cache`)
      else if (between !== thread) complain(`pfn ${pfn} is added by a task that did not set SWAP_HAS_CACHE`)
      return withItem(state, slot, -1)
    },
    end(_state, quiescence) {
      for (const { actor, offset } of world.slots) {
        const { cache, hasCache: flag } = actor.state
        if (flag !== cache >= 0) {
          quiescence.violate(
            flag
              ? `swap slot ${offset}: SWAP_HAS_CACHE is left set without a folio`
              : `swap slot ${offset}: pfn ${cache} is cached without SWAP_HAS_CACHE`,
            "SWAP_HAS_CACHE"
          )
        }
      }
    }
  }
}

export interface Identities {
  /** By page frame: the slot it cached when its lock was taken, -1 for none; UNLOCKED. */
  readonly lockedAs: ReadonlyArray<number>
  /** By page frame: the thread that allocated it, as long as it has not been in the swap cache; -1. */
  readonly fresh: ReadonlyArray<number>
}

const UNLOCKED = -2

/**
 * The holder of the folio lock may be in the middle of a change, so the swap cache is looked at when the lock changes
 * hands. Whoever maps a page for a swap entry must have found it to be that entry's when it got the lock, unless it
 * brought a page of its own (the swap cache was skipped).
 */
export const swapcacheIdentity = (world: World): Monitor<Identities> => {
  const where = whereOf(world)
  const initial: Identities = {
    lockedAs: filled(world.folios.length, UNLOCKED),
    fresh: filled(world.folios.length, -1)
  }

  const install = (state: Identities, event: Event): void => {
    const before = event.before as Pte
    const pte = event.arg as Pte
    if (before._tag !== "swap" || pte._tag !== "present" || pte.pfn === ZERO_PFN) return
    const as = state.lockedAs[pte.pfn]!
    const locked = world.folios[pte.pfn]!.lock.state === event.thread
    if (locked && (as === before.offset || state.fresh[pte.pfn] === event.thread)) return
    const found = !locked ? "is not locked" : as < 0 ? "was in no slot's swap cache" : `was the page of slot ${as}`
    event.violate(
      `pfn ${pte.pfn} is mapped for swap slot ${before.offset}, but it ${found}${locked ? " when it was locked" : ""}`,
      "swap cache"
    )
  }

  return {
    id: "I-20",
    title: "SwapcacheIdentity",
    on: commands(
      Mutex.mutex.lock,
      Mutex.mutex.lockKillable,
      Mutex.mutex.trylock,
      Mutex.mutex.unlock,
      prep_new_page,
      folio_set_swap_entry,
      set_pte_at
    ),
    initial: () => initial,
    step(state, event) {
      const command: unknown = event.command
      const { actor, thread } = event
      if (command === set_pte_at) {
        install(state, event)
        return state
      }
      if (command === prep_new_page) {
        return { ...state, fresh: withItem(state.fresh, lookUp(where.folio, actor.id), thread) }
      }
      if (command === folio_set_swap_entry) {
        const pfn = lookUp(where.folio, actor.id)
        return state.fresh[pfn] === -1 ? state : { ...state, fresh: withItem(state.fresh, pfn, -1) }
      }
      const pfn = lookUp(where.pgLocked, actor.id)
      if (pfn <= ZERO_PFN || event.result === false) return state
      const { swap } = world.folios[pfn]!.folio.state
      for (let i = 0; i < world.slots.length; i++) {
        const { cache } = world.slots[i]!.actor.state
        if (cache === pfn && swap !== i) {
          event.violate(
            `the swap cache has pfn ${pfn} for slot ${i}, but the folio names ${swap < 0 ? "none" : `slot ${swap}`}`,
            "swap cache"
          )
        }
      }
      if (swap >= 0 && world.slots[swap]!.actor.state.cache !== pfn) {
        event.violate(`pfn ${pfn} names slot ${swap}, but the swap cache does not have it there`, "swap cache")
      }
      return { ...state, lockedAs: withItem(state.lockedAs, pfn, command === Mutex.mutex.unlock ? UNLOCKED : swap) }
    }
  }
}

/** What a page frame holds of a slot: the slot, its owner generation, and whether the data was that owner's. */
interface Tag {
  readonly slot: number
  readonly generation: number
  readonly genuine: boolean
}

export interface Generations {
  /** By slot: how often it has become free. */
  readonly generation: ReadonlyArray<number>
  /** By slot: what its owner wrote out. */
  readonly data: ReadonlyArray<number>
  /** By page frame. */
  readonly frames: ReadonlyArray<Tag | undefined>
  /** By thread: what it read from a device and has not yet put into a page. */
  readonly read: ReadonlyArray<Tag | undefined>
  /** By thread: the slot of which it dropped an entry in this page-table-lock section, and the generation before. */
  readonly dropped: ReadonlyArray<Tag | undefined>
}

const isFree = (slot: SlotState): boolean => slot.count === 0 && !slot.hasCache

export const noStaleSwapin = (world: World): Monitor<Generations> => {
  const where = whereOf(world)
  const initial: Generations = {
    generation: filled(world.slots.length, 0),
    data: world.slots.map(({ actor }) => actor.initial.data),
    frames: filled(world.folios.length, undefined),
    read: filled(world.tasks.length, undefined),
    dropped: filled(world.tasks.length, undefined)
  }
  /** A slot step made it free: whoever gets it next is another owner. */
  const freed = (state: Generations, event: Event, slot: number): Generations =>
    isFree(event.actor.state as SlotState) && !isFree(event.before as SlotState)
      ? { ...state, generation: withItem(state.generation, slot, state.generation[slot]! + 1) }
      : state

  const install = (state: Generations, event: Event): void => {
    const before = event.before as Pte
    const pte = event.arg as Pte
    if (before._tag !== "swap" || pte._tag !== "present" || pte.pfn === ZERO_PFN) return
    const m = lookUp(where.pteMm, event.actor.id)
    if (m < 0) return
    const { offset } = before
    const dropped = state.dropped[event.thread]
    const generation = dropped?.slot === offset ? dropped.generation : state.generation[offset]!
    const tag = state.frames[pte.pfn]
    const at = pageName(world, world.mms[m]!, where.ptePage[event.actor.id]!)
    const stale = tag === undefined || tag.slot !== offset
      ? "which does not hold the data of that slot"
      : tag.generation !== generation
      ? "which holds the data of an earlier owner of the slot"
      : tag.genuine
      ? undefined
      : "which was read from the device when the device had dropped the data"
    if (stale !== undefined) {
      event.violate(`${at}, swap slot ${offset}, is swapped in as pfn ${pte.pfn}, ${stale}`, "swap data")
    }
  }

  return {
    id: "I-21",
    title: "NoStaleSwapin",
    on: commands(
      swap_free,
      swapcache_clear,
      swap_cache_set,
      swap_read_data,
      swap_write_data,
      page_write,
      prep_new_page,
      set_pte_at,
      Mutex.spinlock.unlock
    ),
    initial: () => initial,
    step(state, event) {
      const command: unknown = event.command
      const { actor, thread } = event
      if (command === set_pte_at) {
        install(state, event)
        return state
      }
      if (command === Mutex.spinlock.unlock) {
        return state.dropped[thread] === undefined
          ? state
          : { ...state, dropped: withItem(state.dropped, thread, undefined) }
      }
      if (command === page_write) {
        const read = state.read[thread]
        if (read === undefined) return state
        const pfn = lookUp(where.data, actor.id)
        return { ...state, frames: withItem(state.frames, pfn, read), read: withItem(state.read, thread, undefined) }
      }
      if (command === prep_new_page) {
        const pfn = lookUp(where.folio, actor.id)
        return state.frames[pfn] === undefined ? state : { ...state, frames: withItem(state.frames, pfn, undefined) }
      }
      const slot = lookUp(where.slot, actor.id)
      const generation = state.generation[slot]!
      if (command === swap_read_data) {
        const read: Tag = { slot, generation, genuine: event.result === state.data[slot] }
        return { ...state, read: withItem(state.read, thread, read) }
      }
      if (command === swap_write_data) {
        const { cache } = actor.state as SlotState
        // Only what the cached folio holds is the owner's data; anything else is the device forgetting it.
        return cache >= 0 && world.folios[cache]!.page.state === event.arg
          ? { ...state, data: withItem(state.data, slot, event.arg) }
          : state
      }
      if (command === swap_cache_set) {
        const pfn = event.arg as number
        if (pfn < 0) return state
        const tag = state.frames[pfn]
        // A folio that comes to be read has no data yet; one that goes out is the slot's data itself.
        return tag !== undefined && tag.slot === slot && tag.generation === generation
          ? state
          : { ...state, frames: withItem(state.frames, pfn, { slot, generation, genuine: true }) }
      }
      if (command === swap_free) {
        const next = { ...state, dropped: withItem(state.dropped, thread, { slot, generation, genuine: true }) }
        return freed(next, event, slot)
      }
      return freed(state, event, slot)
    }
  }
}
