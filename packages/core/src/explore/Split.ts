/**
 * The tree of executions in parts that can be explored apart from each other, on any machine and in any order.
 *
 * A part is a prefix and a sleep set. Prefixes are grown breadth first, at each state by every enabled thread that is
 * not asleep; of its children, a later one has the earlier ones asleep, as long as what follows does not depend on
 * them. Two things follow:
 *
 *   - Each maximal trace (equivalence class of executions) belongs to exactly one part: of all linearisations of a trace
 *     a search with sleep sets follows just one to its end (Godefroid, LNCS 1032, chapter 5).
 *   - A part needs nothing from outside. Reversing a race means to add a branch at the state before the first racer.
 *     When that state lies on the prefix, all its branches are parts already: the set of all enabled threads is a source
 *     set, whatever the races are (Abdulla, Aronis, Jonsson, Sagonas, POPL'14, section 4). Below the prefix it is DPOR
 *     from a state with a sleep set, which is what the recursion of their algorithms consists of: it covers each maximal
 *     execution from there that no sleeping thread can begin.
 *
 * With the optimal algorithm a part may meet blocked executions, which a single exploration never does: what sleeps at its
 * beginning may never be woken. The number of executions is the same.
 */
import type { Model } from "../Model.ts"
import { Dependence, type DependenceOptions } from "./Dependence.ts"
import type { Sleeper } from "./Dpor.ts"
import { dependent, saveFootprint, Touched } from "./Footprint.ts"
import { Machine, type MachineOptions } from "./Machine.ts"
import type { PartPath } from "./Parts.ts"
import { Values } from "./Values.ts"
import type { Move } from "./Witness.ts"

/** A part of the tree of executions. Plain JSON. */
export interface Task {
  readonly moves: ReadonlyArray<Move>
  readonly sleep: ReadonlyArray<Sleeper>
  /** What the numbers of places in footprints mean. */
  readonly parts: ReadonlyArray<PartPath>
  /** Of the whole, if all branches of a state were equally large. */
  readonly share: number
}

export const wholeTree: Task = { moves: [], sleep: [], parts: [], share: 1 }

export interface SplitOptions extends DependenceOptions, Pick<MachineOptions, "unordered"> {
  readonly maxSteps: number
  /** Grow until there are so many parts; there may be fewer when executions end before, and more. */
  readonly parts: number
}

interface Leaf extends Omit<Task, "parts"> {
  /** Nothing can be added to it. */
  readonly whole: boolean
}

/** The parts of a part, in the order in which one exploration would come to them. They depend on nothing else. */
export const split = (model: Model, task: Task, options: SplitOptions): ReadonlyArray<Task> => {
  const machine = new Machine(model, new Values(), new Dependence(model, options), options)
  try {
    machine.dependence.placeParts(task.parts)
    let leaves: ReadonlyArray<Leaf> = [{ ...task, whole: false }]
    while (leaves.length < options.parts && leaves.some((leaf) => !leaf.whole)) {
      leaves = leaves.flatMap((leaf) => leaf.whole ? [leaf] : grow(machine, leaf, options.maxSteps))
    }
    const parts = [...machine.dependence.partPaths]
    return leaves.map(({ moves, share, sleep }) => ({ moves, sleep, parts, share }))
  } finally {
    machine.close()
  }
}

const grow = (machine: Machine, leaf: Leaf, maxSteps: number): ReadonlyArray<Leaf> => {
  machine.reset()
  for (const { thread, value } of leaf.moves) machine.step(thread, value)
  const enabled: Array<number> = []
  if (machine.enabled(enabled) === 0 || machine.events >= maxSteps) return [{ ...leaf, whole: true }]
  const grown: Array<Omit<Leaf, "share">> = []
  const sleep = [...leaf.sleep]
  for (const thread of enabled) {
    if (sleep.some((sleeper) => sleeper.thread === thread)) continue
    const touched = new Touched()
    const choices = machine.choicesOf(thread)
    for (let value = choices === 0 ? -1 : 0; value < Math.max(0, choices); value++) {
      const step = machine.step(thread, value)
      step.places.forEach((place, i) => touched.add(place, step.modes[i]!))
      machine.undo(step)
      grown.push({
        moves: [...leaf.moves, { thread, value }],
        sleep: sleep.filter((sleeper) => !dependent(sleeper.footprint, step)),
        whole: false
      })
    }
    sleep.push({ thread, footprint: saveFootprint(touched) })
  }
  // Where everybody sleeps, all that follows belongs to other parts.
  const share = leaf.share / grown.length
  return grown.map(({ moves, sleep: asleep, whole }) => ({ moves, sleep: asleep, share, whole }))
}
