/** Kernel paths hand on nothing but their results where exploration forgets the rest (`call`, `settle`). */
import { type Ask, Executor, type Model, Pct, RandomWalk } from "@mmrace/core"
import { Fibers, type Moment } from "@mmrace/core/explore/Fibers"
import { Values } from "@mmrace/core/explore/Values"
import { Kernel, loadProgram } from "@mmrace/actors"
import { readdirSync } from "node:fs"
import { expect, it } from "vitest"
import { kernelOf, readRace } from "../corpus/race.ts"

const corpus = new URL("../../corpus/", import.meta.url)
const executions = 40

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
      if (!this.isSame(moment.ask, ask)) wrong.push(`step ${i}: ${ask.actor.name}.${ask.command.name}`)
      const next = this.fibers.after(moment, results[i])
      if (next.others !== undefined) this.joined.add(next)
      at.set(thread, next)
    }
    return wrong
  }

  private isSame(known: Ask<unknown> | undefined, ask: Ask<unknown>): boolean {
    return known?.actor === ask.actor && known.command === ask.command &&
      this.values.representative(known.arg) === this.values.representative(ask.arg)
  }
}

it("a thread of the corpus asks what it is remembered for, whatever it was told and forgot", () => {
  let joined = 0
  for (const file of readdirSync(corpus)) {
    const program = readRace(new URL(file, corpus))
    for (const kernel of [kernelOf(program), Kernel.complete()]) {
      const { model } = loadProgram(program, kernel)
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
  }
  expect(joined).toBeGreaterThan(100)
})
