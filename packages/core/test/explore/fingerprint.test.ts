/** Fingerprints: equal where values are equal, whatever else was printed before, and told apart otherwise. */
import { Actor, Cell } from "@mmrace/core"
import * as fc from "fast-check"
import { expect, test } from "vitest"
import { Fingerprints } from "@mmrace/core/explore/Fingerprint"
import { Values } from "@mmrace/core/explore/Values"

/** Plain values, small ones often, so that equal ones come up. */
const plain = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom(undefined, null, true, false, 0, -0, 1, "", "1", 1n, NaN),
    fc.double(),
    fc.string(),
    fc.bigInt(),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "b", "1"), tie("value"), { maxKeys: 3 })
  )
})).value

test("two values have one fingerprint when they are one value, in whatever process", () => {
  fc.assert(
    fc.property(plain, plain, fc.array(plain), (a, b, others) => {
      const values = new Values()
      const here = new Fingerprints()
      const there = new Fingerprints()
      for (const other of others) there.of(other)
      const isSame = Object.is(values.number(a), values.number(b))
      expect(here.of(a)).toEqual(there.of(structuredClone(a)))
      expect(isEqual(here.of(a), there.of(b))).toBe(isSame)
      expect(here.areShared && there.areShared).toBe(true)
    }),
    { numRuns: 2000 }
  )
})

test("what is not plain equals only itself, and is said to mean nothing elsewhere", () => {
  const prints = new Fingerprints()
  const a = new Map()
  expect(prints.areShared).toBe(true)
  expect(prints.of([a])).toEqual(prints.of([a]))
  expect(prints.of([a])).not.toEqual(prints.of([new Map()]))
  expect(prints.areShared).toBe(false)
})

test("an actor is the one with its number, in whatever process", () => {
  const [here, there] = [0, 1].map(() => [0, 1].map((i) => new Actor(i, i, `c${i}`, Cell.cellType, 0, {})))
  const prints = new Fingerprints()
  expect(prints.of(here![0])).toEqual(new Fingerprints().of(there![0]))
  expect(prints.of(here![0])).not.toEqual(prints.of(here![1]))
  expect(prints.areShared).toBe(true)
})

const isEqual = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
