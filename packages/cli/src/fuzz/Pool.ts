/** Worker threads that share one program: tasks go to whichever is free. */
import type { Job } from "../Subject.ts"
import { Worker } from "node:worker_threads"
import { type Message, type SliceProgress, stopFlags, type Task, type WorkerSetup } from "./protocol.ts"
import type { Explore, Failure } from "@mmrace/core"
import type { ExploreProgress } from "../explore/protocol.ts"

/** The execution number that no slice lies after. */
const never = 0x7fff_ffff

export interface PoolEvents {
  readonly onFailure?: (failure: Failure) => void
  readonly onProgress?: (worker: number, progress: SliceProgress) => void
  /** A failure that an exploration came to, under the name that the exploration gives it. */
  readonly onFound?: (name: string, choices: ReadonlyArray<number>) => void
  readonly onExploring?: (worker: number, progress: ExploreProgress) => void
  readonly onSaved?: (worker: number, checkpoint: Explore.Checkpoint) => void
  readonly onShrink?: (preemptions: number, steps: number, executions: number) => void
}

type Done = Extract<
  Message,
  { readonly _tag: "SliceDone" | "ShrinkDone" | "ShrinkFailed" | "DeterminismDone" | "Explored" | "Split" | "Rounded" }
>

/** A worker's own code failed: a defect of mmrace, or memory ran out. */
export class WorkerError extends Error {}

export class Pool {
  readonly size: number
  events: PoolEvents = {}
  private readonly flags: Int32Array
  private readonly workers: ReadonlyArray<Worker>

  /** `heap`: megabytes that each worker's heap may have; without it what Node thinks fit. */
  constructor(job: Pick<Job, "program" | "kernel">, size: number, heap?: number) {
    this.size = size
    const stop = new SharedArrayBuffer(8)
    this.flags = new Int32Array(stop)
    this.flags[stopFlags.after] = never
    const setup: WorkerSetup = { program: job.program, kernel: String(job.kernel), stop }
    this.workers = Array.from(
      { length: size },
      () =>
        new Worker(new URL("./worker.js", import.meta.url), {
          workerData: setup,
          ...(heap === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heap } })
        })
    )
  }

  /** Tasks under way end as soon as they can, with what they have. */
  stop(): void {
    Atomics.store(this.flags, stopFlags.all, 1)
  }

  /** Ready for further tasks after `stop` or `stopAfter`. */
  resume(): void {
    Atomics.store(this.flags, stopFlags.all, 0)
    Atomics.store(this.flags, stopFlags.after, never)
  }

  get isStopped(): boolean {
    return Atomics.load(this.flags, stopFlags.all) !== 0
  }

  /** Slices that begin after `execution` may end. */
  stopAfter(execution: number): void {
    if (execution < Atomics.load(this.flags, stopFlags.after)) Atomics.store(this.flags, stopFlags.after, execution)
  }

  /** Runs one task on worker `index`, which must be free. Rejects with a WorkerError. */
  run(index: number, task: Task): Promise<Done> {
    const worker = this.workers[index]!
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void): void => {
        worker.off("message", onMessage)
        worker.off("error", onError)
        worker.off("exit", onExit)
        finish()
      }
      const onMessage = (message: Message): void => {
        switch (message._tag) {
          case "Failure":
            return this.events.onFailure?.(message.failure)
          case "Progress":
            return this.events.onProgress?.(index, message.progress)
          case "ShrinkProgress":
            return this.events.onShrink?.(message.cost.preemptions, message.cost.steps, message.executions)
          case "Found":
            return this.events.onFound?.(message.name, message.choices)
          case "Exploring":
            return this.events.onExploring?.(index, message.progress)
          case "Saved":
            return this.events.onSaved?.(index, message.checkpoint)
          case "Broken":
            return settle(() => reject(new WorkerError(message.error)))
          default:
            return settle(() => resolve(message))
        }
      }
      const onError = (error: Error): void => settle(() => reject(new WorkerError(error.stack ?? error.message)))
      const onExit = (code: number): void => settle(() => reject(new WorkerError(`a worker ended with code ${code}`)))
      worker.on("message", onMessage)
      worker.on("error", onError)
      worker.on("exit", onExit)
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread, not a window
      worker.postMessage(task)
    })
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()))
  }
}
