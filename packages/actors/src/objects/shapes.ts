/** Schemas of the values that mm commands carry in the event log. */
import type { Pte } from "@mmrace/arch"
import { Schema } from "effect"

const bits = {
  softDirty: Schema.Boolean,
  uffdWp: Schema.Boolean
}

/** A decoded page-table entry (`@mmrace/arch` gives the raw encoding of each). */
export const PteShape: Schema.Codec<Pte> = Schema.Union([
  Schema.TaggedStruct("none", {}),
  Schema.TaggedStruct("present", {
    pfn: Schema.Int,
    write: Schema.Boolean,
    dirty: Schema.Boolean,
    young: Schema.Boolean,
    uffdWp: Schema.Boolean,
    softDirty: Schema.Boolean,
    special: Schema.Boolean,
    protnone: Schema.Boolean
  }),
  Schema.TaggedStruct("swap", { type: Schema.Int, offset: Schema.Int, exclusive: Schema.Boolean, ...bits }),
  Schema.TaggedStruct("migration", {
    pfn: Schema.Int,
    flavour: Schema.Literals(["writable", "readable-exclusive", "readable"]),
    young: Schema.Boolean,
    dirty: Schema.Boolean,
    ...bits
  }),
  Schema.TaggedStruct("marker", { uffdWp: Schema.Boolean, poisoned: Schema.Boolean, guard: Schema.Boolean }),
  Schema.TaggedStruct("hwpoison", { pfn: Schema.Int })
])

/** A PTE in a few characters: `pfn 3 rw dirty`, `swap 1 exclusive`, `none`. */
export const showPte = (pte: Pte): string => {
  switch (pte._tag) {
    case "none":
      return "none"
    case "present":
      return `pfn ${pte.pfn} ${pte.write ? "rw" : "ro"}${pte.dirty ? " dirty" : ""}${pte.uffdWp ? " uffd-wp" : ""}${
        pte.protnone ? " protnone" : ""
      }`
    case "swap":
      return `swap ${pte.offset}${pte.exclusive ? " exclusive" : ""}${pte.uffdWp ? " uffd-wp" : ""}`
    case "migration":
      return `migration pfn ${pte.pfn} ${pte.flavour}${pte.uffdWp ? " uffd-wp" : ""}`
    case "marker":
      return `marker${pte.uffdWp ? " uffd-wp" : ""}${pte.poisoned ? " poisoned" : ""}${pte.guard ? " guard" : ""}`
    case "hwpoison":
      return `hwpoison pfn ${pte.pfn}`
  }
}
