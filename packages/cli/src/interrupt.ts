/** Ctrl-C: the first one asks for an end, the second one is one. */
import { complain, endStatus } from "./screen.ts"
import { exitCodes } from "./UserError.ts"

let asked = false

/** Whether the user asked for an end so far. */
export const isInterrupted = (): boolean => asked

/** Calls `onInterrupt` when the user (or the system, with SIGTERM) asks for an end; the result takes it back. */
export const listenForInterrupt = (onInterrupt: () => void): () => void => {
  const listener = (): void => {
    if (asked) {
      endStatus()
      process.exit(exitCodes.interrupted)
    }
    asked = true
    endStatus()
    complain("ending with what was found so far; Ctrl-C again to end at once")
    onInterrupt()
  }
  if (asked) onInterrupt()
  process.on("SIGINT", listener)
  process.on("SIGTERM", listener)
  return () => {
    process.off("SIGINT", listener)
    process.off("SIGTERM", listener)
  }
}
