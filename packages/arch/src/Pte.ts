/**
 * The decoded page-table entry: what one slot of a PTE page means, independent of how an
 * architecture packs it into 64 bits. This is the value the mm model stores in its PTE pages, so
 * every member is a plain readonly object with one fixed field order (one hidden class per tag),
 * fit for structural comparison and for a log.
 *
 * Page frame numbers are 4 KiB page indices, swap offsets are slot indices; both stay well below
 * 2^53, so they are numbers and not bigints.
 */

/** Nothing mapped. No userfaultfd state can live here; that takes a marker. */
export interface PteNone {
  readonly _tag: "none"
}

/**
 * A mapped page. `write && uffdWp` is representable on purpose: it is a state the kernel promises
 * never to build, so a monitor must be able to see it. `protnone` is NUMA hinting or PROT_NONE:
 * the kernel calls the entry present, the hardware does not.
 */
export interface PtePresent {
  readonly _tag: "present"
  readonly pfn: number
  readonly write: boolean
  readonly dirty: boolean
  readonly young: boolean
  readonly uffdWp: boolean
  readonly softDirty: boolean
  readonly special: boolean
  readonly protnone: boolean
}

/** A page in swap: `type` is the swap device, `offset` the slot in it. */
export interface PteSwap {
  readonly _tag: "swap"
  readonly type: number
  readonly offset: number
  readonly exclusive: boolean
  readonly softDirty: boolean
  readonly uffdWp: boolean
}

/** Access the page had when migration took it away; "writable" implies exclusive for anon pages. */
export type MigrationFlavour = "writable" | "readable-exclusive" | "readable"

/** A page under migration. Its folio stays locked for as long as such an entry exists. */
export interface PteMigration {
  readonly _tag: "migration"
  readonly pfn: number
  readonly flavour: MigrationFlavour
  readonly young: boolean
  readonly dirty: boolean
  readonly softDirty: boolean
  readonly uffdWp: boolean
}

/** A swap-format entry that carries flags only: no slot, no page, no RSS. */
export interface PteMarker {
  readonly _tag: "marker"
  readonly uffdWp: boolean
  readonly poisoned: boolean
  readonly guard: boolean
}

/** A page with a memory error. */
export interface PteHwpoison {
  readonly _tag: "hwpoison"
  readonly pfn: number
}

export type Pte = PteNone | PtePresent | PteSwap | PteMigration | PteMarker | PteHwpoison

/** Entries in swap format: neither none nor present (`is_swap_pte`). */
export type PteNonPresent = PteSwap | PteMigration | PteMarker | PteHwpoison

/** The one empty entry. */
export const none: PteNone = Object.freeze({ _tag: "none" })

/** A read-only, clean, old page unless the flags say otherwise. */
export const present = (pfn: number, flags: Partial<Omit<PtePresent, "_tag" | "pfn">> = {}): PtePresent => ({
  _tag: "present",
  pfn,
  write: flags.write ?? false,
  dirty: flags.dirty ?? false,
  young: flags.young ?? false,
  uffdWp: flags.uffdWp ?? false,
  softDirty: flags.softDirty ?? false,
  special: flags.special ?? false,
  protnone: flags.protnone ?? false
})

/** A swap entry with no extra bits unless the flags say otherwise. */
export const swap = (
  type: number,
  offset: number,
  flags: Partial<Omit<PteSwap, "_tag" | "type" | "offset">> = {}
): PteSwap => ({
  _tag: "swap",
  type,
  offset,
  exclusive: flags.exclusive ?? false,
  softDirty: flags.softDirty ?? false,
  uffdWp: flags.uffdWp ?? false
})

/** A migration entry, old and clean unless the flags say otherwise. */
export const migration = (
  pfn: number,
  flavour: MigrationFlavour,
  flags: Partial<Omit<PteMigration, "_tag" | "pfn" | "flavour">> = {}
): PteMigration => ({
  _tag: "migration",
  pfn,
  flavour,
  young: flags.young ?? false,
  dirty: flags.dirty ?? false,
  softDirty: flags.softDirty ?? false,
  uffdWp: flags.uffdWp ?? false
})

/** A marker; at least one flag should be set, a marker of nothing is not an entry the kernel writes. */
export const marker = (flags: Partial<Omit<PteMarker, "_tag">>): PteMarker => ({
  _tag: "marker",
  uffdWp: flags.uffdWp ?? false,
  poisoned: flags.poisoned ?? false,
  guard: flags.guard ?? false
})

/** The three markers the kernel writes, one flag each. */
export const markerUffdWp: PteMarker = Object.freeze(marker({ uffdWp: true }))
export const markerPoisoned: PteMarker = Object.freeze(marker({ poisoned: true }))
export const markerGuard: PteMarker = Object.freeze(marker({ guard: true }))

/** A poisoned page. */
export const hwpoison = (pfn: number): PteHwpoison => ({ _tag: "hwpoison", pfn })

