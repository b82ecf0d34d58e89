/** What a running program thread knows: its registers. Private to the thread, so no step is needed to use them. */
import type { FolioRef, TaskRef } from "../objects/World.ts"
import type { Message } from "../objects/Userfaultfd.ts"
import type { Layout } from "./Layout.ts"

/** A pin or reference that GUP returned. */
export interface Held {
  readonly folio: FolioRef
  readonly page: number
  readonly kind: "pin" | "get"
  readonly write: boolean
}

/** A register holds a number (a value, a count, a negative errno, a signal), a held page or a message. */
export type Value = number | Held | Message

export interface Frame {
  readonly task: TaskRef
  readonly layout: Layout
  readonly registers: Map<string, Value>
}

export const isHeld = (value: Value | undefined): value is Held => typeof value === "object" && "folio" in value

export const isMessage = (value: Value | undefined): value is Message => typeof value === "object" && "event" in value

/** Event numbers of include/uapi/linux/userfaultfd.h, so that a message's event compares as a number. */
export const eventNumber = { pagefault: 0x12, fork: 0x13, remove: 0x15, unmap: 0x16 } as const

/** Registers as plain numbers, for the log and for final conditions: `m.event`, `m.address` for messages. */
export const flatten = (registers: ReadonlyMap<string, Value>): Record<string, number> => {
  const flat: Record<string, number> = {}
  for (const [name, value] of registers) {
    if (typeof value === "number") flat[name] = value
    else if (isHeld(value)) flat[name] = value.folio.pfn
    else {
      flat[name] = 0
      flat[`${name}.event`] = eventNumber[value.event]
      flat[`${name}.address`] = value.page
      flat[`${name}.write`] = value.write ? 1 : 0
      flat[`${name}.wp`] = value.wp ? 1 : 0
    }
  }
  return flat
}
