/**
 * The log of one execution on disk: NDJSON, one header, one line an event, one footer. docs/event-log.md
 * describes it well enough to write another reader.
 *
 * Everything goes through one line codec (`LogWriter`, `LogReader`); the string and the stream variants differ
 * only in how text comes and goes. Memory stays flat in the stream variants.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Version from "effect/Version"
import type { Ask } from "./Ask.ts"
import type { Executor, Log } from "./Execution.ts"
import {
  checkLogLine,
  EventDecoder,
  EventEncoder,
  expectation,
  firstIssue,
  foundAt,
  type LoggedEvent,
  type LogLine,
  memberAt,
  shorten
} from "./internal/eventCodec.ts"
import { jsonText } from "./internal/json.ts"
import { LogEncodeError, LogError, pathText } from "./internal/logError.ts"
import { LineDigest, LineSplitter } from "./internal/logLines.ts"
import { expectedOneOf } from "./internal/nearest.ts"
import type { Model } from "./Model.ts"
import { failureId, type Verdict } from "./Verdict.ts"

export { LogEncodeError, LogError }
export type { LoggedEvent, LogLine }

export const logFormat = "mmrace-log"
/** Version of the format that this module writes, and the only one it reads. */
export const logVersion = 1

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** First line: what was run, and how. */
export const LogHeader = Schema.Struct({
  format: Schema.Literal(logFormat),
  version: Schema.Literal(logVersion),
  /** Version of the tool that wrote the log. */
  tool: Schema.String,
  effect: Schema.String,
  /** The whole program: source text, or any JSON that the caller can make a model of. */
  program: Schema.Json,
  /** Kernel specification in the words of the command line; absent where there is no kernel. */
  kernel: Schema.optionalKey(Schema.String),
  strategy: Schema.String,
  seed: Schema.Int,
  /** Index of the execution in its campaign, from 0. */
  execution: Count,
  /** The choice stream: a schedule token, or the numbers. */
  schedule: Schema.Union([Schema.String, Schema.Array(Count)]),
  /** Names of all threads, by id. */
  threads: Schema.Array(Schema.String),
  maxSteps: Count,
  /** Always false: only a footer completes a log. */
  complete: Schema.Literal(false)
})
export interface LogHeader extends Schema.Schema.Type<typeof LogHeader> {}

const VerdictSchema = Schema.Union([
  Schema.TaggedStruct("Ok", {}),
  Schema.TaggedStruct("Violation", {
    monitor: Schema.String,
    message: Schema.String,
    subject: Schema.String,
    step: Count
  }),
  Schema.TaggedStruct("Deadlock", {
    waits: Schema.Array(
      Schema.Struct({
        thread: Schema.String,
        actor: Schema.String,
        command: Schema.String,
        waitsFor: Schema.Array(Schema.String)
      })
    ),
    step: Count
  }),
  Schema.TaggedStruct("Livelock", { cycleStart: Count, cycleLength: Count, step: Count }),
  Schema.TaggedStruct("StepLimit", { step: Count }),
  Schema.TaggedStruct("Crash", { where: Schema.String, error: Schema.String, step: Count })
]) satisfies Schema.Codec<Verdict, unknown>

/** Last line: how it ended. */
export const LogFooter = Schema.Struct({
  end: Schema.Literal(true),
  verdict: VerdictSchema,
  /** Absent when the verdict is Ok. */
  failureId: Schema.optionalKey(Schema.String),
  /** Number of event lines. */
  steps: Count,
  /** The asks that blocked threads wait in, by thread id. Absent when there are none. */
  waiting: Schema.optionalKey(
    Schema.Array(
      Schema.Struct({ t: Schema.String, a: Schema.String, c: Schema.String, arg: Schema.optionalKey(Schema.Json) })
    )
  ),
  /** SHA-256 (hex) of all lines before, and of this one up to `,"digest"`. */
  digest: Schema.String
})
export interface LogFooter extends Schema.Schema.Type<typeof LogFooter> {}

/** Fills in what does not depend on the execution. */
export const makeHeader = (
  model: Model,
  fields: Omit<LogHeader, "format" | "version" | "effect" | "threads" | "complete">
): LogHeader => ({
  format: logFormat,
  version: logVersion,
  effect: Version.getCurrentVersion(),
  threads: model.threads.map((thread) => thread.name),
  complete: false,
  ...fields
})

