/**
 * Dynamic partial-order reduction: at least one execution of each equivalence class (Mazurkiewicz trace), after
 * Abdulla, Aronis, Jonsson, Sagonas: Optimal dynamic partial order reduction, POPL'14.
 *
 *   source   source sets with sleep sets (their algorithm 1); may start executions that end sleep-set blocked
 *   optimal  wakeup trees (their algorithm 2): exactly one execution per class, none blocked
 *
 * Races are looked for at the end of each execution, as algorithm 2 does. Data choices: a thread that is explored at a
 * state is explored with each number there, so a plan that begins with another number of it is covered. With data
 * choices the optimal algorithm may therefore meet a blocked execution; the theory is about programs without them.
 *
 * Wakeup trees need to know what a step will touch in its new place. Where monitors hear of steps and what they look at
 * counts, that is not known before the step is taken: there, optimal is source.
 */
import { dependent, type Footprint, saveFootprint, Touched } from "./Footprint.ts"
import type { Happened, Machine } from "./Machine.ts"
import type { PartPath } from "./Parts.ts"
import { apart, type Planned, precedes, type Race, Races } from "./Races.ts"
import type { Task } from "./Split.ts"
import { Trace } from "./Trace.ts"

export type Algorithm = "source" | "optimal"

/** How one execution ended. */
export type RunEnd =
  /** Nobody can move. */
  | "complete"
  /** Everybody who can move is asleep: what follows has been explored elsewhere. */
  | "blocked"
  | "step-limit"
  /** Cut by the visitor. */
  | "cut"

export interface Visitor {
  /** Asked before each execution. False ends the exploration. */
  goOn(): boolean
  /** After each execution, the machine standing at its end. False ends the exploration. */
  ended(end: RunEnd, trace: Trace): boolean
  /** After each step. False cuts the execution there. */
  stepped?(step: Happened, trace: Trace): boolean
}

export interface DporOptions {
  readonly algorithm: Algorithm
  readonly maxSteps: number
  /** Explore the executions of this part of the tree only. */
  readonly task?: Task
  /** For tests: without the rule about steps that wait. */
  readonly ignoreWaiting?: boolean
}

interface Branch {
  readonly thread: number
  readonly value: number
  readonly footprint: Footprint | undefined
  readonly children: Array<Branch>
}

/** A thread whose next step has been explored, and what that step touches. */
export interface Sleeper {
  readonly thread: number
  readonly footprint: Footprint
  /** It was explored in another task: plans that its races would have led to are not known here. */
  readonly outside?: true
}

/** What is known of a state not yet on the path. */
interface Todo {
  readonly sleep: Array<Sleeper>
  readonly tree: Array<Branch>
}

/** A state on the path. */
class Node {
  /** Threads whose next step has been explored from here, or from an equivalent state elsewhere. */
  sleep: Array<Sleeper>
  /** What is still to be explored from here. */
  readonly tree: Array<Branch>
  current: Branch | undefined = undefined
  /** Of the current thread's data choice: the number under way, the first one tried, and how many there are. */
  value = -1
  firstValue = -1
  values = 0
  /** What the current thread's step touched, with all numbers so far. */
  touched: Touched = new Touched()
  /** Branches explored before the current one. */
  done = 0

  constructor(sleep: Array<Sleeper>, tree: Array<Branch>) {
    this.sleep = sleep
    this.tree = tree
  }

  /** A step of the current thread has been explored. */
  note(step: Happened): void {
    step.places.forEach((place, i) => this.touched.add(place, step.modes[i]!))
  }

  save(): SavedNode {
    return {
      ...saveTodo(this),
      thread: this.current!.thread,
      value: this.value,
      firstValue: this.firstValue,
      values: this.values,
      touched: saveFootprint(this.touched),
      done: this.done
    }
  }

  static load(saved: SavedNode): Node {
    const node = new Node(loadSleep(saved.sleep), loadTree(saved.tree))
    node.current = { thread: saved.thread, value: saved.value, footprint: undefined, children: [] }
    node.value = saved.value
    node.firstValue = saved.firstValue
    node.values = saved.values
    node.done = saved.done
    saved.touched.places.forEach((place, i) => node.touched.add(place, saved.touched.modes[i]!))
    return node
  }

