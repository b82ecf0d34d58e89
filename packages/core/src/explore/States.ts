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

/** The way to a state, shared by all that start with it. */
interface Way {
  readonly before: Way | undefined
  readonly thread: number
  readonly value: number
}

interface Frame {
  readonly step: Happened | undefined
  readonly moves: ReadonlyArray<Move>
  next: number
  /** Where its sleepers begin on the stack of them. */
  readonly sleep: number
  /** What the step of the thread being moved touched, with all numbers so far. */
  touched: Footprint | undefined
  /** Made when it is asked for. */
  way: Way | undefined
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
  /** Threads that sleep, and what their steps touch: those of the topmost frame, or of the state arrived at, end it. */
  private readonly sleepers: Array<number> = []
  private readonly asleepFor: Array<Footprint> = []
  /** By cost: states whose next level it is. */
  private readonly waiting: Array<Array<Way>> = []
  /** A move of each thread that is no data choice, and all by themselves. */
  private readonly plain: ReadonlyArray<Move>
  private readonly alone: ReadonlyArray<ReadonlyArray<Move>>
  private cost = 0
  private tick = 0
  private end: StatesEnd = "complete"
  private readonly enabled: Array<number> = []
  /** By state: threads that slept at every visit. */
  private slept = new Int32Array(1 << 11)

  constructor(machine: Machine, visited: Visited, options: StatesOptions) {
    this.machine = machine
    this.visited = visited
    this.options = options
    this.plain = machine.model.threads.map(({ id }) => ({ thread: id, value: -1 }))
    this.alone = this.plain.map((move) => [move])
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
    const { frames, machine } = this
    this.dropSleepers(0)
    if (!this.arrive(first, start, 0, visitor)) return false
    for (;;) {
      const frame = frames.at(-1)
      if (frame === undefined) return true
      if (++this.tick % this.options.goOnEvery === 0 && !visitor.goOn()) return this.stop("stopped")
      const move = frame.moves[frame.next++]
      if (move === undefined) {
        frames.pop()
        this.leave(frame.step, frame.sleep)
        continue
      }
      const step = machine.step(move.thread, move.value)
      this.counts.steps++
      if (this.sleepSets) this.lullAfter(frame, move, step)
      const sleep = this.sleepers.length
      if (this.sleepSets) this.keepAsleep(frame, move, step, sleep)
      if (!this.arrive(step, undefined, sleep, visitor)) return false
    }
  }

  /** The thread's moves are all made: in what follows the other ones it sleeps. */
  private lullAfter(frame: Frame, { thread, value }: Move, step: Happened): void {
    frame.touched = value < 0 ? step : union(frame.touched, step)
    if (frame.moves[frame.next]?.thread === thread) return
    if (thread < maxSleepers) {
      this.sleepers.push(thread)
      this.asleepFor.push(frame.touched)
    }
    frame.touched = undefined
  }

  /** Those that sleep before the step sleep behind it unless it wakes them: they come to lie above those of the frame. */
  private keepAsleep(frame: Frame, { thread }: Move, step: Happened, end: number): void {
    const { asleepFor, sleepers } = this
    for (let i = frame.sleep; i < end; i++) {
      const sleeper = sleepers[i]!
      if (sleeper === thread || dependent(asleepFor[i]!, step)) continue
      sleepers.push(sleeper)
      asleepFor.push(asleepFor[i]!)
    }
  }

  private dropSleepers(from: number): void {
    while (this.sleepers.length > from) {
      this.sleepers.pop()
      this.asleepFor.pop()
    }
  }

  private leave(step: Happened | undefined, sleep: number): void {
    this.dropSleepers(sleep)
    if (step !== undefined) this.machine.undo(step)
  }

  private stop(end: StatesEnd): false {
    this.end = end
    return false
  }