/** The ask that a thread was blocked in when the execution ended. */
export interface Waiting {
  readonly thread: number
  readonly ask: Ask<unknown>
}

/** One execution, kept. */
export interface RecordedExecution {
  readonly log: Log
  readonly choices: ReadonlyArray<number>
  readonly verdict: Verdict
  readonly waiting: ReadonlyArray<Waiting>
}

/** Copies the last run out of its executor, whose buffers the next run reuses. */
export const recordingOf = (executor: Executor, verdict: Verdict): RecordedExecution => ({
  log: executor.copyLog(),
  choices: executor.copyChoices(),
  verdict: portableVerdict(verdict),
  waiting: executor.model.threads.filter(({ id }) => executor.isLive(id) && !executor.isEnabled(id)).map((thread) => ({
    thread: thread.id,
    ask: executor.pending(thread.id)
  }))
})

/** The verdict without what differs between machines: the stack of a Crash (paths, line numbers). */
export const portableVerdict = (verdict: Verdict): Verdict =>
  verdict._tag === "Crash" ? { ...verdict, error: verdict.error.replace(/\n\s+at [\s\S]*$/, "") } : verdict

const strict = { onExcessProperty: "error", errors: "all" } as const
const encodeHeader = Schema.encodeSync(LogHeader, strict)
const encodeFooter = Schema.encodeSync(LogFooter, strict)
const decodeHeader = Schema.decodeUnknownResult(LogHeader, strict)
const decodeFooter = Schema.decodeUnknownResult(LogFooter, strict)

/** Turns one execution into lines, in order: `header`, `event` for each step, `footer`. Each line ends in "\n". */
export class LogWriter {
  private readonly encoder: EventEncoder
  private readonly digest = new LineDigest()
  private steps = 0

  constructor(model: Model) {
    this.encoder = new EventEncoder(model)
  }

  /** Throws a SchemaError when a field of the header is not valid. */
  header(header: LogHeader): string {
    return this.done(jsonText(encodeHeader(header)))
  }

  /** Throws LogEncodeError when the command's Schemas refuse the argument or the result. */
  event(thread: number, ask: Ask<unknown>, result: unknown): string {
    return this.done(this.encoder.line(this.steps++, thread, ask, result))
  }

  /** Throws LogEncodeError when a command's Schema refuses the argument of a waiting thread. */
  footer(verdict: Verdict, waiting: ReadonlyArray<Waiting>): string {
    const failure = failureId(verdict)
    const { digest: _, ...rest } = encodeFooter({
      end: true,
      verdict: portableVerdict(verdict),
      ...(failure === undefined ? {} : { failureId: failure }),
      steps: this.steps,
      digest: ""
    })
    const left = waiting.map((w) => this.encoder.waiting(this.steps, w.thread, w.ask)).join(",")
    const open = JSON.stringify(rest).slice(0, -1) + (left === "" ? "" : `,"waiting":[${left}]`)
    return `${open},"digest":"${this.digest.finish(open)}"}\n`
  }

  private done(line: string): string {
    this.digest.line(line)
    return line + "\n"
  }
}

const chunkLength = 1 << 16

/** The parts of a recording that a log holds; its choices go into the header, as the caller prefers. */
export type LogContent = Pick<RecordedExecution, "log" | "verdict" | "waiting">

/** The log in pieces of about 64 Ki characters. Throws LogEncodeError. */
export function* logChunks(model: Model, header: LogHeader, recorded: LogContent): Generator<string, undefined> {
  const { log, verdict, waiting } = recorded
  const writer = new LogWriter(model)
  let chunk = writer.header(header)
  for (let i = 0; i < log.length; i++) {
    chunk += writer.event(log.threads[i]!, log.asks[i]!, log.results[i])
    if (chunk.length >= chunkLength) {
      yield chunk
      chunk = ""
    }
  }
  yield chunk + writer.footer(verdict, waiting)
}

/** The whole log as one string. Throws LogEncodeError. */
export const writeLog = (model: Model, header: LogHeader, recorded: LogContent): string =>
  [...logChunks(model, header, recorded)].join("")

