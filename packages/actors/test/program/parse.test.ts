import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { parse, print, type Program, type ProgramError, spanIn } from "../../src/program/index.ts"

const read = (source: string) => {
  const result = parse(source, { file: "a.mmrace" })
  return Result.isSuccess(result) ? result.success : expect.fail(result.failure.message)
}

const refusal = (source: string): ProgramError => {
  const result = parse(source, { file: "a.mmrace" })
  return Result.isFailure(result) ? result.failure : expect.fail("expected a refusal")
}

/** `line:column message` of each issue. */
const errors = (source: string) =>
  refusal(source).issues.map(({ message, span }) => `${span?.line}:${span?.column} ${message}`)

/** The errors of one statement in a thread; columns count from the statement. */
const statementErrors = (statement: string) =>
  refusal(`mmrace x\nthread t\n  ${statement}\n`).issues.map(({ message, span }) =>
    `${(span?.column ?? 0) - 2} ${message}`
  )

const gupFast = `mmrace gupfast-vs-fork
"GUP-fast pins a page while fork write-protects it"
kernel 5.10 x86-64            # a comment
without 57efa1fe5957
bug B-05
fix 57efa1fe5957
breaks I-04

map A anon rw 1 = 1

thread parent
    pid = fork

    store A 2

thread dma in main cpu 3
  p = pin_fast A[0] write
  dma_store p 7
  r0 = load A
  unpin p

final forall (dma:r0 = 7)
`

const gupFastProgram: Program = {
  name: "gupfast-vs-fork",
  description: "GUP-fast pins a page while fork write-protects it",
  kernel: { release: "5.10", arch: "x86-64" },
  with: [],
  without: ["57efa1fe5957"],
  bug: "B-05",
  fixes: ["57efa1fe5957"],
  breaks: ["I-04"],
  limits: {},
  regions: [{ name: "A", kind: "anon", protection: "rw", pages: 1, content: 1, swapped: false }],
  uffds: [],
  registrations: [],
  tlb: [],
  threads: [
    {
      name: "parent",
      process: "main",
      body: [{ _tag: "fork", result: "pid" }, { _tag: "store", page: { region: "A", page: 0 }, value: 2 }]
    },
    {
      name: "dma",
      process: "main",
      cpu: 3,
      body: [
        { _tag: "pin_fast", result: "p", page: { region: "A", page: 0 }, access: "write" },
        { _tag: "dma_store", pin: "p", value: 7 },
        { _tag: "load", result: "r0", page: { region: "A", page: 0 } },
        { _tag: "unpin", pin: "p" }
      ]
    }
  ],
  final: {
    quantifier: "forall",
    condition: { _tag: "register", thread: "dma", test: { register: "r0", compare: "=", value: 7 } }
  }
}

