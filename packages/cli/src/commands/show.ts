/** `mmrace show`: a program, its bug and its fixes. */
import { findChange } from "@mmrace/actors"
import { inWords } from "@mmrace/actors/invariants/index"
import { Command } from "effect/cli"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as O from "../options.ts"
import { printJson, showDocument } from "../report/json.ts"
import { wrapped } from "../report/wrap.ts"
import { columns, print, styled } from "../screen.ts"
import { load, openSubject } from "../Subject.ts"

/** A label and a text, wrapped under itself. */
const row = (label: string, text: string): void => {
  wrapped(text, columns() - 8).forEach((line, i) => print(`${(i === 0 ? label : "").padEnd(8)}${line}`))
}

export const show = Command.make("show", {
  subject: O.subject,
  ...O.kernelFlags,
  json: O.json
}, (input) =>
  Effect.gen(function*() {
    const subject = yield* openSubject(input.subject)
    const recorded = subject._tag === "Log" ? subject.header.kernel : undefined
    const job = yield* load(subject.source, { ...input, kernel: input.kernel ?? recorded })
    const { program } = job
    const fixes = program.fixes.flatMap((word) => {
      const found = findChange(word)
      return Result.isSuccess(found) ? [found.success] : []
    })
    const breaks = program.breaks.map((invariant) => ({ invariant, words: inWords(invariant) ?? null }))
    if (input.json) return yield* printJson(showDocument(job, fixes, breaks))
    print(styled("bold", `${program.bug === undefined ? "" : `${program.bug} `}${program.name}`))
    if (program.description !== undefined) row("", program.description)
    row("kernel", String(job.kernel))
    for (const { invariant, words } of breaks) row("breaks", `${invariant} ${words ?? ""}`.trimEnd())
    for (const fix of fixes) row("fix", `${fix.id} ${fix.title}${fix.release === undefined ? "" : ` (${fix.release})`}`)
    row("file", subject.source.file)
    if (subject._tag === "Log") {
      const { execution, maxSteps, schedule, seed, strategy, tool } = subject.header
      row("log", `execution ${execution} of seed ${seed}, ${strategy}, at most ${maxSteps} steps, by mmrace ${tool}`)
      if (typeof schedule === "string") row("", `schedule ${schedule}`)
    }
    print()
    print(subject.source.text.trimEnd())
  })).pipe(
    Command.withDescription("Show a program with its bug, its fixes and its kernel"),
    Command.withExamples([{ command: "mmrace show B-05" }])
  )
