/**
 * One event of a log as text and back. Arguments and results go through the JSON form of the command's own
 * Schemas, so that what JSON cannot hold (bigint, NaN, Map) is kept, or refused with the command's name.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import type { Actor, Command } from "../Actor.ts"
import { ask, type Ask } from "../Ask.ts"
import type { Model } from "../Model.ts"
import { type Shape, schemaOf } from "../Shape.ts"
import { jsonText } from "./json.ts"
import { LogEncodeError, LogError, pathText } from "./logError.ts"
import { expectedOneOf } from "./nearest.ts"

/** An event line as JSON, before the model gives its names and values a meaning. */
export interface LogLine {
  readonly i: number
  readonly t: string
  readonly a: string
  readonly c: string
  readonly arg?: Schema.Json
  readonly r?: Schema.Json
}

/** An event of the log in terms of a model. */
export interface LoggedEvent {
  readonly step: number
  readonly thread: number
  readonly ask: Ask<unknown>
  readonly result: unknown
}

const strict = { onExcessProperty: "error", errors: "all" } as const
const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()

/** The first thing wrong with a value, as path and sentence. */
export const firstIssue = (
  error: Schema.SchemaError
): { readonly path: ReadonlyArray<PropertyKey>; readonly reason: string } => {
  const issue = issuesOf(error.issue).issues[0]
  const path = (issue?.path ?? []).map((key) => typeof key === "object" ? key.key : key)
  return { path, reason: issue?.message ?? error.message }
}

interface ValueCodec {
  readonly acceptsUndefined: boolean
  readonly encode: (value: unknown) => Result.Result<Schema.Json, Schema.SchemaError>
  readonly decode: (value: unknown) => Result.Result<unknown, Schema.SchemaError>
}

const makeValueCodec = (shape: Shape<unknown>): ValueCodec => {
  const schema = schemaOf(Schema, shape)
  const json = Schema.toCodecJson(schema)
  return {
    acceptsUndefined: Schema.is(schema)(undefined),
    encode: Schema.encodeUnknownResult(json, strict) as ValueCodec["encode"],
    decode: Schema.decodeUnknownResult(json, strict)
  }
}

const valueCodecs = new WeakMap<object, ValueCodec>()

/** Built once for a shape: building costs a thousand times as much as using. */
const valueCodec = (shape: Shape<unknown>): ValueCodec => {
  let codec = valueCodecs.get(shape)
  if (codec === undefined) valueCodecs.set(shape, codec = makeValueCodec(shape))
  return codec
}

export class EventEncoder {
  private readonly model: Model
  private readonly threads: ReadonlyArray<string>
  private readonly actors: ReadonlyArray<string>

  constructor(model: Model) {
    this.model = model
    this.threads = model.threads.map((thread) => JSON.stringify(thread.name))
    this.actors = model.actors.map((actor) => JSON.stringify(actor.name))
  }

  /** The line without its newline. Throws LogEncodeError. */
  line(step: number, thread: number, pending: Ask<unknown>, result: unknown): string {
    return `{"i":${step},${this.names(thread, pending)}${
      this.member("arg", pending.arg, pending.command.arg, step, thread, pending)
    }${this.member("r", result, pending.command.result, step, thread, pending)}}`
  }

  /** A pending ask: a line without step number and result. */
  waiting(step: number, thread: number, pending: Ask<unknown>): string {
    return `{${this.names(thread, pending)}${
      this.member("arg", pending.arg, pending.command.arg, step, thread, pending)
    }}`
  }

  private names(thread: number, { actor, command }: Ask<unknown>): string {
    return `"t":${this.threads[thread]},"a":${this.actors[actor.id]},"c":${JSON.stringify(command.name)}`
  }

  private member(
    key: "arg" | "r",
    value: unknown,
    shape: Shape<unknown>,
    step: number,
    thread: number,
    pending: Ask<unknown>
  ): string {
    const codec = valueCodec(shape)
    if (value === undefined && codec.acceptsUndefined) return ""
    const encoded = codec.encode(value)
    let reason: string
    if (Result.isSuccess(encoded)) {
      try {
        const text = jsonText(encoded.success)
        if (typeof text === "string") return `,"${key}":${text}`
        reason = "it has no JSON form"
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error)
      }
    } else {
      const issue = firstIssue(encoded.failure)
      reason = `${issue.reason}${issue.path.length === 0 ? "" : ` at ${pathText(issue.path)}`}, got ${describe(value)}`
    }
    throw new LogEncodeError({
      step,
      thread: this.model.threads[thread]!.name,
      actor: pending.actor.name,
      command: `${pending.actor.type.name}.${pending.command.name}`,
      part: key === "arg" ? "argument" : "result",
      reason
    })
  }
}

const describe = (value: unknown): string => {
  if (typeof value === "bigint") return `${value}n`
  if (typeof value === "object" && value !== null) {
    return `an object (${(value.constructor as { name?: string } | undefined)?.name ?? "no prototype"})`
  }
  return typeof value === "string" ? JSON.stringify(value) : String(value)
}

const memberNames = ["i", "t", "a", "c", "arg", "r"]

