/** docs/event-log.md: its sample is written again, and a reader made from its words alone agrees with ours. */
import { LogFooter, LogHeader, readEnvelope, readLog } from "@mmrace/core"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { sample, sampleModel } from "./sample.ts"

const page = readFileSync(new URL("../../../../docs/event-log.md", import.meta.url), "utf8")
const shown = /<!-- sample[^\n]*\n```\n(?<log>.*?)```/su.exec(page)?.groups?.["log"] ?? ""

test("the sample is what the tool writes", () => {
  expect(shown).toBe(sample().text)
})

test("the digest is computed as the page says", () => {
  const lines = shown.trimEnd().split("\n")
  const footer = lines.at(-1)!
  const hash = createHash("sha256")
  for (const line of lines.slice(0, -1)) hash.update(`${line}\n`)
  hash.update(footer.slice(0, footer.lastIndexOf(",\"digest\":")))
  expect((JSON.parse(footer) as { digest: string }).digest).toBe(hash.digest("hex"))
})

const section = (from: string, to: string): string => page.slice(page.indexOf(from), page.indexOf(to))

test("the page names every member and every verdict", () => {
  for (const member of Object.keys(LogHeader.fields)) {
    expect(section("### Header", "### Events")).toContain(`| \`${member}\` |`)
  }
  for (const member of Object.keys(LogFooter.fields)) {
    expect(section("### Footer", "## Values")).toContain(`| \`${member}\` |`)
  }
  for (const member of LogFooter.fields.verdict.members) {
    const row = section("### Footer", "## Values").split("\n").find((line) =>
      line.startsWith(`| \`${member.fields._tag.schema.literal}\` |`)
    )
    for (const field of Object.keys(member.fields)) if (field !== "_tag") expect(row).toContain(`\`${field}\``)
  }
})

test("the error that the page shows is the error", () => {
  const text = shown.replace("\"c\":\"write\"", "\"c\":\"wrote\"")
  expect(readEnvelope(text).integrity._tag).toBe("Edited")
  let message = ""
  try {
    readLog(text, sampleModel)
  } catch (error) {
    message = error instanceof Error ? error.message : ""
  }
  expect(page).toContain(`\n${message}\n`)
})
