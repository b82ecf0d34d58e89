/** `mmrace run`: one execution, told. */
import {
  decodeSchedule,
  emptyProfile,
  failureId,
  FromSchedule,
  isFailure,
  parseStrategy,
  type Strategy
} from "@mmrace/core"
import { Command } from "effect/cli"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { join } from "node:path"
import { exit } from "../exit.ts"
import { execute, headerOf, isFileName, openFolder, writeLogAt } from "../fuzz/LogStore.ts"
import * as O from "../options.ts"
import { printJson, runDocument } from "../report/json.ts"
import { explanation, title } from "../report/summary.ts"
import { beQuiet, count, note, print, styled } from "../screen.ts"
import { load, logSuffix, openProgram } from "../Subject.ts"
import { exitCodes, userError } from "../UserError.ts"

/** A schedule token as a strategy. */
export const followToken = (token: string) =>
  Effect.mapError(
    Effect.map(Effect.fromResult(decodeSchedule(token)), (schedule) => new FromSchedule(schedule)),
    (error) => userError(`--schedule: ${error.message}`)
  )

/** How a schedule fitted the program; undefined when it did. */
export const misfitText = (follow: FromSchedule): string | undefined => {
  const { misfits, unused } = follow
  if (misfits + unused === 0) return undefined
  return `the schedule does not fit: ${count(misfits + unused, "choice")} of it could not be made here; ` +
    "it is of another program or kernel"
}

export const run = Command.make("run", {
  subject: O.subject,
  ...O.kernelFlags,
  strategy: O.strategy,
  seed: O.seed,
  schedule: O.scheduleToken,
  maxSteps: O.maxSteps,
  all: O.toggle("all", "Show every step"),
  out: O.out("Write the log to this file or folder"),
  json: O.json,
  quiet: O.quiet
}, (input) =>
  Effect.gen(function*() {
    if (input.quiet) beQuiet()
    const source = yield* openProgram(input.subject)
    const job = yield* load(source, input)
    const { maxSteps, seed } = input
    const token = input.schedule === undefined ? undefined : yield* followToken(input.schedule)
    const strategy: Strategy = token ?? Result.getOrThrow(parseStrategy(input.strategy)).strategyFor(0, emptyProfile)
    const executed = execute(job, strategy, { maxSteps, seed, given: input.schedule })
    const { recorded, token: schedule } = executed
    const { verdict } = recorded
    const misfit = token === undefined ? undefined : misfitText(token)
    if (misfit !== undefined) note(misfit)
    const log = yield* writeTo(input.out, job.program.name, (path) =>
      writeLogAt(
        path,
        job,
        headerOf(job, { strategy: strategy.name, seed, execution: 0, schedule, maxSteps: executed.maxSteps }),
        recorded
      ))
    const told = explanation(job, recorded, input.all)
    if (input.json) {
      const facts = {
        strategy: strategy.name,
        seed,
        schedule,
        steps: recorded.log.length,
        verdict,
        log,
        explanation: told
      }
      yield* printJson(runDocument(job, facts))
    } else {
      print(`${styled("bold", title(job))}, ${strategy.name}${token === undefined ? `, seed ${seed}` : ""}`)
      print()
      print(told)
      print()
      print(`${count(recorded.log.length, "step")}, schedule ${schedule}`)
      if (log !== undefined) {
        print(`log ${log}`)
      }
    }
    yield* exit(failureId(verdict) !== undefined && isFailure(verdict) ? exitCodes.violation : exitCodes.clean)
  })).pipe(
    Command.withDescription("Execute a program once and show what happened"),
    Command.withExamples([
      { command: "mmrace run B-05 --seed 7" },
      { command: "mmrace run B-05 --schedule mm1.AAAAAA --out run.ndjson" }
    ])
  )

/** Writes to the file or folder of --out; the path, or undefined without --out. */
export const writeTo = <E, R>(
  out: string | undefined,
  name: string,
  write: (path: string) => Effect.Effect<void, E, R>
) =>
  Effect.gen(function*() {
    if (out === undefined) return undefined
    if (isFileName(out)) {
      yield* write(out)
      return out
    }
    yield* openFolder(out)
    const path = join(out, `${name}${logSuffix}`)
    yield* write(path)
    return path
  })
