/** Steps and locks as those who know the kernel say them, for explanations. */
import { plainWords, type Words } from "@mmrace/core"

/** `ptep_get(pte A): pfn 1 rw`; marks of system calls read as calls: `fork {`, `} fork = 1`; `mmap_lock (write)`. */
export const kernelWords: Words = {
  ...plainWords,
  step(ask, result) {
    const { actor, arg, command } = ask
    const detail = command.show?.(arg, result)
    if (this.isMark(ask)) {
      if (command.name === "enter") return `${detail ?? ""} {`
      if (command.name === "leave") return `} ${detail ?? ""}`
      return `[${command.name.replaceAll("_", " ")}${detail === undefined ? "" : ` ${detail}`}]`
    }
    const call = `${command.name}(${actor.name})`
    if (detail !== undefined) return detail === "" ? call : `${call}: ${detail}`
    const given = arg === undefined ? "" : ` ${plain(arg)}`
    const got = result === undefined ? "" : ` = ${plain(result)}`
    return `${call}${given === "" ? "" : `:${given}`}${got}`
  },
  lock: ({ actor, mode }) =>
    actor.type.name === "rwsem" || actor.type.name === "vma" ? `${actor.name} (${mode})` : actor.name,
  wait: ({ actor, command }) => `${command}(${actor})`,
  isMark: ({ command }) => command.type.name === "syscall"
}

const plain = (value: unknown): string =>
  typeof value === "object" && value !== null ? JSON.stringify(value).replaceAll("\"", "") : String(value)
