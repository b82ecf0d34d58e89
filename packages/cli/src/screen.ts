/**
 * What the command writes: results on stdout, everything about the work on stderr. A status line is one line that is
 * overwritten on a terminal; elsewhere it is a plain line now and then.
 */
import { CliOutput } from "effect/cli"
import { styleText } from "node:util"

const { displayWidth } = CliOutput

/** Plain lines for a file or a pipe come this often (milliseconds). */
const plainEvery = 10_000

const wantsColor = (stream: NodeJS.WriteStream): boolean =>
  process.env["NO_COLOR"] === undefined || process.env["NO_COLOR"] === ""
    ? (process.env["FORCE_COLOR"] ?? "0") !== "0" || stream.isTTY === true
    : false

export type Style = "bold" | "dim" | "red" | "green" | "yellow"

const paint = (stream: NodeJS.WriteStream, style: Style, text: string): string =>
  wantsColor(stream) ? styleText(style, text) : text

/** Text in a style, where stdout shows styles. */
export const styled = (style: Style, text: string): string => paint(process.stdout, style, text)

/** Whether stdout shows colours. */
export const hasColor = (): boolean => wantsColor(process.stdout)

/** A terminal that does not know its size has 0 columns. */
const widthOf = (stream: NodeJS.WriteStream): number =>
  stream.columns === undefined || stream.columns === 0 ? 80 : stream.columns

/** Columns to use for text: those of the terminal, at most 120; 80 where there is none. */
export const columns = (): number => Math.min(120, Math.max(40, widthOf(process.stdout)))

let quiet = false
let status = ""
let lastPlain = 0

/** No notes and no status from now on; errors are still told. */
export const beQuiet = (): void => {
  quiet = true
}

const clearStatus = (): void => {
  if (status !== "" && process.stderr.isTTY) process.stderr.write("\r\u001b[K")
}

const restoreStatus = (): void => {
  if (status !== "" && process.stderr.isTTY) process.stderr.write(status)
}

/** A line (or several) on stdout. */
export const print = (text = ""): void => {
  clearStatus()
  process.stdout.write(`${text}\n`)
  restoreStatus()
}

/** A remark on stderr, left out with --quiet. */
export const note = (text: string): void => {
  if (quiet) return
  clearStatus()
  process.stderr.write(`${text}\n`)
  restoreStatus()
}

/** Something went wrong: on stderr, always. */
export const complain = (text: string): void => {
  clearStatus()
  process.stderr.write(`${paint(process.stderr, "red", "mmrace:")} ${text}\n`)
  restoreStatus()
}

/** Replaces the status line. */
export const showStatus = (text: string): void => {
  if (quiet) return
  if (process.stderr.isTTY) {
    clearStatus()
    status = shorten(text, widthOf(process.stderr) - 1)
    process.stderr.write(status)
    return
  }
  const now = performance.now()
  if (now - lastPlain < plainEvery) return
  lastPlain = now
  process.stderr.write(`${text}\n`)
}

/** Takes the status line away; the next plain line is due after the usual time. */
export const endStatus = (): void => {
  clearStatus()
  status = ""
  lastPlain = performance.now()
}

const shorten = (text: string, width: number): string => {
  if (displayWidth(text) <= width) return text
  let cut = text
  while (cut !== "" && displayWidth(cut) > width - 3) cut = cut.slice(0, -1)
  return `${cut}...`
}

/** Rows as columns with two spaces between them; the last column is not padded. */
export const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const count = Math.max(0, ...rows.map((row) => row.length))
  const widths = Array.from({ length: count }, (_, i) => Math.max(0, ...rows.map((row) => displayWidth(row[i] ?? ""))))
  return rows
    .map((row) =>
      row.map((cell, i) => i === row.length - 1 ? cell : cell + " ".repeat(widths[i]! - displayWidth(cell))).join("  ")
        .trimEnd()
    )
    .join("\n")
}

/** 1234567 -> `1,234,567`. */
export const grouped = (n: number): string => String(Math.round(n)).replace(/\B(?=(?:\d{3})+$)/g, ",")

/** `1 execution`, `2 executions`. */
export const count = (n: number, one: string, many = `${one}s`): string => `${grouped(n)} ${n === 1 ? one : many}`

/** 75 -> `1m15s`. */
export const duration = (seconds: number): string => {
  const s = Math.max(0, Math.round(seconds))
  if (s < 60) return `${s}s`
  if (s < 3600) return `${Math.floor(s / 60)}m${String(s % 60).padStart(2, "0")}s`
  return `${Math.floor(s / 3600)}h${String(Math.floor((s % 3600) / 60)).padStart(2, "0")}m`
}
