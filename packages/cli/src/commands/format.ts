/** `mmrace format`: a program in its canonical form. */
import { print as printProgram } from "@mmrace/actors"
import { Command } from "effect/cli"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as O from "../options.ts"
import { note } from "../screen.ts"
import { fileProblem, openProgram } from "../Subject.ts"
import { userError } from "../UserError.ts"

export const format = Command.make("format", {
  subject: O.subject,
  out: O.out("Write to this file instead of stdout")
}, (input) =>
  Effect.gen(function*() {
    const source = yield* openProgram(input.subject)
    const text = printProgram(source.program)
    if (/^\s*#|\s#/m.test(source.text)) note(`${source.file}: comments are left out, the canonical form has none`)
    if (input.out === undefined) {
      process.stdout.write(text)
      return
    }
    const fs = yield* FileSystem.FileSystem
    yield* Effect.mapError(fs.writeFileString(input.out, text), (error) =>
      userError(`cannot write ${input.out}: ${fileProblem(error)}`))
  })).pipe(
    Command.withDescription("Print a program in its canonical form"),
    Command.withExamples([{ command: "mmrace format race.mmrace --out race.mmrace" }])
  )
