import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  hwpoison,
  markerGuard,
  markerPoisoned,
  markerUffdWp,
  migration,
  mkUffdWp,
  none,
  present,
  type Pte,
  pteSame,
  swap,
  wrprotect,
  x86_64
} from "@mmrace/arch"
import { everyPresent, presentOf, pteOf, swapFormatOf } from "./arbitrary.ts"

const { encode, decode, rawNeedsFlush, pteNeedsFlush, walk } = x86_64

/** Bit numbers as the hardware manual and pgtable_types.h give them, written again on purpose. */
const P = 0, RW = 1, US = 2, PWT = 3, PCD = 4, A = 5, D = 6, PS = 7, G = 8, SPECIAL = 9, UFFD_WP = 10, SOFT_DIRTY = 11
const SW4 = 57, SAVED_DIRTY = 58, NX = 63

const bitOf = (raw: bigint, n: number): boolean => (raw >> BigInt(n) & 1n) === 1n
const bits = (...numbers: ReadonlyArray<number>): bigint => numbers.reduce((raw, n) => raw | 1n << BigInt(n), 0n)

describe("worked raw values", () => {
  const vectors: ReadonlyArray<readonly [string, Pte, bigint]> = [
    ["swap type 1 offset 0x1234", swap(1, 0x1234), 0x0fffffffffdb9600n],
    ["swap exclusive", swap(1, 0x1234, { exclusive: true }), 0x0fffffffffdb9608n],
    [
      "swap soft-dirty, uffd-wp, exclusive",
      swap(1, 0x1234, { exclusive: true, softDirty: true, uffdWp: true }),
      0x0fffffffffdb960en
    ],
    ["marker uffd-wp", markerUffdWp, 0xfffffffffffffc00n],
    ["marker poisoned", markerPoisoned, 0xfffffffffffffa00n],
    ["marker guard", markerGuard, 0xfffffffffffff600n]
  ]

  it.each(vectors)("%s", (_, pte, raw) => {
    expect(encode(pte)).toBe(raw)
    expect(decode(raw)).toEqual(pte)
  })

  it("none is zero, also with the accessed and dirty bits a faulty CPU may set", () => {
    expect(encode(none)).toBe(0n)
    for (const raw of [0n, bits(A), bits(D), bits(A, D)]) expect(decode(raw)).toBe(none)
  })
})

describe("encoding", () => {
  it("round-trips every entry", () => {
    fc.assert(
      fc.property(pteOf(x86_64), (pte) => {
        expect(decode(encode(pte))).toEqual(pte)
      }),
      { numRuns: 2000 }
    )
  })

  it("round-trips every combination of present flags", () => {
    for (const pte of everyPresent([0, 1, 2 ** 34 - 1])) expect(decode(encode(pte))).toEqual(pte)
  })

  it("gives different entries different values", () => {
    fc.assert(
      fc.property(pteOf(x86_64), pteOf(x86_64), (a, b) => {
        expect(encode(a) === encode(b)).toBe(pteSame(a, b))
      }),
      { numRuns: 2000 }
    )
  })

  it("never reads as none what is something, at either end of every range", () => {
    const [lastPfn, lastOffset] = [2 ** x86_64.pfnBits - 1, 2 ** x86_64.swapOffsetBits - 1]
    const ends = [
      swap(0, 0),
      swap(0, lastOffset - 1),
      swap(0, lastOffset, { exclusive: true }),
      swap(1, lastOffset),
      ...[0, lastPfn].flatMap((pfn) => [present(pfn), migration(pfn, "writable"), hwpoison(pfn)])
    ]
    for (const pte of ends) expect(decode(encode(pte))).toEqual(pte)
    expect(() => encode(swap(0, lastOffset))).toThrow("would be pte_none")
  })

  it("fits 64 bits", () => {
    fc.assert(fc.property(pteOf(x86_64), (pte) => {
      expect(BigInt.asUintN(64, encode(pte))).toBe(encode(pte))
    }))
  })

  it("decodes any 64-bit value, and encodes back what it understood", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (raw) => {
        const pte = decode(raw)
        if (pte._tag === "unmodelled") expect(pte.raw).toBe(raw)
        else expect(decode(encode(pte))).toEqual(pte)
      }),
      { numRuns: 2000 }
    )
  })

  it("has every value of swap format back from its decoded form, up to the two bits CPUs may dirty", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 55n - 1n }), fc.nat(7), (high, flags) => {
        const raw = high << 9n | BigInt(flags) << 1n
        const pte = decode(raw)
        if (pte._tag !== "unmodelled") {
          expect(encode(pte)).toBe(raw)
          expect(decode(raw | bits(A, D))).toEqual(pte)
        }
      }),
      { numRuns: 2000 }
    )
  })
})

