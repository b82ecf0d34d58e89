import {
  ActorType,
  ask,
  describeIntegrity,
  envelopeOnly,
  Executor,
  inModel,
  type LoadedLog,
  LogEncodeError,
  LogError,
  type LogItem,
  LogReader,
  makeHeader,
  makeModel,
  type Model,
  RandomWalk,
  readEnvelope,
  readLog,
  recordingOf,
  writeLog
} from "@mmrace/core"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { headerFields, modelOf, randomProgram } from "../replay/randomModel.ts"
import { sample, sampleModel } from "./sample.ts"

/** The error that reading `text` gives. */
const errorOf = (read: () => unknown): LogError => {
  try {
    read()
  } catch (error) {
    if (error instanceof LogError) return error
    throw error
  }
  throw new Error("reading did not fail")
}

/** The sample with one line replaced (lines from 1, as in messages). */
const withLine = (line: number, change: (text: string) => string): string => {
  const lines = sample().text.split("\n")
  lines[line - 1] = change(lines[line - 1]!)
  return lines.join("\n")
}

const read = (text: string): LoadedLog => readLog(text, sampleModel)

const eventsOf = ({ log }: Pick<LoadedLog, "log">): ReadonlyArray<unknown> =>
  Array.from(
    { length: log.length },
    (_, i) => [log.threads[i], log.asks[i]!.actor.name, log.asks[i]!.command, log.asks[i]!.arg, log.results[i]]
  )

describe("round trip", () => {
  test("what is written is read, and writing it again gives the same bytes", () => {
    fc.assert(
      fc.property(randomProgram, fc.integer(), (program, seed) => {
        const model = modelOf(program)
        const executor = new Executor(model, { maxSteps: 16 })
        const recording = recordingOf(executor, executor.run(new RandomWalk(), seed))
        const header = makeHeader(model, headerFields(seed, recording.choices))
        const text = writeLog(model, header, recording)
        const loaded = readLog(text, () => modelOf(program))
        expect(loaded.integrity).toEqual({ _tag: "Whole" })
        expect(loaded.header).toEqual(header)
        expect(loaded.footer?.verdict).toEqual(recording.verdict)
        expect(Equal.equals(eventsOf(loaded), eventsOf(recording))).toBe(true)
        expect(loaded.waiting.map((w) => [w.thread, w.ask.actor.name, w.ask.arg])).toEqual(
          recording.waiting.map((w) => [w.thread, w.ask.actor.name, w.ask.arg])
        )
        expect(
          writeLog(loaded.model, loaded.header, {
            log: loaded.log,
            verdict: loaded.footer!.verdict,
            waiting: loaded.waiting
          })
        ).toBe(text)
        expect(readEnvelope(text).lines.map((line) => line.c)).toEqual(
          recording.log.asks.slice(0, recording.log.length).map((a) => a.command.name)
        )
      }),
      { numRuns: 200, seed: 1 }
    )
  })

  test("text may arrive in any pieces", () => {
    const { text } = sample()
    const whole = eventsOf(read(text))
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 30 }), (cuts) => {
        const reader = new LogReader(inModel(sampleModel))
        const items: Array<LogItem<unknown>> = []
        let from = 0
        for (const cut of [...cuts.toSorted((a, b) => a - b), text.length]) {
          items.push(...reader.push(text.slice(from, cut)))
          from = cut
        }
        items.push(...reader.finish())
        expect(items.map((item) => item._tag)).toEqual(["Header", ...whole.map(() => "Event"), "End"])
        expect(items.at(-1)).toMatchObject({ integrity: { _tag: "Whole" } })
      }),
      { numRuns: 100, seed: 2 }
    )
  })

  test("a log with CRLF line ends, or without the last newline, is whole", () => {
    expect(read(sample().text.replaceAll("\n", "\r\n")).integrity).toEqual({ _tag: "Whole" })
    expect(read(sample().text.trimEnd()).integrity).toEqual({ _tag: "Whole" })
    expect(read(`${sample().text}\n\n`).integrity).toEqual({ _tag: "Whole" })
  })

  test("-0, NaN and infinities keep their sign and kind", () => {
    const type = new ActorType<number>("register")
    const set = type.command<number, number>("set", {
      access: "write",
      decide: (_, value) => -value,
      evolve: (_, value) => value,
      arg: Schema.Number,
      result: Schema.Number
    })
    const build = () =>
      makeModel("numbers", (m) => {
        const register = m.actor(type, "r", 0)
        m.thread("A", function*() {
          for (const value of [-0, 0, Number.NaN, Number.POSITIVE_INFINITY, 1e-7]) yield* ask(register, set, value)
        })
      })
    const { model, recording } = recorded(build)
    const loaded = readLog(writeLog(model, makeHeader(model, headerFields(0, [])), recording), build)
    expect(loaded.log.asks.slice(0, 5).map((a) => a.arg)).toEqual([-0, 0, Number.NaN, Number.POSITIVE_INFINITY, 1e-7])
    expect(loaded.log.results.slice(0, 5)).toEqual([0, -0, Number.NaN, Number.NEGATIVE_INFINITY, -1e-7])
  })
})

