/**
 * Monitors: incremental folds over events that can report a violation at the exact step.
 *
 * A monitor's state is a value; `step` returns the next one (the same object when nothing changed), so
 * going back to an earlier step is going back to an earlier value. Monitors may read the state of any actor
 * of the model (it is the state right after the step) and must not keep the Event, which is reused.
 */
import type { Actor, Command } from "./Actor.ts"

/** The step that just happened. One object is reused for all steps. */
export interface Event {
  /** Index of this step in the log, from 0. */
  readonly step: number
  readonly thread: number
  readonly threadName: string
  readonly actor: Actor<unknown>
  readonly command: Command<unknown, unknown, unknown>
  readonly arg: unknown
  readonly result: unknown
  /** The actor's state before the step; `actor.state` is the one after it. */
  readonly before: unknown
  /** Reports a violation at this step. The first report of an execution decides its verdict. */
  violate(message: string, subject?: string): void
}

/** The end of an execution: every thread done, or those left wait for user space only. */
export interface Quiescence {
  readonly steps: number
  /** Threads still waiting, with the ask they wait in. */
  readonly waiting: ReadonlyArray<
    {
      readonly thread: number
      readonly actor: Actor<unknown>
      readonly command: Command<unknown, unknown, unknown>
      readonly arg: unknown
    }
  >
  violate(message: string, subject?: string): void
}

export interface Monitor<S = unknown> {
  /** Short identity, e.g. "I-04"; also names the failure. */
  readonly id: string
  readonly title: string
  /** Commands to be told about; "all" for every step. Commands not listed cost nothing. */
  readonly on: ReadonlyArray<Command<never, never, never>> | "all"
  initial(): S
  step(state: S, event: Event): S
  /** Called at quiescence. */
  end?(state: S, quiescence: Quiescence): void
}

/** Types a command list of mixed commands for `Monitor.on`. */
export const commands = (...list: ReadonlyArray<unknown>): ReadonlyArray<Command<never, never, never>> =>
  list as ReadonlyArray<Command<never, never, never>>
