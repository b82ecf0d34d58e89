/**
 * Tells a livelock from an execution that is only long.
 *
 * An execution that reached its step limit is run again with the same choices and then goes on under a fair schedule
 * for a bounded number of steps. It is a livelock when that continuation ends in a lasso: from some step on, the same
 * steps (thread, actor, command, argument, result) come again and again until the bound, the states of all actors are
 * equal after each round, and no thread could move without doing so in a round.
 *
 * Local variables of a thread cannot be seen. All a thread learns are results, so with equal results for ever only
 * a countdown in a local variable could still get it out; a countdown longer than the continuation is mistaken for a
 * livelock, unless the model says that one of its steps is progress (`Model.progress`).
 */
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import { type Actor, type AnyActor } from "../Actor.ts"
import type { Ask } from "../Ask.ts"
import { defaultMaxSteps, Executor, type Log } from "../Execution.ts"
import type { Model } from "../Model.ts"
import { encodeSchedule } from "../Schedule.ts"
import { FromChoices } from "../strategies/FromChoices.ts"
import { Recording } from "../strategies/Recording.ts"
import type { Strategy, View } from "../Strategy.ts"
import type { Verdict } from "../Verdict.ts"

export interface LivelockOptions {
  /** The limit the execution ran into. Default: the executor's own. */
  readonly maxSteps?: number
  /** Steps of the fair continuation: it knows loops of up to a sixth of them. Default: as many again, at least 10,000. */
  readonly fairSteps?: number
}

/** An execution that goes once round its loop and is cut there, after `verdict.step` steps. */
export interface Lasso {
  readonly verdict: Verdict & { readonly _tag: "Livelock" }
  readonly choices: ReadonlyArray<number>
  readonly token: string
  /** Has just run it. */
  readonly executor: Executor
}

/**
 * The verdict of an execution that ended with StepLimit, given its choices: Livelock when it never ends, even under a
 * fair schedule; otherwise StepLimit. `cycleStart` is a step of the continued execution, at which the lasso's loop begins.
 */
export const classifyStepLimit = (
  model: Model,
  choices: ReadonlyArray<number>,
  options: LivelockOptions = {}
): Verdict => {
  const { maxSteps: step } = limitsOf(options)
  const cycle = cycleBehind(model, choices, limitsOf(options))
  return cycle === undefined ? { _tag: "StepLimit", step } : { _tag: "Livelock", ...cycle, step }
}

/**
 * A short livelock that begins with choices of this execution: from where it only does what happens by default, a schedule
 * can as well be fair. Undefined where there is none.
 */
export const lassoOf = (
  model: Model,
  choices: ReadonlyArray<number>,
  options: LivelockOptions = {}
): Lasso | undefined => {
  const limits = limitsOf(options)
  const said = lastSaid(model, choices, limits) + 1
  const behind = (length: number): Lasso | undefined => {
    const prefix = choices.slice(0, length)
    const cycle = cycleBehind(model, prefix, limits)
    return cycle === undefined ? undefined : lasso(model, prefix, cycle)
  }
  const soonest = behind(said)
  if (soonest !== undefined || said === choices.length) return soonest
  const whole = behind(choices.length)
  if (whole === undefined) return undefined
  for (let more = 1; said + more < choices.length; more *= 2) {
    const shorter = behind(said + more)
    if (shorter !== undefined) return shorter
  }
  return whole
}

interface Cycle {
  readonly cycleStart: number
  readonly cycleLength: number
}

interface Limits {
  readonly maxSteps: number
  readonly fairSteps: number
}

const limitsOf = ({ fairSteps, maxSteps = defaultMaxSteps }: LivelockOptions): Limits => ({
  maxSteps,
  fairSteps: fairSteps ?? Math.max(10_000, maxSteps)
})

const lasso = (model: Model, choices: ReadonlyArray<number>, cycle: Cycle): Lasso => {
  const step = cycle.cycleStart + cycle.cycleLength
  const executor = new Executor(model, { maxSteps: step })
  const recording = new Recording(new FairContinuation(choices))
  executor.run(recording)
  return {
    verdict: { _tag: "Livelock", ...cycle, step },
    choices: executor.copyChoices(),
    token: encodeSchedule(recording.schedule),
    executor
  }
}

/** Index of the last choice that is not what happens by default; -1 when all are. */
const lastSaid = (model: Model, choices: ReadonlyArray<number>, { maxSteps }: Limits): number => {
  const recording = new Recording(new FromChoices(choices))
  new Executor(model, { maxSteps }).run(recording)
  return recording.choices.findLastIndex((choice, i) => choice !== recording.defaults[i])
}

/** The loop that threads end in where the schedule is fair behind these choices. */
const cycleBehind = (
  model: Model,
  choices: ReadonlyArray<number>,
  { fairSteps, maxSteps }: Limits
): Cycle | undefined => {
  const executor = new Executor(model, { maxSteps: maxSteps + fairSteps })
  if (executor.run(new FairContinuation(choices))._tag !== "StepLimit") return undefined
  if (!model.threads.some((thread) => !thread.daemon && executor.isLive(thread.id))) return undefined
  const { log } = executor
  const signatures = signaturesOf(log)
  const period = tailPeriod(signatures, Math.min(fairSteps, log.length) >>> 1)
  if (period === undefined) return undefined
  const cycle = findCycle(model, log, startOfTail(signatures, period), period)
  return cycle === undefined || makesProgress(model, log, cycle) ? undefined : cycle
}

