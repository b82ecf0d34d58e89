/**
 * A bounded queue with a mutex and conditions, after the textbook: producers wait while it is full, consumers while it
 * is empty. With one condition for both, a signal can wake another one of the same kind, who goes back to sleep, and
 * everybody sleeps for ever.
 */
import * as Schema from "effect/Schema"
import { type Actor, ActorType, ask, commands, Condition, makeModel, type Model, type Path } from "@mmrace/core"
import { check } from "./check.ts"

const itemsType = new ActorType<ReadonlyArray<number>>("items", { show: (items) => `[${items.join(", ")}]` })

const count = itemsType.command<void, number>("count", {
  access: "read",
  ordering: "plain",
  decide: (items) => items.length,
  result: Schema.Int
})

const put = itemsType.command<number>("put", {
  access: "write",
  ordering: "plain",
  evolve: (items, item) => [...items, item],
  arg: Schema.Int
})

/** The oldest item; -1 when there is none. */
const take = itemsType.command<void, number>("take", {
  access: "write",
  ordering: "plain",
  decide: (items) => items[0] ?? -1,
  evolve: (items) => items.slice(1),
  result: Schema.Int
})

export type Conditions = "one condition" | "two conditions"

interface Queue {
  readonly items: Actor<ReadonlyArray<number>>
  readonly mutex: Actor<Condition.ConditionState>
  readonly capacity: number
  /** Numbers of conditions of the mutex. */
  readonly notFull: number
  readonly notEmpty: number
}

function* enqueue({ capacity, items, mutex, notEmpty, notFull }: Queue, item: number): Path<void> {
  yield* Condition.lock(mutex)
  while ((yield* ask(items, count)) === capacity) yield* Condition.wait(mutex, notFull)
  yield* ask(items, put, item)
  yield* Condition.signal(mutex, notEmpty)
  yield* Condition.unlock(mutex)
}

function* dequeue({ items, mutex, notEmpty, notFull }: Queue): Path<number> {
  yield* Condition.lock(mutex)
  while ((yield* ask(items, count)) === 0) yield* Condition.wait(mutex, notEmpty)
  const item = yield* ask(items, take)
  yield* Condition.signal(mutex, notFull)
  yield* Condition.unlock(mutex)
  return item
}

/** A queue for one item, two producers and two consumers. */
export const boundedQueue = (conditions: Conditions): Model =>
  makeModel(`bounded queue with ${conditions}`, (m) => {
    const queue: Queue = {
      items: m.actor(itemsType, "items", []),
      mutex: m.actor(Condition.condition.type, "mutex", Condition.unlocked),
      capacity: 1,
      notFull: 0,
      notEmpty: conditions === "two conditions" ? 1 : 0
    }
    for (const item of [1, 2]) m.thread(`producer ${item}`, () => enqueue(queue, item))
    for (const i of [1, 2]) m.thread(`consumer ${i}`, () => dequeue(queue))
    m.monitor<null>({
      id: "bounds",
      title: "the queue holds no more than it can, and nobody takes what is not there",
      on: commands(put, take),
      initial: () => null,
      step(state, event) {
        const { length } = queue.items.state
        if (length > queue.capacity) event.violate(`${length} items in a queue for ${queue.capacity}`, "items")
        if (event.result === -1) event.violate(`${event.threadName} took from an empty queue`, "items")
        return state
      }
    })
  })

console.log(check(boundedQueue("one condition")))
console.log(check(boundedQueue("two conditions")))
