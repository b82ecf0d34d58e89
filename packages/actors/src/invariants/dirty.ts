/**
 * I-24: a store that reached a page is in memory or in swap before the page is dropped. The monitor keeps the home of each
 * page's latest data: the frame that a store or a fill put it in, or that the kernel moved it to.
 */
import type { Pte } from "@mmrace/arch"
import { commands, type Event, type Monitor, Mutex } from "@mmrace/core"
import {
  type Access,
  atomic_add_return,
  atomic_set,
  type Call,
  enter,
  fork_begin,
  fork_copied,
  free_unref_page,
  leave,
  page_write,
  translate,
  type World,
  ZERO_PFN
} from "../objects/index.ts"
import { discards, fills, mmOf } from "./calls.ts"
import { noPins, pinCommands, type Pins, pinsStep, storesForProcess } from "./pinned.ts"
import { filled, inInstruction, keyOf, lookUp, pageName, whereOf, withItem } from "./where.ts"

/** No data that must not be lost; the data is in swap. Otherwise a page frame number. */
const NOTHING = -1, SWAPPED = -2

export interface Homes {
  /** By key. */
  readonly home: ReadonlyArray<number>
  /** By key: the frame it was mapped to at rest, NOTHING for no page, SWAPPED for a swap entry. */
  readonly rest: ReadonlyArray<number>
  /** By key: discards and MADV_FREEs in progress; what is stored meanwhile may go. */
  readonly dropping: ReadonlyArray<number>
  readonly page: ReadonlyArray<number>
  /** By mm: the parent it is being copied from, -1. */
  readonly forkedFrom: ReadonlyArray<number>
  readonly pins: Pins
}

const restOf = (pte: Pte): number =>
  pte._tag === "present" || pte._tag === "migration" ? pte.pfn : pte._tag === "swap" ? SWAPPED : NOTHING

