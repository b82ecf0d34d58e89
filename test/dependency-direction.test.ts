import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, relative, resolve, sep } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, test } from "vitest"

/** arch <- actors -> core, cli -> all three. What each package may import, by directory name. */
const mayImport: Readonly<Record<string, ReadonlyArray<string>>> = {
  core: [],
  arch: [],
  actors: ["arch", "core"],
  cli: ["actors", "arch", "core"]
}
const packageName = (directory: string): string => directory === "cli" ? "mmrace" : `@mmrace/${directory}`

const root = fileURLToPath(new URL("..", import.meta.url))
const packagesRoot = join(root, "packages")
const directories = Object.keys(mayImport)

const importPattern = /\b(?:from|import)\s*\(?\s*"([^"\n]+)"/g

/** The imports of one source text that its package must not have, as `line: specifier`. */
const forbiddenImports = (directory: string, file: string, source: string): ReadonlyArray<string> => {
  const allowed = new Set([directory, ...mayImport[directory] ?? []].map(packageName))
  const home = join(packagesRoot, directory) + sep
  const isForbidden = (specifier: string): boolean => {
    if (specifier.startsWith(".")) return !resolve(dirname(file), specifier).startsWith(home)
    return directories.map(packageName).some((name) =>
      (specifier === name || specifier.startsWith(`${name}/`)) && !allowed.has(name)
    )
  }
  return [...source.matchAll(importPattern)]
    .filter(([, specifier]) => specifier !== undefined && isForbidden(specifier))
    .map((match) => `${source.slice(0, match.index).split("\n").length}: ${match[1]}`)
}

const sourceFiles = (directory: string): ReadonlyArray<string> =>
  ["src", "test", "bench"].flatMap((part) => {
    const base = join(packagesRoot, directory, part)
    try {
      return readdirSync(base, { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".ts"))
        .map((name) => join(base, name))
    } catch {
      return []
    }
  })

const readJson = (...path: ReadonlyArray<string>): unknown => JSON.parse(readFileSync(join(...path), "utf8"))

describe("dependency direction", () => {
  test("every package is in the table", () => {
    expect(readdirSync(packagesRoot).toSorted()).toEqual(directories.toSorted())
  })

  test.each(directories)("%s imports only what its place allows", (directory) => {
    const files = sourceFiles(directory)
    expect(files.length).toBeGreaterThan(0)
    const found = files.flatMap((file) =>
      forbiddenImports(directory, file, readFileSync(file, "utf8")).map((hit) => `${relative(root, file)}:${hit}`)
    )
    expect(found).toEqual([])
  })

  test.each(directories)("%s declares only what its place allows, and builds after it", (directory) => {
    const workspaceNames = new Set(directories.map(packageName))
    const manifest = readJson(packagesRoot, directory, "package.json") as Record<string, Record<string, string>>
    const declared = ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"]
      .flatMap((kind) => Object.keys(manifest[kind] ?? {}))
      .filter((name) => workspaceNames.has(name))
    expect(declared.toSorted()).toEqual((mayImport[directory] ?? []).map(packageName).toSorted())

    const config = readJson(packagesRoot, directory, "tsconfig.json") as { references: ReadonlyArray<{ path: string }> }
    expect(config.references.map(({ path }) => path).toSorted())
      .toEqual((mayImport[directory] ?? []).map((name) => `../${name}`).toSorted())
  })

  test("a forbidden import is seen in every form", () => {
    const file = join(packagesRoot, "core", "src", "internal", "x.ts")
    const source = [
      `import type { Pte } from "@mmrace/arch"`,
      `import { ask } from "../Ask.ts"`,
      `export * from "@mmrace/actors/kernel"`,
      `const later = import("mmrace")`,
      `import "../../../cli/src/main.ts"`,
      `import * as Effect from "effect/Effect"`
    ].join("\n")
    expect(forbiddenImports("core", file, source)).toEqual([
      "1: @mmrace/arch",
      "3: @mmrace/actors/kernel",
      "4: mmrace",
      "5: ../../../cli/src/main.ts"
    ])
    expect(forbiddenImports("actors", join(packagesRoot, "actors", "src", "x.ts"), source)).toContain("4: mmrace")
    expect(forbiddenImports("actors", join(packagesRoot, "actors", "src", "x.ts"), `from "@mmrace/arch"`)).toEqual([])
  })
})
