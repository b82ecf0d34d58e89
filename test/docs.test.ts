/**
 * Every command and every sample in README.md and docs/ is what a reader gets.
 *
 * A `console` block is run command by command in a directory of the page's own, from the top of the page to its end, and
 * what is printed must be what is shown (but for durations and rates, see docs/run.ts). A block with a file name, as
 * in "```mmrace race.mmrace", puts that file into the directory. A "```ts FILE" block is a part of that file of the
 * project, which is a program that a console block runs.
 *
 * `npx vitest run test/docs.test.ts -u` writes what the commands print now into the pages.
 */
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import {
  type Block,
  blocksOf,
  codeSpansOf,
  isBlock,
  piecesOf,
  renderSamples,
  type Sample,
  samplesOf
} from "./docs/page.ts"
import { pages, read } from "./docs/pages.ts"
import { root, runCommand, sameButTimes } from "./docs/run.ts"

/** Pages whose blocks tests of packages read: core's log/document, actors' program/examples and corpus/findings. */
const isTestedElsewhere = (page: string): boolean =>
  page === "docs/event-log.md" || page === "docs/program-language.md" || page.startsWith("docs/findings/")

/** Runs the commands of a block; `exitCode` is that of the command before. */
const runBlock = async (
  block: Block,
  directory: string,
  exitCode: number
): Promise<{ readonly text: string; readonly exitCode: number }> => {
  const samples: Array<Sample> = []
  let previous = exitCode
  for (const { command, output } of samplesOf(block)) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other, as a reader would
    const ran = await runCommand(command, directory, previous)
    previous = ran.exitCode
    const blank = /\n*$/u.exec(output)![0].slice(1)
    const printed = ran.output + blank
    samples.push({ command, output: sameButTimes(printed, output) ? output : printed })
  }
  return { text: renderSamples(samples), exitCode: previous }
}

/** The page with what its commands print now. */
const rewrite = async (page: string, directory: string): Promise<string> => {
  let exitCode = 0
  let text = ""
  for (const piece of piecesOf(read(page))) {
    if (!isBlock(piece)) {
      text += piece
      continue
    }
    if (piece.language === "console") {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, as a reader would
      const ran = await runBlock(piece, directory, exitCode)
      exitCode = ran.exitCode
      text += ran.text
      continue
    }
    if (piece.language !== "ts" && piece.name !== "") writeFileSync(join(directory, piece.name), piece.text)
    text += piece.text
  }
  return text
}

const withConsole = pages.filter((page) => blocksOf(read(page)).some(({ language }) => language === "console"))

describe("commands and what they print", () => {
  let directory = ""
  beforeAll(() => {
    directory = realpathSync(mkdtempSync(join(tmpdir(), "mmrace-docs-")))
  })
  afterAll(() => {
    rmSync(directory, { recursive: true, force: true })
  })

  test.each(withConsole)("%s", async (page) => {
    const home = mkdtempSync(join(directory, "page-"))
    await expect(await rewrite(page, home)).toMatchFileSnapshot(join(root, page))
  })
})

/** Targets of links, without the part after #. */
const targetsOf = (page: string): ReadonlyArray<string> =>
  [...page.matchAll(/\]\((?<target>[^)#\s]+)/gu)].map((match) => match.groups!["target"]!)

/** What is wrong on each page, with the page's name in front. */
const everywhere = (problems: (page: string, text: string) => ReadonlyArray<string>): ReadonlyArray<string> =>
  pages.flatMap((page) => problems(page, read(page)).map((problem) => `${page}: ${problem}`))

const isKnown = ({ language, name, text }: Block): boolean =>
  language === "console" || name !== "" ||
  // Diagrams and messages, which look like no command.
  (language === "" && !/^\$ |^(?:mmrace|npm|npx|node) /mu.test(text))

describe("the rest of the pages", () => {
  test("every block is one that a test looks at", () => {
    const strange = everywhere((page, text) =>
      isTestedElsewhere(page)
        ? []
        : blocksOf(text).filter((block) => !isKnown(block)).map(({ language, line }) => `line ${line}, "${language}"`)
    )
    expect(strange).toEqual([])
  })

  test("every ts block is a part of the file it names", () => {
    const strange = everywhere((_, text) =>
      blocksOf(text).filter(({ language }) => language === "ts")
        .filter((block) => !existsSync(join(root, block.name)) || !read(block.name).includes(block.text))
        .map(({ line, name }) => `line ${line}: ${name}`)
    )
    expect(strange).toEqual([])
  })

  test("what links name is there", () => {
    const missing = everywhere((page, text) =>
      targetsOf(text).filter((target) => !/^https?:/u.test(target) && !existsSync(join(root, dirname(page), target)))
    )
    expect(missing).toEqual([])
  })

  test("the paths and npm scripts that pages name are there", () => {
    const { scripts } = JSON.parse(read("package.json")) as { readonly scripts: Readonly<Record<string, string>> }
    const isThere = (code: string): boolean => {
      const script = /^npm (?:run )?(?<name>[a-z:]+)$/u.exec(code)?.groups?.["name"]
      if (script !== undefined) return scripts[script] !== undefined
      const path = /^(?:packages|docs|test|scripts)\/[\w./-]+$/u.exec(code)?.[0]
      return path === undefined || existsSync(join(root, path)) || path.endsWith("/FILE")
    }
    expect(everywhere((_, text) => codeSpansOf(text).filter((code) => !isThere(code)))).toEqual([])
  })

  test("every page of docs/ can be reached from the README", () => {
    const reached = new Set(["README.md"])
    for (const page of reached) {
      for (const target of targetsOf(read(page))) {
        const path = join(dirname(page), target)
        if (target.endsWith(".md") && existsSync(join(root, path))) reached.add(path)
      }
    }
    expect(pages.filter((page) => !reached.has(page) && page !== "AGENTS.md")).toEqual([])
  })
})
