import {
  ask,
  Cell,
  Executor,
  failureId,
  FromChoices,
  makeModel,
  mix32,
  type Model,
  RandomWalk,
  shrinkProgram
} from "@mmrace/core"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { finalCheck } from "../strategies/models.ts"

type Operation = "increment" | "add" | "look"
interface Program {
  readonly threads: ReadonlyArray<{ readonly name: string; readonly operations: ReadonlyArray<Operation> }>
}

/** `increment` is not atomic, `add` is; in the end x must be the number of both. */
const build = ({ threads }: Program): Model | undefined => {
  if (threads.length === 0) return undefined
  const expected = threads.flatMap((t) => t.operations).filter((o) => o !== "look").length
  return makeModel("counter", (m) => {
    const x = m.actor(Cell.cellType, "x", 0)
    for (const { name, operations } of threads) {
      m.thread(name, function*() {
        for (const operation of operations) {
          if (operation === "look") yield* ask(x, Cell.load)
          else if (operation === "add") yield* ask(x, Cell.fetchAdd, 1)
          else {
            const value = yield* ask(x, Cell.read)
            yield* ask(x, Cell.write, value + 1)
          }
        }
      })
    }
    m.monitor(finalCheck("count", () => x.state === expected ? undefined : `x is ${x.state}`))
  })
}

function* candidates({ threads }: Program): Generator<Program> {
  for (let i = 0; i < threads.length; i++) yield { threads: threads.toSpliced(i, 1) }
  for (const [i, { name, operations }] of threads.entries()) {
    for (let j = 0; j < operations.length; j++) {
      yield { threads: threads.with(i, { name, operations: operations.toSpliced(j, 1) }) }
    }
  }
}

const failing = (model: Model): ReadonlyArray<number> | undefined => {
  const executor = new Executor(model)
  for (let i = 0; i < 400; i++) {
    if (failureId(executor.run(new RandomWalk(), mix32(3, i))) !== undefined) return executor.copyChoices()
  }
  return undefined
}

describe("shrinking a program", () => {
  test("is left with the two threads and two operations that matter", () => {
    const program: Program = {
      threads: [
        { name: "A", operations: ["look", "look", "add"] },
        { name: "B", operations: ["add", "increment", "look"] },
        { name: "C", operations: ["look", "add", "add", "look"] },
        { name: "D", operations: ["look", "increment", "increment"] }
      ]
    }
    const choices = failing(build(program)!)!
    const result = Result.getOrThrow(shrinkProgram({ program, build, candidates }, { choices }))
    expect(result.program.threads.length).toBe(2)
    expect(result.program.threads.flatMap((t) => t.operations).toSorted()).toEqual(["add", "increment"])
    expect(result.failure).toMatchObject({
      id: "count:count",
      after: { preemptions: 1, switches: 2, steps: 5, threads: 2 }
    })
    expect(result.failure.before.steps).toBe(20)
    expect(result.accepted).toBeGreaterThan(2)
    expect(failureId(new Executor(result.model).run(new FromChoices(result.failure.choices)))).toBe("count:count")
  })

  test("no candidate of the result fails any more, and the result fails as the program did", () => {
    const operation = fc.constantFrom<Operation>("increment", "add", "look")
    const programs = fc.array(fc.array(operation, { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 3 }).map((
      lists
    ): Program => ({
      threads: lists.map((operations, i) => ({ name: `T${i}`, operations }))
    }))
    fc.assert(
      fc.property(programs, (program) => {
        const choices = failing(build(program)!)
        fc.pre(choices !== undefined)
        const result = Result.getOrThrow(shrinkProgram({ program, build, candidates }, { choices: choices! }))
        expect(failing(build(result.program)!)).toBeDefined()
        for (const candidate of candidates(result.program)) {
          const model = build(candidate)
          if (model !== undefined) expect(failing(model)).toBeUndefined()
        }
      }),
      { numRuns: 25 }
    )
  })

  test("the known schedule is tried first, as far as it fits", () => {
    const program: Program = {
      threads: [
        { name: "A", operations: ["look", "add"] },
        { name: "B", operations: ["increment", "look", "look"] },
        { name: "C", operations: ["look", "look"] }
      ]
    }
    const choices = failing(build(program)!)!
    const result = Result.getOrThrow(
      shrinkProgram({ program, build, candidates }, { choices }, { executionsPerProgram: 1 })
    )
    expect(result.program.threads.map((t) => t.name)).toEqual(["A", "B"])
    expect(result.failure.executions).toBeGreaterThan(1)
  })

  test("stops at the number of programs it was given", () => {
    const program: Program = {
      threads: [{ name: "A", operations: ["increment", "look"] }, { name: "B", operations: ["increment", "look"] }]
    }
    const choices = failing(build(program)!)!
    const result = Result.getOrThrow(shrinkProgram({ program, build, candidates }, { choices }, { programs: 3 }))
    expect(result.tried).toBe(3)
  })

  test("a program that cannot be built is the caller's mistake", () => {
    expect(() => shrinkProgram({ program: { threads: [] }, build, candidates }, { choices: [] })).toThrow(
      "cannot be built"
    )
  })
})
