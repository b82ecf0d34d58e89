/**
 * Search of the graph of states instead of the tree of executions: what follows from a state is explored once, however
 * many ways lead to it. A state is all of: the state of every actor, the history of results of every thread (its
 * `Moment`; of one that has ended, what it returned), the states of the monitors. Equal states have equal futures.
 *
 * Without a bound: sleep sets, which leave out transitions but no state. A state that is met again is explored again
 * only for threads that slept at all earlier visits and do not now (Godefroid, LNCS 1032, section 5.3, and
 * "Using partial orders to improve automatic verification methods", CAV'90).
 *
 * With a bound: the thread that moved last is part of the state, and states are taken in the order of their cost
 * (preemptions or delays), each at its least cost. So each level is searched once, after it everything within the
 * bound is covered, and the first failure found has the least cost of all. No sleep sets: they can trade a cheap
 * schedule for an equivalent dear one (Musuvathi and Qadeer, PLDI'07; Coons, Musuvathi, McKinley, OOPSLA'13).
 *
 * A state that comes again is not explored again; whether it comes on its own way, as in a livelock, is not looked at.
 */
import type { Verdict } from "../Verdict.ts"
import { dependent, type Footprint, union } from "./Footprint.ts"
import type { Happened, Machine } from "./Machine.ts"
import type { Visited } from "./Visited.ts"
import type { Move } from "./Witness.ts"

/** What makes a schedule dear. */
export type Cost =
  /** Moving another thread than the last one, which could have gone on. */
  | "preemptions"
  /** Threads passed over in the round that starts with the last one (Emmi, Qadeer, Rakamaric, POPL'11). */
  | "delays"

export interface StatesOptions {
  readonly maxSteps: number
  readonly partialDeadlocks: boolean
  /** Steps between two calls of the visitor's `goOn`. */
  readonly goOnEvery: number
  /** Undefined: no bound. */
  readonly cost?: Cost
  /** Default: none. */
  readonly bound?: number
  /** Default true; without a bound only. */
  readonly sleepSets?: boolean
}

export interface StatesVisitor {
  /** An execution ended here; `cost` is its cost so far. False ends the search. */
  ended(verdict: Verdict | "step-limit", moves: () => ReadonlyArray<Move>, cost: number): boolean
  /** Everything of at most this cost is covered. */
  covered?(cost: number): void
  /** Called now and then. False ends the search. */
  goOn(): boolean
}

export interface StatesCounts {
  states: number
  steps: number
  /** Arrivals at states seen before. */
  matched: number
  /** Ends of executions met. */
  ends: number
}

/** What made the search stop. */
export type StatesEnd = "complete" | "bound" | "stopped" | "memory"

/** The way to a state, shared by all that start with it. */
interface Way {
  readonly before: Way | undefined
  readonly thread: number
  readonly value: number
}

/** A state from which threads are moved. There is one for each depth, used for one state after the other. */
class Frame {
  /** What led here. */
  step: Happened | undefined = undefined
  /** Undefined until it is needed. */
  way: Way | undefined = undefined
  /** Threads to move, and how many of them have been taken up. */
  readonly threads: Array<number> = []
  taken = 0
  /** The thread being moved; of its data choice the number under way, and how many there are. */
  thread = -1
  value = -1
  values = 0
  /** What the step of `thread` touched, with all numbers so far. */
  touched: Footprint | undefined = undefined
  /** Threads that sleep, as bits, and what they would touch, by thread. */
  asleep = 0
  readonly sleepers: Array<Footprint> = []

  /** Decides what is moved next; false when nothing is left. */
  choose(machine: Machine): boolean {
    if (++this.value < this.values) return true
    if (this.taken === this.threads.length) return false
    this.thread = this.threads[this.taken++]!
    this.values = machine.choicesOf(this.thread)
    this.value = this.values === 0 ? -1 : 0
    this.touched = undefined
    return true
  }

  /** Who sleeps after the step of `thread`; from then on `thread` sleeps here. */
  passSleep(step: Happened, next: Frame): void {
    const { thread } = this
    const bit = thread < maxSleepers ? 1 << thread : 0
    next.asleep = 0
    for (let left = this.asleep & ~bit; left !== 0; left &= left - 1) {
      const sleeper = 31 - Math.clz32(left & -left)
      const footprint = this.sleepers[sleeper]!
      if (dependent(footprint, step)) continue
      next.asleep |= 1 << sleeper
      next.sleepers[sleeper] = footprint
    }
    this.touched = this.values === 0 ? step : union(this.touched, step)
    if (this.value + 1 < this.values || bit === 0) return
    this.asleep |= bit
    this.sleepers[thread] = this.touched
  }
}

