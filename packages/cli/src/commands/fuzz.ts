/** `mmrace fuzz`: many executions, until something breaks or the limit is reached. */
import { Command } from "effect/cli"
import * as Effect from "effect/Effect"
import { exit } from "../exit.ts"
import { checkDeterminismOn } from "../fuzz/determinism.ts"
import type { Session, SessionOptions } from "../fuzz/session.ts"
import { runSession } from "../fuzz/session.ts"
import { hearInterrupts } from "../interrupt.ts"
import * as O from "../options.ts"
import { fuzzDocument, printJson } from "../report/json.ts"
import { renderFound, renderStatistics, title } from "../report/summary.ts"
import { beQuiet, print, styled } from "../screen.ts"
import { load, openProgram } from "../Subject.ts"
import { type ExitCode, exitCodes } from "../UserError.ts"

/** Executions when neither --runs nor --time is given. */
export const defaultRuns = 20_000

/** Where logs go when nothing else is said. */
export const defaultFolder = "mmrace-logs"

export const exitCodeOf = ({ fuzzed, found }: Session): ExitCode => {
  // A lock-order report is a deadlock that only did not happen yet.
  if (found.length > 0 || fuzzed.analyses.locks.found > 0) return exitCodes.violation
  if (fuzzed.ending === "interrupt") return exitCodes.interrupted
  return fuzzed.ending === "broken" ? exitCodes.usage : exitCodes.clean
}

export const fuzz = Command.make("fuzz", {
  subject: O.subject,
  ...O.kernelFlags,
  strategy: O.strategy,
  seed: O.seed,
  runs: O.runs,
  time: O.time,
  maxSteps: O.maxSteps,
  workers: O.workers,
  keepGoing: O.toggle("keep-going", "Do not stop at the first failure"),
  noShrink: O.toggle("no-shrink", "Do not minimise what is found"),
  checkDeterminism: O.toggle("check-determinism", "First run 100 schedules twice and compare"),
  out: O.out(`Folder for logs (default ${defaultFolder})`),
  json: O.json,
  quiet: O.quiet
}, (input) =>
  Effect.gen(function*() {
    if (input.quiet) beQuiet()
    const source = yield* openProgram(input.subject)
    const job = yield* load(source, input)
    const options: SessionOptions = {
      seed: input.seed,
      strategy: input.strategy,
      runs: input.runs ?? (input.time === undefined ? defaultRuns : Number.POSITIVE_INFINITY),
      time: input.time,
      keepGoing: input.keepGoing,
      maxSteps: input.maxSteps,
      workers: input.workers,
      folder: input.out ?? defaultFolder,
      checkFolder: input.out !== undefined,
      shrink: !input.noShrink
    }
    const session = yield* hearInterrupts(Effect.gen(function*() {
      if (!input.json) {
        print(`${styled("bold", title(job))}, ${options.strategy}, seed ${options.seed}`)
        if (job.program.description !== undefined) print(job.program.description)
        print()
      }
      if (input.checkDeterminism) yield* checkDeterminismOn(job, options)
      return yield* runSession(job, options)
    }))
    if (input.json) yield* printJson(fuzzDocument(job, session, options))
    else printSession(job, session, options)
    yield* exit(exitCodeOf(session))
  })).pipe(
    Command.withDescription("Execute a program under many schedules and look for failures"),
    Command.withExamples([
      { command: "mmrace fuzz B-05" },
      { command: "mmrace fuzz race.mmrace --kernel 6.8 --time 5m --keep-going" }
    ])
  )

export const printSession = (
  job: Parameters<typeof renderFound>[0],
  session: Session,
  options: SessionOptions
): void => {
  for (const found of session.found) {
    for (const line of renderFound(job, found)) print(line)
    print()
  }
  for (const line of renderStatistics(job, session.fuzzed, options)) print(line)
}
