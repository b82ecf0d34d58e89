/** Kernel paths hand on nothing but their results where exploration forgets the rest (`call`, `settle`). */
import { type Ask, Executor, type Model, Pct, RandomWalk } from "@mmrace/core"
import { Dependence } from "@mmrace/core/explore/Dependence"
import { Fibers, type Moment } from "@mmrace/core/explore/Fibers"
import { Machine } from "@mmrace/core/explore/Machine"
import { States } from "@mmrace/core/explore/States"
import { Values } from "@mmrace/core/explore/Values"
import { Visited } from "@mmrace/core/explore/Visited"
import { expect, it } from "vitest"
import { corpusModels } from "../corpus/race.ts"

const executions = 40

const isSame = (values: Values, known: Ask<unknown> | undefined, ask: Ask<unknown> | undefined): boolean =>
  known?.actor === ask?.actor && known?.command === ask?.command &&
  values.representative(known?.arg) === values.representative(ask?.arg)

/** What the threads of a model ask, as a function of what is remembered of them. */
class Remembered {
  /** Moments that more than one way leads to. */
  readonly joined = new Set<Moment>()
  private readonly values = new Values()
  private readonly fibers: Fibers
  private readonly model: Model

  constructor(model: Model) {
    this.model = model
    this.fibers = new Fibers(model.threads, this.values)
  }

  /** The steps of the execution that the executor has just done which are not those that threads are remembered for. */
  differences({ log: { asks, length, results, threads } }: Executor): ReadonlyArray<string> {
    const at = new Map<number, Moment>()
    const wrong: Array<string> = []
    for (let i = 0; i < length; i++) {
      const thread = threads[i]!
      const ask = asks[i]!
      if (ask.command === this.model.threads[thread]!.exit.command) continue
      const moment = at.get(thread) ?? this.fibers.root(thread)
      if (!isSame(this.values, moment.ask, ask)) wrong.push(`step ${i}: ${ask.actor.name}.${ask.command.name}`)
      const next = this.fibers.after(moment, results[i])
      if (next.others !== undefined) this.joined.add(next)
      at.set(thread, next)
    }
    return wrong
  }
}

it("a thread of the corpus asks what it is remembered for, whatever it was told and forgot", () => {
  let joined = 0
  for (const { file, model } of corpusModels()) {
    const remembered = new Remembered(model)
    const executor = new Executor(model, { maxSteps: 2000 })
    for (const strategy of [new RandomWalk(), new Pct(3)]) {
      for (let seed = 0; seed < executions; seed++) {
        executor.run(strategy, seed)
        expect(remembered.differences(executor), `${file}, ${strategy.name}, seed ${seed}`).toEqual([])
      }
    }
    joined += remembered.joined.size
  }
  expect(joined).toBeGreaterThan(100)
})

/** States of each program that are explored for the histories of its threads, and how much of what follows is compared. */
const states = 20_000
const stepsCompared = 60

/** All moments of the threads in a part of all schedules of at most two preemptions. */
const momentsOf = (model: Model, values: Values): ReadonlyArray<Moment> => {
  const machine = new Machine(model, values, new Dependence(model), { intern: true })
  try {
    const options = { maxSteps: 2000, partialDeadlocks: true, goOnEvery: 1000, cost: "preemptions", bound: 2 } as const
    new States(machine, new Visited({ maxStates: states }), options).run({ goOn: () => true, ended: () => true })
    const found = new Set(model.threads.flatMap(({ id }) => machine.fibers.rootIfKnown(id) ?? []))
    for (const moment of found) for (const child of moment.children.values()) found.add(child)
    return [...found]
  } finally {
    machine.close()
  }
}

/** A thread that forgets nothing, taken along the history of moments by which they were first reached. */
class Unforgetting {
  private readonly fibers: Fibers
  private readonly values: Values
  /** By moment: where such a thread is then. */
  private readonly at = new Map<Moment, Moment>()

  constructor(model: Model, values: Values) {
    this.values = values
    this.fibers = new Fibers(model.threads, values, false)
  }

  /** The first ask that is another one than remembered, of what follows `result` at `before` as it did at `moment`. */
  differsAfter(before: Moment, result: unknown, moment: Moment): string | undefined {
    let left = stepsCompared
    const visit = (own: Moment, remembered: Moment): string | undefined => {
      if (!isSame(this.values, remembered.ask, own.ask)) {
        return `${nameOf(remembered)} is remembered, but it is ${nameOf(own)}`
      }
      for (const [told, next] of remembered.children) {
        if (left === 0) return undefined
        left--
        const found = visit(this.fibers.after(own, told), next)
        if (found !== undefined) return found
      }
      return undefined
    }
    return visit(this.fibers.after(this.find(before), result), moment)
  }

  private find(moment: Moment): Moment {
    const way: Array<Moment> = []
    let m: Moment | undefined = moment
    for (; m !== undefined && !this.at.has(m); m = m.parent) way.push(m)
    let own = m === undefined ? undefined : this.at.get(m)
    for (const next of way.toReversed()) {
      own = own === undefined ? this.fibers.root(next.thread) : this.fibers.after(own, next.received)
      this.at.set(next, own)
    }
    return own!
  }
}

const nameOf = ({ ask, ended }: Moment): string =>
  ask === undefined ? ended!._tag : `${ask.actor.name}.${ask.command.name} ${JSON.stringify(ask.arg)}`

it("and so it does after each history that leads to where another one led", () => {
  for (const { file, model } of corpusModels()) {
    const values = new Values()
    const moments = momentsOf(model, values)
    const unforgetting = new Unforgetting(model, values)
    for (const before of moments) {
      for (const [result, moment] of before.children) {
        if (moment.parent === before) continue
        const where = `${file}, ${model.threads[moment.thread]!.name}, after ${nameOf(before)}`
        expect(unforgetting.differsAfter(before, result, moment), where).toBe(undefined)
      }
    }
  }
})
