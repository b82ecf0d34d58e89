/** Words and signs of the program language. */
import { createToken, type IToken, Lexer, type TokenType } from "chevrotain"
import type { Span } from "./Issue.ts"

/** Every identifier and every keyword: no word is reserved, a register may be called `copy`. */
export const Name = createToken({ name: "Name", label: "a name", pattern: Lexer.NA })

const Identifier = createToken({
  name: "Identifier",
  label: "a name",
  pattern: /[A-Za-z_][A-Za-z0-9_-]*/,
  categories: [Name]
})

const keywords = new Map<string, TokenType>()

const word = (text: string): TokenType => {
  const known = keywords.get(text)
  if (known !== undefined) return known
  const token = createToken({
    name: `word ${text}`,
    label: `'${text}'`,
    pattern: text,
    longer_alt: Identifier,
    categories: [Name]
  })
  keywords.set(text, token)
  return token
}

const words = <const W extends ReadonlyArray<string>>(...texts: W): { readonly [K in W[number]]: TokenType } =>
  // fromEntries loses the key type; the entries are made from exactly the keys W.
  Object.fromEntries(texts.map((text) => [text, word(text)])) as { readonly [K in W[number]]: TokenType }

/** First words of lines that are not indented. */
export const declarationWords = words(
  "mmrace",
  "kernel",
  "with",
  "without",
  "bug",
  "fix",
  "breaks",
  "limit",
  "swap",
  "map",
  "uffd",
  "register",
  "tlb",
  "thread",
  "final"
)

/** Statements that may be written with or without `r =`. */
export const mayGiveWords = words(
  "load",
  "store",
  "dma_load",
  "mprotect",
  "madvise",
  "munmap",
  "mmap",
  "api",
  "register",
  "unregister",
  "wake",
  "copy",
  "zeropage",
  "writeprotect",
  "read"
)

/** Statements that only make sense with `r =`. */
export const mustGiveWords = words("pin", "pin_fast", "get", "get_fast", "fork", "choose")

/** Statements without a result. */
export const plainWords = words("dma_store", "unpin", "put", "exit", "join", "kill", "reclaim", "close")

export const blockWords = words("repeat", "if", "else")

export const settingWords = words(
  "anon",
  "swapped",
  "shared-with",
  "sync",
  "zram",
  "disk",
  "folios",
  "mms",
  "vmas",
  "features",
  "new",
  "in",
  "cpu",
  "exists",
  "forall"
)

export const argumentWords = words(
  "w",
  "r",
  "rw",
  "none",
  "write",
  "dontneed",
  "free",
  "missing",
  "wp",
  "dontwake",
  "protect",
  "resolve",
  "nonblock",
  "remove",
  "unmap",
  "sigbus",
  "wp-unpopulated",
  "event",
  "address",
  "fd"
)

/** A number with something attached: a release (`5.10`) or a commit (`57efa1fe5957`). */
export const DigitWord = createToken({
  name: "DigitWord",
  label: "a release or commit",
  pattern: /\d+(?:\.\d+)+(?:-rc\d+)?(?![A-Za-z0-9_])|\d+(?:\.\d+)*[A-Za-z_][A-Za-z0-9_]*/
})
export const Integer = createToken({ name: "Integer", label: "a number", pattern: /\d+/ })
export const Text = createToken({
  name: "Text",
  label: "a description in double quotes",
  pattern: /"(?:[^"\\\r\n]|\\[^\r\n])*"/
})

const sign = (name: string, text: string): TokenType => createToken({ name, label: `'${text}'`, pattern: text })

export const signs = {
  notEqual: sign("NotEqual", "!="),
  lessEqual: sign("LessEqual", "<="),
  greaterEqual: sign("GreaterEqual", ">="),
  equal: sign("Equal", "="),
  less: sign("Less", "<"),
  greater: sign("Greater", ">"),
  and: sign("And", "/\\"),
  or: sign("Or", "\\/"),
  not: sign("Not", "~"),
  to: sign("To", ".."),
  dot: sign("Dot", "."),
  colon: sign("Colon", ":"),
  minus: sign("Minus", "-"),
  addressOf: sign("AddressOf", "&"),
  openBracket: sign("OpenBracket", "["),
  closeBracket: sign("CloseBracket", "]"),
  open: sign("Open", "("),
  close: sign("Close", ")")
} as const

/** Ends every line; blank lines and comments give empty lines. */
export const EndOfLine = createToken({
  name: "EndOfLine",
  label: "the end of the line",
  pattern: /\r\n|\n|\r/,
  line_breaks: true
})

const Space = createToken({ name: "Space", pattern: /[ \t\f\uFEFF]+/, group: Lexer.SKIPPED })
const Comment = createToken({ name: "Comment", pattern: /#[^\r\n]*/, group: Lexer.SKIPPED })

// The lexer takes the first keyword that matches: `pin_fast` must come before `pin`.
const longestFirst = [...keywords].sort(([a], [b]) => b.length - a.length).map(([, token]) => token)

export const allTokens: Array<TokenType> = [
  Space,
  Comment,
  EndOfLine,
  DigitWord,
  Integer,
  Text,
  ...longestFirst,
  Identifier,
  Name,
  ...Object.values(signs)
]

export const lexer = new Lexer(allTokens, { ensureOptimizations: true })

/** Where a token is. The lexer fills every position of the tokens it makes. */
export const spanOf = (token: IToken): Span => ({
  line: token.startLine ?? 1,
  column: token.startColumn ?? 1,
  length: Math.max(1, token.image.trim().length)
})

/** From the start of one token to the end of another on the same line. */
export const spanBetween = (first: IToken, last: IToken): Span => ({
  line: first.startLine ?? 1,
  column: first.startColumn ?? 1,
  length: first.startLine === last.startLine
    ? last.startOffset + last.image.length - first.startOffset
    : first.image.length
})
