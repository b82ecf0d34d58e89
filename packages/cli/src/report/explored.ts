/** What an exploration came to, as text. */
import { quoted } from "@mmrace/core/explain/shell"
import type { Exploration, StateRow } from "../explore/session.ts"
import { columns, count, grouped, styled } from "../screen.ts"
import type { Job } from "../Subject.ts"
import { renderFinal, summarize } from "./final.ts"
import { renderFound, runLine } from "./summary.ts"
import { wrapped } from "./wrap.ts"

/** More states than this are not shown. */
const mostStates = 20

export const renderExploration = (job: Job, done: Exploration): ReadonlyArray<string> => {
  const lines: Array<string> = []
  for (const found of done.found) {
    lines.push(...renderFound(job, found, `in ${count(found.failure.count, "execution")} of those explored`), "")
  }
  lines.push(...verdictLines(job, done))
  const { final } = job.program
  const others = Math.max(0, done.counts.executions - done.states.reduce((sum, row) => sum + row.count, 0))
  if (final !== undefined) lines.push("", ...renderFinal(job.program.name, summarize(final, done.states), others))
  else if (done.states.length > 0) lines.push("", ...statesOf(done.states))
  if (done.states.length > 0) lines.push(...schedulesOf(job, done.states))
  return lines
}

const verdictLines = (job: Job, done: Exploration): ReadonlyArray<string> => {
  const { counts, covered, exhaustive, found, omission, reasons, verdict, within } = done
  const { bound, cost } = done.plan
  const limit = within ??
    (exhaustive && cost !== undefined && bound !== undefined ? count(bound, cost.slice(0, -1)) : undefined)
  const everything = `every schedule${
    limit === undefined ? "" : ` of at most ${limit}`
  } was explored, up to equivalence`
  const incomplete = `INCOMPLETE: ${reasons.join(", ")}${
    covered === undefined ? "" : `; every schedule of at most ${covered} was explored`
  }`
  const head = verdict === "complete"
    ? [`COMPLETE: ${everything}; none fails`]
    : verdict === "violated"
    ? [`VIOLATED in ${count(found.length, "way")}`, exhaustive ? everything : incomplete]
    : [incomplete]
  const facts = [
    count(counts.executions, "execution"),
    ...(counts.states > 0 ? [count(counts.states, "distinct state")] : []),
    ...(counts.blocked > 0 ? [`${grouped(counts.blocked)} more cut short as equivalent to others`] : []),
    count(counts.steps, "step")
  ]
  return [
    ...head.flatMap((line) => wrapped(line, columns())),
    ...wrapped(facts.join(", "), columns()),
    ...(omission > 0
      ? wrapped(
        `states were kept as hashes: one was mistaken for another with probability at most ${omission.toPrecision(2)}`,
        columns()
      )
      : []),
    ...(done.fewestPreemptions === undefined
      ? []
      : [`no schedule of fewer than ${count(done.fewestPreemptions, "preemption")} fails`]),
    ...(done.stepLimited > 0 ? [`${count(done.stepLimited, "execution")} ended at the step limit`] : []),
    ...(done.checkpoint === undefined ? [] : [`  go on     ${resumeLine(job, done.checkpoint)}`])
  ].map((line) => line.replace(/^(?:COMPLETE|VIOLATED|INCOMPLETE)/, (word) => styled(styleOf[word]!, word)))
}

const styleOf: Readonly<Record<string, "green" | "red" | "yellow">> = {
  COMPLETE: "green",
  VIOLATED: "red",
  INCOMPLETE: "yellow"
}

const resumeLine = (job: Job, file: string): string =>
  `mmrace explore ${quoted(job.source.file)} --kernel ${quoted(String(job.kernel))} --resume ${quoted(file)}`

/** Without a final condition: all registers and memory. */
const statesOf = (states: ReadonlyArray<StateRow>): ReadonlyArray<string> => {
  const width = Math.max(...states.map((row) => String(row.count).length))
  return [
    `States ${states.length}`,
    ...states.slice(0, mostStates).map((row) => `${String(row.count).padEnd(width)} :> ${row.state}`)
  ]
}

/** One schedule for each state. */
const schedulesOf = (job: Job, states: ReadonlyArray<StateRow>): ReadonlyArray<string> => [
  "Schedules",
  ...states.slice(0, mostStates).map((row) => `${row.schedule}  ${row.state}`),
  ...(states.length > mostStates
    ? [`... and ${count(states.length - mostStates, "more state")}; --json has them all`]
    : []),
  `  again     ${runLine(job, "SCHEDULE")}`
]
