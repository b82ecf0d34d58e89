/**
 * Text to Program. Lines are read one by one with the grammar of a line; indentation makes the blocks.
 * Nothing is thrown: whatever is wrong with the text comes back as issues with positions, all at once.
 */
import { createTokenInstance, type IToken } from "chevrotain"
import { Result } from "effect"
import { explain, type LineKind } from "./explain.ts"
import { type Declaration, LineParser, type NodeSpans, type StatementLine } from "./grammar.ts"
import { type Issue, nearest, ProgramError, type Span } from "./Issue.ts"
import type * as P from "./Program.ts"
import { EndOfLine, lexer, spanOf } from "./tokens.ts"

/** Where the parts of a parsed program stand in its text, by the identity of the node. */
export type Positions = ReadonlyMap<object, NodeSpans>

/** The place of a node, or of one of its fields; undefined when it was not read from text. */
export const spanIn = (positions: Positions | undefined, node: object, field?: string): Span | undefined => {
  const spans = positions?.get(node)
  return field === undefined ? spans?.node : spans?.fields[field] ?? spans?.node
}

export interface Parsed {
  readonly program: P.Program
  readonly positions: Positions
}

export interface ParseOptions {
  /** Name of the file in messages. Default `program`. */
  readonly file?: string
}

/** Blocks and parentheses may nest this deep: far beyond use, and safe for every recursive walk of a program. */
export const MAX_DEPTH = 50

const TAB_WIDTH = 8

/** A text with more errors than this is something else than a program: reading it to the end helps nobody. */
const MAX_ISSUES = 200

interface Line {
  readonly tokens: Array<IToken>
  /** Width of the white space before the first word. */
  readonly indent: number
}

const widthOf = (white: string): number => {
  let width = 0
  for (const character of white) width += character === "\t" ? TAB_WIDTH - width % TAB_WIDTH : 1
  return width
}

/** Lines with words on them, each closed by an end-of-line token. */
const splitLines = (source: string, tokens: ReadonlyArray<IToken>): Array<Line> => {
  const lines: Array<Line> = []
  let current: Array<IToken> = []
  const finish = (end: IToken) => {
    const [first] = current
    if (first === undefined) return
    const start = first.startOffset
    const white = source.slice(start - ((first.startColumn ?? 1) - 1), start).replace(/^\uFEFF/, "")
    current.push(end)
    lines.push({ tokens: current, indent: widthOf(white) })
    current = []
  }
  for (const token of tokens) {
    if (token.tokenType === EndOfLine) finish(token)
    else current.push(token)
  }
  const last = current.at(-1)
  if (last !== undefined) {
    const offset = last.startOffset + last.image.length
    const line = last.startLine ?? 1
    const column = (last.startColumn ?? 1) + last.image.length
    finish(createTokenInstance(EndOfLine, "", offset, offset, line, line, column, column))
  }
  return lines
}

/** The first token nested deeper than allowed by `(` and `~`. */
const tooDeep = (tokens: ReadonlyArray<IToken>): IToken | undefined => {
  const open: Array<number> = []
  let pending = 0
  let depth = 0
  for (const token of tokens) {
    if (token.image === "~") {
      pending += 1
      depth += 1
    } else if (token.image === "(") {
      open.push(pending)
      pending = 0
      depth += 1
    } else {
      depth -= pending
      pending = 0
      if (token.image === ")" && open.length > 0) depth -= 1 + (open.pop() ?? 0)
    }
    if (depth > MAX_DEPTH) return token
  }
  return undefined
}

interface Block {
  /** Of the lines inside; undefined until the first of them. */
  indent: number | undefined
  /** Of the line that opened it. */
  readonly headIndent: number
  readonly list: Array<P.Statement>
  /** The `if` whose `then` this is, until something follows it. */
  readonly branch: { else?: ReadonlyArray<P.Statement> } | undefined
}

/** Assembles lines into a program. One object per text. */
class Assembly {
  readonly parser: LineParser
  readonly issues: Array<Issue> = []
  readonly spans: Map<object, NodeSpans>

