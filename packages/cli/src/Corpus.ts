/** The shipped programs: packages/actors/corpus, one file each, by bug number and by name. */
import { kernelWords, type Program, readProgram } from "@mmrace/actors"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"

export interface CorpusEntry {
  /** `B-05`. */
  readonly bug: string
  /** `gupfast-vs-fork`. */
  readonly slug: string
  readonly path: string
}

const fileName = /^(?<bug>B-\d+)-(?<slug>.+)\.mmrace$/

export const corpusFolder = join(
  dirname(createRequire(import.meta.url).resolve("@mmrace/actors/package.json")),
  "corpus"
)

/** All shipped programs, ordered by bug number. */
export const corpus = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const names = yield* fs.readDirectory(corpusFolder)
  return names.toSorted().flatMap((name): ReadonlyArray<CorpusEntry> => {
    const { bug, slug } = fileName.exec(name)?.groups ?? {}
    return bug === undefined || slug === undefined ? [] : [{ bug, slug, path: join(corpusFolder, name) }]
  })
})

/** `B-05`, `b-5`, `B05`, `gupfast-vs-fork` or `B-05-gupfast-vs-fork`. */
export const findInCorpus = (entries: ReadonlyArray<CorpusEntry>, id: string): CorpusEntry | undefined => {
  const word = id.toLowerCase().replace(/\.mmrace$/, "")
  const number = /^b-?0*(\d+)$/.exec(word)?.[1]
  return entries.find(({ bug, slug }) =>
    slug === word || `${bug}-${slug}`.toLowerCase() === word ||
    (number !== undefined && String(Number(bug.slice(2))) === number)
  )
}

/** A shipped program, read. Shipped programs are valid: anything else is a defect. */
export const readEntry = (entry: CorpusEntry) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const source = yield* fs.readFileString(entry.path)
    const program: Program = Result.getOrThrow(readProgram(source, { file: entry.path, ...kernelWords })).program
    return { entry, source, program }
  })
