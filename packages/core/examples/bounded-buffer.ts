/**
 * The oldest bug in the book: a bounded buffer whose consumers check "is it empty?" with `if` instead of `while`.
 *
 * A woken consumer owns nothing yet: before it gets the mutex back, another consumer may take the item it was woken
 * for. This file is a complete program: actors, threads, a rule, and a search for a schedule that breaks the rule.
 */
import * as Schema from "effect/Schema"
import {
  type Actor,
  ActorType,
  ask,
  commands,
  Condition,
  Executor,
  makeModel,
  type Model,
  type Path,
  RandomWalk,
  type Verdict
} from "@mmrace/core"

// 1. An actor: one piece of shared state and the commands it understands.
export const bufferType = new ActorType<ReadonlyArray<number>>("buffer")

const count = bufferType.command<void, number>("count", {
  access: "read",
  ordering: "plain",
  decide: (items) => items.length,
  result: Schema.Int
})

const put = bufferType.command<number>("put", {
  access: "write",
  ordering: "plain",
  evolve: (items, item) => [...items, item],
  arg: Schema.Int
})

/** Takes the oldest item; undefined when there is none, which the rule below forbids. */
const take = bufferType.command<void, number | undefined>("take", {
  access: "write",
  ordering: "plain",
  decide: (items) => items[0],
  evolve: (items) => items.slice(1),
  result: Schema.UndefinedOr(Schema.Int)
})

interface Buffer {
  readonly items: Actor<ReadonlyArray<number>>
  readonly mutex: Actor<Condition.ConditionState>
}

// 2. Threads: straight-line code. Each `yield*` of an ask is one atomic step, between any two others may run.
function* produce({ items, mutex }: Buffer, item: number): Path<void> {
  yield* Condition.lock(mutex)
  yield* ask(items, put, item)
  yield* Condition.signal(mutex)
  yield* Condition.unlock(mutex)
}

function* consumeWithIf({ items, mutex }: Buffer): Path<number | undefined> {
  yield* Condition.lock(mutex)
  if ((yield* ask(items, count)) === 0) yield* Condition.wait(mutex)
  const item = yield* ask(items, take)
  yield* Condition.unlock(mutex)
  return item
}

function* consumeWithWhile({ items, mutex }: Buffer): Path<number | undefined> {
  yield* Condition.lock(mutex)
  while ((yield* ask(items, count)) === 0) yield* Condition.wait(mutex)
  const item = yield* ask(items, take)
  yield* Condition.unlock(mutex)
  return item
}

// 3. The model: the actors, the threads, and a rule that is checked at every step it names.
export const boundedBuffer = (check: "if" | "while"): Model =>
  makeModel(`bounded buffer with ${check}`, (m) => {
    const buffer: Buffer = {
      items: m.actor(bufferType, "items", []),
      mutex: m.actor(Condition.condition.type, "mutex", Condition.unlocked)
    }
    const consume = check === "if" ? consumeWithIf : consumeWithWhile
    m.thread("producer 1", () => produce(buffer, 1))
    m.thread("producer 2", () => produce(buffer, 2))
    m.thread("consumer 1", () => consume(buffer))
    m.thread("consumer 2", () => consume(buffer))
    m.monitor<null>({
      id: "took-something",
      title: "a consumer never takes from an empty buffer",
      on: commands(take),
      initial: () => null,
      step(state, event) {
        if (event.result === undefined) event.violate(`${event.threadName} took from an empty buffer`, "items")
        return state
      }
    })
  })

export interface Search {
  readonly executions: number
  readonly verdict: Verdict
  /** The failing schedule: `new FromChoices(choices)` runs it again. */
  readonly choices: ReadonlyArray<number>
  /** What happened, one line a step. */
  readonly story: ReadonlyArray<string>
}

// 4. The search: run the model under seeded random schedules until one breaks the rule.
export const search = (model: Model, executions: number): Search => {
  const executor = new Executor(model)
  const strategy = new RandomWalk()
  for (let seed = 0; seed < executions; seed++) {
    const verdict = executor.run(strategy, seed)
    if (verdict._tag !== "Ok") {
      return { executions: seed + 1, verdict, choices: executor.copyChoices(), story: tell(model, executor) }
    }
  }
  return { executions, verdict: { _tag: "Ok" }, choices: [], story: [] }
}

const tell = (model: Model, { log }: Executor): ReadonlyArray<string> =>
  Array.from({ length: log.length }, (_, i) => {
    const { actor, command } = log.asks[i]!
    const result = log.results[i]
    return `${model.threads[log.threads[i]!]!.name}: ${actor.name}.${command.name}${
      result === undefined ? "" : ` -> ${String(result)}`
    }`
  })
