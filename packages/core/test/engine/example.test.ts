import { Executor, FromChoices } from "@mmrace/core"
import { expect, test } from "vitest"
import { boundedBuffer, search } from "../../examples/bounded-buffer.ts"

test("the bounded buffer with `if` is caught, and its schedule replays", () => {
  const model = boundedBuffer("if")
  const { choices, story, verdict } = search(model, 1000)
  expect(verdict).toMatchObject({ _tag: "Violation", monitor: "took-something", subject: "items" })
  expect(story.at(-1)).toMatch(/^consumer [12]: items.take$/)
  expect(story.some((line) => /^consumer [12]: mutex.relock$/.test(line))).toBe(true)
  expect(new Executor(model).run(new FromChoices(choices))).toEqual(verdict)
})

test("with `while` nothing is found", () => {
  expect(search(boundedBuffer("while"), 2000)).toMatchObject({ executions: 2000, verdict: { _tag: "Ok" } })
})