/** The log as a stream of pieces of text. */
export const streamLog = (
  model: Model,
  header: LogHeader,
  recorded: LogContent
): Stream.Stream<string, LogEncodeError> =>
  Stream.suspend(() =>
    Stream.unfold(logChunks(model, header, recorded), (chunks) =>
      attempt(() => {
        const next = chunks.next()
        return next.done === true ? undefined : [next.value, chunks] as const
      }, isEncodeError))
  )

/** Writes the log to a file, replacing it. */
export const writeLogFile = (
  path: string,
  model: Model,
  header: LogHeader,
  recorded: LogContent
): Effect.Effect<void, LogEncodeError | PlatformError, FileSystem.FileSystem> =>
  Effect.flatMap(
    FileSystem.FileSystem,
    (fs) => streamLog(model, header, recorded).pipe(Stream.encodeText, Stream.run(fs.sink(path)))
  )

/** What the end of the file says about the rest. */
export type Integrity =
  /** Footer and digest agree with what was read. */
  | { readonly _tag: "Whole" }
  /** The file ends early, in line `line`. The events before it are usable; how the execution ended is unknown. */
  | { readonly _tag: "Truncated"; readonly line: number; readonly cut: boolean; readonly events: number }
  /** Every line is valid for itself, but they are not the lines that were written. */
  | { readonly _tag: "Edited"; readonly reasons: ReadonlyArray<string>; readonly events: number }

/** What can be trusted, in words; undefined for a whole log. */
export const describeIntegrity = (integrity: Integrity): string | undefined => {
  switch (integrity._tag) {
    case "Whole":
      return undefined
    case "Truncated":
      return `the log is truncated: ${
        integrity.cut
          ? `line ${integrity.line} is cut off and`
          : `line ${integrity.line} should be the next event or the footer and`
      } ` +
        `there is no footer. The ${integrity.events} events before it are usable; the verdict and anything after them are lost.`
    case "Edited":
      return `the log was changed after it was written: ${
        integrity.reasons.join("; ")
      }. Each of its ${integrity.events} events is valid for ` +
        "itself and their numbers have no gap, but the header, any event or the verdict may be different from what happened: " +
        "a strict replay shows the first step that could not have happened."
  }
}

export type LogItem<E> =
  | { readonly _tag: "Header"; readonly header: LogHeader }
  | { readonly _tag: "Event"; readonly event: E }
  | { readonly _tag: "End"; readonly footer: LogFooter | undefined; readonly integrity: Integrity }

/** Gives an event line its meaning. Throws LogError. */
export type DecodeEvent<E> = (line: LogLine, number: number) => E

/** Takes lines as they are: for logs whose model is unknown. */
export const envelopeOnly = (): DecodeEvent<LogLine> => (line) => line

/** Takes names and values from a model made from the header. Throws LogError when the header's threads are not the model's. */
export const inModel = (modelOf: (header: LogHeader) => Model) => (header: LogHeader): DecodeEvent<LoggedEvent> => {
  const model = modelOf(header)
  const names = model.threads.map((thread) => thread.name)
  for (let i = 0; i < Math.max(names.length, header.threads.length); i++) {
    if (names[i] === header.threads[i]) continue
    throw new LogError({
      line: 1,
      field: `threads[${i}]`,
      reason: `the log has ${
        header.threads[i] === undefined ? "no such thread" : JSON.stringify(header.threads[i])
      } where the model has ${names[i] === undefined ? "no thread" : JSON.stringify(names[i])}`,
      expected: "the threads of the model that was recorded (same program, same kernel)"
    })
  }
  const decoder = new EventDecoder(model)
  return (line, number) => decoder.event(line, number)
}

/** A line longer than this is not part of a log; without a limit a wrong file would be read into memory whole. */
const longestLine = 1 << 26

/** Reads a log from text that arrives in pieces. `push` and `finish` throw LogError. */
export class LogReader<E> {
  private readonly onHeader: (header: LogHeader) => DecodeEvent<E>
  private readonly lines = new LineSplitter()
  private readonly digest = new LineDigest()
  private decode: DecodeEvent<E> | undefined
  private header: LogHeader | undefined
  private footer: LogFooter | undefined
  private integrity: Integrity = { _tag: "Whole" }
  private line = 0
  private events = 0
  private failure: { readonly error: unknown } | undefined

