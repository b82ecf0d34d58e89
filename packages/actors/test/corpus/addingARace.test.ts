/** docs/adding-a-race.md: its program would pass as one of the corpus, with the steps that the page gives for it. */
import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { breakAndShrink, failures, kernelOf, type Landmark, missing, parseRace } from "./race.ts"

const page = readFileSync(new URL("../../../../docs/adding-a-race.md", import.meta.url), "utf8")

it("the race of docs/adding-a-race.md breaks by the steps the page gives, and is clean with its fix", () => {
  const { name, source } = /^```mmrace (?<name>\S+)\n(?<source>.*?)^```$/msu.exec(page)!.groups!
  const program = parseRace(source!, name!)
  const row = /^ {4}"(?<bug>B-\d+)": (?<lists>\[\[.*?\]\])$/msu.exec(page)!.groups!
  const broken = breakAndShrink(program, kernelOf(program), 4000)
  expect(row["bug"]).toBe(program.bug)
  expect(program.breaks).toEqual([broken.found.split(":")[0]])
  for (const landmarks of JSON.parse(row["lists"]!) as ReadonlyArray<ReadonlyArray<Landmark>>) {
    expect(missing(broken.steps, landmarks)).toBeUndefined()
  }
  expect(failures(program, kernelOf(program, true), 2000)).toEqual([])
})
