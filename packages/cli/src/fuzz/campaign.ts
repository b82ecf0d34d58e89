/** A campaign on worker threads, told on the status line; every failure is on disk as soon as it is known. */
import { Campaign, type CampaignReport, type Failure, isFailure, splitRound } from "@mmrace/core"
import { listenForInterrupt } from "../interrupt.ts"
import { count, duration, endStatus, grouped, showStatus } from "../screen.ts"
import type { Job } from "../Subject.ts"
import { type Analyses, asMergeables, makeAnalyses } from "./Analyses.ts"
import type { Pool } from "./Pool.ts"
import type { SliceProgress } from "./protocol.ts"

export interface FuzzOptions {
  readonly seed: number
  readonly strategy: string
  /** Infinity: until something else ends it. */
  readonly runs: number
  /** Seconds; undefined: no limit. */
  readonly time: number | undefined
  readonly keepGoing: boolean
  readonly maxSteps: number
}

/** What ended a campaign. */
export type Ending = "runs" | "failure" | "time" | "interrupt" | "broken"

export interface Fuzzed {
  readonly report: CampaignReport
  readonly analyses: Analyses
  readonly ending: Ending
  /** With `ending` broken: the worker's own words. */
  readonly broken: string | undefined
}

/** Runs a whole campaign. `onFailure` is called for each failure id when it is first seen, by whichever worker. */
export const fuzzOn = async (
  pool: Pool,
  job: Job,
  options: FuzzOptions,
  onFailure: (failure: Failure) => void
): Promise<Fuzzed> => {
  const analyses = makeAnalyses(job)
  const campaign = new Campaign({
    seed: options.seed,
    strategy: options.strategy,
    runs: options.runs,
    untilFailure: !options.keepGoing,
    maxSteps: options.maxSteps
  }, asMergeables(analyses))
  const told = new Set<string>()
  const meter = new Meter(options, analyses, () => told.size)
  let ending: Ending | undefined = undefined
  const end = (why: Ending): void => {
    ending ??= why
    pool.stop()
  }
  pool.events = {
    onFailure: (failure) => {
      if (!options.keepGoing && isFailure(failure.verdict)) pool.stopAfter(failure.execution)
      if (told.has(failure.id)) return
      told.add(failure.id)
      onFailure(failure)
    },
    onProgress: (worker, progress) => meter.show(worker, progress)
  }
  const unlisten = listenForInterrupt(() => end("interrupt"))
  const timer = options.time === undefined ? undefined : setTimeout(() => end("time"), options.time * 1000)
  let broken: string | undefined = undefined
  try {
    for (let round = campaign.next(); round !== undefined && !pool.isStopped; round = campaign.next()) {
      meter.startRound(campaign.report)
      const slices = splitRound(round, pool.size)
      // oxlint-disable-next-line no-await-in-loop -- rounds follow each other
      const results = await Promise.all(slices.map((slice, worker) => pool.run(worker, { _tag: "Slice", slice })))
      if (pool.isStopped) campaign.stop()
      campaign.merge(results.flatMap((done) => done._tag === "SliceDone" ? [done.result] : []))
    }
  } catch (error) {
    broken = error instanceof Error ? error.message : String(error)
    ending = "broken"
  } finally {
    clearTimeout(timer)
    unlisten()
    pool.events = {}
    endStatus()
  }
  const { report } = campaign
  const failed = report.failures.some((f) => isFailure(f.verdict)) && !options.keepGoing
  return { report, analyses, ending: ending ?? (failed ? "failure" : "runs"), broken }
}

/** The status line of a campaign. */
class Meter {
  private readonly options: FuzzOptions
  private readonly analyses: Analyses
  private readonly failures: () => number
  private readonly began = performance.now()
  private readonly workers = new Map<number, SliceProgress>()
  private before = 0

  constructor(options: FuzzOptions, analyses: Analyses, failures: () => number) {
    this.options = options
    this.analyses = analyses
    this.failures = failures
  }

  startRound(report: CampaignReport): void {
    this.before = report.executions
    this.workers.clear()
  }

  show(worker: number, progress: SliceProgress): void {
    this.workers.set(worker, progress)
    let done = this.before
    let pairs = this.analyses.coverage.pairs
    let classes = this.analyses.classes.counts.distinct
    for (const slice of this.workers.values()) {
      done += slice.executions
      // What the workers found in this round overlaps; the merged numbers follow at its end.
      pairs = Math.max(pairs, slice.pairs)
      classes = Math.max(classes, slice.classes)
    }
    const elapsed = (performance.now() - this.began) / 1000
    const rate = done / Math.max(elapsed, 0.001)
    const parts = [
      Number.isFinite(this.options.runs)
        ? `${grouped(done)}/${count(this.options.runs, "execution")}`
        : count(done, "execution"),
      `${grouped(rate)}/s`,
      count(classes, "class", "classes"),
      count(pairs, "conflict pair"),
      count(this.failures(), "failure"),
      this.left(done, rate, elapsed)
    ]
    showStatus(parts.filter((part) => part !== "").join(", "))
  }

  private left(done: number, rate: number, elapsed: number): string {
    const byRuns = Number.isFinite(this.options.runs) && rate > 0 ? (this.options.runs - done) / rate : Infinity
    const byTime = this.options.time === undefined ? Infinity : this.options.time - elapsed
    const left = Math.min(byRuns, byTime)
    return Number.isFinite(left) ? `${duration(left)} left` : `${duration(elapsed)} so far`
  }
}
