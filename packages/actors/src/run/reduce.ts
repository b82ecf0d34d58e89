/**
 * Smaller programs, for shrinking: the same program without a thread, without a statement, with a block replaced by
 * what it holds, with less set-up. Every candidate is smaller than the program by the number of nodes it has; whether
 * it still means anything is for `check` to say, and whether it still fails for whoever runs it.
 */
import type { Program, Statement } from "../program/index.ts"

/** Most promising first: whole threads, then statements, then set-up. */
export function* smallerPrograms(program: Program): Generator<Program> {
  const { final: _final, swap: _swap, ...rest } = program
  for (const thread of program.threads.keys()) yield { ...program, threads: without(program.threads, thread) }
  for (const [at, thread] of program.threads.entries()) {
    for (const body of smallerBlocks(thread.body)) {
      yield { ...program, threads: withItem(program.threads, at, { ...thread, body }) }
    }
  }
  if (program.final !== undefined) yield program.swap === undefined ? rest : { ...rest, swap: program.swap }
  for (const i of program.registrations.keys()) yield { ...program, registrations: without(program.registrations, i) }
  for (const i of program.tlb.keys()) yield { ...program, tlb: without(program.tlb, i) }
  for (const i of program.uffds.keys()) yield { ...program, uffds: without(program.uffds, i) }
  for (const [i, region] of program.regions.entries()) {
    yield { ...program, regions: without(program.regions, i) }
    if (region.pages > 1) {
      yield { ...program, regions: withItem(program.regions, i, { ...region, pages: region.pages - 1 }) }
    }
  }
  if (program.swap !== undefined) {
    yield program.final === undefined ? rest : { ...rest, final: program.final }
    if (program.swap.slots > 1) yield { ...program, swap: { ...program.swap, slots: program.swap.slots - 1 } }
  }
}

const without = <T>(items: ReadonlyArray<T>, at: number): ReadonlyArray<T> => items.filter((_, i) => i !== at)

const withItem = <T>(items: ReadonlyArray<T>, at: number, item: T): ReadonlyArray<T> =>
  items.map((old, i) => i === at ? item : old)

const replaced = (
  block: ReadonlyArray<Statement>,
  at: number,
  by: ReadonlyArray<Statement>
): ReadonlyArray<Statement> => [...block.slice(0, at), ...by, ...block.slice(at + 1)]

/** Statements from the end first: later ones depend on earlier ones, seldom the other way round. */
function* smallerBlocks(block: ReadonlyArray<Statement>): Generator<ReadonlyArray<Statement>> {
  for (let at = block.length - 1; at >= 0; at--) {
    yield replaced(block, at, [])
    for (const smaller of smallerStatements(block[at]!)) yield replaced(block, at, smaller)
  }
}

/** What a block statement may be replaced by; nothing for an operation. */
function* smallerStatements(statement: Statement): Generator<ReadonlyArray<Statement>> {
  if (statement._tag === "repeat") {
    yield statement.body
    if (statement.count > 2) yield [{ ...statement, count: statement.count - 1 }]
    for (const body of smallerBlocks(statement.body)) if (body.length > 0) yield [{ ...statement, body }]
  } else if (statement._tag === "if") {
    const { else: otherwise, ...rest } = statement
    yield statement.then
    if (otherwise !== undefined) {
      yield otherwise
      yield [rest]
      for (const body of smallerBlocks(otherwise)) if (body.length > 0) yield [{ ...statement, else: body }]
    }
    for (const body of smallerBlocks(statement.then)) if (body.length > 0) yield [{ ...statement, then: body }]
  }
}
