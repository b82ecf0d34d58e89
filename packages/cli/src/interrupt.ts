/** Ctrl-C: the first one asks whatever is under way for an end, the second one is one. */
import * as Effect from "effect/Effect"
import { complain, endStatus } from "./screen.ts"
import { exitCodes } from "./UserError.ts"

const signals = ["SIGINT", "SIGTERM"] as const
let asked = false
const listeners = new Set<() => void>()

/** Whether the user asked for an end so far. */
export const isInterrupted = (): boolean => asked

const onSignal = (): void => {
  endStatus()
  if (asked) process.exit(exitCodes.interrupted)
  asked = true
  complain("ending with what was found so far; Ctrl-C again to end at once")
  for (const listener of listeners) listener()
}

/**
 * Calls `onInterrupt` when the user asks for an end, at once when that was before; the result takes it back. While nobody
 * listens the signals end the command as they always do, also in the middle of one long execution.
 */
export const listenForInterrupt = (onInterrupt: () => void): () => void => {
  if (listeners.size === 0) { for (const signal of signals) process.on(signal, onSignal) }
  listeners.add(onInterrupt)
  if (asked) onInterrupt()
  return () => {
    listeners.delete(onInterrupt)
    if (listeners.size === 0) { for (const signal of signals) process.off(signal, onSignal) }
  }
}

/** From now on signals are heard, also before there is somebody to tell; who listens later is told at once. */
export const hearInterrupts = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => listenForInterrupt(() => {})),
    () => effect,
    (unlisten) => Effect.sync(unlisten)
  )
