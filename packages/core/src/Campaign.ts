/**
 * A campaign: many executions of one model, in rounds, on any number of workers, with results that do not depend on
 * how many there were.
 *
 * Execution i has the seed mix32(seed, i), and nothing of another execution of its round influences it: what
 * strategies know of the program (the Profile) changes between rounds only. A round is split into slices, a slice runs
 * anywhere (`runSlice`), and the results are merged in the order of their executions (`Campaign.merge`). Everything
 * that goes into and comes out of `runSlice` is plain data for a structured clone; only the model stays where it is.
 */
import * as Result from "effect/Result"
import { classifyStepLimit } from "./analysis/Livelock.ts"
import { defaultMaxSteps, Executor, type Observer } from "./Execution.ts"
import type { Model } from "./Model.ts"
import { mix32 } from "./Prng.ts"
import { emptyProfile, type Profile, ProfileBuilder } from "./Profile.ts"
import { encodeSchedule } from "./Schedule.ts"
import { FromChoices } from "./strategies/FromChoices.ts"
import { defaultStrategy, parseStrategy } from "./strategies/parse.ts"
import { Pct } from "./strategies/Pct.ts"
import type { Plan } from "./strategies/Portfolio.ts"
import { Recording } from "./strategies/Recording.ts"
import { failureId, type Verdict } from "./Verdict.ts"

/** An observer whose findings can be taken out, as plain data, and put into another one of its kind. */
export interface Mergeable<D = unknown> extends Observer {
  export(): D
  merge(data: D): void
}

/** Makes the analyses of a slice, empty; the same kinds in the same order every time. */
export type MakeAnalyses = (model: Model) => ReadonlyArray<Mergeable>

/** Executions [from, to) of a campaign: all a worker needs to know besides the model. */
export interface Slice {
  readonly seed: number
  /** As for `parseStrategy`. */
  readonly strategy: string
  readonly from: number
  readonly to: number
  /** Not to be split: its executions learn from each other. */
  readonly whole: boolean
  /** What was known at the start of the round. */
  readonly profile: Profile
  /** End the slice at its first failure (a step limit is none). */
  readonly untilFailure: boolean
  readonly maxSteps: number
}

/** A failure: the first execution that showed it, and how many did. */
export interface Failure {
  readonly id: string
  readonly verdict: Verdict
  /** Index in the campaign and the seed made from it. */
  readonly execution: number
  readonly seed: number
  /** The strategy that found it, e.g. `pct:3`. */
  readonly strategy: string
  readonly choices: ReadonlyArray<number>
  /** The schedule as a token; undefined when the execution could not be repeated. */
  readonly token: string | undefined
  /** False when the same choices led elsewhere: the model is not deterministic. */
  readonly reproduced: boolean
  /** Executions that failed this way. */
  readonly count: number
}

export type VerdictCounts = Readonly<Record<Verdict["_tag"], number>>

/** What one strategy of the plan did. */
export interface StrategyUse {
  readonly name: string
  readonly executions: number
  /** Executions that failed, step limits not counted. */
  readonly failed: number
  /** Most scheduling points with two or more threads in one of its executions. */
  readonly points: number
  /** PCT: the largest k it drew change points from; 0 for other strategies. */
  readonly k: number
}

export interface SliceResult {
  readonly from: number
  /** One past the last execution that was done: less than asked when the slice was ended early. */
  readonly to: number
  readonly steps: number
  readonly verdicts: VerdictCounts
  readonly strategies: ReadonlyArray<StrategyUse>
  /** One for each failure id, by execution. */
  readonly failures: ReadonlyArray<Failure>
  /** What these executions showed about the program. */
  readonly evidence: Profile
  /** The exports of the slice's analyses, in their order. */
  readonly analyses: ReadonlyArray<unknown>
}

export interface SliceHooks {
  readonly analyses?: MakeAnalyses
  /** Called at once with a failure whose id is new to the slice. */
  readonly onFailure?: (failure: Failure) => void
  /** Asked after every execution, with the number of executions and steps done in the slice. */
  readonly shouldStop?: (executions: number, steps: number) => boolean
}

