/** I-13, I-16, I-52: references, and what may still point to a page that has none. */
import { commands, type Event, type Monitor } from "@mmrace/core"
import {
  folio_add_mapcount,
  folio_ref_add,
  folio_ref_freeze,
  folio_ref_sub,
  folio_ref_unfreeze,
  folio_set_swap_entry,
  type FolioState,
  free_pages_prepare,
  free_unref_page,
  GUP_PIN_COUNTING_BIAS,
  pin_released,
  pin_taken,
  type PinMark,
  prep_new_page,
  type World,
  ZERO_PFN
} from "../objects/index.ts"
import { filled, lookUp, whereOf, withItem } from "./where.ts"

export interface References {
  /** By page frame: references of pins and gets. */
  readonly held: ReadonlyArray<number>
  /** By page frame: its count is frozen (folio_ref_freeze), that is 0 without being free. */
  readonly frozen: ReadonlyArray<boolean>
}

const weight = (mark: PinMark): number => mark.pin === "pin" ? GUP_PIN_COUNTING_BIAS : 1

const pinMark = (state: ReadonlyArray<number>, event: Event): ReadonlyArray<number> => {
  const mark = event.arg as PinMark
  if (mark.pfn === ZERO_PFN) return state
  const sign = (event.command as unknown) === pin_taken ? 1 : -1
  return withItem(state, mark.pfn, Math.max(0, state[mark.pfn]! + sign * weight(mark)))
}

export const refcountLowerBound = (world: World): Monitor<References> => {
  const where = whereOf(world)
  const initial: References = { held: filled(world.folios.length, 0), frozen: filled(world.folios.length, false) }
  return {
    id: "I-13",
    title: "RefcountLowerBound",
    on: commands(
      folio_ref_add,
      folio_ref_sub,
      folio_ref_freeze,
      folio_ref_unfreeze,
      folio_add_mapcount,
      folio_set_swap_entry,
      prep_new_page,
      free_pages_prepare,
      pin_taken,
      pin_released
    ),
    initial: () => initial,
    step(state, event) {
      const command: unknown = event.command
      let next = state
      let pfn = -1
      if (command === pin_taken || command === pin_released) {
        pfn = (event.arg as PinMark).pfn
        next = { ...state, held: pinMark(state.held, event) }
      } else {
        pfn = lookUp(where.folio, event.actor.id)
        if (pfn <= ZERO_PFN) return state
        const { refcount } = event.before as FolioState
        if (command === folio_ref_freeze) {
          return event.result === true ? { ...state, frozen: withItem(state.frozen, pfn, true) } : state
        }
        if (command === folio_ref_unfreeze || command === prep_new_page || command === free_pages_prepare) {
          if (state.frozen[pfn]) next = { ...state, frozen: withItem(state.frozen, pfn, false) }
          if (command === prep_new_page && refcount !== 0) {
            event.violate(`pfn ${pfn} is handed out although it has ${refcount} references`, "refcount")
          }
        } else if (command === folio_ref_add && refcount <= 0) {
          event.violate(`a reference to pfn ${pfn} is taken although its count is ${refcount}`, "refcount")
        }
      }
      if (pfn <= ZERO_PFN || next.frozen[pfn]) return next
      const { mapcount, refcount, swap } = world.folios[pfn]!.folio.state
      const needed = mapcount + (swap >= 0 ? 1 : 0) + next.held[pfn]!
      if (refcount < 0) event.violate(`pfn ${pfn} has ${refcount} references`, "refcount")
      else if (refcount < needed) {
        event.violate(
          `pfn ${pfn} has ${refcount} references, but ${mapcount} mappings${swap >= 0 ? ", the swap cache" : ""}${
            next.held[pfn]! > 0 ? ` and pins for ${next.held[pfn]!}` : ""
          } need ${needed}`,
          "refcount"
        )
      }
      return next
    }
  }
}

/** TLB entries: see I-52; they may outlive the last reference until the page goes back to the allocator. */
export const freedUnreachable = (world: World): Monitor<ReadonlyArray<number>> => {
  const where = whereOf(world)
  const initial = filled(world.folios.length, 0)
  return {
    id: "I-16",
    title: "FreedUnreachable",
    on: commands(folio_ref_sub, free_unref_page, pin_taken, pin_released),
    initial: () => initial,
    step(state, event) {
      const command: unknown = event.command
      if (command === pin_taken || command === pin_released) return pinMark(state, event)
      if (command === folio_ref_sub && event.result !== 0) return state
      const pfn = command === free_unref_page ? event.arg as number : lookUp(where.folio, event.actor.id)
      if (pfn <= ZERO_PFN) return state
      const freed = `pfn ${pfn} is freed, but `
      for (const mm of world.mms) {
        for (let page = 0; page < world.pages; page++) {
          const pte = mm.ptes[page]!.state
          if ((pte._tag === "present" || pte._tag === "migration") && pte.pfn === pfn) {
            event.violate(`${freed}page ${page} of ${mm.name} maps it`, "page-table entry")
          }
        }
      }
      if (state[pfn]! > 0) event.violate(`${freed}a page reference of GUP is outstanding`, "pin")
      for (const { actor, offset } of world.slots) {
        if (actor.state.cache === pfn) event.violate(`${freed}the swap cache has it for slot ${offset}`, "swap cache")
      }
      const { mapcount } = world.folios[pfn]!.folio.state
      if (mapcount > 0) event.violate(`${freed}its mapcount is ${mapcount}`, "mapcount")
      return state
    }
  }
}

export const noTlbToFreed = (world: World): Monitor => ({
  id: "I-52",
  title: "NoTlbToFreed",
  on: commands(free_unref_page),
  initial: () => null,
  step(state, event) {
    const pfn = event.arg as number
    for (const { actor } of world.cpus) {
      const page = actor.state.tlb.findIndex((entry) => entry !== undefined && entry.pfn === pfn)
      if (page >= 0) {
        event.violate(
          `pfn ${pfn} goes back to the allocator, but ${actor.name} has a TLB entry for page ${page} to it`,
          "TLB entry"
        )
      }
    }
    return state
  }
})
