import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  clearSoftDirty,
  clearUffdWp,
  hasUffdWp,
  hwpoison,
  isNoneMostly,
  isUffdMarker,
  marker,
  markerGuard,
  markerPoisoned,
  markerUffdWp,
  migration,
  migrationMkReadable,
  mkclean,
  mkdirty,
  mkHardwareDirty,
  mkold,
  mkSoftDirty,
  mkUffdWp,
  mkwrite,
  mkyoung,
  none,
  present,
  pteSame,
  swap,
  swpClearExclusive,
  swpClearUffdWp,
  swpMkExclusive,
  swpMkUffdWp,
  wrprotect,
  x86_64
} from "@mmrace/arch"
import { everyPresent, pteOf } from "./arbitrary.ts"

describe("pteSame", () => {
  it("is equality of all fields, and of nothing else", () => {
    fc.assert(fc.property(pteOf(x86_64), pteOf(x86_64), (a, b) => {
      expect(pteSame(a, { ...a })).toBe(true)
      expect(pteSame(a, b)).toBe(JSON.stringify(a) === JSON.stringify(b))
    }))
  })

  it("sees a difference in each single field", () => {
    const samples = [
      present(1),
      swap(1, 2),
      migration(1, "readable"),
      markerGuard,
      hwpoison(1)
    ]
    for (const sample of samples) {
      for (const [key, value] of Object.entries(sample)) {
        if (key === "_tag") continue
        const other = key === "flavour" ? "writable" : typeof value === "boolean" ? !value : 77
        expect(pteSame(sample, { ...sample, [key]: other }), `${sample._tag}.${key}`).toBe(false)
      }
    }
  })
})

describe("helpers of present entries", () => {
  const helpers = {
    wrprotect: [wrprotect, { write: false }],
    mkwrite: [mkwrite, { write: true }],
    mkdirty: [mkdirty, { dirty: true, softDirty: true }],
    mkHardwareDirty: [mkHardwareDirty, { dirty: true }],
    mkclean: [mkclean, { dirty: false }],
    mkyoung: [mkyoung, { young: true }],
    mkold: [mkold, { young: false }],
    mkUffdWp: [mkUffdWp, { uffdWp: true, write: false }],
    clearUffdWp: [clearUffdWp, { uffdWp: false }],
    mkSoftDirty: [mkSoftDirty, { softDirty: true }],
    clearSoftDirty: [clearSoftDirty, { softDirty: false }]
  } as const

  it.each(Object.entries(helpers))(
    "%s sets exactly its fields, and keeps the object when nothing changes",
    (_, [helper, patch]) => {
      for (const pte of everyPresent([5])) {
        const before = { ...pte }
        const after = helper(pte)
        expect(after).toEqual({ ...pte, ...patch })
        expect(after === pte).toBe(pteSame(pte, { ...pte, ...patch }))
        expect(pte).toEqual(before)
      }
    }
  )
})

describe("helpers of swap-format entries", () => {
  it("set and clear their bit, and keep the object when nothing changes", () => {
    const plain = swap(1, 2)
    expect(swpMkUffdWp(plain)).toEqual(swap(1, 2, { uffdWp: true }))
    expect(swpClearUffdWp(swpMkUffdWp(plain))).toEqual(plain)
    expect(swpMkExclusive(plain)).toEqual(swap(1, 2, { exclusive: true }))
    expect(swpClearExclusive(swpMkExclusive(plain))).toEqual(plain)
    expect(swpClearUffdWp(plain)).toBe(plain)
    expect(swpClearExclusive(plain)).toBe(plain)
    const moving = migration(3, "writable", { young: true })
    expect(swpMkUffdWp(moving)).toEqual(migration(3, "writable", { young: true, uffdWp: true }))
    expect(migrationMkReadable(moving)).toEqual(migration(3, "readable", { young: true }))
    const readable = migration(3, "readable")
    expect(migrationMkReadable(readable)).toBe(readable)
  })
})

describe("classes", () => {
  it("tell markers apart the way each release does", () => {
    const guarded = marker({ guard: true, uffdWp: true })
    expect([none, markerUffdWp, markerPoisoned, markerGuard, guarded].map(isNoneMostly)).toEqual([
      true,
      true,
      true,
      true,
      true
    ])
    expect([none, markerUffdWp, markerPoisoned, markerGuard, guarded].map(isUffdMarker)).toEqual([
      false,
      true,
      true,
      false,
      true
    ])
    expect(isNoneMostly(present(1)) || isNoneMostly(swap(0, 1))).toBe(false)
  })

  it("find write-protection in every form", () => {
    expect(
      [
        markerUffdWp,
        present(1, { uffdWp: true }),
        swap(0, 1, { uffdWp: true }),
        migration(1, "readable", { uffdWp: true })
      ].every(hasUffdWp)
    ).toBe(true)
    expect([none, markerGuard, present(1, { write: true }), swap(0, 1), hwpoison(1)].some(hasUffdWp)).toBe(false)
  })

  it("shared constants cannot be changed", () => {
    expect([none, markerUffdWp, markerPoisoned, markerGuard].every(Object.isFrozen)).toBe(true)
  })
})
