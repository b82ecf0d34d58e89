import { Kernel } from "@mmrace/actors"
import { readdirSync, readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { breakAndShrink, failures, type Landmark, missing, parseRace, readRace } from "./race.ts"

const folder = new URL("../../../../docs/findings/", import.meta.url)
const pages = readdirSync(folder).filter((name) => /^F-\d+.*\.md$/.test(name)).toSorted()

/** What a page tells is the minimised form of what this strategy finds first. */
const strategy = "portfolio"

const text = (name: string): string => readFileSync(new URL(name, folder), "utf8")

const counts = ["no", "one", "two", "three"]

/** How many preemptions a page says its schedule has, and whether they are proved to be the least. */
const minimised = (page: string): { readonly count: number; readonly minimal: boolean } => {
  const [, count, proof] = /^Minimised: (\w+) preemptions? \([^)]+\),\s(which is|not) proved to be the least\.$/m.exec(
    page
  )!
  return { count: counts.indexOf(count!), minimal: proof === "which is" }
}

/** The steps of a page's table: `| thread | \`step\` | why |`. */
const told = (page: string): ReadonlyArray<Landmark> =>
  [...page.matchAll(/^\| (\w+) \| `([^`]+)` \|/gm)].map(([, thread, step]) => [thread!, step!])

describe.each(pages)("%s", (name) => {
  const source = name.replace(/\.md$/, ".mmrace")
  const page = text(name)
  const program = readRace(new URL(source, folder))

  it("shows its program", () => {
    expect(page).toContain(`\`\`\`mmrace\n${text(source)}\`\`\``)
    expect(text("README.md")).toContain(`[${name.slice(0, 4)}](${name})`)
  })

  it("breaks its invariant on the kernel that has every fix, by the steps it tells", () => {
    const broken = breakAndShrink(program, Kernel.complete(), 4000, strategy)
    expect(broken.id).toBe(broken.found)
    expect(program.breaks).toEqual([broken.found.split(":")[0]])
    expect(page).toContain(`**Broken:** ${program.breaks[0]!} `)
    const landmarks = told(page)
    expect(landmarks.length).toBeGreaterThan(3)
    expect(missing(broken.steps, landmarks)).toBeUndefined()
    expect(broken.preemptions).toEqual(minimised(page))
  })
})

describe("F-02, in other hands", () => {
  const name = "F-02-wp-resolve-leaves-read-only.mmrace"
  const source = text(name)
  const changed = (from: string, to: string): ReadonlyArray<string> => {
    expect(source).toContain(from)
    return failures(parseRace(source.replace(from, to), name), Kernel.complete(), 2000)
  }

  it("is clean with a monitor that goes on reading", () => {
    const resolve = "  writeprotect U A resolve\n"
    expect(changed(resolve, `${resolve}  m = read U\n  writeprotect U m.address resolve\n`)).toEqual([])
  })

  it("is clean when the page is not shared", () => {
    expect(changed(" shared-with child", "")).toEqual([])
  })
})
