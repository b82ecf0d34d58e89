/**
 * What executions can end in, one witness each: the failures of an execution class and, when it has none, what the
 * caller makes of its final states.
 */
import type { Model } from "../Model.ts"
import { failureId, type Verdict } from "../Verdict.ts"
import type { Happened, Machine } from "./Machine.ts"
import { type Clock, covers, join, type Trace } from "./Trace.ts"
import { type Move, type Witness, witnessOf, type WitnessOptions } from "./Witness.ts"

/** The end of an execution, for naming its outcome. Actors hold their final states. */
export interface Final {
  /** What the thread's code returned; undefined when it has not ended. */
  returned(thread: number): unknown
}

/** The name of the outcome of executions that were cut for their length. */
export const stepLimit = "step-limit"

const initial = "initial"
/** How the `failureId` of a deadlock begins. */
const circle = "deadlock:"

export interface Outcome extends Witness {
  /** `failureId` of the verdict, or what `outcomeOf` said of a clean end. */
  readonly name: string
  readonly failed: boolean
  /** Executions explored that ended so. With reductions: how many were needed, not how many there are. */
  readonly count: number
}

type Lasso = Verdict & { readonly _tag: "Livelock" }

export interface SavedOutcomes {
  readonly failed: boolean
  readonly moves: ReadonlyArray<readonly [string, ReadonlyArray<Move>]>
  readonly counts: ReadonlyArray<readonly [string, number]>
  readonly lassos: ReadonlyArray<readonly [string, Lasso]>
}

export interface OutcomeOptions extends WitnessOptions {
  readonly outcomeOf: (final: Final) => string
  /** Names of clean ends that are failures all the same. */
  readonly isFailure?: ((outcome: string) => boolean) | undefined
  /** Told of each failure when it is first seen, with the moves that lead to it. */
  readonly found?: ((name: string, moves: ReadonlyArray<Move>) => void) | undefined
}

export class Outcomes {
  /** Some failure was seen. */
  failed = false
  private readonly moves = new Map<string, ReadonlyArray<Move>>()
  private readonly counts = new Map<string, number>()
  /** Livelocks, whose moves go once round. */
  private readonly lassos = new Map<string, Lasso>()
  private told: { readonly counts: ReadonlyMap<string, number>; readonly names: ReadonlySet<string> } = {
    counts: new Map(),
    names: new Set()
  }
  private readonly model: Model
  private readonly options: OutcomeOptions

  constructor(model: Model, options: OutcomeOptions) {
    this.model = model
    this.options = options
  }

  /**
   * Notes what the execution at whose end the machine stands shows. A class whose executions fail can fail in several
   * ways: which failure comes first depends on the order of independent steps. Those that no other failure must
   * precede can each be the first; each gets as a witness just the steps that lead to it.
   */
  note(machine: Machine, trace: Trace, end: "complete" | "blocked" | "step-limit" | "cut"): void {
    const failures = this.failuresOf(machine, trace, end)
    const first = failures.filter((f) => !failures.some((other) => other !== f && precedes(other, f)))
    for (const failure of first) {
      // A blocked execution is a part of one that is counted where it runs to its end.
      this.keep(failureId(failure.verdict)!, () => movesOf(trace, failure.past), true, end === "blocked" ? 0 : 1)
    }
    if (failures.length > 0) return
    if (end === "step-limit") this.keep(stepLimit, () => movesOf(trace))
    else if (end === "complete") this.keepClean(machine, () => movesOf(trace))
  }

  /** Nothing can run: the threads fail before their first ask. The executor will say how. */
  noteInitial(): void {
    this.keep(initial, () => [], true)
  }

  /** Notes one execution that ended in `verdict` exactly as the executor would see it. */
  noteExecution(machine: Machine, verdict: Verdict | "step-limit", moves: () => ReadonlyArray<Move>): void {
    if (verdict === "step-limit") return this.keep(stepLimit, moves)
    const name = failureId(verdict)
    if (verdict._tag === "Livelock" && !this.lassos.has(name!)) this.lassos.set(name!, verdict)
    if (name === undefined) this.keepClean(machine, moves)
    else this.keep(name, moves, true)
  }

  /** What has been noted so far, as plain JSON. */
  save(): SavedOutcomes {
    return { failed: this.failed, moves: [...this.moves], counts: [...this.counts], lassos: [...this.lassos] }
  }

  load(saved: SavedOutcomes): void {
    this.failed = saved.failed
    for (const [name, moves] of saved.moves) this.moves.set(name, moves)
    for (const [name, count] of saved.counts) this.counts.set(name, count)
    for (const [name, lasso] of saved.lassos) this.lassos.set(name, lasso)
  }

  /** What was noted since this was last called, as plain JSON. */
  news(): SavedOutcomes {
    const now = this.save()
    const { counts, names } = this.told
    this.told = { counts: new Map(now.counts), names: new Set(this.moves.keys()) }
    return {
      failed: this.failed,
      moves: now.moves.filter(([name]) => !names.has(name)),
      counts: now.counts.flatMap(([name, count]) => {
        const more = count - (counts.get(name) ?? 0)
        return more === 0 ? [] : [[name, more] as const]
      }),
      lassos: now.lassos.filter(([name]) => !names.has(name))
    }
  }