describe("swap format", () => {
  it("never has present, page-size, accessed, dirty or protnone bits", () => {
    fc.assert(
      fc.property(swapFormatOf(x86_64), (pte) => {
        const raw = encode(pte)
        for (const n of [P, PCD, A, D, PS, G]) expect(bitOf(raw, n), `bit ${n} of ${raw.toString(16)}`).toBe(false)
      }),
      { numRuns: 2000 }
    )
  })

  it("holds the offset inverted, so a small one points beyond real memory", () => {
    fc.assert(fc.property(fc.nat(23), fc.nat(2 ** 31 - 1), (type, offset) => {
      const raw = encode(swap(type, offset))
      expect(raw >> 9n & 2n ** 50n - 1n).toBe(2n ** 50n - 1n - BigInt(offset))
      // The address a speculating CPU would use: bits 12 to 51.
      expect(raw >> 12n & 2n ** 40n - 1n).toBeGreaterThan(2n ** 39n)
    }))
  })

  it("keeps type and offset apart from the flag bits", () => {
    const flagged = encode(swap(23, 2 ** 50 - 1, { exclusive: true, softDirty: true, uffdWp: true }))
    expect(flagged).toBe(encode(swap(23, 2 ** 50 - 1)) | 0b1110n)
  })

  it("moves the frame of a migration entry two pages when the present-format uffd-wp bit is cleared", () => {
    const raw = encode(migration(0x1000, "writable"))
    expect(decode(raw & ~bits(UFFD_WP))).toEqual(migration(0x1002, "writable"))
  })

  it("puts young and dirty right above the frame number", () => {
    const plain = encode(migration(5, "readable"))
    expect(encode(migration(5, "readable", { young: true })) ^ plain).toBe(1n << 9n + 34n)
    expect(encode(migration(5, "readable", { dirty: true })) ^ plain).toBe(1n << 9n + 35n)
  })

  it.each(
    [
      ["readable", 25n],
      ["readable-exclusive", 26n],
      ["writable", 27n]
    ] as const
  )("migration flavour %s is type %s", (flavour, type) => {
    expect(encode(migration(5, flavour)) >> 59n).toBe(type)
  })

  it("hwpoison is type 24", () => {
    expect(encode(hwpoison(5)) >> 59n).toBe(24n)
  })

  it("refuses what it cannot hold", () => {
    const bad: ReadonlyArray<Pte> = [
      swap(24, 0),
      swap(-1, 0),
      swap(0, 2 ** 50),
      swap(0, 0.5),
      present(2 ** 34),
      migration(-1, "readable"),
      hwpoison(Number.NaN),
      { _tag: "marker", uffdWp: false, poisoned: false, guard: false }
    ]
    for (const pte of bad) expect(() => encode(pte)).toThrow(RangeError)
  })

  it.each([
    ["bit 4", 0x0fffffffffdb9610n],
    ["bit 7", 0x0fffffffffdb9680n],
    ["device-private", 28n << 59n],
    ["marker of nothing", 0xfffffffffffffe00n],
    ["marker beyond its flags", 0xffffffffffffee00n],
    ["marker with a swap bit", 0xfffffffffffffc04n],
    ["exclusive migration", encode(migration(1, "readable")) | 8n],
    ["migration beyond dirty", encode(migration(1, "readable")) ^ 1n << 45n],
    ["shadow stack", bits(P, D, US)],
    ["frame beyond 46 bits", bits(P, US, 46)]
  ])("says it does not model %s", (_, raw) => {
    expect(decode(raw)).toMatchObject({ _tag: "unmodelled", raw })
  })
})

