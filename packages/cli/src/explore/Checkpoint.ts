/** Where an exploration stands, as a file: whole or not there at all, for any number of workers to go on with. */
import type { Explore } from "@mmrace/core"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Schema from "effect/Schema"
import { openFolder } from "../fuzz/LogStore.ts"
import { fileProblem, type Job, readError } from "../Subject.ts"
import { type UserError, userError } from "../UserError.ts"
import { version } from "../version.ts"
import { dirname } from "node:path"
import type { Plan, Reduction } from "./protocol.ts"
import type { Part } from "./search.ts"

const Reductions = Schema.Literals(["stateful", "optimal", "source"])

const File = Schema.Struct({
  format: Schema.Literal("mmrace-checkpoint"),
  version: Schema.Literal(1),
  tool: Schema.String,
  /** The text of the program. */
  program: Schema.String,
  kernel: Schema.String,
  reduction: Reductions,
  maxSteps: Schema.Int,
  untilFailure: Schema.Boolean,
  /** Of the tree: what core wrote, which core reads. */
  parts: Schema.Array(
    Schema.Struct({
      task: Schema.Unknown,
      level: Schema.Int,
      saved: Schema.optionalKey(Schema.Unknown),
      explored: Schema.optionalKey(Schema.Unknown)
    })
  )
})

/** What an exploration needs to go on. */
export interface Checkpoint {
  readonly plan: Plan
  readonly parts: ReadonlyArray<Part>
}

export const writeCheckpoint = (
  path: string,
  job: Job,
  { reduction, maxSteps, untilFailure }: Plan,
  parts: ReadonlyArray<Part>
): Effect.Effect<void, UserError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const text = JSON.stringify({
      format: "mmrace-checkpoint",
      version: 1,
      tool: version,
      program: job.source.text,
      kernel: String(job.kernel),
      reduction,
      maxSteps,
      untilFailure,
      parts: parts.map(({ explored, level, saved, task }) => ({ task, level, saved, explored }))
    })
    yield* openFolder(dirname(path))
    const unfinished = `${path}.${process.pid}.tmp`
    yield* fs.writeFileString(unfinished, text).pipe(
      Effect.andThen(fs.rename(unfinished, path)),
      Effect.onError(() => Effect.ignore(fs.remove(unfinished))),
      Effect.mapError((error) => userError(`cannot write ${path}: ${fileProblem(error)}`))
    )
  })

/** Reads a checkpoint of this program on this kernel. */
export const readCheckpoint = (
  path: string,
  job: Job
): Effect.Effect<Checkpoint, UserError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const text = yield* Effect.mapError(fs.readFileString(path), (error) => readError(path, error))
    const file = yield* Effect.try({
      try: () => Schema.decodeUnknownSync(File)(JSON.parse(text)),
      catch: () => userError(`${path} is no checkpoint of this mmrace; mmrace explore writes them`)
    })
    if (file.program !== job.source.text) {
      return yield* userError(
        `${path} is a checkpoint of another program: ${job.source.file} was changed, or another one was meant`
      )
    }
    if (file.kernel !== String(job.kernel)) {
      return yield* userError(
        `${path} was made on kernel ${file.kernel}, not ${String(job.kernel)}; add --kernel "${file.kernel}"`
      )
    }
    if (file.tool !== version) {
      return yield* userError(
        `${path} was written by mmrace ${file.tool}, this is ${version}: explore from the beginning`
      )
    }
    const reduction: Reduction = file.reduction
    return {
      plan: {
        reduction,
        cost: undefined,
        bound: undefined,
        untilFailure: file.untilFailure,
        maxSteps: file.maxSteps
      },
      parts: file.parts.map(({ explored, level, saved, task }) => ({
        task: task as Explore.Task,
        level,
        saved: saved as Explore.Checkpoint | undefined,
        explored: explored as Explore.Explored | undefined
      }))
    }
  })