  /** What another exploration of the model has noted. */
  learn(news: SavedOutcomes): void {
    if (news.failed) this.failed = true
    for (const [name, moves] of news.moves) {
      if (this.moves.has(name)) continue
      this.moves.set(name, moves)
      const lasso = news.lassos.find(([of]) => of === name)
      if (lasso !== undefined) this.lassos.set(...lasso)
    }
    for (const [name, count] of news.counts) this.counts.set(name, (this.counts.get(name) ?? 0) + count)
  }

  /** Runs the witnesses in the executor. Call with the machine closed. */
  settle(): ReadonlyArray<Outcome> {
    const settled = new Map<string, Outcome>()
    for (const [found, moves] of this.moves) {
      const lasso = this.lassos.get(found)
      const witness = lasso === undefined
        ? witnessOf(this.model, moves, this.options)
        : { ...witnessOf(this.model, moves, { ...this.options, maxSteps: lasso.step }), verdict: lasso }
      const failed = witness.verdict._tag === "Ok"
        ? this.options.isFailure?.(found) === true
        : witness.verdict._tag !== "StepLimit"
      const real = failureId(witness.verdict)
      // Several circles can close with one step: the executor says which of them it reports.
      const closes = witness.verdict._tag === "Deadlock" && found.startsWith(circle)
      const differs = found !== initial && !closes
      if (differs && (real ?? found) !== found) {
        throw new Error(`the exploration found "${found}" but the execution of its witness ends in "${real}"`)
      }
      const name = real ?? found
      const count = this.counts.get(found)! + (settled.get(name)?.count ?? 0)
      settled.set(name, { ...(settled.get(name) ?? witness), name, failed, count })
    }
    return [...settled.values()]
  }

  private keepClean(machine: Machine, moves: () => ReadonlyArray<Move>): void {
    const name = this.options.outcomeOf(finalOf(machine))
    this.keep(name, moves, this.options.isFailure?.(name) === true)
  }

  private keep(name: string, moves: () => ReadonlyArray<Move>, failed = false, executions = 1): void {
    if (failed) this.failed = true
    const count = this.counts.get(name)
    this.counts.set(name, (count ?? 0) + executions)
    if (count !== undefined) return
    const way = moves()
    this.moves.set(name, way)
    if (failed) this.options.found?.(name, way)
  }

  private failuresOf(
    machine: Machine,
    trace: Trace,
    end: "complete" | "blocked" | "step-limit" | "cut"
  ): Array<Failure> {
    const failures: Array<Failure> = []
    trace.steps.forEach((step, i) => {
      if (step.failure === undefined) return
      failures.push({ verdict: step.failure, order: i, past: trace.clocks[i]!, isLate: step.isLate })
    })
    const cycles = this.options.partialDeadlocks ? machine.cycles() : []
    for (const cycle of cycles) {
      const past = machine.at.map(() => 0)
      for (const thread of cycle) join(past, trace.clockBefore(thread))
      failures.push({ verdict: machine.deadlockOf(cycle), order: failures.length, past })
    }
    if (cycles.length === 0 && end === "complete" && failures.length === 0) {
      const verdict = machine.end(this.options.partialDeadlocks)
      if (verdict._tag !== "Ok") failures.push({ verdict, order: 0, past: undefined })
    }
    return failures
  }
}

interface Failure {
  readonly verdict: Verdict
  /** Its place among those found, for telling apart what comes to the same. */
  readonly order: number
  /** What must have happened for it; undefined: everything. */
  readonly past: Clock | undefined
  /** It showed when the thread of the step ran on. */
  readonly isLate?: boolean
}

/** Whenever `b` shows, `a` has shown before. Of two that come with the same step, what the executor looks at first. */
const precedes = (a: Failure, b: Failure): boolean => {
  if (a.past === undefined) return false
  if (b.past === undefined) return true
  if (!covers(b.past, a.past)) return false
  return !covers(a.past, b.past) || rank(a) < rank(b)
}

/** In the order of `Machine.failureOf`. */
const rank = ({ isLate, order, verdict }: Failure): number =>
  (verdict._tag === "Deadlock" ? 1 : isLate === true ? 2 : 0) * 2 ** 20 + order

/** The steps within a past, in their order. */
const movesOf = (trace: Trace, past?: Clock): ReadonlyArray<Move> =>
  trace.steps.flatMap((step: Happened, i) =>
    past === undefined || trace.within(i, past) ? [{ thread: step.thread, value: step.value }] : []
  )

const finalOf = (machine: Machine): Final => ({
  returned: (thread) => {
    const ended = machine.at[thread]?.ended
    return ended?._tag === "Returned" ? ended.value : undefined
  }
})