describe("present format", () => {
  it("places each flag", () => {
    const base = encode(present(1))
    expect(base).toBe(bits(P, US, NX, 12))
    expect(encode(present(1, { write: true }))).toBe(base | bits(RW))
    expect(encode(present(1, { young: true }))).toBe(base | bits(A))
    expect(encode(present(1, { special: true }))).toBe(base | bits(SPECIAL))
    expect(encode(present(1, { uffdWp: true }))).toBe(base | bits(UFFD_WP))
    expect(encode(present(1, { softDirty: true }))).toBe(base | bits(SOFT_DIRTY))
  })

  it("keeps dirty in hardware when writable and in SAVED_DIRTY when not", () => {
    for (const pte of everyPresent([7])) {
      const raw = encode(pte)
      expect(bitOf(raw, D)).toBe(pte.dirty && pte.write)
      expect(bitOf(raw, SAVED_DIRTY)).toBe(pte.dirty && !pte.write)
    }
    const dirty = present(7, { write: true, dirty: true })
    expect(encode(wrprotect(dirty))).toBe(encode(dirty) & ~bits(RW, D) | bits(SAVED_DIRTY))
  })

  it("inverts the frame of a PROT_NONE entry and clears the hardware present bit", () => {
    const raw = encode(present(0x1234, { protnone: true }))
    expect(bitOf(raw, P)).toBe(false)
    expect(bitOf(raw, G)).toBe(true)
    expect(raw >> 12n & 2n ** 40n - 1n).toBe(2n ** 40n - 1n - 0x1234n)
  })

  it("ignores permission and cache bits the model does not have", () => {
    const raw = encode(present(9, { write: true, young: true }))
    expect(decode(raw ^ bits(US, PWT, PCD, PS, G, NX, 59, 62, SW4))).toEqual(present(9, { write: true, young: true }))
  })
})

