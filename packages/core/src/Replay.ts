/**
 * Running a recorded execution again.
 *
 * Strict replay follows the logged threads and compares every event as it happens; the first difference ends it.
 * Following a log or a schedule on a changed kernel or model never fails: it counts what did not fit.
 */
import * as Data from "effect/Data"
import * as Equal from "effect/Equal"
import * as Result from "effect/Result"
import type { Ask } from "./Ask.ts"
import { type LogLine, portableVerdict } from "./EventLog.ts"
import { Executor, type ExecutorOptions, type Log, type Observer } from "./Execution.ts"
import { FollowLog } from "./internal/followLog.ts"
import { askText, stepText } from "./internal/stepText.ts"
import type { Model } from "./Model.ts"
import { FromChoices } from "./strategies/FromChoices.ts"
import type { Strategy, View } from "./Strategy.ts"
import { chooseNumber } from "./Thread.ts"
import type { Verdict } from "./Verdict.ts"

/** One step of either side of a comparison. */
export interface ReplayStep {
  readonly _tag: "Step"
  readonly step: number
  readonly thread: string
  readonly ask: Ask<unknown>
  readonly result: unknown
}

/** The execution ends here. */
export interface ReplayEnd {
  readonly _tag: "End"
  readonly verdict: Verdict
}

/** The thread that moves in the log cannot move in the replay; `able` can. */
export interface ReplayStuck {
  readonly _tag: "Stuck"
  readonly thread: string
  /** What it waits in; undefined when it has ended or was not started. */
  readonly waitsIn: Ask<unknown> | undefined
  readonly able: ReadonlyArray<string>
}

/** The log ends here, and the replay goes on with one of these threads. */
export interface ReplayGoesOn {
  readonly _tag: "GoesOn"
  readonly able: ReadonlyArray<string>
}

/** The first difference between a log and its replay. */
export class ReplayDivergence extends Data.TaggedError("ReplayDivergence")<{
  /** Index of the step that differs, from 0. */
  readonly step: number
  /** Name of the thread that moves in the log; when the log has ended, in the replay; else "". */
  readonly thread: string
  readonly what: "thread" | "actor" | "command" | "argument" | "result" | "end" | "verdict"
  readonly expected: ReplayStep | ReplayEnd
  readonly got: ReplayStep | ReplayEnd | ReplayStuck | ReplayGoesOn
  /** Up to three steps before, the same on both sides, and after (in the log). */
  readonly before: ReadonlyArray<ReplayStep>
  readonly after: ReadonlyArray<ReplayStep>
}> {
  override get message(): string {
    return renderDivergence(this)
  }
}

const differs: Readonly<Record<ReplayDivergence["what"], string>> = {
  thread: "another thread moves",
  actor: "the step goes to another actor",
  command: "the step is another command",
  argument: "the argument differs",
  result: "the result differs",
  end: "one of them ends here",
  verdict: "the verdict differs"
}

/** The divergence with its surroundings, as text of a few lines. */
export const renderDivergence = (divergence: ReplayDivergence): string => {
  const { after, before, expected, got, step, thread, what } = divergence
  const rows: Array<readonly [string, string, string, string]> = []
  const put = (label: string, side: ReplayDivergence["expected"] | ReplayDivergence["got"]): void => {
    switch (side._tag) {
      case "Step":
        rows.push([label, String(side.step), side.thread, stepText(side.ask, side.result)])
        return
      case "End":
        rows.push([label, String(step), "", `ends: ${verdictText(side.verdict)}`])
        return
      case "Stuck":
        rows.push([
          label,
          String(step),
          side.thread,
          `${side.waitsIn === undefined ? "is not running" : `waits in ${askText(side.waitsIn)}`}; can move: ${
            side.able.join(", ")
          }`
        ])
        return
      case "GoesOn":
        rows.push([label, String(step), "", `goes on; can move: ${side.able.join(", ")}`])
    }
  }
  for (const earlier of before) put("", earlier)
  put("expected", expected)
  put("got", got)
  for (const later of after) put("in the log", later)
  const width = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)))
  const lines = rows.map(([label, at, name, text]) =>
    `  ${label.padEnd(width[0]!)}  ${at.padStart(width[1]!)}  ${name.padEnd(width[2]!)}  ${text}`.trimEnd()
  )
  return [
    `replay differs from the log at step ${step}${thread === "" ? "" : ` (thread ${thread})`}: ${differs[what]}`,
    ...lines
  ].join("\n")
}

const verdictText = (verdict: Verdict): string => {
  switch (verdict._tag) {
    case "Ok":
      return "Ok"
    case "Violation":
      return `violation of ${verdict.monitor} at step ${verdict.step}: ${verdict.message}`
    case "Deadlock":
      return `deadlock at step ${verdict.step}: ${
        verdict.waits.map((w) => `${w.thread} waits in ${w.actor}.${w.command}`).join(", ")
      }`
    case "Livelock":
      return `livelock from step ${verdict.cycleStart}, ${verdict.cycleLength} steps long`
    case "StepLimit":
      return `step limit at step ${verdict.step}`
    case "Crash":
      return `crash in ${verdict.where} at step ${verdict.step}: ${verdict.error}`
  }
}

