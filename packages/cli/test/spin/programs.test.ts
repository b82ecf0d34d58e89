/** The programs of the comparison with SPIN, small; where SPIN is installed, against SPIN. */
import { Explore } from "@mmrace/core"
import { describe, expect, test } from "vitest"
import { variants } from "mmrace/bench/spin/Program"
import { options } from "mmrace/bench/spin/options"
import { programNamed, programs } from "mmrace/bench/spin/programs/index"
import { runSpin, whatIsMissing } from "mmrace/bench/spin/spin"

/** Ends of executions, and states, met in the fixed variant; what the broken one ends in. */
const known: ReadonlyArray<readonly [name: string, executions: number, states: number, failure: string]> = [
  ["gup-fast", 20, 9546, "crash:thread gup"],
  ["userfault", 66, 68_808, "deadlock:fault"],
  ["mmap-changing", 13, 9838, "crash:thread fill"],
  ["swap-aba", 23, 5978, "crash:thread writer"],
  ["rwsem", 3, 924, "crash:thread writer"],
  ["vma-lock", 6, 2915, "crash:thread fault"]
]

test("all programs are tested", () => {
  expect(known.map(([name]) => name)).toEqual(programs.map(({ name }) => name))
})

describe.each(known)("%s", (name, executions, states, failure) => {
  const program = programNamed(name)

  test("the fixed variant has no failing schedule", () => {
    const { counts, verdict } = Explore.explore(program.build("fixed", "small"), options)
    expect(verdict).toEqual({ _tag: "Complete", within: undefined, omission: 0 })
    expect({ executions: counts.executions, states: counts.states }).toEqual({ executions, states })
  })

  test("the broken variant fails", () => {
    const { verdict } = Explore.explore(program.build("broken", "small"), options)
    expect(verdict._tag === "Violated" ? verdict.first.name : verdict._tag).toContain(failure)
  })

  test("the default reduction says the same", () => {
    for (const variant of variants) {
      const all = Explore.explore(program.build(variant, "small"))
      expect(all.verdict._tag).toBe(variant === "fixed" ? "Complete" : "Violated")
    }
  })
})

const missing = whatIsMissing()

test(`SPIN says the same of each program${missing === undefined ? "" : `: not run, ${missing}`}`, () => {
  if (missing !== undefined) {
    process.stderr.write(`not run: ${missing}\n`)
    return
  }
  for (const { name } of programs) {
    for (const variant of variants) {
      const { report } = runSpin(name, variant, "-O0", "small")
      expect(`${name} ${variant} ${report.verdict}`).toBe(
        `${name} ${variant} ${variant === "fixed" ? "Complete" : "Violated"}`
      )
    }
  }
})
