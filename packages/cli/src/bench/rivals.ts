/** What the engine is measured against: the same work without it. Nothing here is used by mmrace itself. */
import type { Prng } from "@mmrace/core"
import { Effect } from "effect"
import * as fc from "fast-check"

/** A raw generator and a loop that picks one at random and hands it a number back. */
function* rawBody(steps: number): Generator<{ readonly delta: number }, number, number> {
  let sum = 0
  for (let i = 0; i < steps; i++) sum += yield { delta: 1 }
  return sum
}

/** Steps done by `threads` raw generators of `steps` steps each, run once under a random walk. */
export const rawGenerators = (threads: number, steps: number, prng: Prng): number => {
  const live = Array.from({ length: threads }, () => rawBody(steps))
  const pending = live.map((g) => g.next())
  let value = 0
  let done = 0
  while (live.length > 0) {
    const i = prng.below(live.length)
    const op = pending[i]!
    if (op.done !== true) {
      const before = value
      value += op.value.delta
      done++
      pending[i] = live[i]!.next(before)
    }
    if (pending[i]!.done === true) {
      live.splice(i, 1)
      pending.splice(i, 1)
    }
  }
  return done
}

/** Resume functions of the bare fibers that are parked. */
let parked: Array<(value: Effect.Effect<number>) => void> = []

const park = Effect.callback<number>((resume) => {
  parked.push(resume)
})

function* bareBody(steps: number): Generator<Effect.Effect<number>, number, never> {
  let sum = 0
  for (let i = 0; i < steps; i++) sum += yield* park
  return sum
}

const one = Effect.succeed(1)

/**
 * A bare Effect fiber, parked and resumed with a result for every step and nothing else: no log, no monitors, no
 * strategy worth the name. The way the documentation offers (Effect.callback, Effect.runFork).
 */
export const bareFibers = (threads: number, steps: number, prng: Prng): number => {
  parked = []
  for (let t = 0; t < threads; t++) Effect.runFork(Effect.gen(() => bareBody(steps)))
  let done = 0
  while (parked.length > 0) {
    const i = prng.below(parked.length)
    const resume = parked[i]!
    parked[i] = parked[parked.length - 1]!
    parked.pop()
    done++
    resume(one)
  }
  return done
}

/** The same program under fast-check's scheduler: every step a scheduled promise; many schedules in one property. */
export const fastCheckSchedules = async (
  threads: number,
  steps: number,
  seed: number,
  runs: number
): Promise<number> => {
  let done = 0
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), async (s) => {
      const thread = async (name: string): Promise<void> => {
        for (let i = 0; i < steps; i++) {
          await s.schedule(Promise.resolve(), name)
          done++
        }
      }
      await s.waitFor(Promise.all(Array.from({ length: threads }, (_, t) => thread(`T${t}`))))
    }),
    { seed, numRuns: runs, endOnFailure: true }
  )
  return done
}
