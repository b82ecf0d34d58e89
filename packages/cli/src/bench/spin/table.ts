/** The table of docs/against-spin.md. */
import { markdown } from "../sct/table.ts"
import type { Measured } from "./measure.ts"

const heading = [
  "program",
  "SPIN / ours",
  "verdict of both",
  "SPIN, s",
  "= generate + compile + run",
  "states, transitions",
  "MB",
  "ours, s",
  "executions",
  "states, steps",
  "MB"
]

const seconds = (ms: number): string => (ms / 1000).toFixed(2)
const count = (n: number): string => n.toLocaleString("en-US")

export const ratioOf = (spin: number, ours: number): string => (spin / ours).toFixed(2)

const row = ({ ours, program, spin, variant }: Measured): ReadonlyArray<string> => [
  `${program}, ${variant}`,
  ratioOf(spin.total, ours.total),
  ours.verdict,
  seconds(spin.total),
  [spin.generate, spin.compile, spin.run].map(seconds).join(" + "),
  `${count(spin.report.states)}, ${count(spin.report.transitions)}`,
  spin.report.megabytes.toFixed(0),
  seconds(ours.total),
  count(ours.executions),
  `${count(ours.states)}, ${count(ours.steps)}`,
  ours.megabytes.toFixed(0)
]

const sum = (values: ReadonlyArray<number>): number => values.reduce((a, b) => a + b, 0)

export const tableOf = (measured: ReadonlyArray<Measured>): string => {
  const spin = sum(measured.map((m) => m.spin.total))
  const ours = sum(measured.map((m) => m.ours.total))
  const total = ["*total*", ratioOf(spin, ours), "", seconds(spin), "", "", "", seconds(ours), "", "", ""]
  return markdown(heading, [...measured.map(row), total])
}