export interface ReplayOptions extends ExecutorOptions {
  /** Turns the engine's verdict into the recorded kind, where something outside the engine judged the recording. */
  readonly judge?: (verdict: Verdict, executor: Executor) => Verdict
}

/** What is replayed. `verdict` is undefined for a truncated log: then its steps are compared and no more. */
export interface Replayable {
  readonly log: Log
  readonly verdict: Verdict | undefined
}

export interface Replayed {
  /** Steps compared and equal. */
  readonly steps: number
  /** Undefined when a truncated log ended before the execution did. */
  readonly verdict: Verdict | undefined
}

/** Thrown out of an execution to end it; never leaves this file. */
class Stop {
  readonly divergence: ReplayDivergence | undefined
  constructor(divergence: ReplayDivergence | undefined) {
    this.divergence = divergence
  }
}

/**
 * Runs `model` along the log and compares every event. Give the recording's `maxSteps` (and `partialDeadlocks`,
 * where it was not the default) in the options.
 */
export const replay = (
  model: Model,
  recorded: Replayable,
  options: ReplayOptions = {}
): Result.Result<Replayed, ReplayDivergence> => {
  const follower = new StrictFollower(model, recorded)
  const executor = new Executor(model, { ...options, observers: [follower, ...options.observers ?? []] })
  for (;;) {
    const outcome = follower.run(executor, options.judge)
    if (Result.isSuccess(outcome) || !follower.anotherSuspect()) return outcome
  }
}

const surroundings = 3

/** Strategy and observer of one strict replay: `View.step` is the index of the next event, exits included. */
class StrictFollower implements Strategy, Observer {
  readonly name = "replay"
  private readonly model: Model
  private readonly recorded: Replayable
  private readonly log: Log
  /** A step that crashes is not logged: which of the threads it could be is tried in turn. */
  private suspect = 0
  private suspects = 0
  private seen = 0

  constructor(model: Model, recorded: Replayable) {
    this.model = model
    this.recorded = recorded
    this.log = recorded.log
  }

  run(executor: Executor, judge: ReplayOptions["judge"]): Result.Result<Replayed, ReplayDivergence> {
    this.seen = 0
    this.suspects = 0
    let verdict: Verdict
    try {
      verdict = portableVerdict(executor.run(this))
      if (judge !== undefined) verdict = portableVerdict(judge(verdict, executor))
    } catch (error) {
      if (!(error instanceof Stop)) throw error
      if (error.divergence !== undefined) return Result.fail(error.divergence)
      return Result.succeed({ steps: this.log.length, verdict: undefined })
    }
    const logged = this.recorded.verdict
    if (this.seen < this.log.length) return Result.fail(this.divergence(this.seen, "end", { _tag: "End", verdict }))
    if (logged !== undefined && !Equal.equals(portableVerdict(logged), verdict)) {
      return Result.fail(this.divergence(this.seen, "verdict", { _tag: "End", verdict }))
    }
    return Result.succeed({ steps: this.seen, verdict })
  }

  /** True when the logged crash may belong to another thread than the one just tried. */
  anotherSuspect(): boolean {
    return ++this.suspect < this.suspects
  }

  begin(): void {}
  end(): void {}

  pick(view: View): number {
    const wanted = this.log.threads[view.step]
    if (view.step >= this.log.length || wanted === undefined) return this.afterTheLog(view)
    for (let i = 0; i < view.enabledCount; i++) if (view.enabled[i] === wanted) return i
    const waitsIn = view.pending(wanted) as Ask<unknown> | undefined
    throw new Stop(
      this.divergence(view.step, "thread", {
        _tag: "Stuck",
        thread: this.nameOf(wanted),
        waitsIn,
        able: this.able(view)
      })
    )
  }

  choose(n: number, view: View): number {
    const logged = this.log.asks[view.step]
    const number = this.log.results[view.step]
    // What does not fit is found by the comparison of this very step.
    return logged?.command === (chooseNumber as unknown) && typeof number === "number" && number >= 0 && number < n
      ? number
      : 0
  }

  step(thread: number, ask: Ask<unknown>, result: unknown, step: number): void {
    const { log } = this
    if (step >= log.length) {
      if (this.recorded.verdict === undefined) throw new Stop(undefined)
      throw new Stop(this.divergence(step, "end", this.stepOf(step, thread, ask, result)))
    }
    const expected = log.asks[step]!
    const what = log.threads[step] !== thread
      ? "thread"
      : expected.actor.name !== ask.actor.name
      ? "actor"
      : expected.command !== ask.command
      ? "command"
      : !Equal.equals(expected.arg, ask.arg)
      ? "argument"
      : !Equal.equals(log.results[step], result)
      ? "result"
      : undefined
    if (what !== undefined) throw new Stop(this.divergence(step, what, this.stepOf(step, thread, ask, result)))
    this.seen = step + 1
  }

