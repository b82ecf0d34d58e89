/**
 * The execution being explored, as a stack of steps with their happens-before: vector clocks by the dependence
 * relation, kept as steps come and go.
 */
import { conflicting, writing } from "./Footprint.ts"
import type { Log } from "../Execution.ts"
import type { Model } from "../Model.ts"
import type { Happened, Machine } from "./Machine.ts"

/** Clock: for each thread, how many of its steps happen before or are this step. */
export type Clock = Array<number>

/** Steps that touched one place, in their order. */
interface Visits {
  readonly steps: Array<number>
  readonly modes: Array<number>
  /** Index of the latest visit before this one in another mode; -1 when there is none. Places are read in long runs. */
  readonly others: Array<number>
}

/** From index `i` down, the latest visit that conflicts with a mode; -1 when there is none. */
const conflictFrom = ({ modes, others }: Visits, i: number, mode: number): number =>
  i < 0 || conflicting(mode, modes[i]!) ? i : others[i]!

export class Trace {
  readonly steps: Array<Happened> = []
  readonly clocks: Array<Clock> = []
  private readonly threads: number
  /** Per thread: indices of its steps. */
  readonly byThread: ReadonlyArray<Array<number>>
  /** Per place: indices of the steps that touched it, and in which mode. */
  private readonly byPlace: Array<Visits | undefined> = []
  /** Per thread: the step that started it; -1 at the beginning. */
  private readonly bornBy: Int32Array

  constructor(machine: Machine) {
    this.threads = machine.model.threads.length
    this.byThread = machine.model.threads.map(() => [])
    this.bornBy = new Int32Array(this.threads).fill(-1)
  }

  get length(): number {
    return this.steps.length
  }

  push(step: Happened): void {
    const index = this.steps.length
    const clock = this.clockBefore(step.thread)
    this.joinPlaces(clock, step)
    const own = this.byThread[step.thread]!
    own.push(index)
    clock[step.thread] = own.length
    this.steps.push(step)
    this.clocks.push(clock)
    for (let i = 0; i < step.places.length; i++) {
      const { modes, others, steps } = this.byPlace[step.places[i]!] ??= { steps: [], modes: [], others: [] }
      const mode = step.modes[i]!
      const last = steps.length - 1
      others.push(last < 0 || modes[last] !== mode ? last : others[last]!)
      steps.push(index)
      modes.push(mode)
    }
    if (step.spawned >= 0) this.bornBy[step.spawned] = index
  }

  pop(): Happened {
    const step = this.steps.pop()!
    this.clocks.pop()
    this.byThread[step.thread]!.pop()
    for (const at of step.places) {
      const place = this.byPlace[at]!
      place.steps.pop()
      place.modes.pop()
      place.others.pop()
    }
    if (step.spawned >= 0) this.bornBy[step.spawned] = -1
    return step
  }

  /** Some step from `first` on is one that the model calls progress. */
  makesProgress({ progress }: Model, first: number): boolean {
    if (progress === undefined) return false
    const log: Log = {
      length: this.steps.length,
      threads: this.steps.map((step) => step.thread),
      asks: this.steps.map((step) => step.ask),
      results: this.steps.map((step) => step.result)
    }
    return this.steps.some((_, i) => i >= first && progress(log, i))
  }

  /** Step `a` happens before (or is) step `b`. */
  before(a: number, b: number): boolean {
    return this.within(a, this.clocks[b]!)
  }

  /** Step `a` lies in the past that the clock describes. */
  within(a: number, clock: Clock): boolean {
    const { thread } = this.steps[a]!
    return clock[thread]! >= this.clocks[a]![thread]!
  }

  /** What happens before the next step of a thread by program order alone. A fresh copy. */
  clockBefore(thread: number, until = this.steps.length): Clock {
    const own = this.byThread[thread]!
    let last = own.length - 1
    while (last >= 0 && own[last]! >= until) last--
    const from = last >= 0 ? own[last]! : this.bornBy[thread]!
    return from < 0 ? Array.from({ length: this.threads }, () => 0) : this.clocks[from]!.slice()
  }

  /**
   * Earlier steps of other threads that touched a place in a conflicting mode, latest first. `visit` returns false to
   * stop. Steps before index `until` only.
   */
  conflictsOn(place: number, mode: number, until: number, visit: (index: number, mode: number) => boolean): void {
    const visits = this.byPlace[place]
    if (visits === undefined) return
    const { modes, steps } = visits
    for (let i = conflictFrom(visits, steps.length - 1, mode); i >= 0; i = conflictFrom(visits, i - 1, mode)) {
      if (steps[i]! < until && !visit(steps[i]!, modes[i]!)) return
    }
  }

  /** The latest step that touched a place in a conflicting mode; -1 when none did. */
  lastConflictOn(place: number, mode: number): number {
    const visits = this.byPlace[place]
    if (visits === undefined) return -1
    const i = conflictFrom(visits, visits.steps.length - 1, mode)
    return i < 0 ? -1 : visits.steps[i]!
  }

  private joinPlaces(clock: Clock, step: Happened): void {
    for (let k = 0; k < step.places.length; k++) {
      const mode = step.modes[k]!
      const visits = this.byPlace[step.places[k]!]
      if (visits === undefined) continue
      const { modes, steps } = visits
      // All steps of an older run happen before each step of a younger one: the first conflicting run is enough.
      const first = conflictFrom(visits, steps.length - 1, mode)
      for (let i = first; i >= 0 && modes[i] === modes[first]; i--) {
        const index = steps[i]!
        if (!this.within(index, clock)) join(clock, this.clocks[index]!)
        if (modes[i] === writing) break
      }
    }
  }
}

export const join = (clock: Clock, by: Clock): void => {
  for (let i = 0; i < clock.length; i++) if (by[i]! > clock[i]!) clock[i] = by[i]!
}

/** Everything `past` covers is covered by `clock`. */
export const covers = (clock: Clock, past: Clock): boolean => {
  for (let i = 0; i < clock.length; i++) if (past[i]! > clock[i]!) return false
  return true
}
