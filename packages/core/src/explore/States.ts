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

interface Sleeper {
  readonly thread: number
  readonly footprint: Footprint
}

/** The way to a state, shared by all that start with it. */
interface Way {
  readonly before: Way | undefined
  readonly thread: number
  readonly value: number
}

interface Frame {
  readonly step: Happened | undefined
  readonly way: Way | undefined
  readonly moves: ReadonlyArray<Move>
  next: number
  /** Own to the frame. */
  readonly sleep: Array<Sleeper>
  /** What the step of the thread being moved touched, with all numbers so far. */
  touched: Footprint | undefined
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
  private readonly frames: Array<Frame> = []
  /** By cost: states whose next level it is. */
  private readonly waiting: Array<Array<Way>> = []
  /** A move of each thread that is no data choice. */
  private readonly plain: ReadonlyArray<Move>
  private cost = 0
  private tick = 0
  private end: StatesEnd = "complete"
  private readonly enabled: Array<number> = []
  /** By state: threads that slept at every visit. */
  private readonly slept: Array<number> = []

  constructor(machine: Machine, visited: Visited, options: StatesOptions) {
    this.machine = machine
    this.visited = visited
    this.options = options
    this.plain = machine.model.threads.map(({ id }) => ({ thread: id, value: -1 }))
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
    if (!this.arrive(first, start, start?.thread ?? -1, [], visitor)) return false
    for (;;) {
      const frame = this.frames.at(-1)
      if (frame === undefined) return true
      if (++this.tick % this.options.goOnEvery === 0 && !visitor.goOn()) return this.stop("stopped")
      const move = frame.moves[frame.next++]
      if (move === undefined) {
        this.frames.pop()
        this.leave(frame)
        continue
      }
      const step = this.machine.step(move.thread, move.value)
      this.counts.steps++
      const way: Way = { before: frame.way, thread: move.thread, value: move.value }
      const sleep: Array<Sleeper> = []
      if (this.sleepSets) {
        for (const sleeper of frame.sleep) {
          if (sleeper.thread !== move.thread && !dependent(sleeper.footprint, step)) sleep.push(sleeper)
        }
        frame.touched = move.value < 0 ? step : union(frame.touched, step)
        if (frame.moves[frame.next]?.thread !== move.thread) {
          if (move.thread < maxSleepers) frame.sleep.push({ thread: move.thread, footprint: frame.touched })
          frame.touched = undefined
        }
      }
      if (!this.arrive(step, way, move.thread, sleep, visitor)) return false
    }
  }

  private leave({ step }: Frame): void {
    if (step !== undefined) this.machine.undo(step)
  }

  private stop(end: StatesEnd): false {
    this.end = end
    return false
  }

  /** The machine has come to a state: judges it, and pushes a frame when something is to be explored from it. */
  private arrive(
    step: Happened | undefined,
    way: Way | undefined,
    last: number,
    sleep: Array<Sleeper>,
    visitor: StatesVisitor
  ): boolean {
    const { enabled, machine } = this
    const count = machine.enabled(enabled)
    const verdict = this.judge(step, count)
    if (verdict !== undefined) {
      this.counts.ends++
      const goOn = visitor.ended(verdict, () => movesOf(way), this.cost)
      if (step !== undefined) machine.undo(step)
      return goOn || this.stop("stopped")
    }
    const moves = this.options.cost === undefined ? this.unbounded(sleep) : this.bounded(way, last)
    if (moves === "full") return this.stop("memory")
    if (moves.length === 0) {
      if (step !== undefined) machine.undo(step)
      return true
    }
    this.frames.push({ step, way, moves, next: 0, sleep, touched: undefined })
    return true
  }

  private judge(step: Happened | undefined, enabled: number): Verdict | "step-limit" | undefined {
    if (step?.failure !== undefined) return step.failure
    const { machine } = this
    if (this.options.partialDeadlocks) {
      const cycle = step === undefined ? machine.cycle() : machine.newCycle(step)
      if (cycle !== undefined) return machine.deadlockOf(cycle)
    }
    if (enabled === 0) return machine.end()
    return machine.events >= this.options.maxSteps ? "step-limit" : undefined
  }

  private unbounded(sleep: Array<Sleeper>): ReadonlyArray<Move> | "full" {
    let asleep = 0
    for (const { thread } of sleep) asleep |= 1 << thread
    const known = this.visited.find(this.machine.vector!)
    if (known < 0) {
      const state = this.visited.add(this.machine.vector!)
      if (state < 0) return "full"
      this.counts.states++
      this.slept[state] = asleep
      return this.movesOf((thread) => (asleep & (1 << thread)) === 0 || thread >= maxSleepers)
    }
    this.counts.matched++
    const slept = this.slept[known]!
    const awake = slept & ~asleep
    if (awake === 0) return noMoves
    this.slept[known] = slept & asleep
    for (let i = sleep.length - 1; i >= 0; i--) if ((slept & (1 << sleep[i]!.thread)) === 0) sleep.splice(i, 1)
    return this.movesOf((thread) => thread < maxSleepers && (awake & (1 << thread)) !== 0)
  }

  /** Moves that cost nothing; the others wait for their level. */
  private bounded(way: Way | undefined, last: number): ReadonlyArray<Move> | "full" {
    const vector = this.machine.vector!
    vector.set(this.machine.freeColumn, last + 1)
    if (this.visited.find(vector) >= 0) {
      this.counts.matched++
      return noMoves
    }
    if (this.visited.add(vector) < 0) return "full"
    this.counts.states++
    const costs = this.costs(last)
    return this.movesOf((thread) => {
      const cost = costs(thread)
      if (cost === 0) return true
      const level = this.cost + cost
      if (level <= (this.options.bound ?? Infinity) + 1) {
        const choices = this.machine.choicesOf(thread)
        const list = this.waiting[level] ??= []
        for (let value = choices === 0 ? -1 : 0; value < Math.max(0, choices); value++) {
          list.push({ before: way, thread, value })
        }
      }
      return false
    })
  }

  /** What moving each enabled thread next would cost. */
  private costs(last: number): (thread: number) => number {
    const { enabled } = this
    if (this.options.cost === "preemptions") {
      const free = last < 0 || !enabled.includes(last)
      return (thread) => free || thread === last ? 0 : 1
    }
    const threads = this.machine.at.length
    const order = [...enabled].sort((a, b) => turn(a, last, threads) - turn(b, last, threads))
    return (thread) => order.indexOf(thread)
  }

  private movesOf(wanted: (thread: number) => boolean): ReadonlyArray<Move> {
    const moves: Array<Move> = []
    for (const thread of this.enabled) {
      if (!wanted(thread)) continue
      const choices = this.machine.choicesOf(thread)
      if (choices === 0) moves.push(this.plain[thread]!)
      for (let value = 0; value < choices; value++) moves.push({ thread, value })
    }
    return moves
  }
}

const noMoves: ReadonlyArray<never> = []

/** How long a thread waits for its turn in the round that starts with `last`. */
const turn = (thread: number, last: number, threads: number): number => (thread - Math.max(0, last) + threads) % threads

const movesOf = (way: Way | undefined): ReadonlyArray<Move> => {
  const moves: Array<Move> = []
  for (let w = way; w !== undefined; w = w.before) moves.push({ thread: w.thread, value: w.value })
  return moves.toReversed()
}
