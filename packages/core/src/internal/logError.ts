import * as Data from "effect/Data"

export interface LogErrorFields {
  /** Where the log came from, when known: a path for messages. */
  readonly file?: string | undefined
  /** From 1; the header is line 1. */
  readonly line: number
  /** Path of the member within the line, e.g. `arg.expected` or `threads[2]`; "" when the line itself is wrong. */
  readonly field: string
  readonly reason: string
  readonly expected: string
  /** The nearest valid word. */
  readonly meant?: string | undefined
}

/** A log that cannot be read: says line, field, reason and what was expected. */
export class LogError extends Data.TaggedError("LogError")<LogErrorFields> {
  override get message(): string {
    const { expected, field, file, line, meant, reason } = this
    const where = `${file === undefined ? "" : `${file}: `}line ${line}${field === "" ? "" : `, field ${field}`}`
    return `${where}: ${reason}; expected ${expected}${
      meant === undefined ? "" : `; did you mean ${JSON.stringify(meant)}?`
    }`
  }
}

/** An event that the log cannot hold: the command's own Schema refuses the value. A mistake in the command's definition. */
export class LogEncodeError extends Data.TaggedError("LogEncodeError")<{
  readonly step: number
  readonly thread: string
  readonly actor: string
  readonly command: string
  readonly part: "argument" | "result"
  readonly reason: string
}> {
  override get message(): string {
    const { actor, command, part, reason, step, thread } = this
    return `step ${step} (${thread}): the ${part} of ${command} on ${actor} does not fit the command's Schema: ${reason}. ` +
      `Give the command a Schema for its ${part} that accepts this value (see docs/event-log.md, "Values").`
  }
}

/** `a.b[3]` for a path of keys. */
export const pathText = (path: ReadonlyArray<PropertyKey>): string =>
  path.map((key) => typeof key === "number" ? `[${key}]` : `.${String(key)}`).join("").replace(/^\./, "")
