import { Result, Schema } from "effect"
import * as fc from "fast-check"
import { expect, it } from "vitest"
import { check, parse, print, Program, printStatement } from "../../src/program/index.ts"
import { program, statement } from "./arbitrary.ts"

const read = (source: string) => {
  const result = parse(source)
  return Result.isSuccess(result) ? result.success : expect.fail(`${result.failure.message}\n--\n${source}`)
}

it("parse(print(p)) is p", () => {
  fc.assert(
    fc.property(program, (p) => {
      expect(read(print(p)).program).toEqual(p)
    }),
    { numRuns: 1000 }
  )
})

it("print(parse(s)) is idempotent, whatever the spacing and comments", () => {
  const noise = fc.constantFrom("", "", "   ", " # note", "\t# \"note", "\n", "\n    # note\n\n")
  fc.assert(
    fc.property(
      program,
      fc.array(noise, { minLength: 1, maxLength: 20 }),
      fc.constantFrom("\n", "\r\n"),
      (p, noises, eol) => {
        const lines = print(p).split("\n")
        const noisy = lines
          .map((line, index) => line + (noises[index % noises.length] ?? ""))
          .join("\n")
          .replaceAll("\n", eol)
        const once = print(read(noisy).program)
        expect(once).toBe(print(p))
        expect(print(read(once).program)).toBe(once)
      }
    ),
    { numRuns: 300 }
  )
})

it("a generated program satisfies the schema and survives JSON", () => {
  const decode = Schema.decodeUnknownSync(Program)
  fc.assert(
    fc.property(program, (p) => {
      expect(decode(JSON.parse(JSON.stringify(p)))).toEqual(p)
    }),
    { numRuns: 200 }
  )
})

it("a statement prints on one line", () => {
  fc.assert(
    fc.property(statement, (s) => {
      expect(printStatement(s)).not.toMatch(/[\r\n]/)
    })
  )
})

it("check looks at any program without throwing, and places every issue of one that was read", () => {
  fc.assert(
    fc.property(program, (p) => {
      const bare = check(p)
      const parsed = read(print(p))
      const placed = check(parsed.program, { positions: parsed.positions })
      expect(placed.map(({ message }) => message).sort()).toEqual(bare.map(({ message }) => message).sort())
      expect(placed.filter(({ span }) => span === undefined)).toEqual([])
    }),
    { numRuns: 300 }
  )
})

it("any text gives a program or issues, never an exception", () => {
  const pieces = fc.constantFrom(
    "mmrace x\n",
    "thread t\n",
    "  load A",
    "  r = ",
    "if m.event = fork",
    "\n",
    "(",
    "~",
    "[",
    "]",
    "-",
    "\"",
    "#",
    "final exists",
    " t:r0 = 1",
    " /\\ ",
    "  ",
    "\t",
    "else",
    "repeat 2\n",
    "map A anon rw 1 = 1\n",
    "&",
    "..",
    "\u0000",
    "é"
  )
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.array(pieces, { maxLength: 30 }).map((all) => all.join(""))), (source) => {
      const result = parse(source)
      if (Result.isFailure(result)) expect(result.failure.issues.length).toBeGreaterThan(0)
    }),
    { numRuns: 2000 }
  )
})
