/**
 * `yield* ask(actor, command)`: the one primitive. One ask is one atomic step and one scheduling point.
 *
 * An Ask is itself an Effect. Evaluating it parks the fiber; the engine sees the pending ask before it
 * runs, decides when it runs, and resumes the fiber synchronously with the result.
 */
import type * as Effect from "effect/Effect"
import type { Actor, Command } from "./Actor.ts"
import { askPrototype } from "./internal/fiberPort.ts"

/** A pending (or logged) request of a thread to an actor. */
export interface Ask<R> extends Effect.Effect<R> {
  readonly actor: Actor<unknown>
  readonly command: Command<unknown, unknown, R>
  readonly arg: unknown
}

/** A kernel path or any other straight-line code of a thread: a top-level generator function's result. */
export type Path<T> = Generator<Effect.Effect<unknown>, T, never>

interface AskConstructor {
  new<R>(actor: unknown, command: unknown, arg: unknown): Ask<R>
}

const AskImpl = function(
  this: { actor: unknown; command: unknown; arg: unknown },
  actor: unknown,
  command: unknown,
  arg: unknown
) {
  this.actor = actor
  this.command = command
  this.arg = arg
} as unknown as AskConstructor
;(AskImpl as unknown as { prototype: unknown }).prototype = askPrototype

/**
 * Builds the step that sends `command` to `actor`. Steps without argument, or with a small number, are built
 * once per actor and shared.
 */
export function ask<S, R>(actor: Actor<S>, command: Command<S, void, R>): Ask<R>
export function ask<S, A, R>(actor: Actor<S>, command: Command<S, A, R>, arg: A): Ask<R>
export function ask<S, A, R>(actor: Actor<S>, command: Command<S, A, R>, arg?: A): Ask<R> {
  if (arg === undefined) {
    return (actor.asks[command.index] ??= new AskImpl<unknown>(actor, command, undefined)) as Ask<R>
  }
  if (typeof arg === "number" && arg >= 0 && arg < SHARED_ARGS && Object.is(arg | 0, arg)) {
    const shared = (actor.numbered[command.index] ??= [])
    return (shared[arg] ??= new AskImpl<unknown>(actor, command, arg)) as Ask<R>
  }
  return new AskImpl(actor, command, arg)
}

/** Asks whose argument is a whole number below this are built once per actor too: page numbers, counts, small values. */
const SHARED_ARGS = 16

/** The location an ask touches: equal numbers mean the same piece of shared state. */
export const locationOf = (pending: Ask<unknown>): number => {
  const { actor, command } = pending
  return actor.base + (command.fieldOf === undefined ? command.field : command.fieldOf(pending.arg))
}

/** Two steps conflict when they touch one location and at least one of them writes it. */
export const conflicts = (a: Ask<unknown>, b: Ask<unknown>): boolean =>
  (a.command.isWrite || b.command.isWrite) && a.actor === b.actor && locationOf(a) === locationOf(b)