  private readonly header: {
    description?: string
    bug?: string
    swap?: P.Swap
    final?: P.Final
  } = {}
  private name: string | undefined
  private kernel: P.KernelSpec = {}
  private limits: P.Limits = {}
  private readonly lists = {
    with: new Array<string>(),
    without: new Array<string>(),
    fix: new Array<string>(),
    breaks: new Array<string>()
  }
  private readonly regions: Array<P.Region> = []
  private readonly uffds: Array<P.Uffd> = []
  private readonly registrations: Array<P.Registration> = []
  private readonly tlb: Array<P.TlbEntry> = []
  private readonly threads: Array<P.Thread> = []
  /** First line of each declaration that may stand only once. */
  private readonly seen = new Map<string, Span>()
  private readonly places: Record<string, Span> = {}

  private blocks: Array<Block> = []
  /** What to do with lines that are indented deeper than anything open. */
  private stray: "none" | "statements" | "skip" = "none"

  constructor(parser: LineParser) {
    parser.begin()
    this.parser = parser
    this.spans = parser.spans
  }

  // One line -------------------------------------------------------------------------------------

  private parseLine<K extends LineKind>(
    kind: K,
    tokens: Array<IToken>
  ): (K extends "declaration" ? Declaration : StatementLine) | undefined
  private parseLine(kind: LineKind, tokens: Array<IToken>): Declaration | StatementLine | undefined {
    const deep = tooDeep(tokens)
    if (deep !== undefined) {
      this.issues.push({ message: `expected at most ${MAX_DEPTH} nested '(' and '~'`, span: spanOf(deep) })
      return undefined
    }
    const { parser } = this
    parser.input = tokens
    const problems = parser.problems.length
    const line = parser[kind]()
    const [error] = parser.errors
    if (error !== undefined) {
      parser.problems.length = problems
      this.issues.push(explain(parser, kind, tokens, error.token))
      return undefined
    }
    this.issues.push(...parser.problems.splice(0))
    return line
  }

  // Declarations ----------------------------------------------------------------------------------

  private once(what: string, first: IToken): void {
    const before = this.seen.get(what)
    if (before === undefined) {
      this.seen.set(what, spanOf(first))
      return
    }
    this.issues.push({
      message: `expected one ${what}, found a second; the first is on line ${before.line}`,
      span: spanOf(first)
    })
  }

  declare(tokens: Array<IToken>): void {
    this.closeBlocks()
    const line = this.parseLine("declaration", tokens)
    const [first] = tokens
    if (first === undefined) return
    if (line === undefined) {
      this.unreadable(first)
      return
    }
    this.stray = "none"
    if (this.name === undefined && line._tag !== "name") {
      this.issues.push({ message: "expected 'mmrace NAME' as the first line", span: spanOf(first) })
      this.name = ""
    }
    const fields = this.spans.get(line)?.fields ?? {}
    switch (line._tag) {
      case "name":
        this.once("'mmrace' line", first)
        this.name ??= line.name
        this.keepPlaces({ name: fields["name"] })
        break
      case "description":
        this.once("description", first)
        this.header.description = line.text
        this.keepPlaces({ description: fields["text"] })
        break
      case "kernel":
        this.once("'kernel' line", first)
        this.kernel = line.kernel
        break
      case "with":
      case "without":
      case "fix":
      case "breaks": {
        const list = this.lists[line._tag]
        line.words.forEach((word, index) => {
          this.keepPlaces({ [`${line._tag}.${list.length}`]: fields[String(index)] })
          list.push(word)
        })
        break
      }
      case "bug":
        this.once("'bug' line", first)
        this.header.bug = line.bug
        this.keepPlaces({ bug: fields["bug"] })
        break
      case "limit":
        this.once("'limit' line", first)
        this.limits = line.limits
        break
      case "swap":
        this.once("'swap' line", first)
        this.header.swap = line.swap
        break
      case "map":
        this.regions.push(line.region)
        break
      case "uffd":
        this.uffds.push(line.uffd)
        break
      case "register":
        this.registrations.push(line.registration)
        break
      case "tlb":
        this.tlb.push(line.entry)
        break
      case "thread": {
        const body: Array<P.Statement> = []
        const thread: P.Thread = { ...line.thread, body }
        this.moveSpans(line.thread, thread)
        this.threads.push(thread)
        this.blocks = [{ indent: undefined, headIndent: 0, list: body, branch: undefined }]
        break
      }
      case "final":
        this.once("'final' line", first)
        this.header.final = line.final
        break
    }
  }

