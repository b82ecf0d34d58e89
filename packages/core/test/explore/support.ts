/** Shared by the tests of exploration. */
import type { Model } from "@mmrace/core"
import * as fc from "fast-check"
import type { Final } from "../../src/explore/Outcomes.ts"
import type { Op, ProgramThread } from "../engine/randomModel.ts"

/** All final states and all return values. */
export const everything = (model: Model) => (final: Final): string =>
  JSON.stringify([
    model.actors.map((actor) => actor.state),
    model.threads.map((thread) => final.returned(thread.id) ?? null)
  ])

const kinds: ReadonlyArray<Op["kind"]> = [
  "load",
  "store",
  "add",
  "exchangeIf",
  "await",
  "mutex",
  "mutexKillable",
  "trylock",
  "read",
  "write",
  "writeKillable",
  "choose",
  "skipIfOdd",
  "spawn",
  "join",
  "kill",
  "send",
  "receive",
  "tryReceive",
  "prepare",
  "sleep",
  "wake",
  "effect"
]

const op: fc.Arbitrary<Op> = fc.record({
  kind: fc.oneof({ weight: 60, arbitrary: fc.constantFrom(...kinds) }, {
    weight: 1,
    arbitrary: fc.constant("throw" as const)
  }),
  index: fc.nat(3),
  value: fc.nat(2)
})

/** Programs few enough in steps to be enumerated. */
export const smallProgram: fc.Arbitrary<ReadonlyArray<ProgramThread>> = fc.array(
  fc.record({
    spawned: fc.nat(5).map((n) => n === 0),
    daemon: fc.nat(5).map((n) => n === 0),
    ops: fc.array(op, { minLength: 1, maxLength: 4 })
  }),
  { minLength: 2, maxLength: 4 }
)
