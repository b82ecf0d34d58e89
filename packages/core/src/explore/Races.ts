/**
 * Reversible races of an execution: pairs of steps whose order could have been the other way round, and the sequence
 * that would show it.
 *
 * For a step that may wait, the candidates behind an earlier step before which it could not have run are looked at
 * too: `lock` races with the other thread's `lock`, not with the `unlock` that let it go. Steps that wait for ever at
 * the end of an execution are treated alike, or deadlocks would hide what came before them.
 */
import type { Actor } from "../Actor.ts"
import type { Ask } from "../Ask.ts"
import { exitThread, type ThreadState } from "../Thread.ts"
import { type Dependence } from "./Dependence.ts"
import { dependent, type Footprint, Touched, writing } from "./Footprint.ts"
import type { Moment } from "./Fibers.ts"
import type { Machine } from "./Machine.ts"
import { type Clock, join, type Trace } from "./Trace.ts"

/** One step of a sequence that reverses a race. */
export interface Planned {
  readonly thread: number
  /** For a data choice the number picked; otherwise -1. */
  readonly value: number
  /** What it touches; undefined: not known, it must be taken to depend on everything. */
  readonly footprint: Footprint | undefined
  /** Index in the trace; -1 for the step that is moved to before its race partner. */
  readonly index: number
  /** For the moved step: what comes before it by program order. */
  readonly past: Clock | undefined
}

/** `plan` runs from the state before step `before`: all that does not depend on that step, then the other racer. */
export interface Race {
  readonly before: number
  readonly plan: ReadonlyArray<Planned>
}

export interface RaceOptions {
  /** Put into the plan also what came after the second racer (optimal), or only what came before it (source sets). */
  readonly whole: boolean
  /** For tests: treat steps that wait like all others. */
  readonly ignoreWaiting?: boolean
}

export class Races {
  private readonly machine: Machine
  private readonly trace: Trace
  private readonly dependence: Dependence
  private readonly whole: boolean
  private readonly ignoreWaiting: boolean
  private readonly exitsTold: boolean

  constructor(machine: Machine, trace: Trace, options: RaceOptions) {
    this.machine = machine
    this.trace = trace
    this.dependence = machine.dependence
    this.whole = options.whole
    this.ignoreWaiting = options.ignoreWaiting ?? false
    this.exitsTold = machine.isTold(exitThread as never)
  }

  /** Reversible races of which step `index` is the second. */
  ofStep(index: number): ReadonlyArray<Race> {
    const { modes, moment, places, thread, value } = this.trace.steps[index]!
    return this.find(thread, moment, value, places, modes, index)
  }

  /** Races of what a thread waits in at the end of the execution with the steps that keep it from moving. */
  ofWaiting(thread: number): ReadonlyArray<Race> {
    const pending = this.machine.pending(thread)!
    const touched = new Touched()
    const { actor, command } = pending
    // What it would do to the state is not known: the worst is assumed.
    this.dependence.touch(touched, thread, pending, undefined, actor.state, actor.state)
    const modes = touched.modes.map((mode, i) => i === 0 && command.isWrite ? writing : mode)
    return this.find(thread, this.machine.at[thread]!, -1, touched.places, modes, this.trace.length)
  }

  private find(
    thread: number,
    moment: Moment,
    value: number,
    places: ReadonlyArray<number>,
    modes: ReadonlyArray<number>,
    index: number
  ): ReadonlyArray<Race> {
    const { trace } = this
    const pending = moment.ask!
    const past = trace.clockBefore(thread, index)
    const waits = pending.command.blocked !== undefined
    const candidates = this.candidates(places, modes, index, past, waits)
    if (candidates.length === 0) return none
    const races: Array<Race> = []
    const clock = past.slice()
    for (const candidate of candidates) {
      if (trace.within(candidate, clock)) continue
      const others = this.independentOf(candidate, index)
      if (waits && !this.ignoreWaiting && !this.couldRun(thread, pending, candidate, others)) continue
      join(clock, trace.clocks[candidate]!)
      const moved: Planned = {
        thread,
        value,
        footprint: this.foresee(thread, moment, value, candidate, others),
        index: -1,
        past
      }
      const plan = others.map((k): Planned => {
        const step = trace.steps[k]!
        return { thread: step.thread, value: step.value, footprint: step, index: k, past: undefined }
      })
      plan.push(moved)
      races.push({ before: candidate, plan })
    }
    return races
  }

