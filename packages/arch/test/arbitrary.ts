/** Arbitrary decoded entries within an architecture's ranges. */
import * as fc from "fast-check"
import {
  type Arch,
  hwpoison,
  marker,
  migration,
  none,
  present,
  type Pte,
  type PtePresent,
  type PteSwap,
  swap,
  swapType
} from "@mmrace/arch"

const flag = fc.boolean()

/** Frame numbers and offsets lean on the edges: all zeros, all ones, single bits. */
const bitsUpTo = (bits: number): fc.Arbitrary<number> =>
  fc.oneof(
    fc.maxSafeNat().map((n) => n % 2 ** bits),
    fc.constantFrom(0, 1, 2, 2 ** bits - 1, 2 ** bits - 2),
    fc.nat(bits - 1).map((n) => 2 ** n)
  )

const presentFlags = fc.record({
  write: flag,
  dirty: flag,
  young: flag,
  uffdWp: flag,
  softDirty: flag,
  special: flag,
  protnone: flag
})

export const presentOf = (arch: Arch): fc.Arbitrary<PtePresent> =>
  fc.tuple(bitsUpTo(arch.pfnBits), presentFlags).map(([pfn, flags]) => present(pfn, flags))

/** The last slot of device 0 without flags: inverted it would be `none`. */
const isNoSlot = (arch: Arch, { exclusive, offset, softDirty, type, uffdWp }: PteSwap): boolean =>
  type === 0 && offset === 2 ** arch.swapOffsetBits - 1 && !exclusive && !softDirty && !uffdWp

export const swapFormatOf = (arch: Arch): fc.Arbitrary<Pte> =>
  fc.oneof(
    fc.tuple(
      fc.nat(swapType.devices - 1),
      bitsUpTo(arch.swapOffsetBits),
      fc.record({ exclusive: flag, softDirty: flag, uffdWp: flag })
    ).map(([type, offset, flags]) => swap(type, offset, flags)).filter((pte) => !isNoSlot(arch, pte)),
    fc.tuple(
      bitsUpTo(arch.pfnBits),
      fc.constantFrom("writable" as const, "readable-exclusive" as const, "readable" as const),
      fc.record({ young: flag, dirty: flag, softDirty: flag, uffdWp: flag })
    ).map(([pfn, flavour, flags]) => migration(pfn, flavour, flags)),
    fc.integer({ min: 1, max: 7 }).map((bits) =>
      marker({ uffdWp: (bits & 1) !== 0, poisoned: (bits & 2) !== 0, guard: (bits & 4) !== 0 })
    ),
    bitsUpTo(arch.pfnBits).map(hwpoison)
  )

export const pteOf = (arch: Arch): fc.Arbitrary<Pte> =>
  fc.oneof({ weight: 1, arbitrary: fc.constant<Pte>(none) }, { weight: 6, arbitrary: presentOf(arch) }, {
    weight: 6,
    arbitrary: swapFormatOf(arch)
  })

/** Every combination of the flags of a present entry, at each of the given frame numbers. */
export const everyPresent = (pfns: ReadonlyArray<number>): ReadonlyArray<PtePresent> =>
  pfns.flatMap((pfn) =>
    Array.from({ length: 128 }, (_, bits) =>
      present(pfn, {
        write: (bits & 1) !== 0,
        dirty: (bits & 2) !== 0,
        young: (bits & 4) !== 0,
        uffdWp: (bits & 8) !== 0,
        softDirty: (bits & 16) !== 0,
        special: (bits & 32) !== 0,
        protnone: (bits & 64) !== 0
      }))
  )
