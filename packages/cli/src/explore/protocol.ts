/** What the main thread asks workers to explore, and what they answer. Plain data. */
import type { Explore } from "@mmrace/core"

export type Reduction = Explore.Reduction

/** What an exploration is, whoever works on it. */
export interface Plan {
  readonly reduction: Reduction
  /** With one: level by level, in the order of this cost, up to `bound` if there is one. */
  readonly cost: Explore.Cost | undefined
  readonly bound: number | undefined
  readonly untilFailure: boolean
  readonly maxSteps: number
}

/** Whether it can be interrupted and resumed. */
export const isLasting = ({ cost, reduction }: Plan): boolean => cost === undefined && reduction !== "states"

/** Whether the tree of executions is explored, which can be split, or the graph of states. */
export const isTree = ({ cost, reduction }: Plan): boolean =>
  cost === undefined && (reduction === "optimal" || reduction === "source")

/** Whether two workers can explore it with states that they share. */
export const isShared = ({ cost, reduction }: Plan): boolean => cost === undefined && reduction === "stateful"

export interface ExploreRequest {
  readonly plan: Plan
  readonly task: Explore.Task
  readonly resume: Explore.Checkpoint | undefined
  /** After so many executions the task is split instead, into `parts`. With state matching: after so many states it ends. */
  readonly budget: number | undefined
  readonly parts: number
  /** Seconds from one checkpoint to the next. */
  readonly pause: number | undefined
  /** Bytes that this worker may use. */
  readonly memory: number
}

/** To one of two explorations that share states: go on. The worker keeps it until it is to end. */
export interface RoundRequest {
  readonly role: Explore.Role
  readonly plan: Plan
  /** Where the leader begins. */
  readonly resume: Explore.Checkpoint | undefined
  /** What the other one found since the last round. */
  readonly news: Explore.News | undefined
  /** The other one is to hear what came out. */
  readonly tells: boolean
  /** At most; undefined: none, and to end. A leader then says what came out. */
  readonly steps: number | undefined
  readonly pause: number | undefined
  /** Bytes that it may use. */
  readonly memory: number
  /** States that it may know. */
  readonly states: number
}

/** Why a worker is done with a request. */
export type Ending =
  /** Nothing is left to explore in it, or there was a failure and one was enough. */
  | "done"
  | "stopped"
  | "memory"
  /** Of an exploration that cannot be split: its budget. */
  | "spent"

export interface ExploreProgress {
  readonly executions: number
  readonly states: number
  readonly steps: number
  readonly fraction: number | undefined
  /** Bytes in use. */
  readonly memory: number
}

export type ExploreMessage =
  | { readonly _tag: "Found"; readonly name: string; readonly choices: ReadonlyArray<number> }
  | { readonly _tag: "Exploring"; readonly progress: ExploreProgress }
  | { readonly _tag: "Saved"; readonly checkpoint: Explore.Checkpoint }

export interface Rounded {
  readonly _tag: "Rounded"
  /** "spent" when there were no more steps to do. */
  readonly ending: Ending
  /** States known to have been explored. */
  readonly states: number
  readonly news: Explore.News | undefined
}

export type ExploreDone =
  | { readonly _tag: "Explored"; readonly explored: Explore.Explored; readonly ending: Ending }
  /** The budget was spent: these are to be explored in its place. */
  | { readonly _tag: "Split"; readonly tasks: ReadonlyArray<Explore.Task> }
  | Rounded