  private afterTheLog(view: View): number {
    const { verdict } = this.recorded
    if (verdict === undefined) throw new Stop(undefined)
    if (verdict._tag === "Crash") {
      const suspects: Array<number> = []
      for (let i = 0; i < view.enabledCount; i++) {
        const { actor, command } = view.pending(view.enabled[i]!)
        if (`${actor.type.name}.${command.name}` === verdict.where) suspects.push(i)
      }
      this.suspects = suspects.length
      const index = suspects[this.suspect]
      if (index !== undefined) return index
    }
    throw new Stop(this.divergence(view.step, "end", { _tag: "GoesOn", able: this.able(view) }))
  }

  private divergence(step: number, what: ReplayDivergence["what"], got: ReplayDivergence["got"]): ReplayDivergence {
    const { log } = this
    const expected = step < log.length ? this.logged(step) : { _tag: "End", verdict: this.recorded.verdict! } as const
    const around = (from: number, to: number): ReadonlyArray<ReplayStep> => {
      const steps: Array<ReplayStep> = []
      for (let i = Math.max(0, from); i < Math.min(to, log.length); i++) steps.push(this.logged(i))
      return steps
    }
    return new ReplayDivergence({
      step,
      thread: expected._tag === "Step" ? expected.thread : got._tag === "Step" ? got.thread : "",
      what,
      expected,
      got,
      before: around(step - surroundings, step),
      after: around(step + 1, step + 1 + surroundings)
    })
  }

  private logged(step: number): ReplayStep {
    return this.stepOf(step, this.log.threads[step]!, this.log.asks[step]!, this.log.results[step])
  }

  private stepOf(step: number, thread: number, ask: Ask<unknown>, result: unknown): ReplayStep {
    return { _tag: "Step", step, thread: this.nameOf(thread), ask, result }
  }

  private nameOf(thread: number): string {
    return this.model.threads[thread]?.name ?? `#${thread}`
  }

  private able(view: View): ReadonlyArray<string> {
    return Array.from({ length: view.enabledCount }, (_, i) => this.nameOf(view.enabled[i]!))
  }
}

/** A log or a schedule followed on a model that may have changed. */
export interface Followed {
  readonly verdict: Verdict
  readonly log: Log
  readonly choices: ReadonlyArray<number>
  /** Recorded steps (or choices) that took place as recorded. */
  readonly fitted: number
  /** Recorded steps (or choices) that did not fit; the execution went on without them. */
  readonly misfits: number
  /** Steps that the recording does not have; 0 when only choices were followed. */
  readonly extra: number
  /** Recorded steps (or choices) left over when the execution ended. */
  readonly unused: number
  /** Step of this execution at which it first differed; undefined when everything fitted or only choices were followed. */
  readonly firstDifference: number | undefined
}

/** A log's steps by name, as `follow` takes them: from an envelope as it is, from a Log with this. */
export const namesOf = (model: Model, log: Log): ReadonlyArray<Pick<LogLine, "t" | "a" | "c" | "r">> =>
  Array.from({ length: log.length }, (_, i) => {
    const { actor, command } = log.asks[i]!
    const result = log.results[i]
    return {
      t: model.threads[log.threads[i]!]!.name,
      a: actor.name,
      c: command.name,
      ...(typeof result === "number" ? { r: result } : {})
    }
  })

/**
 * Schedule-only replay along a log: the same switches of threads at the same steps, as far as the model (a changed
 * kernel, a changed program) allows. Takes names only, so the log's values need not fit the model.
 */
export const follow = (
  model: Model,
  lines: Iterable<Pick<LogLine, "t" | "a" | "c" | "r">>,
  options: ExecutorOptions = {}
): Followed => {
  const strategy = new FollowLog(model, lines)
  const executor = new Executor(model, options)
  const verdict = portableVerdict(executor.run(strategy))
  const { extra, firstDifference, fitted, misfits, unused } = strategy
  return {
    verdict,
    log: executor.copyLog(),
    choices: executor.copyChoices(),
    fitted,
    misfits,
    extra,
    unused,
    firstDifference
  }
}

/** Schedule-only replay along a choice stream. */
export const followChoices = (
  model: Model,
  choices: ReadonlyArray<number>,
  options: ExecutorOptions = {}
): Followed => {
  const strategy = new FromChoices(choices)
  const executor = new Executor(model, options)
  const verdict = portableVerdict(executor.run(strategy))
  const used = Math.min(choices.length, executor.choiceCount)
  return {
    verdict,
    log: executor.copyLog(),
    choices: executor.copyChoices(),
    fitted: used - strategy.misfits,
    misfits: strategy.misfits,
    extra: 0,
    unused: choices.length - used,
    firstDifference: undefined
  }
}
