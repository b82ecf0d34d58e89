/** A step, a lock and a verdict in words. */
import type { Ask, HeldLock, Verdict } from "@mmrace/core"

/** `ptep_get(pte A): pfn 1 rw`; marks of system calls read as calls: `fork {`, `} fork = 1`. */
export const stepText = (ask: Ask<unknown>, result: unknown): string => {
  const { actor, arg, command } = ask
  const detail = command.show?.(arg, result)
  if (actor.type.name === "syscall") {
    if (command.name === "enter") return `${detail ?? ""} {`
    if (command.name === "leave") return `} ${detail ?? ""}`
    return `[${command.name.replaceAll("_", " ")}${detail === undefined ? "" : ` ${detail}`}]`
  }
  const call = `${command.name}(${actor.name})`
  if (detail !== undefined) return detail === "" ? call : `${call}: ${detail}`
  const given = arg === undefined ? "" : ` ${plain(arg)}`
  const got = result === undefined ? "" : ` = ${plain(result)}`
  return `${call}${given === "" ? "" : `:${given}`}${got}`
}

const plain = (value: unknown): string =>
  typeof value === "object" && value !== null ? JSON.stringify(value).replaceAll("\"", "") : String(value)

/** `mmap_lock (write)`. */
export const lockText = ({ actor, mode }: Pick<HeldLock, "actor" | "mode">): string =>
  actor.type.name === "rwsem" || actor.type.name === "vma" ? `${actor.name} (${mode})` : actor.name

/** What went wrong, without the monitor's own title. */
export const verdictText = (verdict: Verdict): string => {
  switch (verdict._tag) {
    case "Ok":
      return "Nothing broke."
    case "Violation":
      return verdict.message
    case "Deadlock":
      return verdict.waits.map((w) => {
        const whom = w.waitsFor.length === 0 ? "nobody who could let it go" : w.waitsFor.join(" and ")
        return `${w.thread} waits in ${w.command}(${w.actor}) for ${whom}`
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
