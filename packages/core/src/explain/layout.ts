/** Rows of an explanation as lines: a column for each thread, or one below the other where columns would be too narrow. */
import { styleText } from "node:util"
import wrapAnsi from "wrap-ansi"

export interface Row {
  readonly thread: number
  /** Step number, or undefined for a remark. */
  readonly step: number | undefined
  /** `*` matters, `!` broke something. */
  readonly mark: " " | "*" | "!"
  readonly text: string
}

export interface Sheet {
  readonly rows: ReadonlyArray<Row>
  /** Ids of the threads to show, in the order of their columns. */
  readonly threads: ReadonlyArray<number>
  readonly nameOf: (thread: number) => string
  readonly width: number
  /** Columns for marks and step numbers. */
  readonly gutter: number
  readonly color: boolean
}

/** Below this width a column tells too little; threads then share one column and are told apart by name. */
const COLUMN_MIN = 24
const GAP = 2

export const wrap = (text: string, width: number): ReadonlyArray<string> =>
  wrapAnsi(text, width, { hard: true }).split("\n")

export const layOut = (sheet: Sheet): ReadonlyArray<string> => {
  const column = Math.floor((sheet.width - sheet.gutter) / Math.max(1, sheet.threads.length)) - GAP
  return column >= COLUMN_MIN ? inColumns(sheet, column) : inLanes(sheet)
}

/** Lines of a step: what does not fit is indented below. */
const hanging = (text: string, width: number): ReadonlyArray<string> => {
  if (text.length <= width) return [text]
  const [first, ...rest] = wrap(text, width - 2)
  return [first!, ...rest.map((line) => `  ${line}`)]
}

const label = (row: Row, gutter: number): string =>
  `${row.mark}${row.step === undefined ? "" : row.step}`.padEnd(gutter)

const painted = (row: Row, text: string, color: boolean): string => {
  if (!color || row.mark === " ") return text
  return styleText(row.mark === "!" ? "red" : "bold", text)
}

const inColumns = ({ color, gutter, nameOf, rows, threads }: Sheet, column: number): ReadonlyArray<string> => {
  const left = " ".repeat(gutter)
  const names = threads.map((thread) => nameOf(thread).slice(0, column))
  const across = (texts: ReadonlyArray<string>): string =>
    left + texts.map((text) => text.padEnd(column + GAP)).join("")
  const lines = [across(names), across(names.map((name) => "-".repeat(name.length)))]
  for (const row of rows) {
    const indent = " ".repeat(threads.indexOf(row.thread) * (column + GAP))
    hanging(row.text, column).forEach((part, i) => {
      lines.push((i === 0 ? label(row, gutter) : left) + indent + painted(row, part, color))
    })
  }
  return lines
}

const inLanes = ({ color, gutter, nameOf, rows, threads, width }: Sheet): ReadonlyArray<string> => {
  const names = Math.min(12, Math.max(...threads.map((thread) => nameOf(thread).length)))
  const left = gutter + names + GAP
  const lines: Array<string> = []
  let before = -1
  for (const row of rows) {
    const name = row.thread === before ? "" : nameOf(row.thread).slice(0, names)
    if (row.thread !== before && before !== -1) lines.push("")
    before = row.thread
    hanging(row.text, width - left).forEach((part, i) => {
      const head = i === 0 ? label(row, gutter) + name.padEnd(names + GAP) : " ".repeat(left)
      lines.push(head + painted(row, part, color))
    })
  }
  return lines
}
