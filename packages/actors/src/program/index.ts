/** The program language: programs as data, as text, and what can be wrong with them. */
export { check, type CheckOptions, type Validate } from "./check.ts"
export * from "./constants.ts"
export type { NodeSpans } from "./grammar.ts"
export { type FormatOptions, formatErrors, type Issue, ProgramError, type Span } from "./Issue.ts"
export { parse, type Parsed, type ParseOptions, type Positions, spanIn } from "./parse.ts"
export { print, printCondition, printStatement, printTest } from "./print.ts"
export * from "./Program.ts"
export { readProgram, type ReadOptions } from "./read.ts"