  constructor(onHeader: (header: LogHeader) => DecodeEvent<E>) {
    this.onHeader = onHeader
  }

  push(text: string): Array<LogItem<E>> {
    return this.deliver((items) => {
      for (const line of this.lines.push(text)) this.take(line, items)
      if (this.lines.rest.length > longestLine) {
        throw new LogError({
          line: this.line + 1,
          field: "",
          reason: "the line is longer than 64 Mi characters",
          expected: "one JSON value a line"
        })
      }
    })
  }

  /** What comes before an error is delivered first: the error is thrown by the next call then. */
  private deliver(read: (items: Array<LogItem<E>>) => void): Array<LogItem<E>> {
    const items: Array<LogItem<E>> = []
    if (this.failure !== undefined) throw this.failure.error
    try {
      read(items)
    } catch (error) {
      this.failure = { error }
      if (items.length === 0) throw error
    }
    return items
  }

  /** After the last piece: what is left, and the End. */
  finish(): Array<LogItem<E>> {
    const items = this.deliver((found) => this.end(found))
    if (this.failure !== undefined) throw this.failure.error
    return items
  }

  private end(items: Array<LogItem<E>>): void {
    const rest = this.lines.rest
    const isLine = this.line === 0 || this.footer !== undefined || parse(rest) !== undefined
    if (rest.trim() !== "" && isLine) this.take(rest, items)
    else if (rest.trim() !== "") {
      this.line++
      this.integrity = { _tag: "Truncated", line: this.line, cut: true, events: this.events }
    }
    if (this.header === undefined) {
      throw new LogError({
        line: 1,
        field: "",
        reason: "the file is empty",
        expected: `a header {"format":"${logFormat}",...}`
      })
    }
    if (this.footer === undefined && this.integrity._tag === "Whole") {
      this.integrity = { _tag: "Truncated", line: this.line + 1, cut: false, events: this.events }
    }
    items.push({ _tag: "End", footer: this.footer, integrity: this.integrity })
  }

  private take(text: string, items: Array<LogItem<E>>): void {
    const line = ++this.line
    if (this.footer !== undefined) {
      if (text.trim() === "") return
      throw new LogError({
        line,
        field: "",
        reason: "there is a line after the footer",
        expected: "the end of the file"
      })
    }
    const parsed = parse(text)
    if (parsed === undefined) throw notJson(text, line)
    if (this.decode === undefined) {
      this.header = readHeader(parsed.value, line)
      items.push({ _tag: "Header", header: this.header })
      this.decode = this.onHeader(this.header)
      this.digest.line(text)
      return
    }
    if (typeof parsed.value === "object" && parsed.value !== null && "end" in parsed.value) {
      this.footer = readFooter(parsed.value, line)
      this.compare(text, this.footer)
      return
    }
    const event = checkLogLine(parsed.value, line)
    if (event.i !== this.events) {
      throw new LogError({
        line,
        field: "i",
        reason: `step ${event.i} follows step ${this.events - 1}: lines are ${
          event.i > this.events ? "missing" : "repeated or out of order"
        }`,
        expected: String(this.events)
      })
    }
    items.push({ _tag: "Event", event: this.decode(event, line) })
    this.events++
    this.digest.line(text)
  }

  private compare(text: string, footer: LogFooter): void {
    const reasons: Array<string> = []
    const end = text.lastIndexOf(",\"digest\":")
    const digest = this.digest.finish(text.slice(0, end < 0 ? text.length : end))
    if (footer.digest !== digest) {
      reasons.push(`its digest is ${shorten(footer.digest, 15)} and its lines give ${digest.slice(0, 12)}...`)
    }
    if (footer.steps !== this.events) {
      reasons.push(`the footer counts ${footer.steps} steps and there are ${this.events}`)
    }
    if (footer.failureId !== failureId(footer.verdict)) {
      reasons.push("the footer's failureId does not belong to its verdict")
    }
    if (reasons.length > 0) this.integrity = { _tag: "Edited", reasons, events: this.events }
  }
}

const parse = (text: string): { readonly value: Schema.Json } | undefined => {
  try {
    return { value: JSON.parse(text) as Schema.Json }
  } catch {
    return undefined
  }
}

