/** The pages that a newcomer reads. */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "./run.ts"

/** Paths from the root of the checkout. */
export const pages: ReadonlyArray<string> = [
  "README.md",
  "CHANGELOG.md",
  "AGENTS.md",
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name))
    .toSorted()
]

export const read = (page: string): string => readFileSync(join(root, page), "utf8")
