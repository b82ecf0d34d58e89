/** The programs of the corpus, each at the kernel that it states: the one before its fix. */
import { kernelWords, loadProgram, readProgram } from "@mmrace/actors"
import type { Model } from "@mmrace/core"
import * as Result from "effect/Result"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { corpusFolder } from "../../Corpus.ts"
import { asStated, kernelOf } from "../../kernelOf.ts"

const files = readdirSync(corpusFolder).filter((name) => name.endsWith(".mmrace")).toSorted()

/** Executions of these: one is ten times as long as one of the suite. */
export const corpusLimit = 500

/** `B-03-vmsplice-cow` and so on, in order. */
export const corpusPrograms: ReadonlyArray<string> = files.map((name) => name.slice(0, -".mmrace".length))

export const corpusModel = (name: string): Model => {
  const path = join(corpusFolder, `${name}.mmrace`)
  const { program } = Result.getOrThrow(readProgram(readFileSync(path, "utf8"), { file: path, ...kernelWords }))
  return loadProgram(program, Result.getOrThrow(kernelOf(program, asStated))).model
}