/** A failure that ends an `untilFailure` campaign. An execution that was cut off proves nothing. */
export const isFailure = (verdict: Verdict): boolean => verdict._tag !== "Ok" && verdict._tag !== "StepLimit"

/** Executions looked at closely for the profile: all of the first ones, then one in sixteen. */
const isSampled = (execution: number): boolean => execution < 64 || execution % 16 === 0

const isPowerOfTwo = (n: number): boolean => (n & (n - 1)) === 0

const noVerdicts = (): Record<Verdict["_tag"], number> => ({
  Ok: 0,
  Violation: 0,
  Deadlock: 0,
  Livelock: 0,
  StepLimit: 0,
  Crash: 0
})

/** Runs a slice. Pure: the result depends on model and slice alone (with `shouldStop`, on when it said so). */
export const runSlice = (model: Model, slice: Slice, hooks: SliceHooks = {}): SliceResult => {
  const { maxSteps, seed, untilFailure } = slice
  let { profile } = slice
  const plan: Plan = Result.getOrThrow(parseStrategy(slice.strategy))
  const learning = plan.learning ?? 0
  const analyses = hooks.analyses?.(model) ?? []
  const executor = new Executor(model, { maxSteps, observers: analyses })
  const evidence = new ProfileBuilder()
  const verdicts = noVerdicts()
  const uses = new Map<string, Mutable<StrategyUse>>()
  const failures = new Map<string, Mutable<Failure>>()
  let steps = 0
  let execution = slice.from
  for (let ended = false; execution < slice.to && !ended; execution++) {
    const strategy = plan.strategyFor(execution, profile)
    const executionSeed = mix32(seed, execution)
    let verdict = executor.run(strategy, executionSeed, profile)
    if (verdict._tag === "StepLimit") verdict = classifyStepLimit(model, executor.copyChoices(), { maxSteps })
    steps += executor.step
    verdicts[verdict._tag]++
    // A thread that spins for ever says nothing about lengths: k and the counts of URW would follow it.
    const hasEnded = verdict._tag !== "StepLimit" && verdict._tag !== "Livelock"
    evidence.size(executor.step, hasEnded ? executor.contested : 0)
    if (hasEnded && isSampled(execution)) evidence.read(model, executor.log)
    noteUse(uses, strategy.name, {
      executions: 1,
      failed: isFailure(verdict) ? 1 : 0,
      points: executor.contested,
      k: strategy instanceof Pct ? strategy.k : 0
    })
    const id = failureId(verdict)
    if (id !== undefined) {
      const known = failures.get(id)
      if (known !== undefined) known.count++
      else {
        const found = {
          id,
          verdict,
          execution,
          seed: executionSeed,
          strategy: strategy.name,
          choices: executor.copyChoices(),
          count: 1
        }
        const failure = { ...found, ...repeat(model, executor, maxSteps) }
        failures.set(id, failure)
        hooks.onFailure?.({ ...failure })
      }
    }
    if (execution < learning && isPowerOfTwo(execution + 1)) profile = evidence.build()
    ended = (untilFailure && isFailure(verdict)) || (hooks.shouldStop?.(execution + 1 - slice.from, steps) ?? false)
  }
  return {
    from: slice.from,
    to: execution,
    steps,
    verdicts,
    strategies: [...uses.values()],
    failures: [...failures.values()],
    evidence: evidence.build(true),
    analyses: analyses.map((a) => a.export())
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Runs the last execution again, unobserved, for the schedule relative to the default continuation. */
const repeat = (
  model: Model,
  original: Executor,
  maxSteps: number
): { readonly token: string | undefined; readonly reproduced: boolean } => {
  const choices = original.copyChoices()
  const { length } = original.log
  const again = new Executor(model, { maxSteps })
  const recording = new Recording(new FromChoices(choices))
  again.run(recording)
  const reproduced = again.log.length === length && again.choiceCount === choices.length &&
    choices.every((c, i) => c === again.choices[i])
  return { token: reproduced ? encodeSchedule(recording.schedule) : undefined, reproduced }
}

const noteUse = (uses: Map<string, Mutable<StrategyUse>>, name: string, more: Omit<StrategyUse, "name">): void => {
  const use = uses.get(name)
  if (use === undefined) uses.set(name, { name, ...more })
  else {
    use.executions += more.executions
    use.failed += more.failed
    use.points = Math.max(use.points, more.points)
    use.k = Math.max(use.k, more.k)
  }
}

export interface CampaignOptions {
  /** A 32-bit number; default 0. */
  readonly seed?: number
  /** As for `parseStrategy`, which must accept it; default `defaultStrategy`. */
  readonly strategy?: string
  /** How many executions; default no limit. */
  readonly runs?: number
  /** End at the first failure. Default false: go on and gather. */
  readonly untilFailure?: boolean
  readonly maxSteps?: number
}

export interface CampaignReport {
  readonly seed: number
  readonly strategy: string
  readonly executions: number
  /** How many of them did not learn from others: what `CleanRun` asks for. */
  readonly independent: number
  readonly steps: number
  readonly rounds: number
  readonly verdicts: VerdictCounts
  readonly strategies: ReadonlyArray<StrategyUse>
  /** One for each failure id, ordered by execution. */
  readonly failures: ReadonlyArray<Failure>
  readonly profile: Profile
  /** `running`: rounds are left. `stopped`: by the caller. */
  readonly ended: "running" | "runs" | "failure" | "stopped"
}

const secondRound = 16
const largestRound = 8192

/**
 * Executions of round `index` (from 0): 1, 15, 64, 128, ... 8192, 8192, ... The first is what the papers call the
 * profiling run: lengths and shared locations are known from the second execution on.
 */
export const roundSize = (index: number): number =>
  index === 0 ? 1 : index === 1 ? secondRound - 1 : Math.min(largestRound, 64 * 2 ** (index - 2))

/** Splits a round into at most `parts` slices of about equal length, in order. */
export const splitRound = (round: Slice, parts: number): ReadonlyArray<Slice> => {
  if (round.whole) return [round]
  const total = round.to - round.from
  const count = Math.max(1, Math.min(parts, total))
  return Array.from({ length: count }, (_, i) => ({
    ...round,
    from: round.from + Math.floor((total * i) / count),
    to: round.from + Math.floor((total * (i + 1)) / count)
  }))
}

/**
 * Hands out rounds and takes in what became of their slices:
 *
 *     for (let round = campaign.next(); round !== undefined; round = campaign.next()) {
 *       campaign.merge(splitRound(round, workers).map(runSomewhere))
 *     }
 */
export class Campaign {
  readonly seed: number
  readonly strategy: string
  private readonly learning: number
  readonly runs: number
  readonly untilFailure: boolean
  readonly maxSteps: number
  /** What the slices' analyses found, merged. */
  readonly analyses: ReadonlyArray<Mergeable>
  private readonly evidence = new ProfileBuilder()
  private readonly verdicts = noVerdicts()
  private readonly uses = new Map<string, Mutable<StrategyUse>>()
  private readonly failures = new Map<string, Failure>()
  private profile: Profile = emptyProfile
  private executions = 0
  private handedOut = 0
  private steps = 0
  private rounds = 0
  private ended: CampaignReport["ended"] = "running"

  constructor(options: CampaignOptions = {}, analyses: ReadonlyArray<Mergeable> = []) {
    this.seed = options.seed ?? 0
    const plan = Result.getOrThrow(parseStrategy(options.strategy ?? defaultStrategy))
    this.strategy = plan.name
    this.learning = plan.learning ?? 0
    this.runs = options.runs ?? Number.POSITIVE_INFINITY
    this.untilFailure = options.untilFailure ?? false
    this.maxSteps = options.maxSteps ?? defaultMaxSteps
    this.analyses = analyses
  }

  /** The next round; undefined when the campaign has ended. Merge a round before asking for the next. */
  next(): Slice | undefined {
    if (this.ended === "running" && this.handedOut >= this.runs) this.ended = "runs"
    if (this.ended !== "running") return undefined
    const from = this.handedOut
    const whole = from < this.learning
    const size = whole ? this.learning - from : Math.max(this.learning, roundSize(this.rounds))
    const to = Math.min(this.runs, from + size)
    this.handedOut = to
    const { maxSteps, profile, seed, strategy, untilFailure } = this
    return { seed, strategy, from, to, whole, profile, untilFailure, maxSteps }
  }

  /**
   * Takes in the slices of a round, in any order. With `untilFailure`, what lies behind the first failure is left out
   * (other workers ran it, one worker would not have): their failures were given to `onFailure` all the same.
   */
  merge(results: ReadonlyArray<SliceResult>): void {
    this.rounds++
    for (const result of results.toSorted((a, b) => a.from - b.from)) {
      this.take(result)
      if (this.untilFailure && result.failures.some((f) => isFailure(f.verdict))) {
        this.ended = "failure"
        break
      }
    }
    this.profile = this.evidence.build()
  }

  /** Ends the campaign: `next` gives no further round. */
  stop(): void {
    if (this.ended === "running") this.ended = "stopped"
  }

  get report(): CampaignReport {
    return {
      seed: this.seed,
      strategy: this.strategy,
      executions: this.executions,
      independent: Math.max(0, this.executions - this.learning),
      steps: this.steps,
      rounds: this.rounds,
      verdicts: { ...this.verdicts },
      strategies: structuredClone([...this.uses.values()]),
      failures: [...this.failures.values()].sort((a, b) => a.execution - b.execution),
      profile: this.profile,
      ended: this.ended
    }
  }

  private take(result: SliceResult): void {
    this.executions += result.to - result.from
    this.steps += result.steps
    for (const tag of Object.keys(this.verdicts) as Array<Verdict["_tag"]>) this.verdicts[tag] += result.verdicts[tag]
    for (const { name, ...use } of result.strategies) noteUse(this.uses, name, use)
    for (const failure of result.failures) {
      const known = this.failures.get(failure.id)
      const first = known === undefined || failure.execution < known.execution ? failure : known
      this.failures.set(failure.id, { ...first, count: failure.count + (known?.count ?? 0) })
    }
    this.evidence.merge(result.evidence)
    result.analyses.forEach((data, i) => this.analyses[i]?.merge(data))
  }
}

export interface CampaignHooks {
  readonly analyses?: MakeAnalyses
  /** Called as soon as a failure is known, once for each failure id. */
  readonly onFailure?: (failure: Failure) => void
  /** Called after every round. */
  readonly onRound?: (report: CampaignReport, analyses: ReadonlyArray<Mergeable>) => void
  /** Asked after every execution, with executions and steps done in the campaign so far. */
  readonly shouldStop?: (executions: number, steps: number) => boolean
}

/** A whole campaign in this process. */
export const runCampaign = (
  model: Model,
  options: CampaignOptions = {},
  hooks: CampaignHooks = {}
): { readonly report: CampaignReport; readonly analyses: ReadonlyArray<Mergeable> } => {
  const campaign = new Campaign(options, hooks.analyses?.(model) ?? [])
  const told = new Set<string>()
  for (let round = campaign.next(); round !== undefined; round = campaign.next()) {
    const before = campaign.report
    const result = runSlice(model, round, {
      ...(hooks.analyses === undefined ? {} : { analyses: hooks.analyses }),
      onFailure: (failure) => {
        if (told.has(failure.id)) return
        told.add(failure.id)
        hooks.onFailure?.(failure)
      },
      shouldStop: (executions, steps) => {
        const stop = hooks.shouldStop?.(before.executions + executions, before.steps + steps) ?? false
        if (stop) campaign.stop()
        return stop
      }
    })
    campaign.merge([result])
    hooks.onRound?.(campaign.report, campaign.analyses)
  }
  return { report: campaign.report, analyses: campaign.analyses }
}
