/** What a command works on: a program file, a program of the corpus, or a log. */
import { kernelWords, loadProgram, type LoadedProgram, type Program, readProgram } from "@mmrace/actors"
import { type LogHeader, readLogHeader } from "@mmrace/core"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import { corpus, type CorpusEntry, findInCorpus } from "./Corpus.ts"
import { type KernelOptions, kernelOf } from "./kernelOf.ts"
import { didYouMean } from "./nearest.ts"
import { type UserError, userError } from "./UserError.ts"

/** How the name of a log ends. */
export const logSuffix = ".ndjson"

/** Where a program's text comes from. */
export interface Source {
  /** As messages name it. */
  readonly file: string
  readonly text: string
  readonly program: Program
}

export type Subject =
  | { readonly _tag: "Program"; readonly source: Source; readonly entry: CorpusEntry | undefined }
  | { readonly _tag: "Log"; readonly path: string; readonly header: LogHeader; readonly source: Source }

/** A program on a kernel, ready to run. */
export interface Job extends LoadedProgram {
  readonly source: Source
}

/** More than this is no program that anybody wrote: it would be read into memory whole. */
const largestProgram = 64 * 1024 * 1024

/** Resolves the argument of a command. */
export const openSubject = (word: string): Effect.Effect<Subject, UserError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const info = yield* Effect.option(fs.stat(word))
    if (info._tag === "None") {
      const entries = yield* Effect.orDie(corpus)
      const entry = findInCorpus(entries, word)
      if (entry === undefined) return yield* unknownSubject(word, entries)
      const source = yield* readSource(entry.path)
      return { _tag: "Program", source, entry }
    }
    if (info.value.type === "Directory") {
      return yield* userError(`${word} is a directory; give a program file, a log or a bug such as B-05`)
    }
    if (yield* looksLikeLog(word)) {
      const header = yield* Effect.mapError(readLogHeader(word), (error) => readError(word, error))
      if (typeof header.program !== "string") {
        return yield* userError(`${word}:1: the log holds no program of the program language; it is of another model`)
      }
      const source = yield* readText(`${word} (its program)`, header.program)
      return { _tag: "Log", path: word, header, source }
    }
    const size = Number(info.value.size)
    if (size > largestProgram) {
      return yield* userError(
        `${word} is ${Math.round(size / 1024 / 1024)} MiB long and not a log; a program has at most 64 MiB`
      )
    }
    return { _tag: "Program", source: yield* readSource(word), entry: undefined }
  })

/** The argument as a program: that of a log when it is one. */
export const openProgram = (word: string): Effect.Effect<Source, UserError, FileSystem.FileSystem> =>
  Effect.map(openSubject(word), (subject) => subject.source)

/** The argument as a log. */
export const openLog = (word: string) =>
  Effect.flatMap(openSubject(word), (subject) =>
    subject._tag === "Log"
      ? Effect.succeed(subject)
      : userError(
        `${word} is a program, not a log; logs are written by mmrace fuzz, and by mmrace run with --out FILE`
      ))

const unknownSubject = (word: string, entries: ReadonlyArray<CorpusEntry>): UserError => {
  const ids = entries.flatMap(({ bug, slug }) => [bug, slug])
  return userError(
    `there is no file and no shipped program "${word}"${didYouMean(word, ids)}\nmmrace list shows the shipped programs.`
  )
}

/** A log says so in its first bytes, an empty one by its name; anything else that is JSON was meant to be one. */
const looksLikeLog = (path: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const file = yield* fs.open(path, { flag: "r" })
    const bytes = yield* file.readAlloc(64)
    if (bytes._tag === "None") return path.endsWith(logSuffix)
    return Buffer.from(bytes.value).toString("utf8").trimStart().startsWith("{")
  }).pipe(Effect.scoped, Effect.mapError((error) => readError(path, error)))

const readSource = (path: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const text = yield* Effect.mapError(fs.readFileString(path), (error) => readError(path, error))
    return yield* readText(path, text)
  })

/** Reads a program; its errors name file, line and column already. */
export const readText = (file: string, text: string): Effect.Effect<Source, UserError> =>
  Effect.suspend(() => {
    const read = readProgram(text, { file, ...kernelWords })
    return Result.isSuccess(read)
      ? Effect.succeed({ file, text, program: read.success.program })
      : Effect.fail(userError(read.failure.message))
  })

/** Why a file cannot be read or written, in words. */
export const fileProblem = (error: PlatformError): string => {
  const reason = error.reason._tag
  const cause: unknown = "cause" in error.reason ? error.reason.cause : undefined
  const code = typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : ""
  const words: Readonly<Record<string, string>> = {
    ENOENT: "there is no such file or directory",
    EACCES: "permission denied",
    EPERM: "permission denied",
    EISDIR: "it is a directory",
    ENOTDIR: "a part of the path is not a directory",
    EROFS: "the file system is read-only",
    ENOSPC: "no space left on the device",
    EDQUOT: "the disk quota is used up",
    EMFILE: "too many open files",
    EEXIST: "it exists already",
    EFBIG: "the file would be larger than allowed",
    EIO: "the device failed",
    ENAMETOOLONG: "the name is too long",
    ELOOP: "too many symbolic links"
  }
  return words[code] ?? (code === "" ? reason : `${reason} (${code})`)
}

export const readError = (path: string, error: PlatformError | { readonly message: string }): UserError =>
  "_tag" in error && error._tag === "PlatformError"
    ? userError(`cannot read ${path}: ${fileProblem(error)}`)
    : userError(error.message)

/** The program on the kernel that the options ask for. */
export const load = (source: Source, options: KernelOptions): Effect.Effect<Job, UserError> =>
  Effect.map(Effect.fromResult(kernelOf(source.program, options)), (kernel) => ({
    ...loadProgram(source.program, kernel),
    source
  }))
