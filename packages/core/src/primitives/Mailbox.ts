/**
 * A queue of messages, first in, first out, without a limit. Messages are immutable values of one shape, which a
 * schema states so that logs can be written and read:
 *
 *     const requests = mailbox("requests", Schema.Struct({ page: Schema.Int }))     // once, at module level
 *     const inbox = m.actor(requests.type, "inbox", [])
 *     yield* ask(inbox, requests.send, { page: 3 })
 *     const { page } = yield* ask(inbox, requests.receive)
 */
import { ActorType, type Command } from "../Actor.ts"
import { aNumber, Late, schemaOf, type Shape } from "../Shape.ts"

export interface Mailbox<T> {
  readonly type: ActorType<ReadonlyArray<T>>
  readonly send: Command<ReadonlyArray<T>, T, void>
  /** Waits for a message and takes it. */
  readonly receive: Command<ReadonlyArray<T>, void, T>
  /** Takes a message; undefined when there is none. */
  readonly tryReceive: Command<ReadonlyArray<T>, void, T | undefined>
}

/** Makes a kind of mailbox. `message` must not encode a message that is `undefined`. */
export const mailbox = <T extends {} | null>(name: string, message: Shape<T>): Mailbox<T> => {
  const type = new ActorType<ReadonlyArray<T>>(name, {
    show: (messages) =>
      messages.length === 0 ? "empty" : `${messages.length} ${messages.length === 1 ? "message" : "messages"}`
  })
  return {
    type,
    send: type.command<T>("send", {
      access: "write",
      ordering: "release",
      evolve: (messages, sent) => [...messages, sent],
      arg: message
    }),
    receive: type.command<void, T>("receive", {
      access: "write",
      ordering: "acquire",
      blocked: (messages) => messages.length === 0,
      decide: (messages) => messages[0]!,
      evolve: (messages) => messages.slice(1),
      result: message
    }),
    tryReceive: type.command<void, T | undefined>("try_receive", {
      access: "write",
      ordering: "acquire",
      decide: (messages) => messages[0],
      evolve: (messages) => messages.length === 0 ? messages : messages.slice(1),
      result: new Late((schema) => schema.UndefinedOr(schemaOf(schema, message)))
    })
  }
}

/** A mailbox of numbers. */
export const numbers: Mailbox<number> = mailbox("mailbox", aNumber)
