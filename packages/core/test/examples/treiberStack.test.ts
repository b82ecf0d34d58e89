import { it } from "@mmrace/core/vitest"
import { expect } from "vitest"
import { treiberStack } from "../../examples/treiber-stack.ts"

it.explore("a tagged head is safe", () => treiberStack(true), {
  reduction: "optimal",
  expect: ({ counts, verdict }) => {
    expect(verdict).toMatchObject({ _tag: "Complete", within: undefined, omission: 0 })
    expect(counts.executions).toMatchInlineSnapshot(`33`)
  }
})

it.explore("without a tag, a node that is back on top looks as if it had never left", () => treiberStack(false), {
  violates: "owned:head"
})

it.explore("and no schedule without a preemption shows it", () => treiberStack(false), { bound: 0 })

it.explore("one preemption is enough", () => treiberStack(false), {
  minimal: true,
  expect: ({ verdict }) => expect(verdict).toMatchObject({ _tag: "Violated", first: { preemptions: 1 } })
})

it.explore.fails("the test of a stack that is not safe fails", () => treiberStack(false))
it.fuzz.fails("and so does a campaign", () => treiberStack(false), { runs: 500 })
it.fuzz("in which a tagged head is safe", () => treiberStack(true), { runs: 500 })
