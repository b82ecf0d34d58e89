/** A piece of memory: plain accesses race, atomic ones do not. */
import * as Schema from "effect/Schema"
import { ActorType } from "../Actor.ts"

export const cellType = new ActorType<number>("cell")

/** Plain load and store: two of them from different threads, unordered, one a store, are a data race. */
export const read = cellType.command<void, number>("read", {
  access: "read",
  ordering: "plain",
  decide: (value) => value,
  result: Schema.Number
})

export const write = cellType.command<number>("write", {
  access: "write",
  ordering: "plain",
  evolve: (_, value) => value,
  arg: Schema.Number
})

/** Atomic accesses: sequentially consistent, acquire and release. */
export const load = cellType.command<void, number>("load", {
  access: "read",
  ordering: "acquire",
  decide: (value) => value,
  result: Schema.Number
})

export const store = cellType.command<number>("store", {
  access: "write",
  ordering: "release",
  evolve: (_, value) => value,
  arg: Schema.Number
})

/** Adds and returns the value before. */
export const fetchAdd = cellType.command<number, number>("fetch_add", {
  access: "write",
  ordering: "acq_rel",
  decide: (value) => value,
  evolve: (value, delta) => value + delta,
  arg: Schema.Number,
  result: Schema.Number
})

/** Stores and returns the value before. */
export const exchange = cellType.command<number, number>("exchange", {
  access: "write",
  ordering: "acq_rel",
  decide: (value) => value,
  evolve: (_, next) => next,
  arg: Schema.Number,
  result: Schema.Number
})

export interface CompareExchange {
  readonly expected: number
  readonly next: number
}

/** True when the value was `expected` and is `next` now. */
export const compareExchange = cellType.command<CompareExchange, boolean>("compare_exchange", {
  access: "write",
  ordering: "acq_rel",
  decide: (value, arg) => value === arg.expected,
  evolve: (value, arg, done) => done ? arg.next : value,
  arg: Schema.Struct({ expected: Schema.Number, next: Schema.Number }),
  result: Schema.Boolean,
  show: ({ expected, next }, done) => `${expected} -> ${next}: ${done ? "done" : "has changed"}`
})

/** Waits until the value is `n`: a spin loop with nothing else to do. */
export const awaitValue = cellType.command<number>("await", {
  access: "read",
  ordering: "acquire",
  blocked: (value, n) => value !== n,
  arg: Schema.Number
})