describe("reading", () => {
  it("gives the program as data", () => {
    expect(read(gupFast).program).toEqual(gupFastProgram)
  })

  it("formats to the canonical text", () => {
    expect(print(gupFastProgram)).toBe(`mmrace gupfast-vs-fork
"GUP-fast pins a page while fork write-protects it"
kernel 5.10 x86-64
without 57efa1fe5957
bug B-05
fix 57efa1fe5957
breaks I-04

map A anon rw 1 = 1

thread parent
  pid = fork
  store A 2

thread dma cpu 3
  p = pin_fast A write
  dma_store p 7
  r0 = load A
  unpin p

final forall dma:r0 = 7
`)
  })

  it("places nodes and their fields", () => {
    const { program, positions } = read(gupFast)
    const pin = program.threads[1]?.body[0] ?? expect.fail("no statement")
    expect(spanIn(positions, pin)).toEqual({ line: 17, column: 3, length: 23 })
    expect(spanIn(positions, pin, "result")).toEqual({ line: 17, column: 3, length: 1 })
    expect(spanIn(positions, pin, "operation")).toEqual({ line: 17, column: 7, length: 8 })
    expect(spanIn(positions, program, "without.0")).toEqual({ line: 4, column: 9, length: 12 })
    expect(spanIn(positions, program.kernel, "release")).toEqual({ line: 3, column: 8, length: 4 })
    expect(spanIn(positions, {})).toBeUndefined()
  })

  it("nests blocks by indentation, tabs as eight columns", () => {
    const { program } = read(
      "mmrace x\nthread t\n\trepeat 2\n\t\tr = choose 2\n\t\tif r = 0\n\t\t\texit\n\t\telse\n\t\t\tload A\n        exit\n"
    )
    expect(program.threads[0]?.body).toEqual([
      {
        _tag: "repeat",
        count: 2,
        body: [
          { _tag: "choose", result: "r", count: 2 },
          {
            _tag: "if",
            test: { register: "r", compare: "=", value: 0 },
            then: [{ _tag: "exit" }],
            else: [{ _tag: "load", page: { region: "A", page: 0 } }]
          }
        ]
      },
      { _tag: "exit" }
    ])
  })

  it("binds ~ tighter than /\\, and /\\ tighter than \\/; final goes on in indented lines", () => {
    const text = (condition: string) => print(read(`mmrace x\nfinal exists ${condition}\n`).program).split("\n")[2]
    expect(text("t:a = 1 \\/ t:b = 1 /\\ ~t:c = 1")).toBe("final exists t:a = 1 \\/ t:b = 1 /\\ ~t:c = 1")
    expect(text("(t:a = 1 \\/ t:b = 1)\n  /\\ (~(t:c = 1))")).toBe("final exists (t:a = 1 \\/ t:b = 1) /\\ ~t:c = 1")
    expect(text("~(t:a = 1 /\\ [pid:A[1]] != -EFAULT)")).toBe("final exists ~(t:a = 1 /\\ [pid:A[1]] != -EFAULT)")
    expect(read("mmrace x\nfinal ~ exists [A] = SIGBUS").program.final).toEqual({
      quantifier: "~exists",
      condition: { _tag: "memory", process: "main", page: { region: "A", page: 0 }, compare: "=", value: -1007 }
    })
  })

  it("reads errnos by name and by number as the same value", () => {
    const [name, number] = ["-EAGAIN", "-11"].map((value) => read(`mmrace x\nfinal exists t:r = ${value}\n`).program)
    expect(name).toEqual(number)
  })

  it("reserves no word", () => {
    const { program } = read(
      "mmrace map\nmap copy anon rw 1\nthread thread\n  load = load copy\n  copy = choose 2\n  store copy copy\n"
    )
    expect(program.threads[0]?.body).toEqual([
      { _tag: "load", result: "load", page: { region: "copy", page: 0 } },
      { _tag: "choose", result: "copy", count: 2 },
      { _tag: "store", page: { region: "copy", page: 0 }, value: { register: "copy" } }
    ])
  })
})

