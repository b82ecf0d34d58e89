import {
  type Actor,
  ask,
  Cell,
  classifyStepLimit,
  Executor,
  FromChoices,
  lassoOf,
  Mailbox,
  makeModel,
  type ModelBuilder,
  Mutex,
  type Path,
  RandomWalk,
  Sequential,
  type Strategy,
  type Verdict
} from "@mmrace/core"
import { describe, expect, test } from "vitest"
import { events } from "./support.ts"

const { mutex } = Mutex
type Lock = Actor<Mutex.Owner>
type Memory = Actor<number>

/** Takes the first lock, tries the second, and lets go when somebody has it: "after you". */
function* polite(first: Lock, second: Lock): Path<void> {
  while (true) {
    yield* ask(first, mutex.lock)
    if (yield* ask(second, mutex.trylock)) break
    yield* ask(first, mutex.unlock)
  }
  yield* ask(second, mutex.unlock)
  yield* ask(first, mutex.unlock)
}

function* spinUntilSet(flag: Memory): Path<void> {
  while ((yield* ask(flag, Cell.load)) === 0);
}

function* storeForever(cell: Memory): Path<void> {
  while (true) yield* ask(cell, Cell.store, 5)
}

function* addTimes(cell: Memory, times: number): Path<void> {
  for (let i = 0; i < times; i++) yield* ask(cell, Cell.fetchAdd, 1)
}

function* sendForever(inbox: Actor<ReadonlyArray<number>>): Path<void> {
  while (true) yield* ask(inbox, Mailbox.numbers.send, 1)
}

function* setFlag(flag: Memory, times: number): Path<void> {
  for (let i = 0; i < times; i++) yield* ask(flag, Cell.load)
  yield* ask(flag, Cell.store, 1)
}

const maxSteps = 200

const classify = (parts: (m: ModelBuilder) => void, strategy: Strategy = new Sequential(), seed = 0) => {
  const model = makeModel("livelock", parts)
  const executor = new Executor(model, { maxSteps })
  expect(executor.run(strategy, seed)).toEqual({ _tag: "StepLimit", step: maxSteps })
  return {
    model,
    choices: executor.copyChoices(),
    verdict: classifyStepLimit(model, executor.copyChoices(), { maxSteps })
  }
}

const livelock = { _tag: "Livelock", step: maxSteps }
const stepLimit: Verdict = { _tag: "StepLimit", step: maxSteps }

/** Strictly in turn: what keeps two polite threads from ever passing. */
const alternate = (): Strategy => {
  let turn = 0
  return {
    name: "alternate",
    begin() {
      turn = 0
    },
    pick: () => turn++ % 2,
    choose: () => 0
  }
}

/** Two that let each other go first, for ever if they keep step. */
const afterYou = (m: ModelBuilder): void => {
  const a = m.actor(mutex.type, "a", Mutex.free)
  const b = m.actor(mutex.type, "b", Mutex.free)
  m.thread("T0", () => polite(a, b))
  m.thread("T1", () => polite(b, a))
}

/** Two that wait for what nobody does, and one that works for a while. */
const spinners = (m: ModelBuilder): void => {
  const flag = m.actor(Cell.cellType, "flag", 0)
  const x = m.actor(Cell.cellType, "x", 0)
  m.thread("T0", () => spinUntilSet(flag))
  m.thread("T1", () => addTimes(x, 10))
  m.thread("T2", () => spinUntilSet(flag))
}

