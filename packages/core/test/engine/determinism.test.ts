import * as assert from "node:assert/strict"
import { type Ask, Executor, FromChoices, RandomWalk, type Verdict, type View } from "@mmrace/core"
import { documentedPort } from "@mmrace/core/internal/fiberPort"
import * as fc from "fast-check"
import { expect, test } from "vitest"
import { buildModel, program } from "./randomModel.ts"
import { comparable, events } from "./support.ts"

const maxSteps = 120
const seed = fc.nat()
const runs = { seed: 20_260_101, numRuns: 600 }

interface Outcome {
  readonly verdict: Verdict
  readonly log: ReadonlyArray<ReadonlyArray<unknown>>
  readonly choices: ReadonlyArray<number>
}

const outcome = (executor: Executor, verdict: Verdict): Outcome => ({
  verdict: comparable(verdict),
  log: events(executor),
  choices: executor.copyChoices()
})

test("the random models below end in every way an execution can end", () => {
  const tags = new Set(
    fc.sample(fc.tuple(program, seed), runs).map(([threads, n]) =>
      new Executor(buildModel(threads), { maxSteps }).run(new RandomWalk(), n)._tag
    )
  )
  expect([...tags].toSorted()).toEqual(["Crash", "Deadlock", "Ok", "StepLimit", "Violation"])
})

test("the fast port and the documented port give the same logs and verdicts", () => {
  fc.assert(
    fc.property(program, seed, (threads, n) => {
      const model = buildModel(threads)
      const fast = new Executor(model, { maxSteps })
      const documented = new Executor(model, { maxSteps, port: documentedPort })
      const expected = outcome(fast, fast.run(new RandomWalk(), n))
      expect(outcome(documented, documented.run(new RandomWalk(), n))).toEqual(expected)
    }),
    runs
  )
})

test("a seed gives the same log, whatever the executor ran before", () => {
  fc.assert(
    fc.property(program, seed, seed, (threads, n, other) => {
      const model = buildModel(threads)
      const used = new Executor(model, { maxSteps })
      used.run(new RandomWalk(), other)
      const first = outcome(used, used.run(new RandomWalk(), n))
      const fresh = new Executor(buildModel(threads), { maxSteps })
      expect(outcome(fresh, fresh.run(new RandomWalk(), n))).toEqual(first)
    }),
    runs
  )
})

test("the recorded choices replay the execution", () => {
  fc.assert(
    fc.property(program, seed, (threads, n) => {
      const executor = new Executor(buildModel(threads), { maxSteps })
      const recorded = outcome(executor, executor.run(new RandomWalk(), n))
      const replay = new FromChoices(recorded.choices)
      expect(outcome(executor, executor.run(replay))).toEqual(recorded)
      expect(replay.misfits).toBe(0)
    }),
    runs
  )
})

/** A random walk that checks what it is shown. */
class CheckingWalk extends RandomWalk {
  override pick(view: View): number {
    const shown = Array.from({ length: view.enabledCount }, (_, i) => view.enabled[i]!)
    const { threads } = (view as Executor).model
    const movable = threads.filter(({ actor: { state }, id, name }) => {
      const pending: Ask<unknown> | undefined = view.pending(id)
      if (pending === undefined) return false
      const { actor, arg, command } = pending
      return !(command.blocked?.(actor.state, arg, { id, name, killed: state.killed }) ?? false)
    })
    const expected = movable.map((thread) => thread.id)
    assert.deepEqual(shown, expected)
    assert.deepEqual(threads.map((thread) => thread.id).filter((id) => view.isEnabled(id)), expected)
    assert.ok(shown.length > 1)
    return super.pick(view)
  }
}

test("a strategy is shown the threads that can move, in ascending order, and no other", () => {
  fc.assert(
    fc.property(program, seed, (threads, n) => {
      new Executor(buildModel(threads), { maxSteps }).run(new CheckingWalk(), n)
    }),
    runs
  )
})

test("folding the log gives the states the execution ended in", () => {
  fc.assert(
    fc.property(program, seed, (threads, n) => {
      const model = buildModel(threads)
      const executor = new Executor(model, { maxSteps })
      executor.run(new RandomWalk(), n)
      const { log } = executor
      const states = model.actors.map((actor) => actor.initial)
      for (let i = 0; i < log.length; i++) {
        const { actor, arg, command } = log.asks[i]!
        if (command.evolve !== undefined) {
          states[actor.id] = command.evolve(states[actor.id], arg, log.results[i], log.threads[i]!)
        }
      }
      expect(states).toEqual(model.actors.map((actor) => actor.state))
    }),
    runs
  )
})