  /** The next number of the current data choice: 0, 1, ... without the one tried first; -1 after the last. */
  nextValue(): number {
    let next = this.value === this.firstValue && this.values > 0 ? 0 : this.value + 1
    if (next === this.firstValue) next++
    return next < this.values ? next : -1
  }
}

export interface DporCounts {
  /** Executions that ran to their end (or to the step limit). */
  executions: number
  /** Executions that ended sleep-set blocked. */
  blocked: number
  steps: number
}

export class Dpor {
  readonly counts: DporCounts = { executions: 0, blocked: 0, steps: 0 }
  readonly trace: Trace
  private readonly machine: Machine
  private readonly races: Races
  private readonly optimal: boolean
  private readonly maxSteps: number
  /** Plans hold all that is independent in a complete execution. */
  private whole = false
  private readonly nodes: Array<Node> = []
  /** The task, until it is begun or a checkpoint of it is loaded. */
  private task: Task | undefined
  /** States of the path that are the task's way to its part of the tree: siblings there are other tasks. */
  private readonly base: number
  /**
   * First step of the trace whose races have not been looked for. Wakeup trees need the races of all steps at the end
   * of every execution (algorithm 2, line 3), because a plan holds what came after the race, too.
   */
  private fresh = 0
  private readonly enabled: Array<number> = []
  /** What to do at the end of the trace; undefined: nothing is left. */
  private next: Todo | undefined = { sleep: [], tree: [] }
  /** The execution ends with the step just done. */
  private cut = false

  constructor(machine: Machine, options: DporOptions) {
    this.machine = machine
    this.optimal = options.algorithm === "optimal" && !machine.isWatched
    this.task = options.task
    this.base = options.task?.moves.length ?? 0
    this.maxSteps = options.maxSteps
    this.trace = new Trace(machine)
    this.races = new Races(machine, this.trace, {
      whole: this.optimal,
      ...(options.ignoreWaiting === undefined ? {} : { ignoreWaiting: options.ignoreWaiting })
    })
  }

  /** Explores everything, or until the visitor ends it; then `save` tells where it stands. */
  run(visitor: Visitor): "complete" | "stopped" {
    this.enter()
    while (this.next !== undefined) {
      if (!visitor.goOn()) return "stopped"
      const end = this.descend(this.next, visitor)
      if (end === "blocked") this.counts.blocked++
      else this.counts.executions++
      const goOn = visitor.ended(end, this.trace)
      this.whole = this.optimal && end === "complete"
      this.reverseRaces()
      this.next = this.backtrack()
      if (this.next === undefined) break
      if (!this.optimal) this.fresh = this.trace.length - 1
      this.cut = visitor.stepped !== undefined && !visitor.stepped(this.trace.steps.at(-1)!, this.trace)
      if (!goOn) return "stopped"
    }
    return "complete"
  }

  /** Where the exploration stands between two executions, as plain JSON. */
  save(): SavedDpor {
    return {
      parts: [...this.machine.dependence.partPaths],
      path: this.nodes.map((node) => node.save()),
      next: this.next === undefined ? null : saveTodo(this.next),
      cut: this.cut,
      counts: { ...this.counts }
    }
  }

  /**
   * How much of the tree is explored: from the root downward, what is done of the branches that are known. Branches that
   * are not known yet make it too high.
   */
  get fraction(): number {
    let fraction = 0
    let weight = 1
    for (let i = this.base; i < this.nodes.length; i++) {
      const { done, tree } = this.nodes[i]!
      const known = done + 1 + tree.length
      fraction += weight * (done / known)
      weight /= known
    }
    return this.next === undefined ? 1 : fraction
  }

  /** Goes to where the task begins. */
  private enter(): void {
    const { task } = this
    if (task === undefined) return
    this.task = undefined
    this.machine.dependence.placeParts(task.parts)
    for (const { thread, value } of task.moves) {
      const node = new Node([], [])
      node.current = { thread, value, footprint: undefined, children: [] }
      node.value = value
      this.nodes.push(node)
      this.trace.push(this.machine.step(thread, value))
    }
    this.fresh = this.base
    const sleep = task.sleep.map(({ footprint, thread }): Sleeper => ({ thread, footprint, outside: true }))
    this.next = { sleep, tree: [] }
  }

