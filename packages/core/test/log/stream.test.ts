import {
  envelopeOnly,
  Executor,
  inModel,
  type Log,
  LogBuilder,
  LogError,
  makeHeader,
  RandomWalk,
  readEnvelope,
  readLog,
  readLogFile,
  readLogHeader,
  readLogStream,
  recordingOf,
  streamLog,
  writeLog,
  writeLogFile
} from "@mmrace/core"
import { NodeFileSystem } from "@effect/platform-node"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import { expect, test } from "vitest"
import { headerFields, modelOf, type RandomProgram } from "../replay/randomModel.ts"
import { sample, sampleModel } from "./sample.ts"

const run = <A, E>(effect: Effect.Effect<A, E, FileSystem.FileSystem>): Promise<A> =>
  Effect.runPromise(Effect.provide(effect, NodeFileSystem.layer))

/** Runs `use` with the path of a file that holds `text`. */
const withFile = <A, E>(text: string, use: (path: string) => Effect.Effect<A, E, FileSystem.FileSystem>) =>
  run(Effect.scoped(Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* fs.makeTempFileScoped()
    yield* fs.writeFileString(path, text)
    return yield* use(path)
  })))

const deposits: RandomProgram["threads"][number] = Array.from(
  { length: 1500 },
  (_, i) => ({ op: "deposit", key: `\u{1F512}${i}`, amount: BigInt(i) })
)
const bigProgram: RandomProgram = { threads: [deposits, deposits], lastSpawned: false, limit: 1e9, endCheck: false }

const big = () => {
  const model = modelOf(bigProgram)
  const executor = new Executor(model)
  const recording = recordingOf(executor, executor.run(new RandomWalk(), 9))
  return {
    model,
    recording,
    header: { ...makeHeader(model, headerFields(9, recording.choices)), maxSteps: executor.maxSteps }
  }
}

const textOf = (log: Log): ReadonlyArray<string> =>
  Array.from({ length: log.length }, (_, i) => {
    const { actor, arg, command } = log.asks[i]!
    const values = JSON.stringify([arg, log.results[i]], (__, value: unknown) =>
      typeof value === "bigint" ? `${value}n` : value)
    return `${log.threads[i]} ${actor.name} ${command.name} ${values}`
  })

test("a log of several pieces through a file is the log in memory", async () => {
  const { header, model, recording } = big()
  const text = writeLog(model, header, recording)
  expect(text.length).toBeGreaterThan(3 * 65_536)
  await withFile("", (path) =>
    Effect.gen(function*() {
      yield* writeLogFile(path, model, header, recording)
      const fs = yield* FileSystem.FileSystem
      expect(yield* fs.readFileString(path)).toBe(text)
      expect(yield* readLogHeader(path)).toEqual(header)
      const builder = new LogBuilder()
      const end = yield* readLogFile(path, inModel(() => model)).pipe(
        Stream.tap((item) => Effect.sync(() => item._tag === "Event" && builder.add(item.event))),
        Stream.runLast
      )
      expect(end).toMatchObject({ value: { _tag: "End", integrity: { _tag: "Whole" } } })
      expect(textOf(builder.build())).toEqual(textOf(recording.log))
    }))
  expect(textOf(readLog(text, () => model).log)).toEqual(textOf(recording.log))
})

test("the digest of a long log covers every line", () => {
  const { header, model, recording } = big()
  const text = writeLog(model, header, recording)
  const covered = text.slice(0, text.lastIndexOf(",\"digest\":"))
  expect(readEnvelope(text).footer?.digest).toBe(createHash("sha256").update(covered).digest("hex"))
})

test("characters cut between two pieces of a stream are one character", async () => {
  const { header, model, recording } = big()
  const bytes = new TextEncoder().encode(writeLog(model, header, recording))
  const pieces = Array.from(
    { length: Math.ceil(bytes.length / 1021) },
    (_, i) => bytes.subarray(i * 1021, (i + 1) * 1021)
  )
  const last = await Effect.runPromise(
    readLogStream(Stream.fromIterable(pieces).pipe(Stream.decodeText), envelopeOnly).pipe(Stream.runLast)
  )
  expect(last).toMatchObject({ value: { _tag: "End", integrity: { _tag: "Whole" } } })
})

test("events before an invalid line arrive, then the error names file and line", async () => {
  const text = sample().text.replace("\"c\":\"write\"", "\"c\":\"wrote\"")
  const seen: Array<string> = []
  const result = await withFile(text, (path) =>
    readLogFile(path, inModel(sampleModel)).pipe(
      Stream.runForEach((item) => Effect.sync(() => seen.push(item._tag))),
      Effect.flip,
      Effect.map((error) => ({ error, path }))
    ))
  expect(result.error).toBeInstanceOf(LogError)
  expect(result.error.message).toBe(
    `${result.path}: line 4, field c: there is no command of counter (cell) called "wrote"; expected one of read, write, load, store, fetch_add, exchange, compare_exchange, await; did you mean "write"?`
  )
  expect(seen).toEqual(["Header", "Event", "Event"])
})

test("a missing file and an empty one are typed errors", async () => {
  expect(await run(readLogHeader("/nonexistent/x.log").pipe(Effect.flip))).toMatchObject({ _tag: "PlatformError" })
  expect(await withFile("", (path) => readLogHeader(path).pipe(Effect.flip))).toMatchObject({
    _tag: "LogError",
    line: 1
  })
})

test("an argument that does not fit is a typed error of the stream", async () => {
  const { header, model, recording } = big()
  const results = recording.log.results.slice()
  results[7] = "not a bigint"
  const error = await Effect.runPromise(
    streamLog(model, header, { ...recording, log: { ...recording.log, results } }).pipe(Stream.runDrain, Effect.flip)
  )
  expect(error).toMatchObject({ _tag: "LogEncodeError", step: 7, part: "result", command: "ledger.deposit" })
})

test("envelope and model reader agree on the end", () => {
  const { integrity } = readEnvelope(sample().text.slice(0, -30))
  expect(integrity).toEqual(readLog(sample().text.slice(0, -30), sampleModel).integrity)
})
