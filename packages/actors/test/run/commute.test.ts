/** Steps of kernel paths that exploration takes for independent commute, also in what the invariants' monitors keep. */
import { type Model, Prng } from "@mmrace/core"
import { Dependence } from "@mmrace/core/explore/Dependence"
import { dependent } from "@mmrace/core/explore/Footprint"
import { Machine } from "@mmrace/core/explore/Machine"
import { Values } from "@mmrace/core/explore/Values"
import { expect, it } from "vitest"
import { corpusModels } from "../corpus/race.ts"

const executions = Number(process.env["EXPLORE_RUNS"] ?? 15)

class Walk {
  /** Pairs of independent steps that were compared, and those that do not commute. */
  pairs = 0
  readonly wrong = new Set<string>()
  private readonly machine: Machine
  private readonly prng = new Prng()

  constructor(model: Model) {
    this.machine = new Machine(model, new Values(), new Dependence(model), { intern: true })
  }

  /** One random execution; with long runs of one thread, as what conflicts is often far apart. */
  execute(seed: number): void {
    const { machine, prng } = this
    prng.seed(seed)
    machine.reset()
    const enabled: Array<number> = []
    let last = -1
    while (machine.enabled(enabled) > 0) {
      for (const [i, a] of enabled.entries()) for (const b of enabled.slice(0, i)) this.compare(a, b)
      if (!enabled.includes(last) || prng.below(8) === 0) last = enabled[prng.below(enabled.length)]!
      const choices = machine.choicesOf(last)
      if (machine.step(last, choices === 0 ? -1 : prng.below(choices)).failure !== undefined) return
    }
  }

  close(): void {
    this.machine.close()
  }

  private compare(a: number, b: number): void {
    const { machine } = this
    if (machine.choicesOf(a) > 0 || machine.choicesOf(b) > 0) return
    const alone = [a, b].map((thread) => {
      const step = machine.step(thread, -1)
      machine.undo(step)
      return step
    })
    if (dependent(alone[0]!, alone[1]!) || alone.some((step) => step.failure !== undefined)) return
    this.pairs++
    if (this.behind(a, b) === this.behind(b, a)) return
    this.wrong.add(alone.map(({ ask, thread }) => `${thread} ${ask.actor.name}.${ask.command.name}`).join(", "))
  }

  /** The state behind two steps; of actors, threads and monitors. */
  private behind(one: number, other: number): string {
    const { machine } = this
    const first = machine.step(one, -1)
    if (!machine.isEnabled(other)) {
      machine.undo(first)
      return `${one} disables ${other}`
    }
    const second = machine.step(other, -1)
    const state = second.failure?._tag ?? machine.vector!.now.join()
    machine.undo(second)
    machine.undo(first)
    return state
  }
}

it("independent steps of the corpus commute", () => {
  let pairs = 0
  for (const { file, model } of corpusModels()) {
    const walk = new Walk(model)
    try {
      for (let seed = 0; seed < executions; seed++) walk.execute(seed)
    } finally {
      walk.close()
    }
    expect([...walk.wrong], file).toEqual([])
    pairs += walk.pairs
  }
  expect(pairs).toBeGreaterThan(10_000)
})
