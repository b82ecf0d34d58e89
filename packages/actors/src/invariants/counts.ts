/** I-14, I-18: counts of a page's mappings and of a slot's swap entries, when no one is in the middle of changing them. */
import type { Pte } from "@mmrace/arch"
import { commands, type Event, type Monitor, Mutex } from "@mmrace/core"
import {
  folio_add_mapcount,
  ptep_get_and_clear,
  set_pte_at,
  swap_duplicate,
  swap_free,
  type World,
  ZERO_PFN
} from "../objects/index.ts"
import { filled, lookUp, whereOf, withItem } from "./where.ts"

/** By counted thing: a bit for each thread that changed it within a page-table-lock section it has not left. */
type Touched = ReadonlyArray<number>

interface Counted {
  readonly id: string
  readonly title: string
  readonly on: ReadonlyArray<unknown>
  readonly size: number
  /** The thing that an entry counts for, -1 for none. */
  readonly thing: (pte: Pte) => number
  /** The thing that a step on another actor than an entry changes. */
  readonly changed: (event: Event) => number
  readonly check: (thing: number, report: (message: string, subject: string) => void) => void
}

const counted = (world: World, { changed, check, id, on, size, thing, title }: Counted): Monitor<Touched> => {
  const where = whereOf(world)
  const untouched = filled(size, 0)
  const ptls = world.mms.flatMap((mm) => mm.ptls)
  const holdsPtl = (thread: number): boolean => {
    for (let i = 0; i < ptls.length; i++) if (ptls[i]!.state === thread) return true
    return false
  }
  const touch = (state: Touched, item: number, thread: number): Touched => {
    if (item < 0) return state
    const bits = state[item]! | (1 << thread)
    return bits === state[item] ? state : withItem(state, item, bits)
  }
  return {
    id,
    title,
    on: commands(Mutex.spinlock.unlock, set_pte_at, ptep_get_and_clear, ...on),
    initial: () => untouched,
    step(state, event) {
      const { actor, thread } = event
      if (lookUp(where.ptlMm, actor.id) >= 0) {
        if (holdsPtl(thread)) return state
        let next: Touched = state
        for (let i = 0; i < size; i++) {
          const bits = next[i]!
          if ((bits & (1 << thread)) === 0) continue
          next = withItem(next, i, bits & ~(1 << thread))
          if (next[i] === 0) check(i, (message, subject) => event.violate(message, subject))
        }
        return next
      }
      if (lookUp(where.pteMm, actor.id) >= 0) {
        return touch(touch(state, thing(event.before as Pte), thread), thing(actor.state as Pte), thread)
      }
      const item = changed(event)
      if (item < 0 || holdsPtl(thread)) return touch(state, item, thread)
      if (state[item] === 0) check(item, (message, subject) => event.violate(message, subject))
      return state
    },
    end(_state, quiescence) {
      for (let i = 0; i < size; i++) check(i, (message, subject) => quiescence.violate(message, subject))
    }
  }
}

export const mapcountExact = (world: World): Monitor<Touched> => {
  const where = whereOf(world)
  return counted(world, {
    id: "I-14",
    title: "MapcountExact",
    on: [folio_add_mapcount],
    size: world.folios.length,
    thing: (pte) => pte._tag === "present" && pte.pfn !== ZERO_PFN ? pte.pfn : -1,
    changed: (event) => lookUp(where.folio, event.actor.id),
    check(pfn, report) {
      if (pfn === ZERO_PFN) return
      let n = 0
      for (const mm of world.mms) {
        for (let page = 0; page < world.pages; page++) {
          const pte = mm.ptes[page]!.state
          if (pte._tag === "present" && pte.pfn === pfn) n++
        }
      }
      const { mapcount } = world.folios[pfn]!.folio.state
      if (mapcount !== n) report(`pfn ${pfn} has mapcount ${mapcount}, but ${n} page-table entries map it`, "mapcount")
    }
  })
}

export const swapCount = (world: World): Monitor<Touched> => {
  const where = whereOf(world)
  return counted(world, {
    id: "I-18",
    title: "SwapCount",
    on: [swap_duplicate, swap_free],
    size: world.slots.length,
    thing: (pte) => pte._tag === "swap" ? pte.offset : -1,
    changed: (event) => lookUp(where.slot, event.actor.id),
    check(offset, report) {
      let n = 0
      for (const mm of world.mms) {
        for (let page = 0; page < world.pages; page++) {
          const pte = mm.ptes[page]!.state
          if (pte._tag === "swap" && pte.offset === offset) n++
        }
      }
      const { count } = world.slots[offset]!.actor.state
      if (count !== n) report(`swap slot ${offset} has count ${count}, but ${n} swap entries refer to it`, "swap slot")
    }
  })
}
