/** What can be wrong with a program, where it is, and how it is told to the reader. */
import { Data } from "effect"
import { distance } from "fastest-levenshtein"

/** A stretch of one source line; `line` and `column` count from 1, `column` and `length` in UTF-16 units. */
export interface Span {
  readonly line: number
  readonly column: number
  readonly length: number
}

/** One thing that is wrong. `message` is one line and includes any suggestion. */
export interface Issue {
  readonly message: string
  /** Absent for a program that was not read from text. */
  readonly span?: Span
}

/** The words nearest to `word` by edit distance that a slip of the finger could have meant, best first. */
export const nearest = (word: string, words: Iterable<string>): ReadonlyArray<string> => {
  const limit = word.length < 4 ? 1 : Math.max(2, Math.floor(word.length / 3))
  const scored: Array<{ readonly candidate: string; readonly cost: number }> = []
  for (const candidate of new Set(words)) {
    if (Math.abs(candidate.length - word.length) > limit) continue
    const cost = distance(word.toLowerCase(), candidate.toLowerCase())
    if (cost <= limit && candidate !== word) scored.push({ candidate, cost })
  }
  return scored.sort((a, b) => a.cost - b.cost).map(({ candidate }) => candidate)
}

/** `; did you mean 'load'?`, or nothing when no word is near. */
export const didYouMean = (word: string, words: Iterable<string>): string => {
  const [best] = nearest(word, words)
  return best === undefined ? "" : `; did you mean '${best}'?`
}

/** `a, b or c`; a long list is cut after `limit` with the number left off. */
export const orList = (items: ReadonlyArray<string>, limit = 12): string => {
  if (items.length > limit) {
    return `${items.slice(0, limit).join(", ")} or one of ${items.length - limit} more`
  }
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} or ${items.at(-1) ?? ""}`
}

export interface FormatOptions {
  /** Name of the file in messages. */
  readonly file: string
  /** Text the spans point into; without it no source lines are shown. */
  readonly source?: string
  /** How many issues are shown in full; the rest are counted. Default 20. */
  readonly limit?: number
}

const caretLine = (text: string, span: Span): string => {
  // Tabs stay tabs, so that the caret lands under the word in every terminal.
  const before = text.slice(0, span.column - 1).replace(/[^\t]/g, " ")
  const room = Math.max(1, text.length - span.column + 1)
  return `${before}${"^".repeat(Math.max(1, Math.min(span.length, room)))}`
}

const lineOf = (lines: ReadonlyArray<string>, span: Span): string => lines[span.line - 1] ?? ""

const WIDTH = 160

/** The part of a very long line around the span. */
const excerpt = (text: string, span: Span): readonly [string, Span] => {
  if (text.length <= WIDTH) return [text, span]
  const start = Math.max(0, span.column - 1 - WIDTH / 2)
  return [text.slice(start, start + WIDTH), { ...span, column: span.column - start }]
}

/** The issues as a compiler prints them: `file:line:column: message`, the source line, and a caret under the place. */
export const formatErrors = (issues: ReadonlyArray<Issue>, options: FormatOptions): string => {
  const lines = options.source?.split(/\r\n|\n|\r/)
  const shown = issues.slice(0, options.limit ?? 20)
  const blocks = shown.map(({ message, span }) => {
    if (span === undefined) return `${options.file}: ${message}`
    const head = `${options.file}:${span.line}:${span.column}: ${message}`
    if (lines === undefined) return head
    const [text, place] = excerpt(lineOf(lines, span), span)
    const gutter = String(span.line).padStart(5)
    return `${head}\n${gutter} | ${text}\n${" ".repeat(gutter.length)} | ${caretLine(text, place)}`
  })
  const rest = issues.length - shown.length
  if (rest > 0) blocks.push(`${options.file}: and ${rest} more error${rest === 1 ? "" : "s"}`)
  return blocks.join("\n")
}

/** A text that is no valid program. `message` is ready to be shown. */
export class ProgramError extends Data.TaggedError("ProgramError")<{
  readonly file: string
  /** In source order, at least one. */
  readonly issues: ReadonlyArray<Issue>
  readonly message: string
}> {
  static make(issues: ReadonlyArray<Issue>, options: FormatOptions): ProgramError {
    return new ProgramError({ file: options.file, issues, message: formatErrors(issues, options) })
  }
}