/** Checks the shape of an event line without a model. Throws LogError. */
export const checkLogLine = (value: Schema.Json, line: number): LogLine => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new LogError({
      line,
      field: "",
      reason: "this is no event",
      expected: "an object with i, t, a, c and perhaps arg and r"
    })
  }
  const event = value as Readonly<Record<string, Schema.Json>>
  for (const key of Object.keys(event)) {
    if (!memberNames.includes(key)) {
      throw new LogError({
        line,
        field: key,
        reason: "an event has no such member",
        ...expectedOneOf(key, memberNames)
      })
    }
  }
  const i = event["i"]
  if (typeof i !== "number" || !Number.isSafeInteger(i) || i < 0) {
    throw new LogError({
      line,
      field: "i",
      reason: `the step number is ${i === undefined ? "missing" : JSON.stringify(i)}`,
      expected: "an integer from 0"
    })
  }
  for (const key of ["t", "a", "c"]) {
    const name = event[key]
    if (typeof name !== "string") {
      throw new LogError({
        line,
        field: key,
        reason: name === undefined ? "it is missing" : `it is ${JSON.stringify(name)}`,
        expected: "a string"
      })
    }
  }
  return value as unknown as LogLine
}

export class EventDecoder {
  private readonly model: Model
  private readonly threads: ReadonlyMap<string, number>

  constructor(model: Model) {
    this.model = model
    this.threads = new Map(model.threads.map((thread) => [thread.name, thread.id]))
  }

  /** Gives the names and values of a line their meaning in the model. Throws LogError. */
  event(read: LogLine, line: number): LoggedEvent {
    const { ask: pending, thread } = this.waiting(read, line, "")
    return {
      step: read.i,
      thread,
      ask: pending,
      result: this.value(read.r, pending.command.result, "r", "r", pending, line)
    }
  }

  /** The same for a pending ask. `prefix` is put before the field in messages. */
  waiting(
    read: Pick<LogLine, "t" | "a" | "c" | "arg">,
    line: number,
    prefix: string
  ): { readonly thread: number; readonly ask: Ask<unknown> } {
    const thread = this.threads.get(read.t)
    if (thread === undefined) throw unknownName(line, `${prefix}t`, "thread", read.t, [...this.threads.keys()])
    const actor = this.model.actorNamed(read.a)
    if (actor === undefined) {
      throw unknownName(
        line,
        `${prefix}a`,
        "actor",
        read.a,
        this.model.actors.map((a) => a.name)
      )
    }
    const command = actor.type.find(read.c)
    if (command === undefined) {
      throw unknownName(
        line,
        `${prefix}c`,
        `command of ${actor.name} (${actor.type.name})`,
        read.c,
        actor.type.commands.map((c) => c.name)
      )
    }
    return {
      thread,
      ask: ask(actor, command, this.value(read.arg, command.arg, "arg", `${prefix}arg`, { actor, command }, line))
    }
  }

  private value(
    json: Schema.Json | undefined,
    shape: Shape<unknown>,
    kind: "arg" | "r",
    field: string,
    { actor, command }: { readonly actor: Actor<unknown>; readonly command: Command<unknown, unknown, unknown> },
    line: number
  ): unknown {
    const codec = valueCodec(shape)
    const what = `the ${kind === "arg" ? "argument" : "result"} of ${actor.type.name}.${command.name}`
    if (json === undefined) {
      if (codec.acceptsUndefined) return undefined
      throw new LogError({ line, field, reason: `${what} is missing`, expected: "a value" })
    }
    const decoded = codec.decode(json)
    if (Result.isSuccess(decoded)) return decoded.success
    const issue = firstIssue(decoded.failure)
    throw new LogError({
      line,
      field: pathText([field, ...issue.path]),
      reason: `${what} is not valid: ${foundAt(json, issue.path)}`,
      expected: expectation(issue.reason)
    })
  }
}

const unknownName = (
  line: number,
  field: string,
  what: string,
  word: string,
  candidates: ReadonlyArray<string>
): LogError =>
  new LogError({
    line,
    field,
    reason: `there is no ${what} called ${JSON.stringify(word)}`,
    ...expectedOneOf(word, candidates)
  })

export const memberAt = (json: Schema.Json, path: ReadonlyArray<PropertyKey>): unknown => {
  let value: unknown = json
  for (const key of path) {
    if (typeof value !== "object" || value === null) return undefined
    value = (value as Record<PropertyKey, unknown>)[key]
  }
  return value
}

/** What stands at `path`, for messages. */
export const foundAt = (json: Schema.Json, path: ReadonlyArray<PropertyKey>): string =>
  shorten(JSON.stringify(memberAt(json, path)) ?? "it is missing")

/** What a Schema expected, from its message. Schema.Number names only its string forms when it meets another string. */
export const expectation = (reason: string): string =>
  shorten(reason.replace(/^Expected /, "").replace(/^"Infinity" \| "-Infinity" \| "NaN"$/, "number | $&"), 160)

export const shorten = (text: string, limit = 80): string =>
  text.length <= limit ? text : `${text.slice(0, limit - 3)}...`