export const dirtyNotLost = (world: World): Monitor<Homes> => {
  const where = whereOf(world)
  const keys = world.mms.length * world.pages
  const rest = world.mms.flatMap((mm) => mm.ptes.map((pte) => restOf(pte.initial)))
  const initial: Homes = {
    home: rest.map((r) => r === ZERO_PFN ? NOTHING : r),
    rest,
    dropping: filled(keys, 0),
    page: filled(world.tasks.length, -1),
    forkedFrom: filled(world.mms.length, -1),
    pins: noPins(world)
  }

  const settle = (state: Homes, mm: number, page: number, event: Event): Homes => {
    const key = keyOf(world, mm, page)
    const was = state.rest[key]!
    const now = restOf(world.mms[mm]!.ptes[page]!.state)
    if (was === now) return state
    let home = state.home[key]!
    const call = state.pins.calls[event.thread]
    const parent = state.forkedFrom[mm]!
    if (parent >= 0 && was === NOTHING) {
      const theirs = state.home[keyOf(world, parent, page)]!
      home = theirs === NOTHING ? NOTHING : now === SWAPPED ? theirs : now
    } else if (now >= ZERO_PFN) {
      if (state.dropping[key]! > 0) home = NOTHING
      else if (call !== undefined && fills(call)) home = now === ZERO_PFN ? NOTHING : now
      else if (home !== NOTHING) {
        if (was === NOTHING && home !== now) {
          event.violate(
            `${pageName(world, world.mms[mm]!, page)} gets pfn ${now}, but its data is in ${
              home === SWAPPED ? "swap" : `pfn ${home}`
            }`,
            "dropped page"
          )
        }
        home = now
      }
    }
    return { ...state, rest: withItem(state.rest, key, now), home: withItem(state.home, key, home) }
  }

  /** Where else the data of frame `pfn` is for this entry; NOTHING. */
  const elsewhere = (pte: Pte, pfn: number): number => {
    const data = world.folios[pfn]!.page.state
    if (pte._tag === "swap") return world.slots[pte.offset]!.actor.state.data === data ? SWAPPED : NOTHING
    // Swapped in again: the entry is set, its page-table lock not dropped yet.
    const there = pte._tag === "present" && pte.pfn !== pfn && world.folios[pte.pfn]!.page.state === data
    return there ? pte.pfn : NOTHING
  }

  /** A frame goes: data that has its home there must be in swap, or in the frame that it was swapped in to. */
  const drop = (state: Homes, pfn: number, event: Event): Homes => {
    let { home } = state
    for (let key = 0; key < keys; key++) {
      if (home[key] !== pfn) continue
      const mm = world.mms[Math.floor(key / world.pages)]!
      const page = key % world.pages
      const now = elsewhere(mm.ptes[page]!.state, pfn)
      if (now === NOTHING) {
        event.violate(
          `pfn ${pfn} is dropped with the data of ${pageName(world, mm, page)}, which is nowhere else`,
          "dropped page"
        )
      }
      home = withItem(home, key, now)
    }
    return home === state.home ? state : { ...state, home }
  }

  const overRange = (state: Homes, event: Event, call: Call, delta: number): Homes => {
    const { id } = mmOf(world, event.thread, call)
    let { dropping, home } = state
    for (let page = call.page; page < call.page + call.pages; page++) {
      const key = keyOf(world, id, page)
      dropping = withItem(dropping, key, dropping[key]! + delta)
      if (delta > 0) home = withItem(home, key, NOTHING)
    }
    return { ...state, dropping, home }
  }

  const stored = (state: Homes, mm: number, page: number, pfn: number): Homes => {
    const key = keyOf(world, mm, page)
    return state.dropping[key]! > 0 || state.home[key] === pfn
      ? state
      : { ...state, home: withItem(state.home, key, pfn) }
  }

  return {
    id: "I-24",
    title: "DirtyNotLost",
    on: commands(
      ...pinCommands(world),
      atomic_add_return,
      atomic_set,
      translate,
      page_write,
      Mutex.spinlock.unlock,
      free_unref_page,
      fork_begin,
      fork_copied
    ),
    initial: () => initial,
    step(state, event) {
      const command: unknown = event.command
      const { actor, thread } = event
      if (command === Mutex.spinlock.unlock) {
        const m = lookUp(where.ptlMm, actor.id)
        if (m < 0) return state
        const { first, pages } = world.regions[where.ptlRegion[actor.id]!]!
        let next = state
        for (let page = first; page < first + pages; page++) next = settle(next, m, page, event)
        return next
      }
      if (command === translate) {
        const { page, store } = event.arg as Access
        return store && state.page[thread] !== page ? { ...state, page: withItem(state.page, thread, page) } : state
      }
      if (command === page_write) {
        const pfn = lookUp(where.data, actor.id)
        if (inInstruction(world, event)) return stored(state, world.tasks[thread]!.mm.id, state.page[thread]!, pfn)
        if (state.pins.calls[thread]?.name !== "dma_store" || pfn === ZERO_PFN) return state
        const held = state.pins.held.find((h) => h.pfn === pfn && h.thread === thread)
        const promised = held !== undefined && held.kept && storesForProcess(held)
        return promised ? stored(state, held.mm, held.page, pfn) : state
      }
      if (command === free_unref_page) return drop(state, event.arg as number, event)
      if (command === fork_begin || command === fork_copied) {
        const parent = command === fork_begin ? world.tasks[thread]!.mm.id : -1
        return { ...state, forkedFrom: withItem(state.forkedFrom, event.arg as number, parent) }
      }
      let next = state
      const call = command === enter ? event.arg as Call : command === leave ? state.pins.calls[thread] : undefined
      if (call !== undefined && (discards(call) || call.name === "madvise_free")) {
        next = overRange(state, event, call, command === enter ? 1 : -1)
      }
      const gone = lookUp(where.mmUsers, actor.id)
      if (gone >= 0 && actor.state === 0) {
        let { home } = next
        for (let page = 0; page < world.pages; page++) home = withItem(home, keyOf(world, gone, page), NOTHING)
        next = { ...next, home }
      }
      const held = pinsStep(world, next.pins, event)
      return held === next.pins ? next : { ...next, pins: held }
    }
  }
}