const recorded = (build: () => Model) => {
  const model = build()
  const executor = new Executor(model)
  return { model, recording: recordingOf(executor, executor.run(new RandomWalk())) }
}

const returning = (value: unknown) => () =>
  makeModel("m", (m) => {
    m.thread("A", () => Effect.succeed(value))
  })

describe("encoding refuses what a command's Schema does not accept", () => {
  test.each([
    ["bigint", 1n],
    ["NaN", Number.NaN],
    ["a Map", new Map()],
    ["undefined inside", { a: undefined }],
    ["a function", () => 1]
  ])("a thread that returns %s", (_, value) => {
    const { model, recording } = recorded(returning(value))
    let error: unknown
    try {
      writeLog(model, makeHeader(model, headerFields(0, [])), recording)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(LogEncodeError)
    expect(String((error as LogEncodeError).message)).toMatch(
      /^step 0 \(A\): the result of thread\.exit on thread:A does not fit the command's Schema: Expected JSON value/
    )
  })

  test("a result without a Schema, and an argument of the wrong type", () => {
    const type = new ActorType<number>("odd")
    const noSchema = type.command<void, number>("no_schema", { access: "read", decide: () => 7 })
    const wrong = type.command<unknown>("wrong", {
      access: "read",
      arg: Schema.Struct({ n: Schema.Int }) as unknown as Schema.Codec<unknown, unknown>
    })
    const build = (path: "noSchema" | "wrong") => () =>
      makeModel("m", (m) => {
        const actor = m.actor(type, "o", 0)
        m.thread("A", function*() {
          if (path === "noSchema") yield* ask(actor, noSchema)
          else yield* ask(actor, wrong, { n: 1.5 })
        })
      })
    const write = (path: "noSchema" | "wrong") => {
      const { model, recording } = recorded(build(path))
      return () => writeLog(model, makeHeader(model, headerFields(0, [])), recording)
    }
    expect(write("noSchema")).toThrow(
      "the result of odd.no_schema on o does not fit the command's Schema: Expected undefined, got 7"
    )
    expect(write("wrong")).toThrow(
      "the argument of odd.wrong on o does not fit the command's Schema: Expected an integer at n"
    )
  })
})

describe("reading says line, field, reason and what was expected", () => {
  test.each<[string, string, string]>([
    [
      "unknown thread",
      withLine(2, (t) => t.replace("\"t\":\"B\"", "\"t\":\"C\"")),
      "line 2, field t: there is no thread called \"C\"; expected one of A, B; did you mean \"A\"?"
    ],
    [
      "unknown actor",
      withLine(2, (t) => t.replace("counter", "conuter")),
      "line 2, field a: there is no actor called \"conuter\"; expected one of choice, counter, thread:A, thread:B; did you mean \"counter\"?"
    ],
    [
      "unknown command",
      withLine(2, (t) => t.replace("read", "raed")),
      "line 2, field c: there is no command of counter (cell) called \"raed\"; expected one of read, write, load, store, fetch_add, exchange, compare_exchange, await; did you mean \"read\"?"
    ],
    [
      "wrong result",
      withLine(2, (t) => t.replace("\"r\":0", "\"r\":\"zero\"")),
      "line 2, field r: the result of cell.read is not valid: \"zero\"; expected number | \"Infinity\" | \"-Infinity\" | \"NaN\""
    ],
    [
      "missing result",
      withLine(2, (t) => t.replace(",\"r\":0", "")),
      "line 2, field r: the result of cell.read is missing; expected a value"
    ],
    [
      "superfluous argument",
      withLine(2, (t) => t.replace(",\"r\":0", ",\"arg\":1,\"r\":0")),
      "line 2, field arg: the argument of cell.read is not valid: 1; expected null"
    ],
    [
      "nested field",
      withLine(
        2,
        (t) => t.replace("\"read\",\"r\":0", "\"compare_exchange\",\"arg\":{\"expected\":0,\"next\":true},\"r\":true")
      ),
      "line 2, field arg.next: the argument of cell.compare_exchange is not valid: true; expected number | \"Infinity\" | \"-Infinity\" | \"NaN\""
    ],
    [
      "unknown member",
      withLine(3, (t) => t.replace("\"r\"", "\"rr\"")),
      "line 3, field rr: an event has no such member; expected one of i, t, a, c, arg, r; did you mean \"r\"?"
    ],
    [
      "missing line",
      sample().text.replace(/\{"i":2,.*\n/u, ""),
      "line 4, field i: step 3 follows step 1: lines are missing; expected 2"
    ],
    [
      "repeated line",
      withLine(4, (t) => `${t}\n${t}`),
      "line 5, field i: step 2 follows step 2: lines are repeated or out of order; expected 3"
    ],
    [
      "step number",
      withLine(3, (t) => t.replace("\"i\":1", "\"i\":\"1\"")),
      "line 3, field i: the step number is \"1\"; expected an integer from 0"
    ],
    [
      "thread is a number",
      withLine(3, (t) => t.replace("\"t\":\"A\"", "\"t\":0")),
      "line 3, field t: it is 0; expected a string"
    ],
    ["not JSON", withLine(3, () => "read 3"), "line 3: this is not JSON: \"read 3\"; expected one JSON object a line"],
    [
      "an array",
      withLine(3, () => "[]"),
      "line 3: this is no event; expected an object with i, t, a, c and perhaps arg and r"
    ],
    ["empty line", withLine(3, () => ""), "line 3: the line is empty; expected one JSON object a line"],
    [
      "line after the footer",
      `${sample().text}{"i":6}\n`,
      "line 9: there is a line after the footer; expected the end of the file"
    ],
    [
      "half a line after the footer",
      `${sample().text}{"i":`,
      "line 9: there is a line after the footer; expected the end of the file"
    ],
    [
      "half a header",
      sample().text.slice(0, 50),
      "line 1: the header is cut off or damaged, so nothing of this log is usable; expected an mmrace log"
    ],
    ["empty file", "", "line 1: the file is empty; expected a header {\"format\":\"mmrace-log\",...}"],
    [
      "another file",
      "mmrace gupfast-vs-fork\nmap A\n",
      "line 1: this is not JSON: \"mmrace gupfast-vs-fork\"; expected an mmrace log, whose first line is {\"format\":\"mmrace-log\",...}"
    ],
    [
      "other JSON",
      "{\"name\":\"x\"}\n",
      "line 1, field format: this is not an mmrace log: format is missing; expected \"mmrace-log\""
    ],
    [
      "newer version",
      withLine(1, (t) => t.replace("\"version\":1,\"tool\":\"0.1.0\"", "\"version\":3,\"tool\":\"2.5.0\"")),
      "line 1, field version: the log has format version 3, written by a newer tool (2.5.0); this one reads version 1; expected version 1, or a tool at least as new as the one that wrote the log"
    ],
    [
      "header field",
      withLine(1, (t) => t.replace("\"seed\":4", "\"seed\":\"4\"")),
      "line 1, field seed: the header is not valid: \"4\"; expected number"
    ],
    [
      "header member",
      withLine(1, (t) => t.replace("\"strategy\"", "\"stratgey\"")),
      "line 1, field stratgey: the header has no such member; expected one of format, version, tool, effect, program, kernel, strategy, seed (and 5 more); did you mean \"strategy\"?"
    ],
    [
      "other threads",
      withLine(1, (t) => t.replace("[\"A\",\"B\"]", "[\"A\",\"C\"]")),
      "line 1, field threads[1]: the log has \"C\" where the model has \"B\"; expected the threads of the model that was recorded (same program, same kernel)"
    ],
    [
      "footer verdict",
      withLine(8, (t) => t.replace("\"Violation\"", "\"Violence\"")),
      "line 8, field verdict._tag: there is no verdict called \"Violence\"; expected one of Ok, Violation, Deadlock, Livelock, StepLimit, Crash"
    ],
    [
      "footer member",
      withLine(8, (t) => t.replace("\"steps\"", "\"step\"")),
      "line 8, field step: the footer has no such member; expected one of end, verdict, failureId, steps, waiting, digest; did you mean \"steps\"?"
    ],
    [
      "footer step",
      withLine(8, (t) => t.replace("\"step\":5", "\"step\":-5")),
      "line 8, field verdict.step: the footer is not valid: -5; expected a value greater than or equal to 0"
    ]
  ])("%s", (_, text, message) => {
    expect(errorOf(() => read(text)).message.slice(0, message.length)).toBe(message)
  })

  test("an error names its file when it knows it", () => {
    expect(new LogError({ file: "a.log", line: 2, field: "", reason: "x", expected: "y" }).message).toBe(
      "a.log: line 2: x; expected y"
    )
  })

  test("an endless line ends the reading", () => {
    const reader = new LogReader(envelopeOnly)
    reader.push(sample().text.split("\n")[0]! + "\n")
    const piece = "x".repeat(1 << 24)
    expect(
      errorOf(() => {
        for (let i = 0; i < 5; i++) reader.push(piece)
      }).message
    ).toMatch(/^line 2: the line is longer than 64 Mi characters/)
  })
})

describe("truncated and edited logs", () => {
  test("cut anywhere: the events before the cut are usable and the cut is reported", () => {
    const { text } = sample()
    const whole = eventsOf(read(text))
    const headerEnd = text.indexOf("\n")
    for (let cut = 0; cut < text.length - 1; cut++) {
      if (cut < headerEnd) {
        expect(errorOf(() => read(text.slice(0, cut))).line).toBe(1)
        continue
      }
      const loaded = read(text.slice(0, cut))
      const complete = text.slice(0, cut).split("\n").length - 2
      expect(loaded.integrity._tag).toBe("Truncated")
      expect(loaded.footer).toBeUndefined()
      const events = eventsOf(loaded)
      expect(Equal.equals(events, whole.slice(0, events.length))).toBe(true)
      expect(events.length).toBeGreaterThanOrEqual(complete)
    }
    const cutOff = read(text.slice(0, text.indexOf("{\"i\":3") + 20)).integrity
    expect(cutOff).toEqual({ _tag: "Truncated", line: 5, cut: true, events: 3 })
    expect(describeIntegrity(cutOff)).toBe(
      "the log is truncated: line 5 is cut off and there is no footer. The 3 events before it are usable; the verdict and anything after them are lost."
    )
    const noFooter = read(text.slice(0, text.indexOf("{\"i\":3"))).integrity
    expect(noFooter).toEqual({ _tag: "Truncated", line: 5, cut: false, events: 3 })
  })

  test("no single changed character goes unnoticed", () => {
    const { text } = sample()
    fc.assert(
      fc.property(fc.nat(text.length - 2), fc.constantFrom(..."0123456789abAB\",:{}x"), (at, character) => {
        fc.pre(text[at] !== character)
        const changed = text.slice(0, at) + character + text.slice(at + 1)
        let integrity = "LogError"
        try {
          integrity = read(changed).integrity._tag
        } catch (error) {
          expect(error).toBeInstanceOf(LogError)
        }
        expect(["LogError", "Edited", "Truncated"]).toContain(integrity)
      }),
      { numRuns: 2000, seed: 3 }
    )
  })

  test("an edited log says how it was noticed and what can be trusted", () => {
    const edited = read(withLine(2, (t) => t.replace("\"r\":0", "\"r\":1")))
    expect(edited.integrity._tag).toBe("Edited")
    expect(describeIntegrity(edited.integrity)).toMatch(
      /^the log was changed after it was written: its digest is 77b6e8b71ea8\.\.\. and its lines give [0-9a-f]{12}\.\.\.\. Each of its 6 events is valid for itself/
    )
    const verdict = read(withLine(8, (t) => t.replace("no-lost-update:counter", "other")))
    expect(verdict.integrity).toMatchObject({
      reasons: [expect.stringContaining("digest"), "the footer's failureId does not belong to its verdict"]
    })
    const counted = read(withLine(8, (t) => t.replace("\"steps\":6", "\"steps\":7")))
    expect(counted.integrity).toMatchObject({
      reasons: [expect.stringContaining("digest"), "the footer counts 7 steps and there are 6"]
    })
  })
})