/** More threads than bits: their sleep is not remembered, so they are not put to sleep. */
const maxSleepers = 30

export class States {
  readonly counts: StatesCounts = { states: 0, steps: 0, matched: 0, ends: 0 }
  readonly blocked = 0
  private readonly machine: Machine
  private readonly visited: Visited
  private readonly options: StatesOptions
  private readonly sleepSets: boolean
  /** The first `depth` are in use. */
  private readonly frames: Array<Frame> = []
  private depth = 0
  /** By cost: states whose next level it is. */
  private readonly waiting: Array<Array<Way>> = []
  private cost = 0
  private tick = 0
  private end: StatesEnd = "complete"
  /** By state: threads that slept at every visit. */
  private slept = new Int32Array(1 << 12)

  constructor(machine: Machine, visited: Visited, options: StatesOptions) {
    this.machine = machine
    this.visited = visited
    this.options = options
    this.sleepSets = options.cost === undefined && (options.sleepSets ?? true)
  }

  run(visitor: StatesVisitor): StatesEnd {
    this.machine.reset()
    if (!this.search(undefined, undefined, visitor)) return this.end
    if (this.options.cost === undefined) return "complete"
    for (; this.cost < this.waiting.length; this.cost++) {
      if (this.cost > (this.options.bound ?? Infinity)) return "bound"
      for (const way of this.waiting[this.cost] ?? []) {
        this.machine.reset()
        let step: Happened | undefined
        for (const { thread, value } of movesOf(way)) step = this.machine.step(thread, value)
        if (!this.search(way, step, visitor)) return this.end
      }
      this.waiting[this.cost] = []
      visitor.covered?.(this.cost)
    }
    return "complete"
  }

  /** Depth first from the present state; false when the search is to end. */
  private search(start: Way | undefined, first: Happened | undefined, visitor: StatesVisitor): boolean {
    const { machine } = this
    const root = this.frameAt(0)
    root.asleep = 0
    if (!this.arrive(root, first, start, visitor)) return false
    while (this.depth > 0) {
      const frame = this.frames[this.depth - 1]!
      if (++this.tick % this.options.goOnEvery === 0 && !visitor.goOn()) return this.stop("stopped")
      if (!frame.choose(machine)) {
        this.depth--
        if (frame.step !== undefined) machine.undo(frame.step)
        continue
      }
      const step = machine.step(frame.thread, frame.value)
      this.counts.steps++
      const next = this.frameAt(this.depth)
      if (this.sleepSets) frame.passSleep(step, next)
      if (!this.arrive(next, step, undefined, visitor)) return false
    }
    return true
  }

  private frameAt(depth: number): Frame {
    return this.frames[depth] ??= new Frame()
  }

  private stop(end: StatesEnd): false {
    this.end = end
    return false
  }

  /** The machine has come to a state: judges it, and takes the frame in use when something is to be explored from it. */
  private arrive(frame: Frame, step: Happened | undefined, way: Way | undefined, visitor: StatesVisitor): boolean {
    const { machine } = this
    frame.step = step
    frame.way = way
    const last = step?.thread ?? -1
    const known = this.find(step, last)
    const verdict = known < 0 ? this.judge(frame) : undefined
    if (verdict !== undefined) {
      this.counts.ends++
      const goOn = visitor.ended(verdict, this.moves, this.cost)
      if (step !== undefined) machine.undo(step)
      return goOn || this.stop("stopped")
    }
    const room = this.options.cost === undefined ? this.unbounded(known, frame) : this.bounded(known, frame, last)
    if (!room) return this.stop("memory")
    if (frame.threads.length > 0) {
      frame.taken = 0
      frame.value = -1
      frame.values = 0
      this.depth++
    } else if (step !== undefined) machine.undo(step)
    return true
  }

  /** A closure made where it is needed would cost something at every state. */
  private readonly moves = (): ReadonlyArray<Move> => movesOf(this.way())

  /** The way to the present state, that of the frame that is next to be in use. */
  private way(): Way | undefined {
    const { depth, frames } = this
    let from = depth
    while (from > 0 && frames[from]!.way === undefined) from--
    for (let i = from; i < depth; i++) {
      const { thread, value, way } = frames[i]!
      frames[i + 1]!.way = { before: way, thread, value }
    }
    return frames[depth]!.way
  }