const notJson = (text: string, line: number): LogError => {
  const start = `{"format":"${logFormat}"`
  const reason = text.trim() === ""
    ? "the line is empty"
    : line === 1 && text.startsWith(start)
    ? "the header is cut off or damaged, so nothing of this log is usable"
    : `this is not JSON: ${shorten(JSON.stringify(text.slice(0, 80)), 50)}`
  const expected = line === 1 ? `an mmrace log, whose first line is ${start},...}` : "one JSON object a line"
  return new LogError({ line, field: "", reason, expected })
}

const readHeader = (value: Schema.Json, line: number): LogHeader => {
  const found: Readonly<Record<string, Schema.Json>> =
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? value as Readonly<Record<string, Schema.Json>>
      : {}
  if (found["format"] !== logFormat) {
    throw new LogError({
      line,
      field: "format",
      reason: `this is not an mmrace log: format is ${shorten(JSON.stringify(found["format"]) ?? "missing")}`,
      expected: `"${logFormat}"`
    })
  }
  const version = found["version"]
  if (typeof version === "number" && version > logVersion) {
    throw new LogError({
      line,
      field: "version",
      reason: `the log has format version ${version}, written by a newer tool (${
        shorten(String(found["tool"]), 30)
      }); this one reads version ${logVersion}`,
      expected: `version ${logVersion}, or a tool at least as new as the one that wrote the log`
    })
  }
  return readWith(decodeHeader, Object.keys(LogHeader.fields), value, line, "header")
}

const verdictNames = VerdictSchema.members.map((member) => member.fields._tag.schema.literal)

const readFooter = (value: Schema.Json, line: number): LogFooter => {
  const tag = memberAt(value, ["verdict", "_tag"])
  if (typeof tag === "string" && !verdictNames.some((name) => name === tag)) {
    const reason = `there is no verdict called ${JSON.stringify(tag)}`
    throw new LogError({ line, field: "verdict._tag", reason, ...expectedOneOf(tag, verdictNames) })
  }
  return readWith(decodeFooter, Object.keys(LogFooter.fields), value, line, "footer")
}

const readWith = <A>(
  decode: (value: unknown) => Result.Result<A, Schema.SchemaError>,
  names: ReadonlyArray<string>,
  value: Schema.Json,
  line: number,
  what: string
): A => {
  const decoded = decode(value)
  if (Result.isSuccess(decoded)) return decoded.success
  const { path, reason } = firstIssue(decoded.failure)
  const key = String(path[0] ?? "")
  if (path.length === 1 && !names.includes(key)) {
    throw new LogError({ line, field: key, reason: `the ${what} has no such member`, ...expectedOneOf(key, names) })
  }
  throw new LogError({
    line,
    field: pathText(path),
    reason: `the ${what} is not valid: ${foundAt(value, path)}`,
    expected: expectation(reason)
  })
}

/** A log read into memory, in terms of a model. */
export interface LoadedLog {
  readonly header: LogHeader
  readonly model: Model
  readonly log: Log
  /** Undefined when the log is truncated. */
  readonly footer: LogFooter | undefined
  /** From the footer; empty when the log is truncated. */
  readonly waiting: ReadonlyArray<Waiting>
  readonly integrity: Integrity
}

/** A log read without its model: names and values as they are written. */
export interface LoadedEnvelope {
  readonly header: LogHeader
  readonly lines: ReadonlyArray<LogLine>
  readonly footer: LogFooter | undefined
  readonly integrity: Integrity
}

/** What the footer says about unfinished threads, in terms of the model. `line` is the footer's, for messages. Throws LogError. */
export const waitingOf = (model: Model, footer: LogFooter | undefined, line: number): ReadonlyArray<Waiting> => {
  const decoder = new EventDecoder(model)
  return (footer?.waiting ?? []).map((entry, index) => decoder.waiting(entry, line, `waiting[${index}].`))
}

/** The items of a whole text, one after the other. Throws LogError. */
export function* readLogItems<E>(text: string, onHeader: (header: LogHeader) => DecodeEvent<E>): Generator<LogItem<E>> {
  const reader = new LogReader(onHeader)
  for (let at = 0; at < text.length; at += chunkLength) yield* reader.push(text.slice(at, at + chunkLength))
  yield* reader.finish()
}

