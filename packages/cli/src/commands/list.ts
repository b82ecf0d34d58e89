/** `mmrace list`: what there is. */
import { changes, mainlines } from "@mmrace/actors"
import { inWords, invariantIds } from "@mmrace/actors/invariants/index"
import { strategies } from "@mmrace/core"
import { Argument, Command } from "effect/cli"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import { corpus, readEntry } from "../Corpus.ts"
import { didYouMean } from "../nearest.ts"
import * as O from "../options.ts"
import { listDocument, printJson } from "../report/json.ts"
import { wrapped } from "../report/wrap.ts"
import { columns, print, table } from "../screen.ts"
import { userError } from "../UserError.ts"

const kinds = ["programs", "strategies", "invariants", "fixes", "releases"] as const

type Item = Readonly<Record<string, Schema.Json>>

const itemsOf = (what: (typeof kinds)[number]) =>
  Effect.gen(function*() {
    switch (what) {
      case "programs": {
        const entries = yield* Effect.flatMap(Effect.orDie(corpus), (found) => Effect.forEach(found, readEntry))
        return entries.map(({ entry, program }): Item => ({
          id: entry.bug,
          name: entry.slug,
          kernel: program.kernel.release ?? "",
          breaks: [...program.breaks],
          fixes: [...program.fixes],
          description: program.description ?? ""
        }))
      }
      case "strategies":
        return strategies.map(({ about, name }): Item => ({ name, about }))
      case "invariants":
        return invariantIds.map((id): Item => ({ id, words: inWords(id) ?? "" }))
      case "fixes":
        return changes.map((c): Item => ({ id: c.id, bug: c.bug ?? "", release: c.release ?? "", title: c.title }))
      case "releases":
        return mainlines.map((name): Item => ({ name }))
    }
  })

/** Columns, the last one wrapped under itself. */
const render = (items: ReadonlyArray<Item>, keys: ReadonlyArray<string>): string => {
  const cell = (item: Item, key: string): string => {
    const value = item[key]
    return Array.isArray(value) ? value.join(" ") : String(value ?? "")
  }
  const fixed = keys.slice(0, -1)
  const left = fixed.reduce((sum, key) => sum + Math.max(0, ...items.map((item) => cell(item, key).length)) + 2, 0)
  const last = keys.at(-1)!
  return table(items.flatMap((item) => {
    const lines = wrapped(cell(item, last), Math.max(20, columns() - left))
    return lines.map((line, i) => fixed.map((key) => i === 0 ? cell(item, key) : "").concat(line))
  }))
}

const shown: Readonly<Record<(typeof kinds)[number], ReadonlyArray<string>>> = {
  programs: ["id", "name", "kernel", "breaks", "description"],
  strategies: ["name", "about"],
  invariants: ["id", "words"],
  fixes: ["id", "bug", "release", "title"],
  releases: ["name"]
}

export const list = Command.make("list", {
  what: Argument.String("what").pipe(
    Argument.withMetavar("WHAT"),
    Argument.withDescription(`${kinds.join(", ")} (default programs)`),
    Argument.withDefault("programs")
  ),
  json: O.json
}, (input) =>
  Effect.gen(function*() {
    const what = kinds.find((kind) => kind === input.what)
    if (what === undefined) {
      return yield* userError(
        `there is no list of "${input.what}"${didYouMean(input.what, kinds)}\nLists: ${kinds.join(", ")}`
      )
    }
    const items = yield* Effect.orDie(itemsOf(what))
    if (input.json) yield* printJson(listDocument(what, items))
    else if (what === "releases") print(wrapped(mainlines.join(" "), columns()).join("\n"))
    else print(render(items, shown[what]))
  })).pipe(
    Command.withDescription("List shipped programs, strategies, invariants, fixes or releases"),
    Command.withExamples([{ command: "mmrace list" }, { command: "mmrace list strategies" }])
  )
