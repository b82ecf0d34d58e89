/**
 * State predicates over page-table entries. Inside a page-table-lock section an entry may be half rewritten, so they are
 * looked at when the lock is dropped; and when a flag of a mapped folio changes, on the entries whose lock is free.
 */
import type { Pte } from "@mmrace/arch"
import { type Command, commands, type Event, type Monitor, Mutex } from "@mmrace/core"
import type { MmRef, World } from "../objects/index.ts"
import { inRewrite, lookUp, mappedPfn, whereOf } from "./where.ts"

export interface RestingEntry {
  readonly id: string
  readonly title: string
  /** Folio commands after which the entries that map the folio are looked at again. */
  readonly folio?: ReadonlyArray<Command<never, never, never>>
  readonly check: (mm: MmRef, page: number, pte: Pte, event: Event) => void
}

export const restingEntries = (world: World, { check, folio, id, title }: RestingEntry): Monitor => {
  const where = whereOf(world)
  return {
    id,
    title,
    on: commands(Mutex.spinlock.unlock, ...(folio ?? [])),
    initial: () => null,
    step(state, event) {
      const actor = event.actor.id
      const m = lookUp(where.ptlMm, actor)
      if (m >= 0) {
        const mm = world.mms[m]!
        const { first, pages } = world.regions[where.ptlRegion[actor]!]!
        for (let page = first; page < first + pages; page++) {
          const pte = mm.ptes[page]!.state
          if (pte._tag !== "none") check(mm, page, pte, event)
        }
        return state
      }
      const pfn = lookUp(where.folio, actor)
      if (pfn > 0) {
        for (let i = 0; i < world.mms.length; i++) {
          const mm = world.mms[i]!
          for (let page = 0; page < world.pages; page++) {
            const pte = mm.ptes[page]!.state
            if (mappedPfn(pte) === pfn && !inRewrite(world, mm, page)) check(mm, page, pte, event)
          }
        }
      }
      return state
    }
  }
}
