/** Shared by the tests of exploration. */
import type { Model } from "@mmrace/core"
import * as fc from "fast-check"
import { Dependence, type DependenceOptions } from "../../src/explore/Dependence.ts"
import { Machine } from "../../src/explore/Machine.ts"
import type { Final } from "../../src/explore/Outcomes.ts"
import { Trace } from "../../src/explore/Trace.ts"
import { Values } from "../../src/explore/Values.ts"
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

/** Programs of few kinds of operations on one object of each kind: most steps conflict. */
export const denseProgram: fc.Arbitrary<ReadonlyArray<ProgramThread>> = fc
  .uniqueArray(fc.constantFrom(...kinds), { minLength: 2, maxLength: 4 })
  .chain((few) =>
    fc.array(
      fc.record({
        spawned: fc.nat(7).map((n) => n === 0),
        daemon: fc.nat(7).map((n) => n === 0),
        ops: fc.array(
          fc.record({ kind: fc.constantFrom(...few), index: fc.nat(5).map((n) => n === 0 ? 1 : 0), value: fc.nat(2) }),
          { minLength: 1, maxLength: 4 }
        )
      }),
      { minLength: 2, maxLength: 4 }
    )
  )

/**
 * The number of equivalence classes of all schedules, by their happens-before relations, each schedule run to its end
 * also after a failure. Undefined when there are more than `limit` schedules.
 */
export const countClasses = (model: Model, limit: number, options: DependenceOptions = {}): number | undefined => {
  const machine = new Machine(model, new Values(), new Dependence(model, options), { unordered: new Set(model.monitors.map((m) => m.id)) })
  try {
    const trace = new Trace(machine)
    const classes = new Set<string>()
    let schedules = 0
    const visit = (): boolean => {
      const enabled: Array<number> = []
      if (machine.enabled(enabled) === 0) {
        schedules++
        classes.add(
          trace.byThread.map((own) =>
            own.map((i) => `${trace.steps[i]!.value}:${trace.clocks[i]!.join()}`).join(" ")
          ).join("|")
        )
        return schedules < limit
      }
      for (const thread of enabled) {
        const choices = machine.choicesOf(thread)
        for (let value = choices === 0 ? -1 : 0; value < choices; value++) {
          const step = machine.step(thread, value)
          trace.push(step)
          const goOn = visit()
          trace.pop()
          machine.undo(step)
          if (!goOn) return false
          if (choices === 0) break
        }
      }
      return true
    }
    return visit() ? classes.size : undefined
  } finally {
    machine.close()
  }
}

/** Programs few enough in steps to be enumerated. */
export const smallProgram: fc.Arbitrary<ReadonlyArray<ProgramThread>> = fc.array(
  fc.record({
    spawned: fc.nat(5).map((n) => n === 0),
    daemon: fc.nat(5).map((n) => n === 0),
    ops: fc.array(op, { minLength: 1, maxLength: 4 })
  }),
  { minLength: 2, maxLength: 4 }
)
