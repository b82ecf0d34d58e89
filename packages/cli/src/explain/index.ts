/**
 * An execution as mm commit messages tell it: a column for each thread, time going down, the steps that matter
 * marked, the locks held where a thread is left, and at the end what broke, in words.
 */
import { heldLocksAt, type Log, type Model, type RecordedExecution, type Verdict } from "@mmrace/core"
import { styleText } from "node:util"
import wrapAnsi from "wrap-ansi"
import { stepsThatMatter } from "./matters.ts"
import { lockText, stepText, verdictText } from "./words.ts"

export interface ExplainOptions {
  /** Columns of the terminal; default 80, at least 40. */
  readonly width?: number
  readonly color?: boolean
  /** Every step, not only those that matter. */
  readonly all?: boolean
  /** A sentence for a monitor's id: what the invariant says, for people. */
  readonly wording?: (monitor: string) => string | undefined
}

/** Below this width a column tells too little; threads then share one column and are told apart by name. */
const COLUMN_MIN = 24
const GAP = 2

interface Row {
  readonly thread: number
  /** Step number, or undefined for a remark. */
  readonly step: number | undefined
  readonly mark: " " | "*" | "!"
  readonly text: string
}

/** The whole explanation; lines end with newlines. Only `log` and `verdict` of the recording are read. */
export const explainExecution = (
  model: Model,
  recorded: Pick<RecordedExecution, "log" | "verdict">,
  options: ExplainOptions = {}
): string => {
  const width = Math.max(40, options.width ?? 80)
  const { log, verdict } = recorded
  const rows = rowsOf(model, log, verdict, options.all ?? false)
  const threads = model.threads.map((t) => t.id).filter((id) => log.threads.slice(0, log.length).includes(id))
  const gutter = String(Math.max(0, log.length - 1)).length + 2
  const column = Math.floor((width - gutter) / Math.max(1, threads.length)) - GAP
  const paint = options.color === true
    ? (row: Row, text: string): string =>
      row.mark === "!" ? styleText("red", text) : row.mark === "*" ? styleText("bold", text) : text
    : (_row: Row, text: string): string => text
  const body = column >= COLUMN_MIN
    ? inColumns(model, rows, threads, gutter, column, paint)
    : inLanes(model, rows, threads, gutter, width, paint)
  return [...body, "", ...ending(model, log, verdict, width, options)].map((line) => `${line.trimEnd()}\n`).join("")
}

/** Steps to show: those that matter, marks of system calls, where threads change, and the step that broke something. */
const rowsOf = (model: Model, log: Log, verdict: Verdict, all: boolean): ReadonlyArray<Row> => {
  const matters = stepsThatMatter(log)
  const broken = verdict._tag === "Violation" ? verdict.step : -1
  const rows: Array<Row> = []
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
      const left = holding(model, log, step - 1, log.threads[step - 1]!)
      if (left !== undefined) rows.push(left)
    }
    const last = step + 1 === log.length || log.threads[step + 1] !== thread
    const call = ask.command.type.name === "syscall"
    const shown = all || matters[step] === true || call || step === broken || (last && ask.command.name !== "exit")
    if (!shown) {
      hidden++
      continue
    }
    flush(thread)
    const mark = step === broken ? "!" : matters[step] === true ? "*" : " "
    rows.push({ thread, step, mark, text: stepText(ask, log.results[step]) })
  }
  if (log.length > 0) flush(log.threads[log.length - 1]!)
  return rows
}

/** The locks a thread keeps while another goes on; undefined when it has ended or holds none. */
const holding = (model: Model, log: Log, step: number, thread: number): Row | undefined => {
  const { held } = heldLocksAt(model, log, step)[thread]!
  if (held.length === 0) return undefined
  return { thread, step: undefined, mark: " ", text: `(holds ${held.map(lockText).join(", ")})` }
}

const wrap = (text: string, width: number): ReadonlyArray<string> => wrapAnsi(text, width, { hard: true }).split("\n")

/** Lines of a step: what does not fit is indented below. */
const hanging = (text: string, width: number): ReadonlyArray<string> => {
  if (text.length <= width) return [text]
  const [first, ...rest] = wrap(text, width - 2)
  return [first!, ...rest.map((line) => `  ${line}`)]
}

const label = (row: Row, gutter: number): string =>
  `${row.mark}${row.step === undefined ? "" : row.step}`.padEnd(gutter)

type Paint = (row: Row, text: string) => string

const inColumns = (
  model: Model,
  rows: ReadonlyArray<Row>,
  threads: ReadonlyArray<number>,
  gutter: number,
  column: number,
  paint: Paint
): ReadonlyArray<string> => {
  const indent = (thread: number): string => " ".repeat(threads.indexOf(thread) * (column + GAP))
  const names = threads.map((t) => model.threads[t]!.name.slice(0, column).padEnd(column + GAP)).join("")
  const rules = threads.map((t) => "-".repeat(Math.min(column, model.threads[t]!.name.length)).padEnd(column + GAP))
    .join("")
  const lines = [" ".repeat(gutter) + names, " ".repeat(gutter) + rules]
  for (const row of rows) {
    hanging(row.text, column).forEach((part, i) => {
      const left = i === 0 ? label(row, gutter) : " ".repeat(gutter)
      lines.push(left + indent(row.thread) + paint(row, part))
    })
  }
  return lines
}

const inLanes = (
  model: Model,
  rows: ReadonlyArray<Row>,
  threads: ReadonlyArray<number>,
  gutter: number,
  width: number,
  paint: Paint
): ReadonlyArray<string> => {
  const names = Math.min(12, Math.max(...threads.map((t) => model.threads[t]!.name.length)))
  const left = gutter + names + GAP
  const lines: Array<string> = []
  let before = -1
  for (const row of rows) {
    const name = row.thread === before ? "" : model.threads[row.thread]!.name.slice(0, names)
    if (row.thread !== before && before !== -1) lines.push("")
    before = row.thread
    hanging(row.text, width - left).forEach((part, i) => {
      const head = i === 0 ? label(row, gutter) + name.padEnd(names + GAP) : " ".repeat(left)
      lines.push(head + paint(row, part))
    })
  }
  return lines
}

/** Locks held at the end and the verdict, with the invariant in words. */
const ending = (
  model: Model,
  log: Log,
  verdict: Verdict,
  width: number,
  options: ExplainOptions
): ReadonlyArray<string> => {
  const lines: Array<string> = []
  const locks = log.length === 0 ? [] : heldLocksAt(model, log, log.length - 1)
  for (const { held, thread } of locks) {
    if (held.length > 0) {
      lines.push(...wrap(
        `${model.threads[thread]!.name} holds ${held.map((h) => `${lockText(h)} since step ${h.since}`).join(", ")}.`,
        width
      ))
    }
  }
  if (lines.length > 0) lines.push("")
  if (verdict._tag === "Ok") return [...lines, verdictText(verdict)]
  if (verdict._tag === "Violation") {
    const title = model.monitors.find((m) => m.id === verdict.monitor)?.title ?? ""
    lines.push(...wrap(`Broken: ${verdict.monitor} ${title} (step ${verdict.step})`, width))
    const words = options.wording?.(verdict.monitor)
    if (words !== undefined) lines.push(...wrap(`  The invariant: ${words}`, width))
    lines.push(...wrap(`  Here: ${verdictText(verdict)}`, width))
    return lines
  }
  return [...lines, ...wrap(`${verdict._tag}: ${verdictText(verdict)}`, width)]
}
