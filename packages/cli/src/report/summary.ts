/** What a campaign was, what it found and what may be claimed, as text. */
import { inWords } from "@mmrace/actors/invariants/index"
import {
  type CampaignReport,
  type CleanRun,
  describeShrunk,
  explainExecution,
  renderClaims,
  renderLockReport,
  type Stop,
  type Verdict
} from "@mmrace/core"
import { quoted } from "@mmrace/core/explain/shell"
import type { Fuzzed, FuzzOptions } from "../fuzz/campaign.ts"
import type { Found } from "../fuzz/session.ts"
import { columns, count, duration, grouped, hasColor, styled } from "../screen.ts"
import type { Job } from "../Subject.ts"
import { renderFinal, summarize } from "./final.ts"
import { kernelWords } from "./words.ts"
import { wrapped } from "./wrap.ts"

/** `gupfast-vs-fork on kernel 5.10,x86-64`. */
export const title = (job: Job): string => `${job.program.name} on kernel ${String(job.kernel)}`

export const explanation = (job: Job, recorded: Parameters<typeof explainExecution>[1], all = false): string =>
  explainExecution(job.model, recorded, {
    width: columns(),
    color: hasColor(),
    all,
    wording: inWords,
    words: kernelWords
  }).trimEnd()

export const verdictLine = (verdict: Verdict): string => {
  switch (verdict._tag) {
    case "Ok":
      return "no failure"
    case "Violation":
      return `${verdict.monitor} broken: ${verdict.message}`
    case "Deadlock":
      return `deadlock of ${verdict.waits.map((w) => w.thread).join(", ")}`
    case "Livelock":
      return `livelock: ${verdict.cycleLength} steps repeat for ever from step ${verdict.cycleStart}`
    case "StepLimit":
      return `cut off at the step limit, after ${verdict.step} steps`
    case "Crash":
      return `${verdict.where} threw: ${verdict.error.split("\n")[0] ?? ""}`
  }
}

/** One failure: what, how it came to be, where it is kept, how to see it again. */
export const renderFound = (
  job: Job,
  { failure, log, minimal }: Found,
  origin = `first in execution ${failure.execution} (${failure.strategy}), ${count(failure.count, "execution")} in all`
): ReadonlyArray<string> => {
  const lines = [
    styled("red", `FAILURE ${failure.id}`),
    ...wrapped(verdictLine(failure.verdict), columns(), "  "),
    `  ${origin}`
  ]
  if (!failure.reproduced) {
    lines.push("  It does not repeat: the same choices led elsewhere. The model is not deterministic;")
    lines.push("  mmrace fuzz --check-determinism names the first step that differs.")
  }
  if (minimal !== undefined) {
    lines.push(...wrapped(describeShrunk(minimal.result.shrunk), columns(), "  "))
  }
  const best = minimal?.log ?? log
  const token = minimal?.result.shrunk.token ?? failure.token
  if (log !== undefined) lines.push(`  log       ${log}`)
  if (minimal?.log !== undefined) lines.push(`  minimal   ${minimal.log}`)
  if (best !== undefined) lines.push(`  again     mmrace replay ${quoted(best)}`)
  else if (token !== undefined) lines.push(`  again     ${runLine(job, token)}`)
  if (token !== undefined) lines.push(`  schedule  ${token}`)
  if (minimal !== undefined) lines.push("", explanation(job, minimal.recorded))
  return lines
}

/** The command line that executes a schedule again. */
export const runLine = (job: Job, token: string): string =>
  `mmrace run ${quoted(job.source.file)} --kernel ${quoted(String(job.kernel))} --schedule ${token}`

/** What is known to the claims of core. */
export const cleanRun = (job: Job, fuzzed: Fuzzed, options: FuzzOptions): CleanRun => {
  const { report } = fuzzed
  return {
    executions: report.executions,
    stop: stopOf(job, fuzzed, options),
    stepLimited: report.verdicts.StepLimit,
    // What strategies learn from earlier rounds is the shape of the program, never an outcome; and the bound holds
    // for the mean over executions that were drawn one after the other. Those that avoid each other's classes are none.
    independent: report.independent,
    threads: job.model.threads.length,
    choices: pointsOf(report),
    pct: report.strategies.flatMap(({ executions, name }) => {
      const depth = /^pct:(\d+)$/.exec(name)?.[1]
      return depth === undefined ? [] : [{ depth: Number(depth), executions }]
    }),
    classes: fuzzed.analyses.classes.counts
  }
}

/** k of PCT: the most points with a choice, observed or assumed. */
const pointsOf = (report: CampaignReport): number =>
  Math.max(0, ...report.strategies.map((s) => Math.max(s.points, s.k)))

/** A program without a single choice has one execution; everything else is capped. */
const stopOf = (job: Job, { ending, report }: Fuzzed, options: FuzzOptions): Stop => {
  const points = Math.max(0, ...report.strategies.map((s) => s.points))
  const choiceless = points === 0 && report.executions > 0 &&
    !JSON.stringify(job.program.threads).includes("\"choose\"")
  if (choiceless) return { _tag: "Exhausted" }
  const by: Readonly<Record<Fuzzed["ending"], string>> = {
    runs: count(report.executions, "execution"),
    time: `${duration(options.time ?? 0)} of time`,
    interrupt: "an interrupt",
    failure: "the first failure",
    broken: "the end of a worker"
  }
  return { _tag: "Capped", by: by[ending] }
}

/** Statistics, lock order and final states. */
export const renderStatistics = (job: Job, fuzzed: Fuzzed, options: FuzzOptions): ReadonlyArray<string> => {
  const { analyses, report } = fuzzed
  const clean = report.failures.every((f) => f.verdict._tag === "StepLimit")
  const lines: Array<string> = []
  if (clean) lines.push(...renderClaims(cleanRun(job, fuzzed, options)).flatMap((line) => wrapped(line, columns())))
  else {
    const failed = report.executions - report.verdicts.Ok - report.verdicts.StepLimit
    const { distinct } = analyses.classes.counts
    lines.push(
      `${count(report.executions, "execution")}, ${grouped(failed)} failed in ${
        count(report.failures.filter((f) => f.verdict._tag !== "StepLimit").length, "way")
      }; ${count(distinct, "class", "classes")} of equivalent executions`
    )
    if (report.verdicts.StepLimit > 0) {
      lines.push(`${count(report.verdicts.StepLimit, "execution")} ended at the step limit`)
    }
  }
  lines.push(`${count(analyses.coverage.pairs, "conflict pair")} covered, ${count(report.steps, "step")} taken`)
  for (const lockReport of analyses.locks.reports()) lines.push("", ...renderLockReport(lockReport))
  const { final } = job.program
  if (final !== undefined) {
    const summary = summarize(final, analyses.outcomes.export())
    const others = report.executions - summary.positive - summary.negative
    lines.push("", ...renderFinal(job.program.name, summary, others))
  }
  return lines
}