  /** Continues where a saved exploration of the same model (and task) stood. Call before `run`. */
  load(saved: SavedDpor): void {
    this.task = undefined
    Object.assign(this.counts, saved.counts)
    this.machine.dependence.placeParts(saved.parts)
    for (const entry of saved.path) {
      const node = Node.load(entry)
      this.nodes.push(node)
      const { value } = node
      const thread = node.current!.thread
      if (thread >= this.machine.at.length || !this.machine.isEnabled(thread)) {
        throw new Error("the checkpoint is of another model: a thread of its path cannot move")
      }
      this.trace.push(this.machine.step(thread, value))
    }
    this.fresh = this.optimal ? 0 : Math.max(0, this.trace.length - 1)
    this.next = saved.next === null
      ? undefined
      : { sleep: loadSleep(saved.next.sleep), tree: loadTree(saved.next.tree) }
    this.cut = saved.cut
  }

  /** Runs on from the present state to the end of an execution. */
  private descend(from: Todo, visitor: Visitor): RunEnd {
    let { sleep, tree } = from
    for (;;) {
      if (this.cut) return "cut"
      const { enabled, machine } = this
      if (machine.enabled(enabled) === 0) return "complete"
      if (machine.events >= this.maxSteps) return "step-limit"
      const node = new Node(sleep, tree)
      if (!this.choose(node)) {
        if (tree.length > 0) throw new Error("a planned thread cannot move: the dependence relation is wrong")
        return "blocked"
      }
      this.nodes.push(node)
      const next = this.execute(node, node.current!.children)
      sleep = next.sleep
      tree = next.tree
      if (visitor.stepped !== undefined && !visitor.stepped(this.trace.steps.at(-1)!, this.trace)) this.cut = true
    }
  }

  /** Makes the next branch of a node the current one; false when there is none. */
  private choose(node: Node): boolean {
    while (node.tree.length > 0) {
      const branch = node.tree.shift()!
      if (node.sleep.some((sleeper) => sleeper.thread === branch.thread)) continue
      if (!this.machine.isEnabled(branch.thread)) {
        throw new Error("a planned thread cannot move: the dependence relation is wrong")
      }
      this.begin(node, branch)
      return true
    }
    if (node.current !== undefined) return false
    const { enabled } = this
    const last = this.trace.steps.at(-1)?.thread
    const awake = enabled.filter((thread) => !node.sleep.some((sleeper) => sleeper.thread === thread))
    if (awake.length === 0) return false
    const thread = last !== undefined && awake.includes(last) ? last : awake[0]!
    this.begin(node, { thread, value: -1, footprint: undefined, children: [] })
    return true
  }

  private begin(node: Node, branch: Branch): void {
    node.current = branch
    node.values = this.machine.choicesOf(branch.thread)
    node.value = node.values === 0 ? -1 : Math.max(0, branch.value)
    node.touched = new Touched()
    node.firstValue = node.value
  }

  /** Executes the current branch of a node. */
  private execute(node: Node, tree: Array<Branch>): Todo {
    const step = this.machine.step(node.current!.thread, node.value)
    this.trace.push(step)
    this.counts.steps++
    const sleep = node.sleep.filter((s) => s.thread !== step.thread && !dependent(s.footprint, step))
    return { sleep, tree }
  }

  /** Goes back to the last state with something left to explore, and executes that. */
  private backtrack(): Todo | undefined {
    while (this.nodes.length > this.base) {
      const node = this.nodes.at(-1)!
      const step = this.trace.pop()
      this.machine.undo(step)
      node.note(step)
      const value = node.nextValue()
      if (value >= 0) {
        node.value = value
        return this.execute(node, [])
      }
      node.sleep = [...node.sleep, { thread: step.thread, footprint: node.touched }]
      node.done++
      if (this.choose(node)) return this.execute(node, node.current!.children)
      this.nodes.pop()
    }
    return undefined
  }

  private reverseRaces(): void {
    const { machine, races, trace } = this
    for (let index = this.fresh; index < trace.length; index++) {
      for (const race of races.ofStep(index)) this.plan(race)
    }
    for (let thread = 0; thread < machine.at.length; thread++) {
      if (machine.pending(thread) === undefined || machine.isEnabled(thread)) continue
      for (const race of races.ofWaiting(thread)) this.plan(race)
    }
  }

