/** What the user can put right: said in plain words, without a stack, with exit code 2. */
import * as Data from "effect/Data"

export class UserError extends Data.TaggedError("UserError")<{ readonly message: string }> {}

export const userError = (message: string): UserError => new UserError({ message })

/** Exit codes of every command. */
export const exitCodes = {
  clean: 0,
  violation: 1,
  usage: 2,
  diverged: 3,
  /** An exploration ended before it had been everywhere, and nothing was found until then. */
  incomplete: 4,
  /** Ctrl-C, and nothing was found until then. */
  interrupted: 130
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]
