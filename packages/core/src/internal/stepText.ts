/** A step in one line for people: `x.read = 3`, `l.lock`, `x.write(4)`. */
import type { Ask } from "../Ask.ts"
import { shorten } from "./eventCodec.ts"

/** A value in few characters, also when JSON cannot hold it. */
export const valueText = (value: unknown, limit = 60): string => {
  let text: string | undefined
  try {
    text = JSON.stringify(value, (_, member: unknown) => typeof member === "bigint" ? `${member}n` : member)
  } catch {
    text = undefined
  }
  return shorten(text ?? String(value), limit)
}

export const askText = ({ actor, arg, command }: Ask<unknown>): string =>
  `${actor.name}.${command.name}${arg === undefined ? "" : `(${valueText(arg)})`}`

export const stepText = (ask: Ask<unknown>, result: unknown): string => {
  const { actor, arg, command } = ask
  if (command.show !== undefined) return `${actor.name}.${command.name} ${command.show(arg, result)}`
  return askText(ask) + (result === undefined ? "" : ` = ${valueText(result)}`)
}
