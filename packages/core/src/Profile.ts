/**
 * What earlier executions of a campaign showed about the program: sizes that strategies such as PCT and SURW
 * need. Updated only between rounds, in execution order, so that it does not depend on the number of workers.
 */
import type { AnyActor } from "./Actor.ts"
import { type Ask, locationOf } from "./Ask.ts"
import type { Log } from "./Execution.ts"
import type { Model } from "./Model.ts"
import { exitThread, spawnThread } from "./Thread.ts"

/** Plain data: it crosses to workers as it is. */
export interface Profile {
  /** Most threads seen in one execution. */
  readonly threads: number
  /** Most steps seen in one execution. */
  readonly steps: number
  /** Most scheduling points with a real choice (two or more enabled) in an execution that came to its end. */
  readonly choices: number
  /** Steps of each thread by thread id (maximum seen). */
  readonly stepsOf: ReadonlyArray<number>
  /** The thread that spawned each thread, -1 for one that runs from the start or was never spawned. */
  readonly parentOf: ReadonlyArray<number>
  /** Steps of each thread on each location touched by two or more threads: location -> counts by thread id. */
  readonly sharedSteps: ReadonlyMap<number, ReadonlyArray<number>>
  /** How many of these steps write; for the same locations. */
  readonly sharedWrites: ReadonlyMap<number, ReadonlyArray<number>>
}

/** Nothing known yet. */
export const emptyProfile: Profile = {
  threads: 0,
  steps: 0,
  choices: 0,
  stepsOf: [],
  parentOf: [],
  sharedSteps: new Map(),
  sharedWrites: new Map()
}

/** Gathers a profile over executions. Maxima only, so the order of executions does not matter. */
export class ProfileBuilder {
  private threads = 0
  private steps = 0
  private choices = 0
  private readonly stepsOf: Array<number> = []
  private readonly parentOf: Array<number> = []
  /** All touched locations; those of one thread only are left out in the end. */
  private readonly touched = new Map<number, Array<number>>()
  private readonly written = new Map<number, Array<number>>()

  /** The sizes of one execution: cheap enough for every one. */
  size(steps: number, contested: number): void {
    this.steps = Math.max(this.steps, steps)
    this.choices = Math.max(this.choices, contested)
  }

  /** The events of one execution in detail. */
  read(model: Model, log: Log): void {
    const threadCount = model.threads.length
    const steps = zeros(threadCount)
    const touched = new Map<number, Array<number>>()
    const written = new Map<number, Array<number>>()
    const moved = new Set<number>()
    for (let i = 0; i < log.length; i++) {
      const thread = log.threads[i]!
      const ask = log.asks[i]!
      // An exit is no scheduling point of its own: strategies never see it.
      if (ask.command === (exitThread as unknown)) continue
      moved.add(thread)
      steps[thread]!++
      count(touched, threadCount, thread, ask)
      if (ask.command.isWrite) count(written, threadCount, thread, ask)
      if (ask.command === (spawnThread as unknown)) {
        const child = model.threads.findIndex((t) => (t.actor as unknown as AnyActor) === ask.actor)
        this.noteParent(child, thread)
      }
    }
    this.threads = Math.max(this.threads, moved.size)
    raise(this.stepsOf, steps)
    raiseAll(this.touched, touched)
    raiseAll(this.written, written)
  }

  merge(profile: Profile): void {
    this.threads = Math.max(this.threads, profile.threads)
    this.size(profile.steps, profile.choices)
    raise(this.stepsOf, profile.stepsOf)
    profile.parentOf.forEach((parent, child) => this.noteParent(child, parent))
    raiseAll(this.touched, profile.sharedSteps)
    raiseAll(this.written, profile.sharedWrites)
  }

  /** With `all`, also locations that one thread alone touched: another slice may know the second one. */
  build(all = false): Profile {
    const sharedSteps = [...this.touched]
      .filter(([, counts]) => all || counts.filter((n) => n > 0).length >= 2)
      .sort(([a], [b]) => a - b)
    return {
      threads: this.threads,
      steps: this.steps,
      choices: this.choices,
      stepsOf: [...this.stepsOf],
      parentOf: [...this.parentOf],
      sharedSteps: new Map(sharedSteps.map(([location, counts]) => [location, [...counts]])),
      sharedWrites: new Map(
        sharedSteps.map(([location, counts]) => [
          location,
          counts.map((_, thread) => this.written.get(location)?.[thread] ?? 0)
        ])
      )
    }
  }

  /** Of several spawners the one with the lowest id counts: the same whatever the order. */
  private noteParent(child: number, parent: number): void {
    if (child < 0) return
    while (this.parentOf.length <= child) this.parentOf.push(-1)
    const known = this.parentOf[child]!
    if (parent >= 0 && (known < 0 || parent < known)) this.parentOf[child] = parent
  }
}

const zeros = (length: number): Array<number> => Array.from({ length }, () => 0)

const count = (touched: Map<number, Array<number>>, threads: number, thread: number, ask: Ask<unknown>): void => {
  const location = locationOf(ask)
  let counts = touched.get(location)
  if (counts === undefined) touched.set(location, counts = zeros(threads))
  counts[thread]!++
}

const raise = (into: Array<number>, by: ReadonlyArray<number>): void => {
  by.forEach((value, index) => {
    into[index] = Math.max(into[index] ?? 0, value)
  })
}

const raiseAll = (into: Map<number, Array<number>>, by: ReadonlyMap<number, ReadonlyArray<number>>): void => {
  for (const [location, counts] of by) {
    const known = into.get(location)
    if (known === undefined) into.set(location, [...counts])
    else raise(known, counts)
  }
}