  /** A declaration that could not be read: what hangs under it is only looked at when it was meant as a thread. */
  unreadable(first: IToken): void {
    this.closeBlocks()
    const isThread = first.image === "thread" || nearest(first.image, ["thread"]).length > 0
    this.stray = isThread ? "statements" : "skip"
    this.name ??= ""
  }

  private keepPlaces(places: { readonly [field: string]: Span | undefined }): void {
    for (const [field, span] of Object.entries(places)) if (span !== undefined) this.places[field] = span
  }

  private moveSpans(from: object, to: object): void {
    const spans = this.spans.get(from)
    this.spans.delete(from)
    if (spans !== undefined) this.spans.set(to, spans)
  }

  // Statements ------------------------------------------------------------------------------------

  private closeBlocks(): void {
    this.blocks = []
  }

  indented({ tokens, indent }: Line): void {
    const [first] = tokens
    if (first === undefined) return
    if (this.blocks.length === 0 && this.stray === "skip") return
    if (this.blocks.length === 0 && this.stray === "none") {
      this.issues.push({
        message:
          `expected a declaration without indentation, found an indented line; only statements under a 'thread' are indented`,
        span: spanOf(first)
      })
      this.stray = "skip"
      return
    }
    const line = this.parseLine("statement", tokens)
    const known = this.issues.length
    const block = this.blockFor(indent, first)
    const isPlaced = this.issues.length === known
    if (line === undefined) {
      // What hangs under a bad line is still read, for its own mistakes, and then dropped.
      this.blocks.push({ indent: undefined, headIndent: indent, list: [], branch: undefined })
      return
    }
    switch (line._tag) {
      case "repeat": {
        const body: Array<P.Statement> = []
        const repeat: P.Repeat = { _tag: "repeat", count: line.count, body }
        this.moveSpans(line, repeat)
        block.list.push(repeat)
        this.open({ indent: undefined, headIndent: indent, list: body, branch: undefined }, first)
        break
      }
      case "if": {
        const then: Array<P.Statement> = []
        const branch: P.If & { else?: ReadonlyArray<P.Statement> } = { _tag: "if", test: line.test, then }
        this.moveSpans(line, branch)
        block.list.push(branch)
        this.open({ indent: undefined, headIndent: indent, list: then, branch }, first)
        break
      }
      case "else": {
        const branch = this.closedBranch
        const body: Array<P.Statement> = []
        if (branch === undefined && isPlaced) {
          this.issues.push({
            message: "expected an 'if' with the same indentation before this 'else'",
            span: spanOf(first)
          })
        }
        if (branch !== undefined) branch.else = body
        this.open({ indent: undefined, headIndent: indent, list: body, branch: undefined }, first)
        break
      }
      default:
        block.list.push(line)
    }
  }

  private open(block: Block, first: IToken): void {
    if (this.blocks.length === MAX_DEPTH) {
      this.issues.push({ message: `expected at most ${MAX_DEPTH} nested blocks`, span: spanOf(first) })
    }
    this.blocks.push(block)
  }

  /** The `if` that the last dedent to this line's level has closed. */
  private closedBranch: { else?: ReadonlyArray<P.Statement> } | undefined

  private blockFor(indent: number, first: IToken): Block {
    this.closedBranch = undefined
    while (true) {
      const top = this.blocks.at(-1)
      if (top === undefined) {
        const stray: Block = { indent, headIndent: 0, list: [], branch: undefined }
        this.blocks.push(stray)
        return stray
      }
      if (top.indent === undefined && indent > top.headIndent) top.indent = indent
      if (top.indent === indent) return top
      if (top.indent !== undefined && indent > top.indent) {
        this.issues.push({
          message: `expected the indentation of the lines above (${top.indent} columns), found ${indent}`,
          span: spanOf(first)
        })
        return top
      }
      if (this.blocks.length === 1) {
        this.issues.push({
          message: `expected the indentation of an open block, found ${indent} columns`,
          span: spanOf(first)
        })
        return top
      }
      this.closedBranch = top.headIndent === indent ? top.branch : undefined
      this.blocks.pop()
    }
  }

