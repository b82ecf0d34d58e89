/** The exit code of the command: the last one set. */
import * as Effect from "effect/Effect"
import type { ExitCode } from "./UserError.ts"

export const exit = (code: ExitCode): Effect.Effect<void> =>
  Effect.sync(() => {
    process.exitCode = code
  })
