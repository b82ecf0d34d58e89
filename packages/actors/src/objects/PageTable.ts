/**
 * Page-table entries. Each entry is an actor of its own, because the hardware walker, GUP-fast and other lockless
 * readers look at single entries while somebody holds the page-table lock. The lock (`Region.ptl`) is a spinlock.
 */
import { mkHardwareDirty, mkyoung, none, type Pte } from "@mmrace/arch"
import { ActorType } from "@mmrace/core"
import { Schema } from "effect"
import { PteShape, showPte } from "./shapes.ts"

export const pteType = new ActorType<Pte>("pte", { show: showPte })

/** Lockless or locked read of the entry. */
export const ptep_get = pteType.command<void, Pte>("ptep_get", {
  access: "read",
  decide: (pte) => pte,
  result: PteShape,
  show: (_, pte) => showPte(pte)
})

export const set_pte_at = pteType.command<Pte>("set_pte_at", {
  access: "write",
  evolve: (_, pte) => pte,
  arg: PteShape,
  show: showPte
})

/** Atomic exchange with none (xchg); returns the entry there was, with the dirty bit hardware set up to now. */
export const ptep_get_and_clear = pteType.command<void, Pte>("ptep_get_and_clear", {
  access: "write",
  decide: (pte) => pte,
  evolve: () => none,
  result: PteShape,
  show: (_, pte) => `was ${showPte(pte)}`
})

/** Atomic clear of the write bit. */
export const ptep_set_wrprotect = pteType.command("ptep_set_wrprotect", {
  access: "write",
  evolve: (pte) => pte._tag === "present" && pte.write ? { ...pte, write: false } : pte
})

/** What the hardware walker found: the translation it may cache, or -1 for a page fault. */
export interface Walk {
  readonly pfn: number
  readonly write: boolean
  readonly dirty: boolean
}
export const WalkShape = Schema.Struct({ pfn: Schema.Int, write: Schema.Boolean, dirty: Schema.Boolean })

const faults: Walk = { pfn: -1, write: false, dirty: false }

/** The walk of a load (false) or store (true): sets accessed, and dirty for a store, atomically with the check. */
export const hw_walk = pteType.command<boolean, Walk>("hw_walk", {
  access: "write",
  decide: (pte, store) =>
    pte._tag !== "present" || pte.protnone || (store && !pte.write)
      ? faults
      : { pfn: pte.pfn, write: pte.write, dirty: pte.dirty || store },
  evolve: (pte, store, walk) =>
    walk.pfn < 0 || pte._tag !== "present" ? pte : store ? mkHardwareDirty(mkyoung(pte)) : mkyoung(pte),
  arg: Schema.Boolean,
  result: WalkShape,
  show: (store, walk) => `${store ? "store" : "load"}: ${walk.pfn < 0 ? "page fault" : `pfn ${walk.pfn}`}`
})
