/** A piece of memory: plain accesses race, atomic ones do not. */
import { ActorType } from "../Actor.ts"
import { aBoolean, aNumber, Late } from "../Shape.ts"

export const cellType = new ActorType<number>("cell")

/** Plain load and store: two of them from different threads, unordered, one a store, are a data race. */
export const read = cellType.command<void, number>("read", {
  access: "read",
  ordering: "plain",
  decide: (value) => value,
  result: aNumber
})

export const write = cellType.command<number>("write", {
  access: "write",
  ordering: "plain",
  evolve: (_, value) => value,
  arg: aNumber
})

/** Atomic accesses: sequentially consistent, acquire and release. */
export const load = cellType.command<void, number>("load", {
  access: "read",
  ordering: "acquire",
  decide: (value) => value,
  result: aNumber
})

export const store = cellType.command<number>("store", {
  access: "write",
  ordering: "release",
  evolve: (_, value) => value,
  arg: aNumber
})

/** Adds and returns the value before. */
export const fetchAdd = cellType.command<number, number>("fetch_add", {
  access: "write",
  ordering: "acq_rel",
  decide: (value) => value,
  evolve: (value, delta) => value + delta,
  arg: aNumber,
  result: aNumber
})

/** Stores and returns the value before. */
export const exchange = cellType.command<number, number>("exchange", {
  access: "write",
  ordering: "acq_rel",
  decide: (value) => value,
  evolve: (_, next) => next,
  arg: aNumber,
  result: aNumber
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
  arg: new Late((schema) => schema.Struct({ expected: schema.Number, next: schema.Number })),
  result: aBoolean,
  show: ({ expected, next }, done) => `${expected} -> ${next}: ${done ? "done" : "has changed"}`
})

/** Waits until the value is `n`: a spin loop with nothing else to do. */
export const awaitValue = cellType.command<number>("await", {
  access: "read",
  ordering: "acquire",
  blocked: (value, n) => value !== n,
  arg: aNumber
})
