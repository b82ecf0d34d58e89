import { Kernel } from "@mmrace/actors"
import { readdirSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { documented } from "./documented.ts"
import { type Broken, breakAndShrink, failures, kernelOf, missing, readRace } from "./race.ts"

const folder = new URL("../../corpus/", import.meta.url)
const files = readdirSync(folder).filter((name) => name.endsWith(".mmrace")).toSorted()

/** Executions within which the defect must show, and the least that must be clean without it. */
const budget = 4000, least = 2000

describe.each(files.map((name) => ({ bug: name.slice(0, 4), name })))("$name", ({ bug, name }) => {
  const program = readRace(new URL(name, folder))
  let broken: Broken | undefined

  it("breaks its invariant by the documented steps on the kernel before the fix", () => {
    broken = breakAndShrink(program, kernelOf(program), budget)
    expect({ bug: program.bug, id: broken.id }).toEqual({ bug, id: broken.found })
    expect(program.breaks.slice(0, 1)).toEqual([broken.found.split(":")[0]])
    for (const landmarks of documented[bug]!) {
      expect(missing(broken.steps, landmarks)).toBeUndefined()
    }
  })

  it("is clean with the fix, ten times as long, and on the kernel that has every fix", () => {
    const runs = Math.max(least, 10 * ((broken?.execution ?? budget) + 1))
    expect(failures(program, kernelOf(program, true), runs)).toEqual([])
    expect(failures(program, Kernel.complete(), least)).toEqual([])
  })
})

it("ships a program for each documented race", () => {
  expect(files.map((name) => name.slice(0, 4))).toEqual(Object.keys(documented))
})
