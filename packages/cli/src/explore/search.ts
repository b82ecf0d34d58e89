/**
 * An exploration on worker threads. The first executions are done as one task; a tree that is larger is split into
 * parts, and parts that turn out to be large are split again. Where it is split depends on counts of executions only, and
 * results are put together in the order of the tree: they do not depend on the workers, nor on where it was interrupted.
 */
import { Explore } from "@mmrace/core"
import type { Pool } from "../fuzz/Pool.ts"
import { type Ending, type ExploreProgress, isLasting, isTree, type Plan } from "./protocol.ts"

/** One part of the tree. */
export interface Part {
  readonly task: Explore.Task
  /** How often the tree was split to get it. */
  readonly level: number
  /** Where it stands when it was laid aside. */
  saved?: Explore.Checkpoint | undefined
  /** Its result, once there is one. */
  explored?: Explore.Explored | undefined
  /** What it showed until it was laid aside. */
  partial?: Explore.Explored | undefined
}

/** Parts of the whole tree, and of one that turned out to be large. */
const parts = [64, 16]
/** Executions of the first task, and how many times more at each level below. */
export const firstBudget = 2000
const growth = 10
/** Parts that were split so often are explored to their end. */
const lastLevel = 4

/** Who does the work: a pool, or something like it. */
export type Workers = Pick<Pool, "events" | "isStopped" | "run" | "size" | "stop">

export interface SearchOptions {
  readonly plan: Plan
  /** Executions of the first task; default `firstBudget`. With state matching: states at most; default no limit. */
  readonly budget?: number
  /** Bytes that each worker may use. */
  readonly memory: number
  /** Seconds between two checkpoints. */
  readonly pause: number
  /** What is left of an earlier run. */
  readonly parts: ReadonlyArray<Part> | undefined
  /** A failure under the name that the exploration gives it, and choices that lead to it; the same one may come again. */
  readonly onFound: (name: string, choices: ReadonlyArray<number>) => void
  /** Called now and then, with what every worker is at. */
  readonly onProgress: (progress: Progress) => void
  /** Called when `pause` has gone by; `parts` can be saved. */
  readonly onCheckpoint: (parts: ReadonlyArray<Part>) => void
}

export interface Progress extends ExploreProgress {
  /** Parts explored, and known. */
  readonly done: number
  readonly parts: number
}

export interface Searched {
  readonly explored: Explore.Explored
  /** To go on with; undefined when there is nothing left or the exploration cannot be continued. */
  readonly left: ReadonlyArray<Part> | undefined
  readonly ending: Ending | "broken"
  /** With `ending` broken: the worker's own words. */
  readonly broken: string | undefined
}

export class Search {
  private readonly pool: Workers
  private readonly options: SearchOptions
  private list: ReadonlyArray<Part>
  private readonly running = new Map<number, Part>()
  private readonly progress = new Map<number, ExploreProgress>()
  private ending: Ending | "broken" = "done"
  private broken: string | undefined = undefined
  /** Executions of parts that were split: they are done once more. */
  private repeated = 0
  private savedAt = performance.now()
  private settle: () => void = () => {}

  constructor(pool: Workers, options: SearchOptions) {
    this.pool = pool
    this.options = options
    this.list = options.parts ?? [{ task: Explore.wholeTree, level: 0 }]
  }

  /** Until everything is explored, or the pool is stopped. */
  async run(): Promise<Searched> {
    this.pool.events = {
      onFound: this.options.onFound,
      onExploring: (worker, progress) => {
        this.progress.set(worker, progress)
        this.options.onProgress(this.sum())
      },
      onSaved: (worker, checkpoint) => this.keep(worker, checkpoint)
    }
    await new Promise<void>((resolve) => {
      this.settle = resolve
      this.assign()
    })
    this.pool.events = {}
    const { plan } = this.options
    const results = this.list.flatMap((part) => part.explored ?? part.partial ?? [])
    const explored = Explore.merge(results, plan)
    const isDone = this.failedAt() >= 0 || this.list.every(isExplored)
    return {
      explored,
      left: !isDone && isLasting(plan) ? this.list : undefined,
      ending: isDone && this.ending === "stopped" ? "done" : this.ending,
      broken: this.broken
    }
  }