  /**
   * The number of the present state; -1 when it is to be judged. States at which an execution ends get no number, so
   * one that has a number is none of them; only the step that leads to it may fail, or be one too many.
   */
  private find(step: Happened | undefined, last: number): number {
    const { machine, options } = this
    if (options.cost !== undefined) machine.setFree(last + 1)
    if (step?.failure !== undefined || machine.events >= options.maxSteps) return -1
    return this.visited.find(machine.vector!)
  }

  private judge({ step, threads }: Frame): Verdict | "step-limit" | undefined {
    const { machine } = this
    machine.enabled(threads)
    const failure = machine.failureOf(step, this.options.partialDeadlocks)
    if (failure !== undefined) return failure
    if (threads.length === 0) return machine.end(this.options.partialDeadlocks)
    return machine.events >= this.options.maxSteps ? "step-limit" : undefined
  }

  /** Leaves in the frame the threads to move; false: there is no room. */
  private unbounded(known: number, frame: Frame): boolean {
    const { asleep, threads } = frame
    if (known < 0) {
      const state = this.visited.add(this.machine.vector!)
      if (state < 0) return false
      this.counts.states++
      if (state >= this.slept.length) this.growSlept()
      this.slept[state] = asleep
      if (asleep !== 0) keep(threads, ~asleep, true)
      return true
    }
    this.counts.matched++
    const slept = this.slept[known]!
    const awake = slept & ~asleep
    if (awake === 0) {
      cut(threads, 0)
      return true
    }
    this.slept[known] = slept & asleep
    frame.asleep = asleep & slept
    this.machine.enabled(threads)
    keep(threads, awake, false)
    return true
  }

  private growSlept(): void {
    const slept = new Int32Array(this.slept.length * 2)
    slept.set(this.slept)
    this.slept = slept
  }

  /** Leaves in the frame the moves that cost nothing; the others wait for their level. False: there is no room. */
  private bounded(known: number, frame: Frame, last: number): boolean {
    const { threads } = frame
    if (known >= 0) {
      this.counts.matched++
      cut(threads, 0)
      return true
    }
    if (this.visited.add(this.machine.vector!) < 0) return false
    this.counts.states++
    const costs = this.costs(last, threads)
    let count = 0
    for (const thread of threads) {
      const cost = costs(thread)
      if (cost === 0) threads[count++] = thread
      else this.postpone(thread, this.cost + cost)
    }
    cut(threads, count)
    return true
  }

  private postpone(thread: number, level: number): void {
    if (level > (this.options.bound ?? Infinity) + 1) return
    const choices = this.machine.choicesOf(thread)
    const list = this.waiting[level] ??= []
    const before = this.way()
    for (let value = choices === 0 ? -1 : 0; value < Math.max(0, choices); value++) list.push({ before, thread, value })
  }

  /** What moving each enabled thread next would cost. */
  private costs(last: number, enabled: ReadonlyArray<number>): (thread: number) => number {
    if (this.options.cost === "preemptions") {
      const free = last < 0 || !enabled.includes(last)
      return (thread) => free || thread === last ? 0 : 1
    }
    const threads = this.machine.at.length
    const order = [...enabled].sort((a, b) => turn(a, last, threads) - turn(b, last, threads))
    return (thread) => order.indexOf(thread)
  }
}

/** To set the length of an array takes longer than to take a few away. */
const cut = (threads: Array<number>, length: number): void => {
  while (threads.length > length) threads.pop()
}

/** Takes out who is not among the bits; `beyond`: whether those for whom there is no bit stay. */
const keep = (threads: Array<number>, bits: number, beyond: boolean): void => {
  let count = 0
  for (const thread of threads) {
    if (thread < maxSleepers ? (bits & (1 << thread)) !== 0 : beyond) threads[count++] = thread
  }
  cut(threads, count)
}

/** How long a thread waits for its turn in the round that starts with `last`. */
const turn = (thread: number, last: number, threads: number): number => (thread - Math.max(0, last) + threads) % threads

const movesOf = (way: Way | undefined): ReadonlyArray<Move> => {
  const moves: Array<Move> = []
  for (let w = way; w !== undefined; w = w.before) moves.push({ thread: w.thread, value: w.value })
  return moves.toReversed()
}
