/** How an explanation names a step, a lock and a place to wait in; those who know their actors say it better. */
import type { HeldLock } from "../analysis/HeldLocks.ts"
import type { Ask } from "../Ask.ts"
import { stepText } from "../internal/stepText.ts"
import type { Verdict, Wait } from "../Verdict.ts"

export interface Words {
  step(ask: Ask<unknown>, result: unknown): string
  lock(held: Pick<HeldLock, "actor" | "mode">): string
  /** The step that a thread waits in. */
  wait(wait: Wait): string
  /** Steps that say where a thread is: always shown, and never what went wrong. */
  isMark(ask: Ask<unknown>): boolean
}

/** `head.load = 0`, `mutex`, `mutex.lock`. */
export const plainWords: Words = {
  step: stepText,
  lock: ({ actor, mode }) => mode === "read" ? `${actor.name} (read)` : actor.name,
  wait: ({ actor, command }) => `${actor}.${command}`,
  isMark: () => false
}

/** What went wrong, without the monitor's own title. */
export const whatBroke = (verdict: Verdict, words: Words): string => {
  switch (verdict._tag) {
    case "Ok":
      return "Nothing broke."
    case "Violation":
      return verdict.message
    case "Deadlock":
      return verdict.waits.map((wait) => {
        const whom = wait.waitsFor.length === 0 ? "nobody who could let it go" : wait.waitsFor.join(" and ")
        return `${wait.thread} waits in ${words.wait(wait)} for ${whom}`
      }).join("; ")
    case "Livelock":
      return `steps ${verdict.cycleStart} to ${
        verdict.cycleStart + verdict.cycleLength - 1
      } repeat for ever and nobody makes progress`
    case "StepLimit":
      return `cut off after ${verdict.step} steps: neither right nor wrong`
    case "Crash":
      return `${verdict.where} threw: ${verdict.error.split("\n")[0] ?? ""}`
  }
}