describe("pte_needs_flush", () => {
  /** What a change of each bit asks for, one row a bit, as section by section in tlbflush.h. */
  const table: ReadonlyArray<readonly [bit: number, asks: "nothing" | "when cleared" | "when changed"]> = [
    [P, "when cleared"],
    [RW, "when changed"],
    [US, "when changed"],
    [PWT, "when changed"],
    [PCD, "when changed"],
    [A, "nothing"],
    [D, "when cleared"],
    [PS, "when changed"],
    [G, "when changed"],
    [SPECIAL, "nothing"],
    [UFFD_WP, "nothing"],
    [SOFT_DIRTY, "nothing"],
    [SW4, "nothing"],
    [SAVED_DIRTY, "nothing"],
    [59, "when changed"],
    [60, "when changed"],
    [61, "when changed"],
    [62, "when changed"],
    [NX, "when changed"]
  ]

  const expected = (
    rows: ReadonlyArray<readonly [number, "nothing" | "when cleared" | "when changed"]>,
    before: number,
    after: number
  ): boolean => {
    const [presentBefore] = [rows.findIndex(([n]) => n === P)]
    if ((before >> presentBefore & 1) === 0) return false
    return rows.some(([, asks], i) => {
      const was = before >> i & 1
      const is = after >> i & 1
      return asks === "when changed" ? was !== is : asks === "when cleared" ? was === 1 && is === 0 : false
    })
  }

  /** Every pair of values over the given rows. The frame stays, inverted wherever present is clear as the kernel does. */
  const wrongPairs = (rows: typeof table): number => {
    const frame = 0x1234n
    const inverted = (2n ** 40n - 1n - frame) << 12n
    const raws = Array.from({ length: 2 ** rows.length }, (_value, combination) => {
      const flags = bits(...rows.filter((_, i) => (combination >> i & 1) === 1).map(([n]) => n))
      return flags | (bitOf(flags, P) ? frame << 12n : inverted)
    })
    let wrong = 0
    raws.forEach((before, b) => {
      raws.forEach((after, a) => {
        if (rawNeedsFlush(before, after) !== expected(rows, b, a)) wrong++
      })
    })
    return wrong
  }

  it("follows the table over every pair of the bits the kernel's paths change", () => {
    expect(wrongPairs(table.filter(([n]) => [P, RW, A, D, G, SPECIAL, UFFD_WP, SOFT_DIRTY, SAVED_DIRTY].includes(n))))
      .toBe(0)
  })

  it("follows the table over every pair of the other bits", () => {
    expect(
      wrongPairs(table.filter(([n]) => ![A, D, SPECIAL, UFFD_WP, SOFT_DIRTY, SAVED_DIRTY, RW, G, 60, 61].includes(n)))
    ).toBe(0)
  })

  it("follows the table over all bits at once", () => {
    const combination = fc.nat(2 ** table.length - 1)
    fc.assert(
      fc.property(combination, combination, (b, a) => {
        const raw = (c: number): bigint => {
          const flags = bits(...table.filter((_, i) => (c >> i & 1) === 1).map(([n]) => n))
          return flags | (flags !== 0n && !bitOf(flags, P) ? (2n ** 40n - 1n) << 12n : 0n)
        }
        expect(rawNeedsFlush(raw(b), raw(a))).toBe(expected(table, b, a))
      }),
      { numRuns: 5000 }
    )
  })

  it("asks for a flush when the frame changes, and never when the old entry was not present", () => {
    fc.assert(
      fc.property(presentOf(x86_64), pteOf(x86_64), (before, after) => {
        const raw = rawNeedsFlush(encode(before), encode(after))
        if (before.protnone) expect(raw).toBe(false)
        else if (after._tag !== "present" || after.protnone || after.pfn !== before.pfn) expect(raw).toBe(true)
      }),
      { numRuns: 1000 }
    )
    fc.assert(fc.property(swapFormatOf(x86_64), pteOf(x86_64), (before, after) => {
      expect(rawNeedsFlush(encode(before), encode(after))).toBe(false)
    }))
  })

  it("is the same on decoded entries, over every pair of present flags and every class", () => {
    const entries: ReadonlyArray<Pte> = [
      ...everyPresent([0, 5]),
      none,
      swap(1, 5),
      migration(5, "writable"),
      markerUffdWp,
      hwpoison(5)
    ]
    const raws = entries.map(encode)
    let wrong = 0
    entries.forEach((before, b) => {
      entries.forEach((after, a) => {
        if (pteNeedsFlush(before, after) !== rawNeedsFlush(raws[b] ?? 0n, raws[a] ?? 0n)) wrong++
      })
    })
    expect(wrong).toBe(0)
  })

  it("flushes for protecting a writable entry, not a read-only one, nor for the bit alone", () => {
    const writable = present(5, { write: true, dirty: true })
    const readOnly = wrprotect(writable)
    expect(pteNeedsFlush(writable, mkUffdWp(writable))).toBe(true)
    expect(pteNeedsFlush(readOnly, mkUffdWp(readOnly))).toBe(false)
    expect(pteNeedsFlush(mkUffdWp(readOnly), readOnly)).toBe(false)
    expect(pteNeedsFlush(mkUffdWp(readOnly), writable)).toBe(true)
  })
})

describe("page walk", () => {
  it("faults unless hardware-present and permitted, and writes accessed and dirty back", () => {
    for (const pte of everyPresent([5])) {
      expect(walk(pte, false)).toEqual(pte.protnone ? undefined : { ...pte, young: true })
      expect(walk(pte, true)).toEqual(pte.protnone || !pte.write ? undefined : { ...pte, young: true, dirty: true })
    }
    for (const pte of [none, swap(0, 1), migration(1, "writable"), markerGuard, hwpoison(1)]) {
      expect(walk(pte, false)).toBeUndefined()
      expect(walk(pte, true)).toBeUndefined()
    }
  })

  it("keeps the entry when there is nothing to write back", () => {
    const used = present(5, { write: true, young: true, dirty: true })
    expect(walk(used, true)).toBe(used)
  })

  it("never makes a later store's permission or the soft-dirty bit", () => {
    expect(walk(present(5, { write: true }), true)).toEqual(present(5, { write: true, young: true, dirty: true }))
  })
})