  /** Gives work to the workers that have none. */
  private assign(): void {
    const failed = this.failedAt()
    if (failed >= 0 && [...this.running.values()].every((part) => this.list.indexOf(part) > failed)) this.pool.stop()
    if (!this.pool.isStopped) {
      for (let worker = 0; worker < this.pool.size; worker++) {
        if (this.running.has(worker)) continue
        const part = this.list.find((p, i) =>
          !isExplored(p) && ![...this.running.values()].includes(p) && (failed < 0 || i < failed)
        )
        if (part === undefined) break
        void this.explore(worker, part)
      }
    }
    if (this.running.size === 0) this.settle()
  }

  /** With `untilFailure`: the first part that failed. */
  private failedAt(): number {
    if (!this.options.plan.untilFailure) return -1
    return this.list.findIndex((part) => part.explored?.verdict._tag === "Violated")
  }

  private async explore(worker: number, part: Part): Promise<void> {
    this.running.set(worker, part)
    const { memory, pause, plan } = this.options
    try {
      const done = await this.pool.run(worker, {
        _tag: "Explore",
        plan,
        task: part.task,
        resume: part.saved,
        budget: this.budgetOf(part),
        parts: parts[part.level] ?? parts.at(-1)!,
        pause,
        memory
      })
      if (done._tag === "Split") this.replace(part, done.tasks)
      else if (done._tag === "Explored") this.take(part, done.explored, done.ending)
    } catch (error) {
      this.broken ??= error instanceof Error ? error.message : String(error)
      this.end("broken")
    }
    this.running.delete(worker)
    this.progress.delete(worker)
    this.assign()
  }

  private budgetOf({ level }: Part): number | undefined {
    const { budget, plan } = this.options
    if (!isTree(plan)) return budget
    return level >= lastLevel ? undefined : (budget ?? firstBudget) * growth ** level
  }

  private replace(part: Part, tasks: ReadonlyArray<Explore.Task>): void {
    this.repeated += this.budgetOf(part) ?? 0
    this.list = this.list.flatMap((p) => p === part ? tasks.map((task) => ({ task, level: part.level + 1 })) : [p])
  }

  private take(part: Part, explored: Explore.Explored, ending: Ending): void {
    part.saved = explored.checkpoint
    part.partial = ending === "done" ? undefined : explored
    part.explored = ending === "done" ? explored : undefined
    if (ending !== "done") this.end(ending)
  }

  /** A worker says where it is, and goes on. */
  private keep(worker: number, checkpoint: Explore.Checkpoint): void {
    const part = this.running.get(worker)
    if (part === undefined) return
    part.saved = checkpoint
    const now = performance.now()
    // The workers come one after the other.
    if ((now - this.savedAt) / 1000 < this.options.pause / 2) return
    this.savedAt = now
    this.options.onCheckpoint(this.list)
  }

  private end(why: Ending | "broken"): void {
    if (this.ending === "done") this.ending = why
    this.pool.stop()
  }

  private sum(): Progress {
    let executions = this.repeated
    let states = 0
    let steps = 0
    let fraction: number | undefined = 0
    let memory = 0
    for (const { explored, task } of this.list) {
      if (explored === undefined) continue
      executions += explored.counts.executions
      states += explored.counts.states
      steps += explored.counts.steps
      fraction += task.share
    }
    for (const [worker, running] of this.progress) {
      executions += running.executions
      states += running.states
      steps += running.steps
      memory += running.memory
      fraction = running.fraction === undefined || fraction === undefined
        ? undefined
        : fraction + running.fraction * (this.running.get(worker)?.task.share ?? 0)
    }
    return {
      executions,
      states,
      steps,
      fraction,
      memory,
      done: this.list.filter(isExplored).length,
      parts: this.list.length
    }
  }
}

const isExplored = ({ explored }: Part): boolean => explored !== undefined
