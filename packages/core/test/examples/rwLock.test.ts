import { it } from "@mmrace/core/vitest"
import { expect } from "vitest"
import { rwLock } from "../../examples/rw-lock.ts"

it.explore.for([
  { readers: 1, writers: 1 },
  { readers: 2, writers: 1 },
  { readers: 1, writers: 2 }
])("readers that count first: $readers, writers: $writers", (threads) => rwLock("counts first", threads))

it.explore("2 readers and 2 writers, up to 2 preemptions", () => rwLock("counts first", { readers: 2, writers: 2 }), {
  bound: 2
})

it.explore("a reader that looks first meets a writer", () => rwLock("looks first", { readers: 1, writers: 1 }), {
  violates: "exclusion"
})

it.explore("for which both must be preempted", () => rwLock("looks first", { readers: 1, writers: 1 }), {
  minimal: true,
  expect: ({ verdict }) =>
    expect(verdict).toMatchObject({ _tag: "Violated", first: { name: "exclusion:section", preemptions: 2 } })
})