  private plan({ before, plan }: Race): void {
    // The other order is a part of another task.
    if (before < this.base) return
    const node = this.nodes[before]!
    if (node.sleep.some((sleeper) => this.isWeakInitial(sleeper, plan))) return
    if (this.optimal) this.insert(node.tree, plan)
    else this.addInitial(node, plan)
  }

  private addInitial(node: Node, plan: ReadonlyArray<Planned>): void {
    const initials = plan.filter((_, at) => this.isInitial(plan, at))
    if (initials.some((step) => node.tree.some((branch) => branch.thread === step.thread))) return
    const { thread, value } = initials.at(-1)!
    node.tree.push({ thread, value, footprint: undefined, children: [] })
  }

  /** Insertion into a wakeup tree (POPL'14, section 6.1): nothing is added when a leaf already covers the plan. */
  private insert(tree: Array<Branch>, plan: ReadonlyArray<Planned>): void {
    let branches = tree
    let rest = plan
    descend: while (rest.length > 0) {
      for (const branch of branches) {
        const at = rest.findIndex((step) => step.thread === branch.thread)
        if (at >= 0) {
          if (!this.isInitial(rest, at)) continue
          if (branch.value !== rest[at]!.value) return
          rest = rest.filter((_, i) => i !== at)
        } else if (!this.whole || rest.some((step) => apart(branch.footprint, step.footprint))) continue
        if (branch.children.length === 0) return
        branches = branch.children
        continue descend
      }
      for (const { footprint, thread, value } of rest) {
        const branch: Branch = { thread, value, footprint, children: [] }
        branches.push(branch)
        branches = branch.children
      }
      return
    }
  }

  /** The step is its thread's first in the plan and nothing in the plan has to come before it. */
  private isInitial(plan: ReadonlyArray<Planned>, at: number): boolean {
    const step = plan[at]!
    for (let i = 0; i < at; i++) {
      if (plan[i]!.thread === step.thread || precedes(this.trace, plan[i]!, step)) return false
    }
    return true
  }

  /**
   * The plan can be reordered so that the thread's step comes first, or the step can be put in front of it. The latter
   * says something only about plans that hold all of a complete execution: in a shorter one the step may be missing
   * just because it came later, after something that it depends on. And it relies on the races that were found behind the
   * step when it was explored, which put plans of their own here unless that was elsewhere.
   */
  private isWeakInitial({ footprint, outside, thread }: Sleeper, plan: ReadonlyArray<Planned>): boolean {
    const at = plan.findIndex((step) => step.thread === thread)
    if (at >= 0) return this.isInitial(plan, at)
    return this.whole && outside === undefined && plan.every((step) => !apart(footprint, step.footprint))
  }
}

/** Plain JSON; a footprint that is not known is null. */
export interface SavedBranch {
  readonly thread: number
  readonly value: number
  readonly footprint: Footprint | null
  readonly children: ReadonlyArray<SavedBranch>
}

export interface SavedTodo {
  readonly sleep: ReadonlyArray<Sleeper>
  readonly tree: ReadonlyArray<SavedBranch>
}

export interface SavedNode extends SavedTodo {
  readonly thread: number
  readonly value: number
  readonly firstValue: number
  readonly values: number
  readonly touched: Footprint
  readonly done: number
}

export interface SavedDpor {
  /** What the numbers of places in footprints mean. */
  readonly parts: ReadonlyArray<PartPath>
  readonly path: ReadonlyArray<SavedNode>
  readonly next: SavedTodo | null
  readonly cut: boolean
  readonly counts: DporCounts
}

const saveBranch = ({ children, footprint, thread, value }: Branch): SavedBranch => ({
  thread,
  value,
  footprint: footprint === undefined ? null : saveFootprint(footprint),
  children: children.map(saveBranch)
})

const saveTodo = ({ sleep, tree }: Todo): SavedTodo => ({
  sleep: sleep.map((sleeper) => ({ ...sleeper, footprint: saveFootprint(sleeper.footprint) })),
  tree: tree.map(saveBranch)
})

const loadSleep = (sleep: ReadonlyArray<Sleeper>): Array<Sleeper> => sleep.map((sleeper) => ({ ...sleeper }))

const loadTree = (tree: ReadonlyArray<SavedBranch>): Array<Branch> =>
  tree.map(({ children, footprint, thread, value }) => ({
    thread,
    value,
    footprint: footprint ?? undefined,
    children: loadTree(children)
  }))
