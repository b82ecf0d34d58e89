/**
 * What an architecture answers for the mm model: how it packs page-table entries, when a change to
 * one needs a TLB flush, and what its page walker writes back. One value an architecture; the model
 * holds one and asks it, it never tests names.
 */
import type { Pte, PtePresent } from "./Pte.ts"

/** A raw entry that has no decoded form in the model. */
export interface Unmodelled {
  readonly _tag: "unmodelled"
  readonly raw: bigint
  /** Why, for the reader. */
  readonly reason: string
}

/** What the kernel can count on, by Kconfig and by hardware. */
export interface ArchFeatures {
  readonly uffdMissing: boolean
  /** `HAVE_ARCH_USERFAULTFD_WP`: an entry can carry write-protection apart from its permission. */
  readonly uffdWp: boolean
  readonly uffdMinor: boolean
  /** `PTE_MARKER_UFFD_WP`: write-protection of entries that map nothing. */
  readonly pteMarkerUffdWp: boolean
  readonly softDirty: boolean
  /** A swap entry has a bit for PG_anon_exclusive. */
  readonly swpExclusive: boolean
  /** A migration entry has room for young and dirty. */
  readonly migrationYoungDirty: boolean
  /** `ARCH_WANT_BATCHED_UNMAP_TLB_FLUSH`: reclaim may defer its flushes. */
  readonly batchedUnmapFlush: boolean
  /** Freeing a page table waits for GUP-fast by interrupting other CPUs; false where tables are freed by RCU. */
  readonly gupFastNeedsIpi: boolean
  readonly thpMigration: boolean
  /** The page walker sets young itself; otherwise an old entry faults. */
  readonly hardwareSetsYoung: boolean
  /** The page walker sets dirty itself; otherwise a clean entry faults on a store. */
  readonly hardwareSetsDirty: boolean
}

export interface Arch<Name extends string = string> {
  readonly name: Name
  readonly features: ArchFeatures
  /** Bits of a page frame number; every `pfn` is below 2^pfnBits. */
  readonly pfnBits: number
  /** Bits of a swap offset. The last slot of device 0 has no entry where it would be all zeros, which is `none`. */
  readonly swapOffsetBits: number
  /** Packs an entry. A field outside its range is a defect of the caller: RangeError. */
  readonly encode: (pte: Pte) => bigint
  /** Unpacks any 64-bit value. Bits the model does not have (execute, cache mode, keys) are ignored. */
  readonly decode: (raw: bigint) => Pte | Unmodelled
  /** `pte_needs_flush` on raw entries, exact. */
  readonly rawNeedsFlush: (before: bigint, after: bigint) => boolean
  /** The same answer on decoded entries, without encoding them. */
  readonly pteNeedsFlush: (before: Pte, after: Pte) => boolean
  /**
   * A page walk for a load or a store that misses the TLB: the entry with what the walker wrote back
   * (the same object when it wrote nothing), or undefined when the access faults.
   */
  readonly walk: (pte: Pte, isStore: boolean) => PtePresent | undefined
}
