/** `mmrace explain`: the interleaving of a log, or of a schedule. */
import { Command } from "effect/cli"
import * as Effect from "effect/Effect"
import { execute } from "../fuzz/LogStore.ts"
import * as O from "../options.ts"
import { explainDocument, printJson } from "../report/json.ts"
import { explanation, title } from "../report/summary.ts"
import { beQuiet, note, print, styled } from "../screen.ts"
import { load, openSubject } from "../Subject.ts"
import { userError } from "../UserError.ts"
import { readWhole, warnOfDamage } from "./replay.ts"
import { followToken, misfitText } from "./run.ts"

export const explain = Command.make("explain", {
  subject: O.subject,
  ...O.kernelFlags,
  schedule: O.scheduleToken,
  all: O.toggle("all", "Show every step"),
  maxSteps: O.maxSteps,
  json: O.json,
  quiet: O.quiet
}, (input) =>
  Effect.gen(function*() {
    if (input.quiet) beQuiet()
    const subject = yield* openSubject(input.subject)
    if (subject._tag === "Log" && input.schedule === undefined) {
      const opened = yield* readWhole(subject.path, subject.header, subject.source)
      warnOfDamage(opened)
      const { footer, job, log } = opened
      const told = explanation(job, { log, verdict: footer?.verdict ?? { _tag: "Ok" } }, input.all)
      if (input.json) return yield* printJson(explainDocument(job, log.length, footer?.verdict, told))
      print(styled("bold", title(job)))
      print()
      print(told)
      return
    }
    if (input.schedule === undefined) {
      return yield* userError(
        `${input.subject} is a program: explain needs a log, or a schedule of it (--schedule TOKEN).\n` +
          `To see some execution: mmrace run ${input.subject}`
      )
    }
    const job = yield* load(subject.source, input)
    const follow = yield* followToken(input.schedule)
    const { recorded } = execute(job, follow, { maxSteps: input.maxSteps, given: input.schedule })
    const misfit = misfitText(follow)
    if (misfit !== undefined) note(misfit)
    const told = explanation(job, recorded, input.all)
    if (input.json) return yield* printJson(explainDocument(job, recorded.log.length, recorded.verdict, told))
    print(styled("bold", title(job)))
    print()
    print(told)
  })).pipe(
    Command.withDescription("Show who did what, thread by thread, and what broke"),
    Command.withExamples([{ command: "mmrace explain failure.ndjson" }])
  )