describe("classifyStepLimit", () => {
  test("two threads that always let the other go first are a livelock", () => {
    const { verdict } = classify(afterYou, alternate())
    expect(verdict).toMatchObject({ ...livelock, cycleStart: 0, cycleLength: 6 })
  })

  test("a spin on a flag that nobody will write is a livelock", () => {
    const { verdict } = classify((m) => {
      const flag = m.actor(Cell.cellType, "flag", 0)
      m.thread("T0", () => spinUntilSet(flag))
    })
    expect(verdict).toEqual({ ...livelock, cycleStart: 0, cycleLength: 1 })
  })

  test("also when others did something first and their steps come from a random schedule", () => {
    for (let seed = 0; seed < 20; seed++) {
      const { choices, model, verdict } = classify(
        spinners,
        new RandomWalk(),
        seed
      )
      expect(verdict).toMatchObject({ ...livelock, cycleLength: 2 })
      // The choices still replay what the limit cut off.
      expect(new Executor(model, { maxSteps }).run(new FromChoices(choices))).toEqual(stepLimit)
    }
  })

  test("states may settle before the loop closes", () => {
    const { verdict } = classify((m) => {
      const x = m.actor(Cell.cellType, "x", 0)
      m.thread("T0", () => storeForever(x))
    })
    expect(verdict).toEqual({ ...livelock, cycleStart: 1, cycleLength: 1 })
  })

  test("the loop it names repeats, step for step", () => {
    const { choices, model, verdict } = classify(afterYou, alternate())
    if (verdict._tag !== "Livelock") throw new Error("expected a livelock")
    const executor = new Executor(model, { maxSteps })
    executor.run(new FromChoices(choices))
    const log = events(executor)
    const { cycleLength, cycleStart } = verdict
    for (let i = cycleStart; i + cycleLength < log.length; i++) expect(log[i + cycleLength]).toEqual(log[i])
  })

  test("a lasso is the livelock cut after one round, and says so when it is judged itself", () => {
    const livelocks = [
      [spinners, new RandomWalk()],
      [spinners, new Sequential()],
      [afterYou, alternate()]
    ] as const
    for (const [parts, strategy] of livelocks) {
      const { choices, model, verdict } = classify(parts, strategy)
      const lasso = lassoOf(model, choices, { maxSteps })
      if (verdict._tag !== "Livelock" || lasso === undefined) throw new Error("expected a livelock")
      const { step } = lasso.verdict
      expect(step).toBe(lasso.verdict.cycleStart + lasso.verdict.cycleLength)
      expect(step).toBeLessThanOrEqual(verdict.cycleStart + verdict.cycleLength)
      expect(new Executor(model, { maxSteps: step }).run(new FromChoices(lasso.choices))).toEqual({
        _tag: "StepLimit",
        step
      })
      expect(classifyStepLimit(model, lasso.choices, { maxSteps: step })).toEqual(lasso.verdict)
    }
  })

  test("a lasso comes soon where the schedule says nothing for long", () => {
    const { choices, model } = classify((m) => {
      const flag = m.actor(Cell.cellType, "flag", 0)
      const x = m.actor(Cell.cellType, "x", 0)
      m.thread("T0", () => spinUntilSet(flag))
      m.thread("T1", () => addTimes(x, 3))
    })
    // T0 alone, to the limit; then T1.
    expect(lassoOf(model, choices, { maxSteps })?.verdict.step).toBeLessThan(12)
  })

  const notLivelocks: ReadonlyArray<readonly [string, (m: ModelBuilder) => void]> = [
    ["a long program that ends soon after the limit", (m) => {
      const x = m.actor(Cell.cellType, "x", 0)
      m.thread("T0", () => addTimes(x, 300))
    }],
    ["a longer one, that ends after the continuation's limit", (m) => {
      const x = m.actor(Cell.cellType, "x", 0)
      m.thread("T0", () => addTimes(x, 1_000_000))
    }],
    ["equal steps that change a state every time", (m) => {
      const inbox = m.actor(Mailbox.numbers.type, "inbox", [])
      m.thread("T0", () => sendForever(inbox))
    }],
    ["a spin that a fair schedule ends", (m) => {
      const flag = m.actor(Cell.cellType, "flag", 0)
      m.thread("T0", () => spinUntilSet(flag))
      m.thread("T1", () => setFlag(flag, 50))
    }],
    ["daemons that run on after the program has ended", (m) => {
      const flag = m.actor(Cell.cellType, "flag", 0)
      m.thread("T0", () => addTimes(flag, 0))
      m.thread("daemon", () => spinUntilSet(flag), { daemon: true })
    }]
  ]

  for (const [what, parts] of notLivelocks) {
    test(`${what}: no livelock`, () => expect(classify(parts).verdict).toEqual(stepLimit))
  }
})

const storing = (m: ModelBuilder): void => {
  const cell = m.actor(Cell.cellType, "cell", 0)
  m.thread("writer", () => storeForever(cell))
}

test("a repeating step that the model calls progress makes a long execution, not a livelock", () => {
  expect(classify(storing).verdict._tag).toBe("Livelock")
  expect(
    classify((m) => {
      storing(m)
      m.progress = (log, step) => log.asks[step]!.command === (Cell.store as unknown)
    }).verdict._tag
  ).toBe("StepLimit")
})
