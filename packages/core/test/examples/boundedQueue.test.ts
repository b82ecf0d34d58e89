import type { Explore } from "@mmrace/core"
import { it } from "@mmrace/core/vitest"
import { expect } from "vitest"
import { boundedQueue, type Conditions } from "../../examples/bounded-queue.ts"

/** What the consumers, threads 2 and 3, took. */
const taken = (final: Explore.Final): string => `${String(final.returned(2))} ${String(final.returned(3))}`

it.explore("with two conditions every item arrives once, at either consumer", () => boundedQueue("two conditions"), {
  outcomeOf: taken,
  outcomes: ["1 2", "2 1"]
})

it.explore("with one condition a signal wakes the wrong one, and all sleep", () => boundedQueue("one condition"), {
  expect: ({ outcomes }) => {
    const failures = outcomes.filter(({ failed }) => failed)
    expect(failures.length).toBeGreaterThan(0)
    for (const { verdict } of failures) expect(verdict._tag).toBe("Deadlock")
  }
})

it.explore.for<Conditions>(["one condition", "two conditions"])(
  "the bounds are kept with %s",
  (conditions) => boundedQueue(conditions),
  {
    expect: ({ outcomes }) => expect(outcomes.filter(({ name }) => name.startsWith("bounds"))).toEqual([])
  }
)
