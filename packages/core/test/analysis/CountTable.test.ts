import * as fc from "fast-check"
import { CountTable } from "@mmrace/core"
import { expect, it } from "vitest"

it("is a multiset of whole numbers", () => {
  const keys = fc.oneof(fc.nat(20), fc.maxSafeInteger().map(Math.abs).filter((n) => n < Number.MAX_SAFE_INTEGER))
  fc.assert(fc.property(fc.array(keys, { maxLength: 400 }), (list) => {
    const table = new CountTable(16)
    const model = new Map<number, number>()
    for (const key of list) {
      const count = (model.get(key) ?? 0) + 1
      model.set(key, count)
      expect(table.add(key)).toBe(count)
    }
    const sorted = [...model].sort(([a], [b]) => a - b)
    expect(table.export()).toEqual({
      keys: Float64Array.from(sorted, ([key]) => key),
      counts: Float64Array.from(sorted, ([, count]) => count)
    })
    const seen = [...model.values()]
    expect([table.distinct, table.once, table.twice, table.total]).toEqual([
      model.size,
      seen.filter((n) => n === 1).length,
      seen.filter((n) => n === 2).length,
      list.length
    ])
    for (const [key, count] of model) expect(table.countOf(key)).toBe(count)
    expect(table.countOf(987_654_321)).toBe(model.get(987_654_321) ?? 0)
  }))
})