  /** Conflicting steps before `index`, latest first. */
  candidates(
    places: ReadonlyArray<number>,
    modes: ReadonlyArray<number>,
    index: number,
    past: Clock,
    waits: boolean
  ): ReadonlyArray<number> {
    const found: Array<number> = []
    for (let k = 0; k < places.length; k++) {
      this.trace.conflictsOn(places[k]!, modes[k]!, index, (other, mode) => {
        const known = this.trace.within(other, past)
        if (!known && !found.includes(other)) found.push(other)
        // Everything before a write happens before it. Steps that wait may have to look behind it.
        return mode !== writing || (waits && !known)
      })
    }
    return found.sort((a, b) => b - a)
  }

  /** Steps after `from` that do not happen after it. */
  independentOf(from: number, index: number): ReadonlyArray<number> {
    const { trace } = this
    const { thread } = trace.steps[from]!
    const ordinal = trace.clocks[from]![thread]!
    const end = this.whole ? trace.length : index
    const others: Array<number> = []
    for (let k = from + 1; k < end; k++) if (k !== index && trace.clocks[k]![thread]! < ordinal) others.push(k)
    return others
  }

  /** Whether the ask could proceed before step `from`, once `others` have run. */
  couldRun(thread: number, pending: Ask<unknown>, from: number, others: ReadonlyArray<number>): boolean {
    return !this.machine.isBlocked(
      thread,
      pending,
      this.stateOf(pending.actor, from, others),
      this.killedAt(thread, from, others)
    )
  }

  private killedAt(thread: number, from: number, others: ReadonlyArray<number>): boolean {
    const actor = this.machine.model.threads[thread]!.actor as unknown as Actor<unknown>
    return (this.stateOf(actor, from, others) as ThreadState).killed
  }

  /** The state of an actor before step `from`, once `others` have run. */
  private stateOf(actor: Actor<unknown>, from: number, others: ReadonlyArray<number>): unknown {
    let state = this.stateBefore(actor, from)
    for (const k of others) {
      const { ask, exits, result, thread } = this.trace.steps[k]!
      if (ask.actor === actor && !this.crashed(k) && ask.command.evolve !== undefined) {
        state = ask.command.evolve(state, ask.arg, result, thread)
      }
      if (exits === undefined) continue
      for (const exit of exits) {
        const ended = this.machine.model.threads[exit.thread]!
        if ((ended.actor as unknown) === actor) {
          state = ended.exit.command.evolve!(state, undefined, exit.value, exit.thread)
        }
      }
    }
    return state
  }

  private crashed(index: number): boolean {
    return this.trace.steps[index]!.events === 0
  }

  private stateBefore(actor: Actor<unknown>, from: number): unknown {
    const { steps } = this.trace
    for (let k = from; k < steps.length; k++) {
      const { ask, before, exits } = steps[k]!
      if (ask.actor === actor) return before
      if (exits === undefined) continue
      for (const exit of exits) {
        if ((this.machine.model.threads[exit.thread]!.actor as unknown) === actor) return exit.before
      }
    }
    return actor.state
  }

  /**
   * What the moved step will touch in its new place, where it may act otherwise than it did: a failed trylock may take
   * the lock, a thread may end. Undefined: monitors will hear of it, and what they look at is not known.
   */
  private foresee(
    thread: number,
    moment: Moment,
    value: number,
    from: number,
    others: ReadonlyArray<number>
  ): Footprint | undefined {
    const pending = moment.ask!
    if (this.exitsTold || this.machine.isTold(pending.command)) return undefined
    const touched = new Touched()
    const { actor, arg, command } = pending
    const before = this.stateOf(actor, from, others)
    let result: unknown = undefined
    let after = before
    try {
      if (value >= 0) result = value
      else if (command.decide !== undefined) {
        const killed = this.killedAt(thread, from, others)
        result = command.decide(before, arg, { id: thread, name: this.machine.model.threads[thread]!.name, killed })
      }
      if (command.evolve !== undefined) after = command.evolve(before, arg, result, thread)
    } catch {
      // It will throw there too: it changes nothing, and its thread stops.
      this.dependence.touch(touched, thread, pending, undefined, before, before)
      return touched
    }
    this.dependence.touch(touched, thread, pending, result, before, after)
    const { ended } = this.machine.fibers.after(moment, result)
    if (ended?._tag === "Returned") this.dependence.touchExit(touched, thread)
    return touched
  }
}

const none: ReadonlyArray<never> = []

/** Step `a` of a plan must stay before step `b` of it. */
export const precedes = (trace: Trace, a: Planned, b: Planned): boolean => {
  if (b.index >= 0) return a.index >= 0 && trace.before(a.index, b.index)
  return a.index >= 0 && (trace.within(a.index, b.past!) || apart(a.footprint, b.footprint))
}

/** The footprints are dependent, or not known well enough to say. */
export const apart = (a: Footprint | undefined, b: Footprint | undefined): boolean =>
  a === undefined || b === undefined || dependent(a, b)
