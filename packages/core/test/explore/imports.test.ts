import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import { expect, test } from "vitest"

const source = resolve(import.meta.dirname, "../../src")
const importPattern = /^(?:import|export)(?! type\b)[^"]*?\bfrom "([^"]+)"/gm

/** What loading a module of core loads of others, with the chain of modules that leads there. */
const loadedBy = (file: string, way: ReadonlyArray<string>, seen: Map<string, ReadonlyArray<string>>): typeof seen => {
  for (const [, specifier] of readFileSync(file, "utf8").matchAll(importPattern)) {
    const next = specifier!.startsWith(".") ? resolve(file, "..", specifier!) : specifier!
    if (seen.has(next)) continue
    seen.set(next, way)
    if (specifier!.startsWith(".")) loadedBy(next, [...way, next], seen)
  }
  return seen
}

test.each(["explore/Explore.ts", "Model.ts", "primitives/Cell.ts", "primitives/Mailbox.ts", "primitives/Rwsem.ts"])(
  "%s is loaded without effect/Schema, which takes longer than a short exploration",
  (module) => {
    const loaded = loadedBy(resolve(source, module), [module], new Map())
    expect(loaded.size).toBeGreaterThan(1)
    expect(loaded.get("effect/Schema")).toBeUndefined()
  }
)
