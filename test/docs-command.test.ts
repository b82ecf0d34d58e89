/** docs/command.md names all commands and options, and no others; docs/json.md all members of documents. */
import * as documents from "mmrace/report/json"
import { expect, test } from "vitest"
import { codeSpansOf } from "./docs/page.ts"
import { pages, read } from "./docs/pages.ts"
import { root, runCommand } from "./docs/run.ts"

const page = read("docs/command.md")

const help = async (command: string): Promise<string> => (await runCommand(`mmrace ${command} --help`, root, 0)).output

const optionsIn = (text: string): ReadonlyArray<string> => [...new Set(text.match(/--[a-z][a-z-]*/gu))].toSorted()

/** Options of the command itself, which every program has. */
const common = ["--help", "--version", "--completions"]

test("commands and options", async () => {
  const commands = [...(await help("")).matchAll(/^ {2}(?<name>[a-z]+) {2}/gmu)].map((match) => match.groups!["name"]!)
  expect(commands.length).toBeGreaterThan(5)
  expect([...page.matchAll(/^\| `mmrace (?<name>[a-z]+)`/gmu)].map((match) => match.groups!["name"]!).toSorted())
    .toEqual(commands.toSorted())

  const known = optionsIn([...common, ...await Promise.all(commands.map(help))].join("\n"))
  expect(known.filter((option) => !page.includes(`\`${option}`) && !common.includes(option))).toEqual([])
  const spans = pages.flatMap((name) =>
    codeSpansOf(read(name)).filter((code) => name === "docs/command.md" || code.startsWith("mmrace "))
  )
  expect(optionsIn(spans.join("\n")).filter((option) => !known.includes(option))).toEqual([])
})

/** Names of all members of a Schema, at any depth. */
const membersOf = (schema: unknown): ReadonlyArray<string> => {
  if ((typeof schema !== "object" && typeof schema !== "function") || schema === null) return []
  const { fields, members, schema: inner, value } = schema as Readonly<Record<string, unknown>>
  const parts: ReadonlyArray<unknown> = [...Object.values(fields ?? {}), ...(Array.isArray(members) ? members : [])]
  return Object.keys(fields ?? {}).concat([...parts, inner, value].flatMap(membersOf))
}

test("members of the JSON documents", () => {
  const schemas = Object.entries(documents).filter(([name]) => /^[A-Z]\w*Document$/u.test(name))
  expect(schemas.length).toBeGreaterThan(5)
  const json = read("docs/json.md")
  const missing = schemas.flatMap(([name, schema]) =>
    membersOf(schema).filter((member) => !json.includes(`\`${member}\``)).map((member) => `${name}: ${member}`)
  )
  expect(missing).toEqual([])
})
