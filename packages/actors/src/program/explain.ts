/** Turns a line the grammar refuses into what was expected, what was found, and the nearest valid word. */
import { type IToken, tokenMatcher } from "chevrotain"
import type { LineParser } from "./grammar.ts"
import { didYouMean, type Issue, nearest, orList, type Span } from "./Issue.ts"
import {
  blockWords,
  declarationWords,
  EndOfLine,
  mayGiveWords,
  mustGiveWords,
  Name,
  plainWords,
  spanOf
} from "./tokens.ts"

export type LineKind = "declaration" | "statement"

/** What is expected where the grammar wants a name or a choice of values, by the rule that wants it. */
const ROLES: { readonly [rule: string]: string } = {
  newName: "a name",
  regionName: "a region",
  threadName: "a thread",
  processName: "a process",
  registerName: "a register",
  uffdName: "a userfaultfd",
  targetName: "a region or a message's address",
  kernel: "a kernel release such as 6.18",
  archName: "an architecture",
  bugName: "a bug such as B-05",
  invariantName: "an invariant such as I-04",
  changeWord: "a commit or feature",
  literal: "a value",
  value: "a value",
  comparator: "a comparison (=, !=, <, <=, > or >=)"
}

const statementWords = Object.keys({ ...mayGiveWords, ...mustGiveWords, ...plainWords, ...blockWords })
const givingWords = Object.keys({ ...mayGiveWords, ...mustGiveWords })
const settingUp = Object.keys(declarationWords)

interface Expected {
  /** For the message, without repetition. */
  readonly labels: ReadonlyArray<string>
  /** Keywords among them, for the suggestion. */
  readonly words: ReadonlyArray<string>
  readonly accepts: (token: IToken) => boolean
}

const expectedAfter = (parser: LineParser, kind: LineKind, preceding: Array<IToken>): Expected => {
  const paths = parser.computeContentAssist(kind, preceding)
  const labels = new Set<string>()
  const words = new Set<string>()
  for (const { nextTokenType, ruleStack } of paths) {
    const role = ROLES[ruleStack.at(-1) ?? ""] ?? (ruleStack.includes("value") ? ROLES["value"] : undefined) ??
      (ruleStack.includes("literal") ? ROLES["literal"] : undefined)
    labels.add(role ?? nextTokenType.LABEL ?? nextTokenType.name)
    if (typeof nextTokenType.PATTERN === "string" && /^[a-z]/.test(nextTokenType.PATTERN)) {
      words.add(nextTokenType.PATTERN)
    }
  }
  // An index or a field may always follow a name; what must follow is the better advice.
  const required = [...labels].filter((label) => label !== "'['" && label !== "'.'")
  return {
    labels: required.length > 0 ? required : [...labels],
    words: [...words],
    accepts: (token) => paths.some(({ nextTokenType }) => tokenMatcher(token, nextTokenType))
  }
}

/** Just behind the last word of the line, where the missing one belongs. */
const endOf = (tokens: ReadonlyArray<IToken>, token: IToken): Span => {
  const last = tokens[tokens.length - 2]
  if (token.tokenType !== EndOfLine || last === undefined) return spanOf(token)
  const { line, column } = spanOf(last)
  return { line, column: column + last.image.length, length: 1 }
}

const shown = (token: IToken): string =>
  token.tokenType === EndOfLine
    ? "the end of the line"
    : `'${token.image.length > 40 ? `${token.image.slice(0, 40)}...` : token.image}'`

const isStatementWord = (word: string): boolean => statementWords.includes(word)

/** Slips that deserve a better answer than the list of what the grammar would take. */
const special = (kind: LineKind, tokens: ReadonlyArray<IToken>, at: number, expected: Expected): Issue | undefined => {
  const first = tokens[0]
  const token = tokens[at]
  if (first === undefined || token === undefined) return undefined
  if (at < 2 && kind === "statement" && Object.hasOwn(mustGiveWords, first.image)) {
    return {
      message: `expected a register for what '${first.image}' gives: 'r = ${first.image} ...'`,
      span: spanOf(first)
    }
  }
  if (at === 2 && kind === "statement" && tokens[1]?.image === "=" && tokenMatcher(first, Name)) {
    const list = nearest(token.image, givingWords).length > 0 ? "" : ` (${orList(givingWords, 40)})`
    const isPlain = Object.hasOwn(plainWords, token.image)
    return {
      message: isPlain
        ? `expected a statement that gives a result, found '${token.image}'; write it without '${first.image} ='`
        : `expected a statement that gives a result${list}, found ${shown(token)}${
          didYouMean(token.image, givingWords)
        }`,
      span: endOf(tokens, token)
    }
  }
  if (first.image === "final" && expected.labels.length === 1 && expected.labels[0] === "':'") {
    return {
      message: `expected a register with its thread (THREAD:${tokens[at - 1]?.image ?? "r0"}) or memory ([A]), found ${
        shown(token)
      }`,
      span: endOf(tokens, token)
    }
  }
  const isOther = kind === "declaration"
    ? isStatementWord(first.image)
    : Object.hasOwn(declarationWords, first.image) && !isStatementWord(first.image)
  if (at < (kind === "statement" ? 2 : 1) && isOther) {
    return kind === "declaration"
      ? {
        message: `expected a declaration, found the statement '${first.image}'; indent it under its 'thread'`,
        span: spanOf(first)
      }
      : {
        message: `expected a statement, found the declaration '${first.image}'; write it without indentation`,
        span: spanOf(first)
      }
  }
  // The first word of a line decides what the line is: a slip there is told there, with all that could be meant.
  if (
    at === 0 ||
    (at === 1 && kind === "statement" && tokenMatcher(first, Name) && !isStatementWord(first.image) &&
      token.image !== "=")
  ) {
    const words = kind === "statement" ? statementWords : settingUp
    const what = kind === "statement" ? "a statement" : "a declaration"
    const list = nearest(first.image, words).length > 0 ? "" : ` (${orList(words, 40)})`
    return {
      message: `expected ${what}${list}, found ${shown(first)}${didYouMean(first.image, words)}`,
      span: endOf(tokens, first)
    }
  }
  return undefined
}

/**
 * Explains why `tokens` (one line with its end) is no `kind`. `failed` is the first token that the parser
 * looked at when it gave up; the real slip is there or a few tokens later.
 */
export const explain = (parser: LineParser, kind: LineKind, tokens: Array<IToken>, failed: IToken): Issue => {
  const start = Math.max(0, tokens.indexOf(failed))
  let at = start
  let expected = expectedAfter(parser, kind, tokens.slice(0, at))
  for (let token = tokens[at]; token !== undefined && at < start + parserLookahead && expected.accepts(token);) {
    at += 1
    expected = expectedAfter(parser, kind, tokens.slice(0, at))
    token = tokens[at]
  }
  const token = tokens[at] ?? failed
  const found = shown(token)
  return special(kind, tokens, at, expected) ?? {
    message: `expected ${orList(expected.labels, 40)}, found ${found}${didYouMean(token.image, expected.words)}`,
    span: endOf(tokens, token)
  }
}

/** As `maxLookahead` of the parser: the parser gives up at most this many tokens before the slip. */
const parserLookahead = 3