  /**
   * The machine has come to a state, and its sleepers begin at `sleep`: judges the state, and pushes a frame when
   * something is to be explored from it. Where it was seen before there is nothing to judge: executions end in states
   * that are not kept. `start`: the way to it, when it is the first one of a search.
   */
  private arrive(
    step: Happened | undefined,
    start: Way | undefined,
    sleep: number,
    visitor: StatesVisitor
  ): boolean {
    const { machine } = this
    const vector = machine.vector!
    const last = step?.thread ?? -1
    if (this.options.cost !== undefined) vector.set(machine.freeColumn, last + 1)
    const known = step?.failure === undefined ? this.visited.find(vector) : -1
    if (known >= 0) {
      this.counts.matched++
      const moves = this.options.cost === undefined ? this.again(known, sleep) : noMoves
      if (moves.length === 0) this.leave(step, sleep)
      else this.push(step, start, moves, sleep)
      return true
    }
    const verdict = this.judge(step, machine.enabled(this.enabled))
    if (verdict !== undefined) {
      this.counts.ends++
      const goOn = visitor.ended(verdict, () => movesOf(this.wayTo(step, start)), this.cost)
      this.leave(step, sleep)
      return goOn || this.stop("stopped")
    }
    const state = this.visited.add(vector)
    if (state < 0) return this.stop("memory")
    this.counts.states++
    const moves = this.options.cost === undefined
      ? this.awake(state, sleep)
      : this.bounded(this.wayTo(step, start), last)
    if (moves.length === 0) this.leave(step, sleep)
    else this.push(step, start, moves, sleep)
    return true
  }

  private push(
    step: Happened | undefined,
    way: Way | undefined,
    moves: ReadonlyArray<Move>,
    sleep: number
  ): void {
    this.frames.push({ step, moves, next: 0, sleep, touched: undefined, way })
  }

  /** The way to the state behind the step of the topmost frame. */
  private wayTo(step: Happened | undefined, start: Way | undefined): Way | undefined {
    const { frames } = this
    if (frames.length === 0 || step === undefined) return start
    for (let i = 1; i < frames.length; i++) {
      frames[i]!.way ??= behind(frames[i - 1]!)
    }
    return behind(frames.at(-1)!)
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

  /** What is to be explored from a new state: all that does not sleep. */
  private awake(state: number, sleep: number): ReadonlyArray<Move> {
    if (state >= this.slept.length) {
      const longer = new Int32Array(this.slept.length * 2)
      longer.set(this.slept)
      this.slept = longer
    }
    const asleep = this.asleepFrom(sleep)
    this.slept[state] = asleep
    return this.movesOf((thread) => (asleep & (1 << thread)) === 0 || thread >= maxSleepers)
  }

  /** From a state that was seen before: threads that slept at all visits and do not now. Only they are not to sleep. */
  private again(state: number, sleep: number): ReadonlyArray<Move> {
    const asleep = this.asleepFrom(sleep)
    const slept = this.slept[state]!
    const awake = slept & ~asleep
    if (awake === 0) return noMoves
    this.slept[state] = slept & asleep
    const { asleepFor, sleepers } = this
    let kept = sleep
    for (let i = sleep; i < sleepers.length; i++) {
      if ((slept & (1 << sleepers[i]!)) === 0) continue
      sleepers[kept] = sleepers[i]!
      asleepFor[kept++] = asleepFor[i]!
    }
    this.dropSleepers(kept)
    this.machine.enabled(this.enabled)
    return this.movesOf((thread) => thread < maxSleepers && (awake & (1 << thread)) !== 0)
  }

  private asleepFrom(sleep: number): number {
    let asleep = 0
    for (let i = sleep; i < this.sleepers.length; i++) asleep |= 1 << this.sleepers[i]!
    return asleep
  }

  /** Moves that cost nothing; the others wait for their level. */
  private bounded(way: Way | undefined, last: number): ReadonlyArray<Move> {
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
    let moves: Array<Move> | undefined
    let only = -1
    for (const thread of this.enabled) {
      if (!wanted(thread)) continue
      const choices = this.machine.choicesOf(thread)
      if (choices === 0 && only < 0 && moves === undefined) {
        only = thread
        continue
      }
      moves ??= only < 0 ? [] : [this.plain[only]!]
      if (choices === 0) moves.push(this.plain[thread]!)
      for (let value = 0; value < choices; value++) moves.push({ thread, value })
    }
    return moves ?? (only < 0 ? noMoves : this.alone[only]!)
  }
}

const noMoves: ReadonlyArray<never> = []

/** The way of the frame and the move that was taken last from there. */
const behind = ({ moves, next, way }: Frame): Way => ({ before: way, ...moves[next - 1]! })

/** How long a thread waits for its turn in the round that starts with `last`. */
const turn = (thread: number, last: number, threads: number): number => (thread - Math.max(0, last) + threads) % threads

const movesOf = (way: Way | undefined): ReadonlyArray<Move> => {
  const moves: Array<Move> = []
  for (let w = way; w !== undefined; w = w.before) moves.push({ thread: w.thread, value: w.value })
  return moves.toReversed()
}
