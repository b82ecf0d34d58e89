/**
 * An execution told to people: a column for each thread, time going down, the steps that matter marked, the locks
 * held where a thread is left, and at the end what broke, in words.
 */
import { heldLocksAt, LockStacks } from "../analysis/HeldLocks.ts"
import type { Log } from "../Execution.ts"
import type { Model } from "../Model.ts"
import { exitThread } from "../Thread.ts"
import type { Verdict } from "../Verdict.ts"
import { layOut, type Row, wrap } from "./layout.ts"
import { stepsThatMatter } from "./matters.ts"
import { plainWords, whatBroke, type Words } from "./Words.ts"

export interface ExplainOptions {
  /** Columns of the terminal; default 80, at least 40. */
  readonly width?: number
  readonly color?: boolean
  /** Every step, not only those that matter. */
  readonly all?: boolean
  /** A sentence for a monitor's id: what the invariant says, for people. */
  readonly wording?: (monitor: string) => string | undefined
  /** Names for steps and locks; default `plainWords`. */
  readonly words?: Words
}

/** The whole explanation; lines end with newlines. */
export const explainExecution = (
  model: Model,
  recorded: { readonly log: Log; readonly verdict: Verdict },
  options: ExplainOptions = {}
): string => {
  const width = Math.max(40, options.width ?? 80)
  const { log, verdict } = recorded
  const moved = new Set(log.threads.slice(0, log.length))
  const body = layOut({
    rows: rowsOf(model, log, verdict, options),
    threads: model.threads.map((t) => t.id).filter((id) => moved.has(id)),
    nameOf: (thread) => model.threads[thread]!.name,
    width,
    gutter: String(Math.max(0, log.length - 1)).length + 2,
    color: options.color === true
  })
  const lines = [...body, "", ...ending(model, log, verdict, width, options)]
  return lines.map((line) => `${line.trimEnd()}\n`).join("")
}

/** Steps to show: those that matter, marks, where threads change, and the step that broke something. */
const rowsOf = (
  model: Model,
  log: Log,
  verdict: Verdict,
  { all = false, words = plainWords }: ExplainOptions
): ReadonlyArray<Row> => {
  const matters = stepsThatMatter(log, words.isMark)
  const broken = verdict._tag === "Violation" ? verdict.step : -1
  const rows: Array<Row> = []
  const locks = new LockStacks(model.threads.length)
  let hidden = 0
  const flush = (thread: number): void => {
    if (hidden > 0) {
      rows.push({ thread, step: undefined, mark: " ", text: `... ${hidden} step${hidden === 1 ? "" : "s"}` })
    }
    hidden = 0
  }
  for (let step = 0; step < log.length; step++) {
    const thread = log.threads[step]!
    const ask = log.asks[step]!
    const switched = step > 0 && log.threads[step - 1] !== thread
    if (switched) {
      flush(log.threads[step - 1]!)
      const left = holding(locks, log.threads[step - 1]!, words)
      if (left !== undefined) rows.push(left)
    }
    const effect = ask.command.lock?.(log.results[step], ask.arg)
    if (effect !== undefined) locks.apply(thread, ask.actor, effect, step)
    const last = step + 1 === log.length || log.threads[step + 1] !== thread
    const isExit = ask.command === (exitThread as unknown)
    const shown = all || matters[step] === true || words.isMark(ask) || step === broken || (last && !isExit)
    if (!shown) {
      hidden++
      continue
    }
    flush(thread)
    const mark = step === broken ? "!" : matters[step] === true ? "*" : " "
    rows.push({ thread, step, mark, text: words.step(ask, log.results[step]) })
  }
  if (log.length > 0) flush(log.threads[log.length - 1]!)
  return rows
}

/** The locks that a thread keeps while another goes on; undefined when it has ended or holds none. */
const holding = (locks: LockStacks, thread: number, words: Words): Row | undefined => {
  const held = Array.from({ length: locks.depth(thread) }, (_, i) => words.lock(locks.at(thread, i)))
  return held.length === 0 ? undefined : { thread, step: undefined, mark: " ", text: `(holds ${held.join(", ")})` }
}

/** Locks held at the end and the verdict, with the invariant in words. */
const ending = (
  model: Model,
  log: Log,
  verdict: Verdict,
  width: number,
  { wording, words = plainWords }: ExplainOptions
): ReadonlyArray<string> => {
  const lines: Array<string> = []
  const locks = log.length === 0 ? [] : heldLocksAt(model, log, log.length - 1)
  for (const { held, thread } of locks) {
    if (held.length > 0) {
      const list = held.map((lock) => `${words.lock(lock)} since step ${lock.since}`).join(", ")
      lines.push(...wrap(`${model.threads[thread]!.name} holds ${list}.`, width))
    }
  }
  if (lines.length > 0) lines.push("")
  const broke = whatBroke(verdict, words)
  if (verdict._tag === "Ok") return [...lines, broke]
  if (verdict._tag === "Violation") {
    const title = model.monitors.find((m) => m.id === verdict.monitor)?.title ?? ""
    lines.push(...wrap(`Broken: ${verdict.monitor} ${title} (step ${verdict.step})`, width))
    const sentence = wording?.(verdict.monitor)
    if (sentence !== undefined) lines.push(...wrap(`  The invariant: ${sentence}`, width))
    lines.push(...wrap(`  Here: ${broke}`, width))
    return lines
  }
  return [...lines, ...wrap(`${verdict._tag}: ${broke}`, width)]
}
