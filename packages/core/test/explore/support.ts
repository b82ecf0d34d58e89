/** Shared by the tests of exploration. */
import type { Model } from "@mmrace/core"
import * as fc from "fast-check"
import { expect } from "vitest"
import { Dependence } from "@mmrace/core/explore/Dependence"
import { Machine } from "@mmrace/core/explore/Machine"
import type { Final } from "@mmrace/core/explore/Outcomes"
import { bruteForce } from "@mmrace/core/explore/BruteForce"
import { explore, type Reduction } from "@mmrace/core/explore/Explore"
import { Trace } from "@mmrace/core/explore/Trace"
import { Values } from "@mmrace/core/explore/Values"
import type { Op, ProgramThread } from "../engine/randomModel.ts"

/** All final states and all return values. */
export const everything = (model: Model) => (final: Final): string =>
  JSON.stringify([
    model.actors.map((actor) => actor.state),
    model.threads.map((thread) => final.returned(thread.id) ?? null)
  ])

/** The exploration ends in just the outcomes that brute force does. */
export const findsAllOutcomes = (model: Model, reduction: Reduction): void => {
  const outcomeOf = everything(model)
  const all = [...bruteForce(model, { outcomeOf }).outcomes.keys()].toSorted()
  expect(explore(model, { reduction, outcomeOf }).outcomes.map(({ name }) => name).toSorted()).toEqual(all)
}

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
export const denseProgramOf = (
  threads: fc.ArrayConstraints,
  operations: fc.ArrayConstraints
): fc.Arbitrary<ReadonlyArray<ProgramThread>> =>
  fc
    .uniqueArray(fc.constantFrom(...kinds), { minLength: 2, maxLength: 4 })
    .chain((few) =>
      fc.array(
        fc.record({
          spawned: fc.nat(7).map((n) => n === 0),
          daemon: fc.nat(7).map((n) => n === 0),
          ops: fc.array(
            fc.record({
              kind: fc.constantFrom(...few),
              index: fc.nat(5).map((n) => n === 0 ? 1 : 0),
              value: fc.nat(2)
            }),
            operations
          )
        }),
        threads
      )
    )

export const denseProgram = denseProgramOf({ minLength: 2, maxLength: 4 }, { minLength: 1, maxLength: 4 })

/**
 * The equivalence classes of all schedules, by their happens-before relations, each with the fewest preemptions of its
 * schedules. Each schedule is run to its end, also after a failure. Undefined when there are more than `limit` schedules.
 */
export const classesOf = (model: Model, limit: number): ReadonlyMap<string, number> | undefined => {
  const unordered = new Set(model.monitors.map((monitor) => monitor.id))
  const machine = new Machine(model, new Values(), new Dependence(model), { unordered })
  try {
    const trace = new Trace(machine)
    const classes = new Map<string, number>()
    let schedules = 0
    const visit = (last: number, preemptions: number): boolean => {
      const enabled: Array<number> = []
      if (machine.enabled(enabled) === 0) {
        schedules++
        const name = trace.byThread.map((own) =>
          own.map((i) => `${trace.steps[i]!.value}:${trace.clocks[i]!.join()}`).join(" ")
        ).join("|")
        classes.set(name, Math.min(preemptions, classes.get(name) ?? Infinity))
        return schedules < limit
      }
      for (const thread of enabled) {
        const choices = machine.choicesOf(thread)
        const cost = thread !== last && enabled.includes(last) ? 1 : 0
        for (let value = choices === 0 ? -1 : 0; value < Math.max(0, choices); value++) {
          const step = machine.step(thread, value)
          trace.push(step)
          const goOn = visit(thread, preemptions + cost)
          trace.pop()
          machine.undo(step)
          if (!goOn) return false
        }
      }
      return true
    }
    return visit(-1, 0) ? classes : undefined
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
