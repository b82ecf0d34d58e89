/** Worker threads that share one program: tasks go to whichever is free. */
import type { Job } from "../Subject.ts"
import { Worker } from "node:worker_threads"
import { type Message, type SliceProgress, stopFlags, type Task, type WorkerSetup } from "./protocol.ts"
import type { Failure } from "@mmrace/core"

/** The execution number that no slice lies after. */
const never = 0x7fff_ffff

export interface PoolEvents {
  readonly onFailure?: (failure: Failure) => void
  readonly onProgress?: (worker: number, progress: SliceProgress) => void
  readonly onShrink?: (preemptions: number, steps: number, executions: number) => void
}

type Done = Extract<Message, { readonly _tag: "SliceDone" | "ShrinkDone" | "ShrinkFailed" | "DeterminismDone" }>

/** A worker's own code failed: a defect of mmrace, or memory ran out. */
export class WorkerError extends Error {}

export class Pool {
  readonly size: number
  events: PoolEvents = {}
  private readonly flags: Int32Array
  private readonly workers: ReadonlyArray<Worker>

  constructor(job: Pick<Job, "program" | "kernel">, size: number) {
    this.size = size
    const stop = new SharedArrayBuffer(8)
    this.flags = new Int32Array(stop)
    this.flags[stopFlags.after] = never
    const setup: WorkerSetup = { program: job.program, kernel: String(job.kernel), stop }
    this.workers = Array.from(
      { length: size },
      () => new Worker(new URL("./worker.js", import.meta.url), { workerData: setup })
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
