/** Random models for properties: threads are lists of small operations over shared actors of several kinds. */
import {
  type Actor,
  ActorType,
  ask,
  Cell,
  chooseNumber,
  commands,
  type LogHeader,
  joinThread,
  killThread,
  makeModel,
  type Model,
  Mutex,
  type Path,
  spawnThread,
  type Thread
} from "@mmrace/core"
import * as Schema from "effect/Schema"
import * as fc from "fast-check"

/** An actor whose values JSON does not know: bigint, Map, undefined, -0, NaN. */
export const ledgerType = new ActorType<ReadonlyMap<string, bigint>>("ledger", { fields: ["entries"] })
export const deposit = ledgerType.command<{ readonly key: string; readonly amount: bigint }, bigint | undefined>(
  "deposit",
  {
    access: "write",
    decide: (state, { key }) => state.get(key),
    evolve: (state, { amount, key }) => new Map([...state, [key, (state.get(key) ?? 0n) + amount]]),
    arg: Schema.Struct({ key: Schema.String, amount: Schema.BigInt }),
    result: Schema.UndefinedOr(Schema.BigInt)
  }
)
export const dump = ledgerType.command<void, ReadonlyMap<string, bigint>>("dump", {
  access: "read",
  decide: (state) => state,
  result: Schema.ReadonlyMap(Schema.String, Schema.BigInt)
})
/** Waits for user space: such a wait is no deadlock. */
export const awaitEntry = ledgerType.command<string>("await_entry", {
  access: "read",
  waits: "user",
  blocked: (state, key) => !state.has(key),
  arg: Schema.String
})

export type Op =
  | { readonly op: "read" | "choose" | "dump" }
  | { readonly op: "write"; readonly value: number }
  | { readonly op: "deposit"; readonly key: string; readonly amount: bigint }
  | { readonly op: "await"; readonly key: string }
  | { readonly op: "lock" | "trylock" | "killable" | "unlock"; readonly lock: 0 | 1 }
  | { readonly op: "spawn" | "join" | "kill"; readonly thread: number }
  | { readonly op: "section"; readonly lock: 0 | 1; readonly body: ReadonlyArray<Op> }

export interface RandomProgram {
  readonly threads: ReadonlyArray<ReadonlyArray<Op>>
  readonly lastSpawned: boolean
  /** The monitor complains when the sum of deposits reaches this. */
  readonly limit: number
  readonly endCheck: boolean
}

const lock = fc.constantFrom<0 | 1>(0, 1)
const key = fc.constantFrom("a", "b", "\u{1F512}\n\"")
const simple: fc.Arbitrary<Op> = fc.oneof(
  fc.record({ op: fc.constantFrom("read", "choose", "dump") }),
  fc.record({ op: fc.constant("write"), value: fc.oneof(fc.integer(), fc.double()) }),
  fc.record({ op: fc.constant("deposit"), key, amount: fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }) })
)
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 6, arbitrary: simple },
  { weight: 3, arbitrary: fc.record({ op: fc.constant("section"), lock, body: fc.array(simple, { maxLength: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constantFrom("lock", "trylock", "killable"), lock }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("await"), key }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constantFrom("join", "kill"), thread: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constantFrom("spawn", "join"), thread: fc.constant(99) }) }
)
const rareCrash: fc.Arbitrary<Op> = fc.oneof({ weight: 20, arbitrary: op }, {
  weight: 1,
  arbitrary: fc.record({ op: fc.constant("unlock"), lock })
})

export const randomProgram: fc.Arbitrary<RandomProgram> = fc.record({
  threads: fc.array(fc.array(rareCrash, { maxLength: 7 }), { minLength: 1, maxLength: 4 }),
  lastSpawned: fc.boolean(),
  limit: fc.constantFrom(2, 5, 1000),
  endCheck: fc.boolean()
})

interface Parts {
  readonly cell: Actor<number>
  readonly ledger: Actor<ReadonlyMap<string, bigint>>
  readonly locks: ReadonlyArray<Actor<number>>
  readonly choice: Actor<null>
  readonly threads: ReadonlyArray<Thread>
}

function* perform(parts: Parts, ops: ReadonlyArray<Op>): Path<unknown> {
  let last: unknown = null
  for (const step of ops) {
    switch (step.op) {
      case "read":
        last = String(yield* ask(parts.cell, Cell.load))
        break
      case "write":
        yield* ask(parts.cell, Cell.store, step.value)
        break
      case "choose":
        last = yield* ask(parts.choice, chooseNumber, 3)
        break
      case "dump":
        last = [...(yield* ask(parts.ledger, dump)).keys()]
        break
      case "deposit":
        last = { had: (yield* ask(parts.ledger, deposit, { key: step.key, amount: step.amount })) !== undefined }
        break
      case "await":
        yield* ask(parts.ledger, awaitEntry, step.key)
        break
      case "lock":
        yield* ask(parts.locks[step.lock]!, Mutex.mutex.lock)
        break
      case "trylock":
        last = yield* ask(parts.locks[step.lock]!, Mutex.mutex.trylock)
        break
      case "killable":
        last = yield* ask(parts.locks[step.lock]!, Mutex.mutex.lockKillable)
        break
      case "unlock":
        yield* ask(parts.locks[step.lock]!, Mutex.mutex.unlock)
        break
      case "section":
        yield* ask(parts.locks[step.lock]!, Mutex.mutex.lock)
        yield* perform(parts, step.body)
        yield* ask(parts.locks[step.lock]!, Mutex.mutex.unlock)
        break
      default: {
        const thread = parts.threads[Math.min(step.thread, parts.threads.length - 1)]!
        yield* ask(thread.actor, step.op === "spawn" ? spawnThread : step.op === "kill" ? killThread : joinThread)
      }
    }
  }
  return last
}

/** Builds the model of a program: every call makes actors of its own. */
export const modelOf = (program: RandomProgram): Model =>
  makeModel("random", (m) => {
    const threads: Array<Thread> = []
    const parts: Parts = {
      cell: m.actor(Cell.cellType, "x", 0),
      ledger: m.actor(ledgerType, "ledger", new Map()),
      locks: [m.actor(Mutex.mutex.type, "l0", -1), m.actor(Mutex.mutex.type, "l1", -1)],
      choice: m.choice,
      threads
    }
    program.threads.forEach((ops, i) => {
      const spawned = program.lastSpawned && i > 0 && i === program.threads.length - 1
      threads.push(m.thread(`T${i}`, () => perform(parts, ops), { start: spawned ? "spawned" : "at-once" }))
    })
    m.monitor<number>({
      id: "M-1",
      title: "few deposits",
      on: commands(deposit),
      initial: () => 0,
      step(count, event) {
        if (count + 1 >= program.limit) {
          event.violate(
            `deposit ${count + 1} while x is ${String(parts.cell.state)}`,
            `entry ${(event.arg as { key: string }).key}`
          )
        }
        return count + 1
      },
      end(count, quiescence) {
        if (program.endCheck && count > 0) quiescence.violate(`${count} deposits, ${quiescence.waiting.length} waiting`)
      }
    })
  })

export const headerFields = (
  seed: number,
  choices: ReadonlyArray<number>
): Omit<LogHeader, "format" | "version" | "effect" | "threads" | "complete"> => ({
  tool: "0.1.0",
  program: { text: "random" },
  strategy: "random",
  seed,
  execution: 0,
  schedule: choices,
  maxSteps: 16
})