/** Whether a step of the cycle is what the model calls progress. */
const makesProgress = ({ progress }: Model, log: Log, { cycleLength, cycleStart }: Cycle): boolean => {
  if (progress === undefined) return false
  for (let step = cycleStart; step < cycleStart + cycleLength; step++) if (progress(log, step)) return true
  return false
}

/**
 * The recorded choices, then always the enabled thread that has not moved for longest; data choices in turn. A thread
 * that can move at some step of a loop so does move in the loop: nobody is kept waiting by the schedule.
 */
class FairContinuation implements Strategy {
  readonly name = "fair-continuation"
  private readonly choices: ReadonlyArray<number>
  private position = 0
  private turn = 0
  private readonly lastMove = new Map<number, number>()

  constructor(choices: ReadonlyArray<number>) {
    this.choices = choices
  }

  begin(): void {
    this.position = 0
    this.turn = 0
    this.lastMove.clear()
  }

  pick(view: View): number {
    if (this.position < this.choices.length) return Math.min(this.choices[this.position++]!, view.enabledCount - 1)
    let oldest = 0
    for (let i = 1; i < view.enabledCount; i++) if (this.moved(view, i) < this.moved(view, oldest)) oldest = i
    return oldest
  }

  choose(n: number): number {
    if (this.position < this.choices.length) return Math.min(this.choices[this.position++]!, n - 1)
    return this.turn++ % n
  }

  ran(thread: number, _ask: Ask<unknown>, view: View): void {
    this.lastMove.set(thread, view.step)
  }

  private moved(view: View, index: number): number {
    return this.lastMove.get(view.enabled[index]!) ?? -1
  }
}

/** One number for each step; equal numbers mean equal steps. */
const signaturesOf = (log: Log): Int32Array => {
  const known = new Map<string, Array<{ readonly arg: unknown; readonly result: unknown; readonly number: number }>>()
  const signatures = new Int32Array(log.length)
  let count = 0
  for (let i = 0; i < log.length; i++) {
    const { actor, arg, command } = log.asks[i]!
    const result = log.results[i]
    const key = `${log.threads[i]} ${actor.id} ${command.id} ${Hash.hash(arg)} ${Hash.hash(result)}`
    let same = known.get(key)
    if (same === undefined) known.set(key, same = [])
    let entry = same.find((e) => Equal.equals(e.arg, arg) && Equal.equals(e.result, result))
    if (entry === undefined) same.push(entry = { arg, result, number: count++ })
    signatures[i] = entry.number
  }
  return signatures
}

/** Fewer repetitions than this in the last steps are no evidence. */
const minRepetitions = 3

/** The smallest period of the last `length` entries, by the failure function of Knuth, Morris and Pratt. */
const tailPeriod = (signatures: Int32Array, length: number): number | undefined => {
  if (length === 0) return undefined
  const tail = signatures.subarray(signatures.length - length)
  const border = new Int32Array(length)
  for (let i = 1, k = 0; i < length; i++) {
    while (k > 0 && tail[i] !== tail[k]) k = border[k - 1]!
    if (tail[i] === tail[k]) k++
    border[i] = k
  }
  const period = length - border[length - 1]!
  return period * minRepetitions <= length ? period : undefined
}

/** The first step from which everything up to the end repeats with `period`. */
const startOfTail = (signatures: Int32Array, period: number): number => {
  let start = signatures.length - period
  while (start > 0 && signatures[start - 1] === signatures[start - 1 + period]) start--
  return start
}

/**
 * The steps repeat from `tail` on, but the states may need a while to settle: a store that repeats for ever changes
 * its cell once, a saturating counter changes for some rounds. So the loop may begin at once, a round later or half-way.
 */
const findCycle = (model: Model, log: Log, tail: number, period: number): Cycle | undefined => {
  const halfway = tail + Math.trunc((log.length - tail) / period / 2) * period
  for (const cycleStart of [tail, tail + period, halfway]) {
    const cycleLength = stateRecurrence(model, log, cycleStart, period)
    if (cycleLength !== undefined) return { cycleStart, cycleLength }
  }
  return undefined
}

/** The smallest multiple of `period` after which all actors are in the states they had at `start`. */
const stateRecurrence = (model: Model, log: Log, start: number, period: number): number | undefined => {
  const states = new Map<AnyActor, unknown>()
  const stateOf = (actor: AnyActor): unknown => states.has(actor) ? states.get(actor) : actor.initial
  const advance = (from: number, to: number): void => {
    for (let i = from; i < to; i++) {
      const { actor, arg, command } = log.asks[i]!
      if (command.evolve !== undefined) {
        states.set(actor, command.evolve(stateOf(actor), arg, log.results[i], log.threads[i]!))
      }
    }
  }
  advance(0, start)
  const atStart = model.actors.map(stateOf)
  const same = (actor: Actor<unknown>, i: number): boolean => Equal.equals(stateOf(actor), atStart[i])
  for (let length = period; log.length - start >= length; length += period) {
    advance(start + length - period, start + length)
    if (model.actors.every(same)) return length
  }
  return undefined
}
