/** What the main thread and its workers tell each other. Plain data, apart from the shared stop flags. */
import type { Program } from "@mmrace/actors"
import type { Cost, Failure, Shrunk, Slice, SliceResult } from "@mmrace/core"
import type { ExploreDone, ExploreMessage, ExploreRequest, RoundRequest } from "../explore/protocol.ts"

export interface WorkerSetup {
  readonly program: Program
  /** As `Kernel.parse` reads it. */
  readonly kernel: string
  /** Two 32-bit numbers, see `stopFlags`. */
  readonly stop: SharedArrayBuffer
}

/** Where the numbers in `WorkerSetup.stop` are. */
export const stopFlags = {
  /** Not 0: end the task with what there is. */
  all: 0,
  /** Slices that begin after this execution end: an earlier one has failed already. */
  after: 1
} as const

export interface ShrinkRequest {
  readonly choices: ReadonlyArray<number>
  readonly id: string
  readonly maxSteps: number
  /** Shrink the program too. */
  readonly program: boolean
}

export interface ShrinkResult {
  readonly shrunk: Shrunk
  /** The program that the schedule belongs to. */
  readonly program: Program
  /** Smaller programs tried and accepted; 0 when only the schedule was shrunk. */
  readonly tried: number
  readonly accepted: number
}

export interface DeterminismRequest {
  readonly seed: number
  readonly strategy: string
  readonly runs: number
  readonly maxSteps: number
}

export type Task =
  | { readonly _tag: "Slice"; readonly slice: Slice }
  | ({ readonly _tag: "Shrink" } & ShrinkRequest)
  | ({ readonly _tag: "Determinism" } & DeterminismRequest)
  | ({ readonly _tag: "Explore" } & ExploreRequest)
  | ({ readonly _tag: "Round" } & RoundRequest)

export interface SliceProgress {
  readonly executions: number
  readonly steps: number
  readonly pairs: number
  readonly classes: number
}

export type Message =
  | { readonly _tag: "Failure"; readonly failure: Failure }
  | { readonly _tag: "Progress"; readonly progress: SliceProgress }
  | { readonly _tag: "ShrinkProgress"; readonly cost: Cost; readonly executions: number }
  | { readonly _tag: "SliceDone"; readonly result: SliceResult }
  | { readonly _tag: "ShrinkDone"; readonly result: ShrinkResult }
  /** The schedule does not fail here, or not in this way. */
  | { readonly _tag: "ShrinkFailed"; readonly message: string }
  /** `message`: the first difference; undefined when there is none. */
  | { readonly _tag: "DeterminismDone"; readonly message: string | undefined; readonly execution: number }
  | ExploreMessage
  | ExploreDone
  /** The worker's own code threw. */
  | { readonly _tag: "Broken"; readonly error: string }
