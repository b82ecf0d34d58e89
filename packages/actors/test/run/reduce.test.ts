import { Result } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { check, kernelWords, parse, print, type Program, readProgram, smallerPrograms } from "@mmrace/actors"

const corpus = fileURLToPath(new URL("../../corpus", import.meta.url))
const programs = readdirSync(corpus).map((name) => {
  const source = readFileSync(`${corpus}/${name}`, "utf8")
  return [name, Result.getOrThrow(readProgram(source, kernelWords)).program] as const
})

/** Nodes of the program, and the numbers that may shrink. */
const size = (program: Program): number => {
  let nodes = 0
  JSON.stringify(program, (_key, value: unknown) => {
    nodes += typeof value === "number" ? 1 + value / 1e6 : 1
    return value
  })
  return nodes
}

describe("smaller programs", () => {
  it.each(programs)("%s: each candidate is smaller, and none is proposed twice", (_name, program) => {
    const candidates = [...smallerPrograms(program)]
    expect(candidates.length).toBeGreaterThan(program.threads.length)
    for (const candidate of candidates) expect(size(candidate)).toBeLessThan(size(program))
    const valid = candidates.filter((candidate) => check(candidate, kernelWords).length === 0)
    expect(valid.length).toBeGreaterThan(0)
    for (const candidate of valid) {
      expect(Result.getOrThrow(parse(print(candidate))).program).toEqual(candidate)
    }
  })

  it("ends when it is repeated, at a program that cannot be made smaller", () => {
    let [, program] = programs[0]!
    for (let step = 0; step < 1000; step++) {
      const next = [...smallerPrograms(program)].find((candidate) => check(candidate, kernelWords).length === 0)
      if (next === undefined) break
      program = next
    }
    expect(program.threads).toHaveLength(1)
    expect(program.threads[0]!.body).toHaveLength(0)
    expect(program.regions.length + program.uffds.length).toBeLessThanOrEqual(1)
  })

  it("takes blocks apart", () => {
    const text = "mmrace blocks\nkernel 6.8\n\nmap A anon rw 1 = 1\n\nthread a\n  repeat 3\n    r0 = load A\n" +
      "    if r0 = 1\n      store A 2\n    else\n      store A 3\n"
    const { program } = Result.getOrThrow(readProgram(text, kernelWords))
    const bodies = [...smallerPrograms(program)].map((p) => print(p).split("thread a\n")[1] ?? "")
    expect(bodies).toContain("  r0 = load A\n  if r0 = 1\n    store A 2\n  else\n    store A 3\n")
    expect(bodies).toContain("  repeat 2\n    r0 = load A\n    if r0 = 1\n      store A 2\n    else\n      store A 3\n")
    expect(bodies).toContain("  repeat 3\n    r0 = load A\n    store A 2\n")
    expect(bodies).toContain("  repeat 3\n    r0 = load A\n    store A 3\n")
    expect(bodies).toContain("  repeat 3\n    r0 = load A\n    if r0 = 1\n      store A 2\n")
  })
})
