/** --check-determinism: schedules run twice must give the same steps. */
import * as Effect from "effect/Effect"
import { listenForInterrupt } from "../interrupt.ts"
import { note } from "../screen.ts"
import type { Job } from "../Subject.ts"
import { exitCodes, userError } from "../UserError.ts"
import { Pool } from "./Pool.ts"

const schedules = 100

/** Fails with the first step that differs. */
export const checkDeterminismOn = (
  job: Job,
  { maxSteps, seed, strategy }: { readonly seed: number; readonly strategy: string; readonly maxSteps: number }
) =>
  Effect.gen(function*() {
    const pool = yield* Effect.acquireRelease(
      Effect.sync(() => new Pool(job, 1)),
      (opened) => Effect.promise(() => opened.close())
    )
    const done = yield* Effect.promise(async () => {
      // The check cannot be asked to end, but nothing is lost with it.
      const unlisten = listenForInterrupt(() => process.exit(exitCodes.interrupted))
      try {
        return await pool.run(0, { _tag: "Determinism", seed, strategy, maxSteps, runs: schedules })
      } finally {
        unlisten()
      }
    })
    if (done._tag === "DeterminismDone" && done.message !== undefined) {
      return yield* userError(
        `${job.program.name} is not deterministic: in schedule ${done.execution}, ${done.message}.\n` +
          "The model keeps state outside its actors, or reads a clock; nothing it does can be replayed."
      )
    }
    note(`deterministic: ${schedules} schedules gave the same steps twice`)
  }).pipe(Effect.scoped)