describe("refusing", () => {
  it("an empty text, whatever it is empty of", () => {
    const message =
      "1:1 expected a program, found nothing; the smallest is 'mmrace NAME' and a 'thread' with one statement"
    expect(errors("")).toEqual([message])
    expect(errors("\n  \n# only a comment\n")).toEqual([message])
  })

  it("shows the file, the line and a caret", () => {
    expect(refusal("mmrace x\nthread t\n\tlod A\n").message).toBe(
      "a.mmrace:3:2: expected a statement, found 'lod'; did you mean 'load'?\n    3 | \tlod A\n      | \t^^^"
    )
  })

  it("every bad line at once", () => {
    expect(errors(`mmrace x
mapp A anon rw 1
map A anon rx 1
kernl 5.10
swap two
thred t
  r = lod A
thread u
  pin A write
final exist [A] = 3
`)).toEqual([
      "2:1 expected a declaration, found 'mapp'; did you mean 'map'?",
      "3:12 expected 'none', 'r' or 'rw', found 'rx'; did you mean 'r'?",
      "4:1 expected a declaration, found 'kernl'; did you mean 'kernel'?",
      "5:6 expected a number, found 'two'",
      "6:1 expected a declaration, found 'thred'; did you mean 'thread'?",
      "7:7 expected a statement that gives a result, found 'lod'; did you mean 'load'?",
      "9:3 expected a register for what 'pin' gives: 'r = pin ...'",
      "10:7 expected 'exists', 'forall' or '~', found 'exist'; did you mean 'exists'?"
    ])
  })

  it.each([
    ["r = put p", "5 expected a statement that gives a result, found 'put'; write it without 'r ='"],
    ["r = load", "9 expected a region, found the end of the line"],
    ["store A", "8 expected a number or a register, found the end of the line"],
    ["q = pin_fast A wirte", "16 expected 'read' or 'write', found 'wirte'; did you mean 'write'?"],
    [
      "copy U A = 5 dontwak",
      "14 expected 'wp', 'dontwake' or the end of the line, found 'dontwak'; did you mean 'dontwake'?"
    ],
    ["copy U A", "9 expected '=', found the end of the line"],
    ["if m.evnt = fork", "6 expected 'event', 'address', 'write' or 'wp', found 'evnt'; did you mean 'event'?"],
    ["if r = EAGAIN", "8 expected a value, found 'EAGAIN'; did you mean '-EAGAIN'?"],
    ["if r = -EAGAN", "9 expected an errno name, found 'EAGAN'; did you mean 'EAGAIN'?"],
    ["store A 99999999999", "9 expected a number up to 2147483647, found '99999999999'"],
    ["load A + 2", "8 expected a word, a number or a sign, found \"+\""],
    ["map A anon rw 1", "1 expected a statement, found the declaration 'map'; write it without indentation"],
    ["else", "1 expected an 'if' with the same indentation before this 'else'"]
  ])("%s", (statement, error) => {
    expect(statementErrors(statement)).toEqual([error])
  })

  it.each([
    ["final exists (r0 = 1)", "2:18 expected a register with its thread (THREAD:r0) or memory ([A]), found '='"],
    ["final exists [A] = 3 && [B] = 2", "2:22 expected '/\\', '\\/' or the end of the line, found '&'"],
    ["\"unterminated", "2:1 expected a closing '\"' on the same line"],
    ["\"bad \\q escape\"", "2:1 expected a description with the escapes of JSON strings, found another escape"],
    ["kernel", "2:1 expected a kernel release such as 6.18, an architecture, or both"],
    ["kernel 5.1O", "2:8 expected a kernel release such as 6.18, found '5.1O'"],
    ["kernel 6x", "2:8 expected a kernel release such as 6.18, found '6x'"],
    ["store A 2", "2:1 expected a declaration, found the statement 'store'; indent it under its 'thread'"],
    [
      "  load A",
      "2:3 expected a declaration without indentation, found an indented line; only statements under a 'thread' are indented"
    ],
    ["mmrace y", "2:1 expected one 'mmrace' line, found a second; the first is on line 1"]
  ])("%s", (line, error) => {
    expect(errors(`mmrace x\n${line}\n`)).toEqual([error])
  })

  it("a first line that is not the name", () => {
    expect(errors("kernel 6.18\nthread t\n  exit\n")).toEqual(["1:1 expected 'mmrace NAME' as the first line"])
  })

  it("indentation that fits nothing, once a line", () => {
    expect(errors("mmrace x\nthread t\n  load A\n    load A\n  if r = 1\n    load A\n   else\n")).toEqual([
      "4:5 expected the indentation of the lines above (2 columns), found 4",
      "7:4 expected the indentation of the lines above (2 columns), found 3"
    ])
  })

  it("nesting without end, in blocks and in conditions", () => {
    const blocks = Array.from({ length: 60 }, (_, depth) => `${" ".repeat(depth + 1)}repeat 1`).join("\n")
    expect(errors(`mmrace x\nthread t\n${blocks}\n`)[0]).toBe("52:51 expected at most 50 nested blocks")
    const parentheses = `${"~(".repeat(5000)}[A] = 1${")".repeat(5000)}`
    expect(errors(`mmrace x\nfinal exists ${parentheses}\n`)).toEqual(["2:64 expected at most 50 nested '(' and '~'"])
  })

  it("stops reading what is no program", () => {
    const found = errors(`mmrace x\n${"what is this\n".repeat(100_000)}`)
    expect(found.length).toBe(201)
    expect(found.at(-1)).toBe("202:1 expected a program; after 200 errors the other 99800 lines were not read")
  })
})

it("reads a hundred thousand lines", () => {
  const statements = Array.from(
    { length: 100_000 },
    (_, index) => index % 3 === 0 ? `  copy U A[0..1] = ${index}` : `  r${index} = load A[1]`
  )
  const { program } = read(`mmrace x\nthread t\n${statements.join("\n")}\n`)
  expect(program.threads[0]?.body.length).toBe(100_000)
  expect(print(program)).toBe(`mmrace x\n\nthread t\n${statements.join("\n")}\n`)
})
