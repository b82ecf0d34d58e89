/** Ctrl-C: the first one asks whatever is under way for an end, the second one is one. */
import { complain, endStatus } from "./screen.ts"
import { exitCodes } from "./UserError.ts"

let asked = false
const listeners = new Set<() => void>()

/** Whether the user asked for an end so far. */
export const isInterrupted = (): boolean => asked

const onSignal = (): void => {
  endStatus()
  if (asked || listeners.size === 0) process.exit(exitCodes.interrupted)
  asked = true
  complain("ending with what was found so far; Ctrl-C again to end at once")
  for (const listener of listeners) listener()
}

/** From now on SIGINT and SIGTERM go to those who listen; when nobody does, they end the command. */
export const catchInterrupts = (): void => {
  process.on("SIGINT", onSignal)
  process.on("SIGTERM", onSignal)
}

/** Calls `onInterrupt` when the user asks for an end, at once when that was before; the result takes it back. */
export const listenForInterrupt = (onInterrupt: () => void): () => void => {
  listeners.add(onInterrupt)
  if (asked) onInterrupt()
  return () => listeners.delete(onInterrupt)
}
