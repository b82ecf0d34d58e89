import { ok } from "@mmrace/core"
import { compare, type Outcome } from "@mmrace/core/shrink/Trial"
import { expect, test } from "vitest"

const outcome = (
  preemptions: number,
  switches: number,
  steps: number,
  threads: number,
  choices: ReadonlyArray<number>
): Outcome => ({
  verdict: ok,
  cost: { preemptions, switches, steps, threads },
  choices,
  schedule: [],
  threads: [],
  asks: [],
  preemptions: [],
  data: []
})

test("preemptions count first, then switches, steps, threads, and the choice stream decides what is left", () => {
  const ordered = [
    outcome(0, 9, 9, 9, [9]),
    outcome(1, 1, 9, 9, [9]),
    outcome(1, 2, 1, 9, [9]),
    outcome(1, 2, 2, 1, [9]),
    outcome(1, 2, 2, 2, [0, 1]),
    outcome(1, 2, 2, 2, [0, 1, 0]),
    outcome(1, 2, 2, 2, [0, 2]),
    outcome(1, 2, 2, 2, [1])
  ]
  ordered.forEach((a, i) => ordered.forEach((b, j) => expect(Math.sign(compare(a, b))).toBe(Math.sign(i - j))))
})