  // The whole -------------------------------------------------------------------------------------

  program(): P.Program {
    const { description, bug, swap, final } = this.header
    const program: P.Program = {
      name: this.name ?? "",
      ...(description === undefined ? {} : { description }),
      kernel: this.kernel,
      with: this.lists.with,
      without: this.lists.without,
      ...(bug === undefined ? {} : { bug }),
      fixes: this.lists.fix,
      breaks: this.lists.breaks,
      limits: this.limits,
      ...(swap === undefined ? {} : { swap }),
      regions: this.regions,
      uffds: this.uffds,
      registrations: this.registrations,
      tlb: this.tlb,
      threads: this.threads,
      ...(final === undefined ? {} : { final })
    }
    this.spans.set(program, { node: this.places["name"] ?? { line: 1, column: 1, length: 1 }, fields: this.places })
    return program
  }
}

let lineParser: LineParser | undefined

const unexpectedCharacter = (source: string, offset: number, length: number): string => {
  const text = source.slice(offset, offset + length)
  if (text.startsWith("\"")) return "expected a closing '\"' on the same line"
  if (text.startsWith("&&")) return "expected '/\\', found '&&'"
  if (text.startsWith("|")) return "expected '\\/', found '|'"
  if (text.startsWith("!")) return "expected '~' or '!=', found '!'"
  const shown = text.length > 20 ? `${text.slice(0, 20)}...` : text
  return `expected a word, a number or a sign, found ${JSON.stringify(shown)}`
}

const EMPTY = "expected a program, found nothing; the smallest is 'mmrace NAME' and a 'thread' with one statement"

/** Reads a program. Fails with every syntax error of the text, in source order; names are for `check` to resolve. */
export const parse = (source: string, options: ParseOptions = {}): Result.Result<Parsed, ProgramError> => {
  const file = options.file ?? "program"
  const lexed = lexer.tokenize(source)
  const lines = splitLines(source, lexed.tokens)
  lineParser ??= new LineParser()
  const assembly = new Assembly(lineParser)
  const { issues } = assembly
  const badLines = new Set<number>()
  for (const { offset, length, line, column } of lexed.errors) {
    if (line !== undefined && !badLines.has(line)) {
      badLines.add(line)
      issues.push({ message: unexpectedCharacter(source, offset, length), span: { line, column: column ?? 1, length } })
    }
  }
  if (lines.length === 0 && issues.length === 0) {
    issues.push({ message: EMPTY, span: { line: 1, column: 1, length: 1 } })
  }

  for (let index = 0; index < lines.length; index++) {
    const line = lines[index]
    const first = line?.tokens[0]
    if (line === undefined || first === undefined) continue
    if (issues.length >= MAX_ISSUES) {
      const message = `expected a program; after ${issues.length} errors the other ${
        lines.length - index
      } lines were not read`
      issues.push({ message, span: spanOf(first) })
      break
    }
    if (badLines.has(first.startLine ?? 0)) {
      if (line.indent === 0) assembly.unreadable(first)
    } else if (line.indent > 0) {
      assembly.indented(line)
    } else if (first.image === "final") {
      // A long condition may go on in indented lines.
      const tokens = [...line.tokens]
      for (let next = lines[index + 1]; next !== undefined && next.indent > 0; next = lines[index + 1]) {
        tokens.pop()
        for (const token of next.tokens) tokens.push(token)
        index += 1
      }
      assembly.declare(tokens)
    } else {
      assembly.declare(line.tokens)
    }
  }

  const program = assembly.program()
  if (issues.length === 0) return Result.succeed({ program, positions: assembly.spans })
  issues.sort((a, b) => (a.span?.line ?? 0) - (b.span?.line ?? 0) || (a.span?.column ?? 0) - (b.span?.column ?? 0))
  return Result.fail(ProgramError.make(issues, { file, source }))
}
