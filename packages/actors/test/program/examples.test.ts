import { readFileSync } from "node:fs"
import { Result, Schema } from "effect"
import { describe, expect, it } from "vitest"
import { ERRNO, Operation, parse, print, Program, readProgram } from "../../src/program/index.ts"
import { races } from "./races.ts"

const page = readFileSync(new URL("../../../../docs/program-language.md", import.meta.url), "utf8")

const blocks = [...page.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language, text]) => ({
  language,
  text: text ?? ""
}))

const accepted = (source: string): Program => {
  const result = readProgram(source, { file: "example" })
  return Result.isSuccess(result) ? result.success.program : expect.fail(result.failure.message)
}

const expectCanonical = (source: string) => {
  const program = accepted(source)
  expect(print(program)).toBe(source)
  expect(Schema.decodeUnknownSync(Program)(JSON.parse(JSON.stringify(program)))).toEqual(program)
}

describe("docs/program-language.md", () => {
  const examples = blocks.filter(({ language }) => language === "mmrace")

  it("has examples", () => {
    expect(examples.length).toBe(3)
  })

  it.each(examples.map(({ text }) => [text.split("\n")[0], text]))("%s is a program in canonical form", (_, text) => {
    expectCanonical(text ?? "")
  })

  it("documents every statement, errno and keyword of the set-up", () => {
    const tags = Operation.members.map(({ fields }) => fields._tag.schema.literal)
    for (const tag of [...tags, "repeat", "if"]) expect(page).toMatch(new RegExp(`^\\|.*\`.*\\b${tag}\\b`, "m"))
    for (const name of Object.keys(ERRNO)) expect(page).toContain(name)
  })

  it("every form in the tables of the set-up and of statements is read", () => {
    const forms = [...page.matchAll(/^\| (\*\*R\*\* )?`([^`]+)`/gm)].map(([, required, form]) => ({
      required: required !== undefined,
      // Placeholders stand for names, numbers and tests.
      form: (form ?? "").replaceAll("...", "").replace(/\bTEST\b/, "r0 = 7").replace(/\bN\b/, "2").replace("NN", "05")
    }))
    const inThread = forms.slice(forms.findIndex(({ form }) => form === "load A"))
      .filter(({ form }) => !form.startsWith("final") && !form.startsWith("T:") && !form.startsWith("["))
    // One row each, and the rows of `repeat` and `if`.
    expect(inThread.length).toBe(Operation.members.length + 2)
    for (const { form, required } of inThread) {
      const result = parse(`mmrace x\nthread t\n  ${required ? "r = " : ""}${form}\n`)
      if (Result.isFailure(result)) expect.fail(result.failure.message)
    }
    const before = forms.slice(0, forms.findIndex(({ form }) => form === "load A"))
      .filter(({ form }) => !/^mmrace|^kernel|^"|^with|^fix/.test(form))
    expect(before.length).toBe(11)
    for (const { form } of before) {
      const result = parse(`mmrace x\n${form}\n`)
      if (Result.isFailure(result)) expect.fail(result.failure.message)
    }
  })

  it("shows an error as it is printed", () => {
    const shown = blocks.find(({ text }) => text.startsWith("race.mmrace"))?.text
    const result = parse("mmrace x\n\nmap A anon rw 1\n\nthread t\n  lod A\n", { file: "race.mmrace" })
    expect(Result.isFailure(result) ? `${result.failure.message}\n` : "").toBe(shown)
  })
})

describe("races", () => {
  it("there are seventeen", () => {
    expect(Object.keys(races).length).toBe(17)
  })

  it.each(Object.entries(races))("%s can be said, in canonical form", (bug, source) => {
    expectCanonical(source)
    expect(accepted(source).bug).toBe(bug)
  })
})