/** Collects events into the parallel arrays of a Log. */
export class LogBuilder {
  private readonly threads: Array<number> = []
  private readonly asks: Array<Ask<unknown>> = []
  private readonly results: Array<unknown> = []

  add(event: LoggedEvent): void {
    this.threads.push(event.thread)
    this.asks.push(event.ask)
    this.results.push(event.result)
  }

  get length(): number {
    return this.threads.length
  }

  build(): Log {
    return { length: this.threads.length, threads: this.threads, asks: this.asks, results: this.results }
  }
}

/**
 * Reads a whole log. `modelOf` gets the header (program, kernel, ...) and builds the model; what it throws passes
 * through. Throws LogError. A truncated or edited log is no error: see `integrity`.
 */
export const readLog = (text: string, modelOf: (header: LogHeader) => Model): LoadedLog => {
  const builder = new LogBuilder()
  let model: Model | undefined
  let header: LogHeader | undefined
  for (const item of readLogItems(text, inModel((h) => model = modelOf(h)))) {
    if (item._tag === "Header") header = item.header
    else if (item._tag === "Event") builder.add(item.event)
    else {
      const { footer, integrity } = item
      return {
        header: header!,
        model: model!,
        log: builder.build(),
        footer,
        waiting: waitingOf(model!, footer, builder.length + 2),
        integrity
      }
    }
  }
  throw new Error("a log reader ends with End")
}

/** Reads a whole log without a model: checks header, footer, digest and the shape of every line. Throws LogError. */
export const readEnvelope = (text: string): LoadedEnvelope => {
  const lines: Array<LogLine> = []
  let header: LogHeader | undefined
  for (const item of readLogItems(text, envelopeOnly)) {
    if (item._tag === "Header") header = item.header
    else if (item._tag === "Event") lines.push(item.event)
    else return { header: header!, lines, footer: item.footer, integrity: item.integrity }
  }
  throw new Error("a log reader ends with End")
}

/** The items of a log that arrives as a stream of text. */
export const readLogStream = <E, Err, R>(
  text: Stream.Stream<string, Err, R>,
  onHeader: (header: LogHeader) => DecodeEvent<E>
): Stream.Stream<LogItem<E>, Err | LogError, R> =>
  Stream.suspend(() => {
    const reader = new LogReader(onHeader)
    return text.pipe(
      Stream.mapAccumArrayEffect(() => undefined, (_, pieces) =>
        attempt(() => [undefined, pieces.flatMap((piece) => reader.push(piece))] as const, isLogError)),
      Stream.concat(Stream.fromIterableEffect(attempt(() =>
        reader.finish(), isLogError)))
    )
  })

/** The items of a log file, read piece by piece. Errors name the file. */
export const readLogFile = <E>(
  path: string,
  onHeader: (header: LogHeader) => DecodeEvent<E>
): Stream.Stream<LogItem<E>, LogError | PlatformError, FileSystem.FileSystem> =>
  Stream.unwrap(
    Effect.map(FileSystem.FileSystem, (fs) => readLogStream(fs.stream(path).pipe(Stream.decodeText), onHeader))
  ).pipe(
    Stream.mapError((error) => error._tag === "LogError" ? new LogError({ ...error, file: path }) : error)
  )

/** The header of a log file alone: enough to build the model before the events are read. */
export const readLogHeader = (
  path: string
): Effect.Effect<LogHeader, LogError | PlatformError, FileSystem.FileSystem> =>
  readLogFile(path, envelopeOnly).pipe(
    Stream.runHead,
    Effect.map((item) => {
      if (item._tag === "Some" && item.value._tag === "Header") return item.value.header
      throw new Error("a log starts with its header")
    })
  )

const isLogError = (error: unknown): error is LogError => error instanceof LogError
const isEncodeError = (error: unknown): error is LogEncodeError => error instanceof LogEncodeError

/** Runs synchronous code of this module as an effect: its own error is typed, anything else is a defect. */
const attempt = <A, E>(work: () => A, isKnown: (error: unknown) => error is E): Effect.Effect<A, E> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(work())
    } catch (error) {
      return isKnown(error) ? Effect.fail(error) : Effect.die(error)
    }
  })
