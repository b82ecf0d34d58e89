/** The tables of docs/exploration.md, and the search without DPOR that stands in them. */
import { ask, Cell, Explore, makeModel, type Model } from "@mmrace/core"
import { describe, expect, test } from "vitest"
import type { Outcome } from "mmrace/bench/explore/cell"
import { sleepSets } from "mmrace/bench/explore/sleepSets"
import { best, cell, type Row, verdicts } from "mmrace/bench/explore/tables"

const outcome = (over: Partial<Outcome>): Outcome => ({
  trial: { program: "p", fixed: true, method: "m", seconds: 20 },
  complete: true,
  violated: false,
  executions: 1234,
  states: 0,
  seconds: 1.26,
  ...over
})

describe("a cell", () => {
  test.each([
    [{}, "1,234 in 1.3 s"],
    [{ states: 5678 }, "5,678 states in 1.3 s"],
    [{ complete: false, seconds: 20.4 }, "*> 1,234 in 20 s*"],
    [{ complete: false, error: "no answer in 20 s" }, "*no answer in 20 s*"]
  ] as ReadonlyArray<readonly [Partial<Outcome>, string]>)("%j: %s", (over, expected) => {
    expect(cell(outcome(over))).toBe(expected)
  })
})

describe("a verdict", () => {
  const capped = outcome({ complete: false })
  const row = (over: Partial<Row>): Row => ({ name: "p", kernel: "fixed", whole: outcome({}), bounded: [], ...over })

  test("of everything has no bound", () => {
    expect(best(row({}))).toMatchObject({ bound: "none" })
  })

  test("is of the largest bound that was finished", () => {
    expect(best(row({ whole: capped, bounded: [outcome({}), outcome({ executions: 7 }), capped] }))).toMatchObject({
      bound: "2 preemptions",
      outcome: { executions: 7 }
    })
  })

  test("is not complete when nothing was finished, and violated when something was found", () => {
    const error = outcome({ complete: false, error: "it broke" })
    const text = verdicts([
      row({ whole: capped, bounded: [capped] }),
      row({ whole: outcome({ complete: false, violated: true }), bounded: [capped] }),
      row({ whole: error })
    ])
    expect(text.split("\n").slice(2)).toEqual([
      "| p | fixed | *incomplete* |  |  |  |  | *> 1,234 in 1.3 s* |",
      "| p | fixed | violated |  |  |  |  | *> 1,234 in 1.3 s* |",
      "| p | fixed | *incomplete* (it broke) |  |  |  |  | *it broke* |"
    ])
  })
})

const readers = (): Model =>
  makeModel("readers", (m) => {
    const cells = [0, 1].map((i) => m.actor(Cell.cellType, `x${i}`, 0))
    for (const i of [0, 1, 2]) {
      m.thread(`T${i}`, function*() {
        yield* ask(cells[i % 2]!, Cell.fetchAdd, 1)
        return yield* ask(cells[(i + 1) % 2]!, Cell.load)
      })
    }
  })

test("sleep sets alone run as many executions to their end as optimal DPOR", () => {
  const { counts } = Explore.explore(readers(), { reduction: "optimal" })
  expect(sleepSets(readers(), () => false)).toEqual({
    complete: true,
    violated: false,
    executions: counts.executions,
    states: 0
  })
})
