/** Text to a program that is ready to run: `parse`, then `check`. */
import { Result } from "effect"
import { check, type CheckOptions } from "./check.ts"
import { ProgramError } from "./Issue.ts"
import { parse, type Parsed, type ParseOptions } from "./parse.ts"

export type ReadOptions = ParseOptions & Omit<CheckOptions, "positions">

/** Fails with all syntax errors, or, when there are none, with everything `check` finds. */
export const readProgram = (source: string, options: ReadOptions = {}): Result.Result<Parsed, ProgramError> =>
  Result.flatMap(parse(source, options), (parsed) => {
    const issues = check(parsed.program, { ...options, positions: parsed.positions })
    return issues.length === 0
      ? Result.succeed(parsed)
      : Result.fail(ProgramError.make(issues, { file: options.file ?? "program", source }))
  })
