/**
 * x86-64 (arch/x86/include/asm/pgtable_types.h, pgtable.h, pgtable_64.h, pgtable-invert.h, tlbflush.h).
 *
 * A present entry has hardware bits and five software bits. A non-present entry keeps its offset inverted, so that
 * a speculating CPU that ignores the present bit sees an address beyond real memory (L1TF); a PROT_NONE
 * entry keeps its frame number inverted for the same reason. Bits 5 and 6 of a non-present entry stay
 * unused and are ignored: some CPUs set accessed and dirty on entries that are not present.
 */
import type { Arch, Unmodelled } from "./Arch.ts"
import { hwpoison, marker, migration, mkHardwareDirty, mkyoung, none, present, swap } from "./Pte.ts"
import type { MigrationFlavour, Pte, PtePresent } from "./Pte.ts"
import { markerBit, swapType } from "./SwapType.ts"

/** Bits of a present entry. `special`, `uffdWp`, `softDirty`, `softw4` and `savedDirty` are software bits. */
export const bit = {
  present: 1n << 0n,
  rw: 1n << 1n,
  user: 1n << 2n,
  pwt: 1n << 3n,
  pcd: 1n << 4n,
  accessed: 1n << 5n,
  dirty: 1n << 6n,
  pat: 1n << 7n,
  global: 1n << 8n,
  protnone: 1n << 8n,
  special: 1n << 9n,
  uffdWp: 1n << 10n,
  softDirty: 1n << 11n,
  softw4: 1n << 57n,
  savedDirty: 1n << 58n,
  pkey: 0xfn << 59n,
  nx: 1n << 63n
} as const

/** Bits of a swap-format entry. */
export const swapBit = { softDirty: 1n << 1n, uffdWp: 1n << 2n, exclusive: 1n << 3n } as const

const pfnShift = 12n
const framesMask = ((1n << 40n) - 1n) << pfnShift
const offsetShift = 9n
const offsetBits = 50
const offsetMask = (1n << 50n) - 1n
const typeShift = 59n

/** Four-level tables: 46 physical address bits, hence 34 bits of frame number, young and dirty of migration above. */
const pfnBits = 34
const pfnMask = (1n << 34n) - 1n
const migrationYoung = 1n << 34n
const migrationDirty = 1n << 35n

const field = (name: string, value: number, limit: number): bigint => {
  if (!Number.isInteger(value) || value < 0 || value >= limit) {
    throw new RangeError(`x86-64: ${name} ${value} is not an integer from 0 to ${limit - 1}`)
  }
  return BigInt(value)
}

const when = (condition: boolean, bits: bigint): bigint => condition ? bits : 0n

const swapFormat = (type: number, offset: bigint, bits: bigint): bigint =>
  (BigInt(type) << typeShift) | ((~offset & offsetMask) << offsetShift) | bits

const encodePresent = (pte: PtePresent): bigint => {
  const frame = field("pfn", pte.pfn, 2 ** pfnBits) << pfnShift
  // A normal page that is dirty but read-only must not look like a shadow stack: dirty moves to its software bit.
  const dirty = pte.dirty ? (pte.write ? bit.dirty : bit.savedDirty) : 0n
  const flags = when(pte.write, bit.rw) | when(pte.young, bit.accessed) | dirty | when(pte.special, bit.special) |
    when(pte.uffdWp, bit.uffdWp) | when(pte.softDirty, bit.softDirty)
  return pte.protnone
    ? bit.protnone | (~frame & framesMask) | flags
    : bit.present | bit.user | bit.nx | frame | flags
}

const migrationType: Readonly<Record<MigrationFlavour, number>> = {
  writable: swapType.migrationWrite,
  "readable-exclusive": swapType.migrationReadExclusive,
  readable: swapType.migrationRead
}

const encode = (pte: Pte): bigint => {
  switch (pte._tag) {
    case "none":
      return 0n
    case "present":
      return encodePresent(pte)
    case "swap": {
      const raw = swapFormat(
        Number(field("swap type", pte.type, swapType.devices)),
        field("swap offset", pte.offset, 2 ** offsetBits),
        when(pte.exclusive, swapBit.exclusive) | when(pte.softDirty, swapBit.softDirty) |
          when(pte.uffdWp, swapBit.uffdWp)
      )
      // Type 0 and an offset of all ones, inverted. The kernel never gets there: swap_info_struct.max is an unsigned int.
      if (raw === 0n) throw new RangeError(`x86-64: swap type 0, offset ${pte.offset} without flags would be pte_none`)
      return raw
    }
    case "migration":
      return swapFormat(
        migrationType[pte.flavour],
        field("pfn", pte.pfn, 2 ** pfnBits) | when(pte.young, migrationYoung) | when(pte.dirty, migrationDirty),
        when(pte.softDirty, swapBit.softDirty) | when(pte.uffdWp, swapBit.uffdWp)
      )
    case "marker": {
      const bits = when(pte.uffdWp, markerBit.uffdWp) | when(pte.poisoned, markerBit.poisoned) |
        when(pte.guard, markerBit.guard)
      if (bits === 0n) throw new RangeError("x86-64: a marker needs at least one of uffdWp, poisoned, guard")
      return swapFormat(swapType.marker, bits, 0n)
    }
    case "hwpoison":
      return swapFormat(swapType.hwpoison, field("pfn", pte.pfn, 2 ** pfnBits), 0n)
  }
}

const has = (raw: bigint, bits: bigint): boolean => (raw & bits) !== 0n

const unmodelled = (raw: bigint, reason: string): Unmodelled => ({ _tag: "unmodelled", raw, reason })

