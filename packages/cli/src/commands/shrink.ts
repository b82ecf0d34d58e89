/** `mmrace shrink`: the same failure with as little as possible. */
import { print as printProgram } from "@mmrace/actors"
import {
  decodeSchedule,
  defaultMaxSteps,
  describeShrunk,
  Executor,
  failureId,
  FromChoices,
  FromSchedule
} from "@mmrace/core"
import { Command } from "effect/cli"
import * as Effect from "effect/Effect"
import { dirname } from "node:path"
import { exit } from "../exit.ts"
import { fileStem, headerOf, judged, pathFor, record, writeLogAt } from "../fuzz/LogStore.ts"
import { Pool } from "../fuzz/Pool.ts"
import { shrinkOn } from "../fuzz/session.ts"
import * as O from "../options.ts"
import { printJson, shrinkDocument } from "../report/json.ts"
import { explanation, title } from "../report/summary.ts"
import { wrapped } from "../report/wrap.ts"
import { beQuiet, columns, print, styled } from "../screen.ts"
import { type Job, load, openSubject, readText, type Subject } from "../Subject.ts"
import { exitCodes, userError } from "../UserError.ts"
import { defaultFolder } from "./fuzz.ts"
import { readWhole, warnOfDamage } from "./replay.ts"
import { writeTo } from "./run.ts"

export const shrink = Command.make("shrink", {
  subject: O.subject,
  ...O.kernelFlags,
  schedule: O.scheduleToken,
  keepProgram: O.toggle("keep-program", "Shrink the schedule only, not the program"),
  maxSteps: O.maxStepsOption,
  out: O.out("Log of the result (default: beside the log, ...-small.ndjson)"),
  json: O.json,
  quiet: O.quiet
}, (input) =>
  Effect.gen(function*() {
    if (input.quiet) beQuiet()
    const subject = yield* openSubject(input.subject)
    const { choices, id, job, maxSteps, seed } = yield* failureOf(subject, input)
    const result = yield* Effect.scoped(Effect.gen(function*() {
      const pool = yield* Effect.acquireRelease(
        Effect.sync(() => new Pool(job, 1)),
        (opened) => Effect.promise(() => opened.close())
      )
      return yield* Effect.promise(() => shrinkOn(pool, job, { id, choices }, maxSteps, !input.keepProgram))
    }))
    if (typeof result === "string") return yield* userError(`${input.subject}: ${result}`)
    const small = result.accepted === 0
      ? job
      : yield* load(yield* readText("the smaller program", printProgram(result.program)), {
        kernel: String(job.kernel),
        with: [],
        without: [],
        fixed: false
      })
    const executed = record(small, result.shrunk.choices, maxSteps)
    const { recorded } = executed
    const header = headerOf(small, {
      strategy: "shrunk",
      seed,
      execution: 0,
      schedule: executed.token,
      maxSteps: executed.maxSteps
    })
    const out = input.out ??
      (yield* pathFor(
        subject._tag === "Log" ? dirname(subject.path) : defaultFolder,
        `${fileStem(small, id)}-small`,
        small
      ))
    const log = yield* writeTo(out, `${fileStem(small, id)}-small`, (path) => writeLogAt(path, small, header, recorded))
    const told = explanation(small, recorded)
    if (input.json) yield* printJson(shrinkDocument(small, result, log, told))
    else {
      print(styled("bold", title(small)))
      print(`${id}`)
      for (const line of wrapped(describeShrunk(result.shrunk), columns())) print(line)
      if (!input.keepProgram) print(`programs: ${result.tried} smaller ones tried, ${result.accepted} accepted`)
      if (result.accepted > 0) print(`\n${printProgram(result.program).trimEnd()}`)
      print()
      print(told)
      print()
      if (log !== undefined) print(`log ${log}`)
      print(`schedule ${result.shrunk.token}`)
    }
    yield* exit(exitCodes.violation)
  })).pipe(
    Command.withDescription("Reduce a failure to the fewest preemptions, steps and operations"),
    Command.withExamples([{ command: "mmrace shrink failure.ndjson" }])
  )

interface Given {
  readonly kernel: string | undefined
  readonly with: ReadonlyArray<string>
  readonly without: ReadonlyArray<string>
  readonly fixed: boolean
  readonly schedule: string | undefined
  readonly maxSteps: number | undefined
}

/** The failure to start from: that of a log, or of a schedule token. */
const failureOf = (subject: Subject, input: Given) =>
  Effect.gen(function*() {
    if (input.schedule !== undefined) {
      const job = yield* load(
        subject.source,
        subject._tag === "Log" ? { ...input, kernel: input.kernel ?? subject.header.kernel } : input
      )
      const schedule = yield* Effect.mapError(Effect.fromResult(decodeSchedule(input.schedule)), (error) =>
        userError(`--schedule: ${error.message}`))
      return yield* failing(job, new FromSchedule(schedule), input.maxSteps ?? defaultMaxSteps, "the schedule", 0)
    }
    if (subject._tag === "Program") {
      return yield* userError(
        `${subject.source.file} is a program: shrink needs a log of a failure, or a schedule of it (--schedule TOKEN).\n` +
          `To find a failure: mmrace fuzz ${subject.entry?.bug ?? subject.source.file}`
      )
    }
    const opened = yield* readWhole(subject.path, subject.header, subject.source)
    warnOfDamage(opened)
    const { header, job } = opened
    const { schedule } = header
    const maxSteps = input.maxSteps ?? header.maxSteps
    const strategy = typeof schedule === "string"
      ? new FromSchedule(
        yield* Effect.mapError(Effect.fromResult(decodeSchedule(schedule)), (error) =>
          userError(`${subject.path}:1: ${error.message}`))
      )
      : new FromChoices(schedule)
    return yield* failing(job, strategy, maxSteps, subject.path, header.seed)
  })

const failing = (
  job: Job,
  strategy: FromSchedule | FromChoices,
  maxSteps: number,
  what: string,
  seed: number
) =>
  Effect.gen(function*() {
    const executor = new Executor(job.model, { maxSteps })
    const verdict = judged(job, executor.run(strategy), executor, maxSteps)
    const id = failureId(verdict)
    if (id === undefined) return yield* userError(`${what}: the execution does not fail, there is nothing to shrink`)
    return { job, choices: executor.copyChoices(), id, maxSteps, seed }
  })
