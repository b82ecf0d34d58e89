/** Every schedule but for sleep sets (Godefroid, LNCS 1032, chapter 5): what DPOR is measured against. */
import type { Model } from "@mmrace/core"
import { Dependence } from "@mmrace/core/explore/Dependence"
import { dependent, type Footprint, Touched } from "@mmrace/core/explore/Footprint"
import { type Happened, Machine } from "@mmrace/core/explore/Machine"
import { Values } from "@mmrace/core/explore/Values"

interface Sleeper {
  readonly thread: number
  readonly footprint: Footprint
}

export interface Searched {
  readonly complete: boolean
  readonly violated: boolean
  /** Executions that ran to an end: one for each class, whatever came before it was cut short. */
  readonly executions: number
  readonly states: 0
}

export const sleepSets = (model: Model, isUp: () => boolean): Searched => {
  const machine = new Machine(model, new Values(), new Dependence(model))
  let executions = 0
  let steps = 0
  let violated = false
  const visit = (asleep: ReadonlyArray<Sleeper>): boolean => {
    const enabled: Array<number> = []
    if (machine.enabled(enabled) === 0) {
      executions++
      if (machine.end(true)._tag !== "Ok") violated = true
      return true
    }
    const sleep = [...asleep]
    for (const thread of enabled) {
      if (sleep.some((sleeper) => sleeper.thread === thread)) continue
      const choices = machine.choicesOf(thread)
      const touched = new Touched()
      for (let value = choices === 0 ? -1 : 0; value < Math.max(0, choices); value++) {
        if ((++steps & 0xff) === 0 && isUp()) return false
        const step: Happened = machine.step(thread, value)
        step.places.forEach((place, i) => touched.add(place, step.modes[i]!))
        if (step.failure !== undefined) violated = true
        const goOn = visit(sleep.filter((sleeper) => !dependent(sleeper.footprint, step)))
        machine.undo(step)
        if (!goOn) return false
      }
      sleep.push({ thread, footprint: touched })
    }
    return true
  }
  try {
    return { complete: visit([]), violated, executions, states: 0 }
  } finally {
    machine.close()
  }
}