const decodePresent = (raw: bigint): Pte | Unmodelled => {
  const write = has(raw, bit.rw)
  if (has(raw, bit.dirty) && !write) return unmodelled(raw, "dirty without write: a shadow-stack page")
  const pfn = pfnOf(raw)
  if (pfn > pfnMask) return unmodelled(raw, "frame number beyond 46 physical address bits")
  return present(Number(pfn), {
    write,
    dirty: has(raw, bit.dirty | bit.savedDirty),
    young: has(raw, bit.accessed),
    uffdWp: has(raw, bit.uffdWp),
    softDirty: has(raw, bit.softDirty),
    special: has(raw, bit.special),
    protnone: !has(raw, bit.present)
  })
}

const decodeSwapFormat = (raw: bigint): Pte | Unmodelled => {
  if (has(raw, bit.pcd | bit.pat)) return unmodelled(raw, "bit 4 or 7 set in an entry that is not present")
  const type = Number(raw >> typeShift)
  const offset = ~(raw >> offsetShift) & offsetMask
  const exclusive = has(raw, swapBit.exclusive)
  const softDirty = has(raw, swapBit.softDirty)
  const uffdWp = has(raw, swapBit.uffdWp)
  if (type < swapType.devices) return swap(type, Number(offset), { exclusive, softDirty, uffdWp })
  if (exclusive) return unmodelled(raw, "exclusive bit on an entry that is not swap")
  switch (type) {
    case swapType.migrationRead:
    case swapType.migrationReadExclusive:
    case swapType.migrationWrite: {
      if (offset >> 36n !== 0n) return unmodelled(raw, "migration offset beyond frame number, young and dirty")
      const flavour = type === swapType.migrationWrite
        ? "writable"
        : type === swapType.migrationReadExclusive
        ? "readable-exclusive"
        : "readable"
      return migration(Number(offset & pfnMask), flavour, {
        young: has(offset, migrationYoung),
        dirty: has(offset, migrationDirty),
        softDirty,
        uffdWp
      })
    }
    case swapType.marker:
      if (softDirty || uffdWp) return unmodelled(raw, "swap bits on a marker")
      if (offset === 0n || offset > 7n) return unmodelled(raw, "marker offset outside 1 to 7")
      return marker({
        uffdWp: has(offset, markerBit.uffdWp),
        poisoned: has(offset, markerBit.poisoned),
        guard: has(offset, markerBit.guard)
      })
    case swapType.hwpoison:
      if (softDirty || uffdWp) return unmodelled(raw, "swap bits on a poisoned page")
      if (offset > pfnMask) return unmodelled(raw, "frame number beyond 46 physical address bits")
      return hwpoison(Number(offset))
    default:
      return unmodelled(raw, "device-private or device-exclusive entry")
  }
}

const decode = (value: bigint): Pte | Unmodelled => {
  const raw = BigInt.asUintN(64, value)
  if ((raw & ~(bit.accessed | bit.dirty)) === 0n) return none
  return has(raw, bit.present | bit.protnone) ? decodePresent(raw) : decodeSwapFormat(raw)
}

/** `pte_pfn`: undoes the inversion of every non-zero entry whose present bit is clear. */
const pfnOf = (raw: bigint): bigint => ((raw !== 0n && !has(raw, bit.present) ? ~raw : raw) & framesMask) >> pfnShift

const softwareBits = bit.special | bit.uffdWp | bit.softDirty | bit.softw4 | bit.savedDirty
const flushOnClear = bit.dirty | bit.present
const flushOnChange = bit.rw | bit.user | bit.pwt | bit.pcd | bit.pat | bit.global | bit.pkey | bit.nx

const rawNeedsFlush = (before: bigint, after: bigint): boolean => {
  if (!has(before, bit.present)) return false
  if (pfnOf(before) !== pfnOf(after)) return true
  // Accessed is ignored for PTEs: a stale accessed bit in a TLB does no harm.
  const diff = (before ^ after) & ~framesMask & ~softwareBits & ~bit.accessed
  return has(diff & before, flushOnClear) || has(diff, flushOnChange)
}

const pteNeedsFlush = (before: Pte, after: Pte): boolean => {
  // The hardware present bit decides: a PROT_NONE entry was never in a TLB.
  if (before._tag !== "present" || before.protnone) return false
  if (after._tag !== "present" || after.protnone) return true
  // A read-only entry keeps dirty in a software bit, so only a writable one can lose hardware-dirty.
  return before.pfn !== after.pfn || before.write !== after.write || (before.write && before.dirty && !after.dirty)
}

const walk = (pte: Pte, isStore: boolean): PtePresent | undefined => {
  if (pte._tag !== "present" || pte.protnone || (isStore && !pte.write)) return undefined
  const young = mkyoung(pte)
  return isStore ? mkHardwareDirty(young) : young
}

export const x86_64: Arch<"x86-64"> = {
  name: "x86-64",
  features: {
    uffdMissing: true,
    uffdWp: true,
    uffdMinor: true,
    pteMarkerUffdWp: true,
    softDirty: true,
    swpExclusive: true,
    migrationYoungDirty: true,
    batchedUnmapFlush: true,
    // Without MMU_GATHER_RCU_TABLE_FREE, which depends on configuration and release here.
    gupFastNeedsIpi: true,
    thpMigration: true,
    hardwareSetsYoung: true,
    hardwareSetsDirty: true
  },
  pfnBits,
  swapOffsetBits: offsetBits,
  encode,
  decode,
  rawNeedsFlush,
  pteNeedsFlush,
  walk
}