/** `pte_same`: all fields equal. Allocates nothing. */
export const pteSame = (a: Pte, b: Pte): boolean => {
  if (a === b) return true
  switch (a._tag) {
    case "none":
      return b._tag === "none"
    case "present":
      return b._tag === "present" && a.pfn === b.pfn && a.write === b.write && a.dirty === b.dirty &&
        a.young === b.young && a.uffdWp === b.uffdWp && a.softDirty === b.softDirty &&
        a.special === b.special && a.protnone === b.protnone
    case "swap":
      return b._tag === "swap" && a.type === b.type && a.offset === b.offset && a.exclusive === b.exclusive &&
        a.softDirty === b.softDirty && a.uffdWp === b.uffdWp
    case "migration":
      return b._tag === "migration" && a.pfn === b.pfn && a.flavour === b.flavour && a.young === b.young &&
        a.dirty === b.dirty && a.softDirty === b.softDirty && a.uffdWp === b.uffdWp
    case "marker":
      return b._tag === "marker" && a.uffdWp === b.uffdWp && a.poisoned === b.poisoned && a.guard === b.guard
    case "hwpoison":
      return b._tag === "hwpoison" && a.pfn === b.pfn
  }
}

export const isNone = (pte: Pte): pte is PteNone => pte._tag === "none"
export const isPresent = (pte: Pte): pte is PtePresent => pte._tag === "present"
export const isSwap = (pte: Pte): pte is PteSwap => pte._tag === "swap"
export const isMigration = (pte: Pte): pte is PteMigration => pte._tag === "migration"
export const isMarker = (pte: Pte): pte is PteMarker => pte._tag === "marker"

/** `pte_none_mostly` of kernels up to 6.18: none or any marker. */
export const isNoneMostly = (pte: Pte): boolean => pte._tag === "none" || pte._tag === "marker"

/** `pte_is_uffd_marker` of 6.19: a marker userfaultfd owns (write-protect or poison, not guard alone). */
export const isUffdMarker = (pte: Pte): boolean => pte._tag === "marker" && (pte.uffdWp || pte.poisoned)

/** Write-protection of any kind: present bit, swap bit or marker (`pte_uffd_wp_any`, `pte_swp_uffd_wp_any`). */
export const hasUffdWp = (pte: Pte): boolean => {
  switch (pte._tag) {
    case "none":
    case "hwpoison":
      return false
    case "present":
    case "swap":
    case "migration":
    case "marker":
      return pte.uffdWp
  }
}

// Present-format helpers. They take present entries only: using one on a swap-format entry is the
// bug class of B-52, B-53 and B-63, and here it is a type error. Each returns its argument when
// nothing changes.

/** `pte_wrprotect`: clears write, keeps dirty (on x86 the encoding moves it to SAVED_DIRTY). */
export const wrprotect = (pte: PtePresent): PtePresent => pte.write ? { ...pte, write: false } : pte

/** `pte_mkwrite`. */
export const mkwrite = (pte: PtePresent): PtePresent => pte.write ? pte : { ...pte, write: true }

/**
 * `pte_mkdirty`: the kernel marks the page dirty, and soft-dirty with it (x86, s390, powerpc).
 * Hardware sets only dirty: {@link mkHardwareDirty}.
 */
export const mkdirty = (pte: PtePresent): PtePresent =>
  pte.dirty && pte.softDirty ? pte : { ...pte, dirty: true, softDirty: true }

/** The dirty bit as a page walker of the CPU sets it. */
export const mkHardwareDirty = (pte: PtePresent): PtePresent => pte.dirty ? pte : { ...pte, dirty: true }

/** `pte_mkclean`. */
export const mkclean = (pte: PtePresent): PtePresent => pte.dirty ? { ...pte, dirty: false } : pte

/** `pte_mkyoung`. */
export const mkyoung = (pte: PtePresent): PtePresent => pte.young ? pte : { ...pte, young: true }

/** `pte_mkold`. */
export const mkold = (pte: PtePresent): PtePresent => pte.young ? { ...pte, young: false } : pte

/** `pte_mkuffd_wp`: arms the bit and write-protects, in one entry change. */
export const mkUffdWp = (pte: PtePresent): PtePresent =>
  pte.uffdWp && !pte.write ? pte : { ...pte, uffdWp: true, write: false }

/** `pte_clear_uffd_wp`: clears the bit, does not make the entry writable. */
export const clearUffdWp = (pte: PtePresent): PtePresent => pte.uffdWp ? { ...pte, uffdWp: false } : pte

/** `pte_mksoft_dirty`. */
export const mkSoftDirty = (pte: PtePresent): PtePresent => pte.softDirty ? pte : { ...pte, softDirty: true }

/** `pte_clear_soft_dirty`. */
export const clearSoftDirty = (pte: PtePresent): PtePresent => pte.softDirty ? { ...pte, softDirty: false } : pte

// Swap-format helpers, for swap and migration entries.

/** `pte_swp_mkuffd_wp`. */
export const swpMkUffdWp = <P extends PteSwap | PteMigration>(pte: P): P => pte.uffdWp ? pte : { ...pte, uffdWp: true }

/** `pte_swp_clear_uffd_wp`. */
export const swpClearUffdWp = <P extends PteSwap | PteMigration>(pte: P): P =>
  pte.uffdWp ? { ...pte, uffdWp: false } : pte

/** `pte_swp_mkexclusive`. */
export const swpMkExclusive = (pte: PteSwap): PteSwap => pte.exclusive ? pte : { ...pte, exclusive: true }

/** `pte_swp_clear_exclusive`. */
export const swpClearExclusive = (pte: PteSwap): PteSwap => pte.exclusive ? { ...pte, exclusive: false } : pte

/** `make_readable_migration_entry` over an existing entry, as fork does to a writable one. */
export const migrationMkReadable = (pte: PteMigration): PteMigration =>
  pte.flavour === "readable" ? pte : { ...pte, flavour: "readable" }
