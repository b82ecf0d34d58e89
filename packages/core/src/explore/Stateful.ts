/**
 * Dynamic partial-order reduction joined with state matching: what follows from a state is explored once, however many
 * ways lead to it, and from a state only those threads are moved whose order with others can matter.
 *
 * - Which threads to move: source sets (Abdulla, Aronis, Jonsson, Sagonas, POPL'14). When a step is in a race with an
 *   earlier one, a thread that can begin a sequence with the two the other way round is moved where the earlier one was.
 * - Sleep sets, with state matching as Godefroid has them (LNCS 1032, section 5.3): a state is explored again for
 *   threads that slept at all earlier visits and do not now.
 * - At a state that was explored before, nothing is executed that could be in a race with the steps that led here this
 *   time. What its threads may still do (`Futures`) is therefore tried against those steps (Yang, Chen, Gopalakrishnan,
 *   Kirby, SPIN'08; Yi, Wang, Yang: Stateful dynamic partial-order reduction, ICFEM'06). It holds more than what was
 *   executed from the state, so some threads are moved without need, and none is forgotten.
 * - States that come again on their own path (threads that `settle` make such circles): everything on the circle is
 *   explored with all threads (the proviso against ignoring; Godefroid, section 6). A way round that is fair and makes
 *   no progress is a livelock.
 * - Where an execution fails it ends. What its threads would have done is not known; so every state on the way there is
 *   explored with all threads, and every state on another way to one of these (`open`).
 */
import { killThread } from "../Thread.ts"
import { failureId, type Verdict } from "../Verdict.ts"
import { dependent, type Footprint, saveFootprint, Touched, union, writing } from "./Footprint.ts"
import type { Moment } from "./Fibers.ts"
import { type Future, Futures } from "./Futures.ts"
import { circular, foreign, Known, onPath, open, unfinished } from "./Known.ts"
import type { Happened, Machine } from "./Machine.ts"
import { Loops, maxThreads, Node, type Sleeper } from "./Node.ts"
import type { PartPath } from "./Parts.ts"
import { Races } from "./Races.ts"
import { type Lore, Sharing } from "./Sharing.ts"
import type { StatesCounts, StatesEnd, StatesVisitor } from "./States.ts"
import { type Clock, join, Trace } from "./Trace.ts"
import type { Visited } from "./Visited.ts"
import type { Move } from "./Witness.ts"

export interface StatefulOptions {
  readonly maxSteps: number
  readonly partialDeadlocks: boolean
  /** Steps between two calls of the visitor's `goOn`. */
  readonly goOnEvery: number
  /** For tests: without the rule about steps that wait; without what may follow a state that is not walked again. */
  readonly ignoreWaiting?: boolean
  readonly ignoreFutures?: boolean
}

export class Stateful {
  readonly counts: StatesCounts = { states: 0, steps: 0, matched: 0, ends: 0 }
  /** Ends of executions at which all who could move slept. */
  blocked = 0
  private readonly machine: Machine
  private readonly known: Known
  private readonly options: StatefulOptions
  private readonly trace: Trace
  private readonly races: Races
  private readonly nodes: Array<Node> = []
  private readonly futures: ReadonlyArray<Futures>
  /** Threads that were killed in some execution. */
  private killed = 0
  private readonly enabled: Array<number> = []
  /** States from the start of the path on that are known to be whole. */
  private whole = 0
  private tick = 0
  private end: StatesEnd = "complete"
  private begun = false
  /** Nodes at the beginning of the path that are the partner's. */
  private base = 0
  private sharing: Sharing | undefined = undefined
  private countsTold = { states: 0, steps: 0, matched: 0, ends: 0, blocked: 0 }
  /** By state: threads that were moved from it as parts. */
  private readonly helped = new Map<number, number>()
  private part: { readonly state: number; readonly thread: number; readonly way: ReadonlyArray<Move> } | undefined

  constructor(machine: Machine, visited: Visited, options: StatefulOptions) {
    if (machine.model.threads.length > maxThreads) throw new RangeError(`at most ${maxThreads} threads`)
    this.machine = machine
    this.known = new Known(visited)
    this.options = options
    this.trace = new Trace(machine)
    this.races = new Races(machine, this.trace, { whole: false })
    this.futures = machine.model.threads.map(() => new Futures())
  }

  /** `steps`: at most; then the end is "spent", and it can be called again. */
  run(visitor: StatesVisitor, steps = Infinity): StatesEnd | "spent" {
    if (!this.begun) {
      this.begun = true
      if (!this.arrive([], 0, visitor)) return this.end
    }
    const last = this.counts.steps + steps
    while (this.nodes.length > this.base) {
      if (this.counts.steps >= last) return "spent"
      if (++this.tick % this.options.goOnEvery === 0 && !visitor.goOn()) return "stopped"
      const node = this.nodes.at(-1)!
      if (!this.choose(node)) {
        this.leave(node)
        continue
      }
      if (!this.move(node, visitor)) return this.end
    }
    return "complete"
  }

  /** Where the search stands, as plain JSON. The states visited are no part of it: what leads to them is walked again. */
  save(): SavedStateful {
    return {
      parts: [...this.machine.dependence.partPaths],
      killed: this.killed,
      path: this.nodes.map(({ asleep, done, open: isOpen, sleep, thread, todo, touched, value, values }) => ({
        asleep,
        done,
        isOpen,
        sleep: sleep.map((sleeper) => ({ thread: sleeper.thread, footprint: saveFootprint(sleeper.footprint) })),
        thread,
        todo,
        touched: touched === undefined ? null : saveFootprint(touched),
        value,
        values
      })),
      counts: { ...this.counts },
      blocked: this.blocked
    }
  }

  /** Continues where a saved search of the same model stood. Call before `run`. */
  load(saved: SavedStateful): void {
    const { known, machine, trace } = this
    machine.dependence.placeParts(saved.parts)
    Object.assign(this.counts, saved.counts)
    this.blocked = saved.blocked
    this.killed = saved.killed
    this.begun = true
    saved.path.forEach((entry, i) => {
      const canMove = this.canMove()
      const state = known.numberOf(machine.vector!)
      known.begin(state, entry.asleep & ~entry.done)
      const sleep = entry.sleep.map((sleeper) => ({ ...sleeper }))
      const node = new Node(state, canMove, sleep, entry.asleep)
      node.todo = entry.todo
      node.done = entry.done
      node.open = entry.isOpen
      node.thread = entry.thread
      node.value = entry.value
      node.values = entry.values
      node.touched = entry.touched === null ? undefined : new Touched(entry.touched.places, entry.touched.modes)
      this.push(node)
      if (i === saved.path.length - 1) return
      if ((canMove & (1 << entry.thread)) === 0) {
        throw new Error("the checkpoint is of another model: a thread of its path cannot move")
      }
      const step = machine.step(entry.thread, entry.value)
      trace.push(step)
      this.note(step.moment, step)
    })
  }

  /** Decides what is moved next from the node; false when nothing is left. */
  private choose(node: Node): boolean {
    if (node.thread >= 0) {
      if (++node.value < node.values) return true
      this.rest(node)
    }
    const last = this.trace.steps.at(-1)?.thread ?? -1
    const thread = node.next(last)
    if (thread < 0) return false
    node.thread = thread
    node.values = this.machine.choicesOf(thread)
    node.value = node.values === 0 ? -1 : 0
    node.touched = undefined
    return true
  }

  /** The thread has been moved: from now on it sleeps. */
  private rest(node: Node): void {
    const bit = 1 << node.thread
    node.done |= bit
    // Nothing new follows a step that leads back: the way round is to be found behind the steps of others, too.
    if (!node.comesBack) {
      node.asleep |= bit
      node.sleep.push({ thread: node.thread, footprint: node.touched! })
    }
    node.comesBack = false
    node.thread = -1
  }

  private leave(node: Node): void {
    this.nodes.pop()
    this.whole = Math.min(this.whole, this.nodes.length)
    if (node.borrowed) {
      this.known.pass(node.state)
      this.back()
      return
    }
    const parent = this.nodes.at(-1)
    const isCircular = node.low < this.nodes.length
    if (parent !== undefined) {
      if (node.open) parent.open = true
      if (isCircular) parent.low = Math.min(parent.low, node.low)
    }
    if (node.state >= 0) this.known.leave(node.state, node.done, node.open, isCircular)
    this.back()
  }

  private back(): void {
    if (this.trace.length > 0) this.machine.undo(this.trace.pop())
  }

  private move(node: Node, visitor: StatesVisitor): boolean {
    const { machine, trace } = this
    const { thread, value } = node
    const step = machine.step(thread, value)
    this.counts.steps++
    trace.push(step)
    this.note(step.moment, step)
    if (step.ask.command === (killThread as unknown)) {
      this.killed |= 1 << machine.dependence.threadOf(step.ask.actor)!
    }
    if (node.values === 0) node.touched = step
    else node.touched = union(node.touched, step)
    this.racesOf(step)
    const sleep: Array<Sleeper> = []
    let asleep = 0
    for (const sleeper of node.sleep) {
      if (sleeper.thread === thread || dependent(sleeper.footprint, step)) continue
      sleep.push(sleeper)
      asleep |= 1 << sleeper.thread
    }
    return this.arrive(sleep, asleep, visitor)
  }

  /** The machine has come to a state: judges it, and puts it on the path when something is to be explored from it. */
  private arrive(sleep: Array<Sleeper>, asleep: number, visitor: StatesVisitor): boolean {
    const { known, machine } = this
    const met = this.find()
    if (met >= 0 && known.has(met, unfinished | onPath) !== unfinished) return this.again(met, sleep, asleep, visitor)
    const canMove = this.canMove()
    const verdict = this.judge(canMove)
    if (verdict !== undefined) return this.finish(verdict, visitor)
    // Without room for another state it is explored all the same, and again whenever it is met.
    const state = met >= 0 ? met : known.numberOf(machine.vector!)
    if (state < 0 || known.begin(state, asleep)) this.counts.states++
    const node = new Node(state, canMove, sleep, asleep)
    const first = this.firstOf(canMove & ~asleep)
    if (first === 0) {
      this.blocked++
      this.racesOfWaiting()
    }
    node.todo = first
    this.push(node)
    return true
  }

  /**
   * The number of the present state; -1 when it is to be judged. States at which an execution ends get no number, so
   * one that has a number is none of them; only the step that leads to it may fail, or be one too many.
   */
  private find(): number {
    const { machine, options, trace } = this
    if (trace.steps.at(-1)?.failure !== undefined || machine.events >= options.maxSteps) return -1
    return this.known.find(machine.vector!)
  }

  /** Threads that can move in the present state. */
  private canMove(): number {
    let bits = 0
    this.machine.enabled(this.enabled)
    for (const thread of this.enabled) bits |= 1 << thread
    return bits
  }

  private push(node: Node): void {
    if (node.state >= 0) this.known.put(node.state)
    this.nodes.push(node)
  }

  /** The thread that moved last, or the first one. */
  private firstOf(awake: number): number {
    const last = this.trace.steps.at(-1)
    const bit = last === undefined ? 0 : 1 << last.thread
    return (awake & bit) !== 0 ? bit : awake & -awake
  }

  /** A state that has been visited before. */
  private again(
    state: number,
    sleep: Array<Sleeper>,
    asleep: number,
    visitor: StatesVisitor
  ): boolean {
    this.counts.matched++
    const { known } = this
    const mark = known.has(state, onPath | foreign | circular | open)
    if ((mark & onPath) !== 0) return this.circle(this.nodes.findIndex((node) => node.state === state), visitor)
    if ((mark & foreign) !== 0) {
      this.sharing!.adopt()
      known.adopt(state)
    }
    // Where it leads back to is not known any more.
    if ((mark & circular) !== 0 && this.nodes.length > 0) this.nodes.at(-1)!.low = -1
    if ((mark & open) !== 0) this.expand(0)
    else this.racesOfFutures()
    const before = known.sleptAt(state)
    const awake = before & ~asleep
    if (awake === 0) {
      this.back()
      return true
    }
    known.again(state, asleep)
    const node = new Node(state, this.canMove(), sleep.filter(({ thread }) => (before & (1 << thread)) !== 0), 0)
    for (const { thread } of node.sleep) node.asleep |= 1 << thread
    node.open = (mark & open) !== 0
    if ((mark & circular) !== 0) node.low = -1
    node.done = known.movedFrom(state)
    node.todo = awake | node.done
    this.push(node)
    return true
  }

  /** The path has come back to its own state number `first`. */
  private circle(first: number, visitor: StatesVisitor): boolean {
    const moves = this.moves()
    let goOn = true
    const end = this.trace.makesProgress(this.machine.model, first) ? first : this.nodes.length
    for (let i = first; i < end; i++) {
      const node = this.nodes[i]!
      const loops = node.loops ??= new Loops()
      // The same way round, begun at this state.
      const isNew = loops.add([...moves.slice(i), ...moves.slice(first, i)], this.nodes.slice(first))
      if (!isNew || !loops.isFair || !this.somebodyIsLeft()) continue
      const { loop } = loops
      const cycleStart = this.machine.events - (this.trace.length - i)
      const step = cycleStart + loop.length
      this.counts.ends++
      goOn = visitor.ended(
        { _tag: "Livelock", cycleStart, cycleLength: loop.length, step },
        () => [...moves.slice(0, i), ...loop],
        0
      )
      this.expand(0)
      break
    }
    this.expand(first)
    for (let i = first; i < this.nodes.length; i++) this.nodes[i]!.comesBack = true
    const last = this.nodes.at(-1)!
    last.low = Math.min(last.low, first)
    this.back()
    return goOn || this.stop("stopped")
  }

  private somebodyIsLeft(): boolean {
    const { machine } = this
    return machine.model.threads.some(({ daemon, id }) => !daemon && machine.pending(id) !== undefined)
  }

  private judge(canMove: number): Verdict | "step-limit" | undefined {
    const { machine } = this
    const failure = machine.failureOf(this.trace.steps.at(-1), this.options.partialDeadlocks)
    if (failure !== undefined) return failure
    if (canMove === 0) return machine.end(this.options.partialDeadlocks)
    return machine.events >= this.options.maxSteps ? "step-limit" : undefined
  }

  private finish(verdict: Verdict | "step-limit", visitor: StatesVisitor): boolean {
    this.counts.ends++
    const goOn = visitor.ended(verdict, () => this.moves(), 0)
    if (verdict === "step-limit" || failureId(verdict) !== undefined) this.expand(0)
    else this.racesOfWaiting()
    this.back()
    return goOn || this.stop("stopped")
  }

  /** What follows is not known: all threads are to be moved from the states of the path from `first` on. */
  private expand(first: number): void {
    for (let i = first; i < this.nodes.length; i++) {
      const node = this.nodes[i]!
      node.todo |= node.enabled
      node.open = true
    }
  }

  private stop(end: StatesEnd): false {
    this.end = end
    return false
  }

  private moves(): ReadonlyArray<Move> {
    return this.trace.steps.map(({ thread, value }) => ({ thread, value }))
  }

  // Races -----------------------------------------------------------------------------------------

  /**
   * The first state of the path at which somebody can move and is not to be moved: no race adds anything to those
   * before it. A state never becomes partial again while it is on the path.
   */
  private firstPartial(): number {
    const { nodes } = this
    let at = this.whole
    while (at < nodes.length && nodes[at]!.isWhole) at++
    return this.whole = at
  }

  /** Races of the last step with those before it. */
  private racesOf({ ask, modes, places, thread }: Happened): void {
    const index = this.trace.length - 1
    if (this.firstPartial() >= index) return
    const past = this.trace.clockBefore(thread, index)
    const waits = ask.command.blocked !== undefined && this.options.ignoreWaiting !== true
    this.reverse(thread, places, modes, waits ? ask : undefined, index, past)
  }

  /** Where nobody is moved any more: races of what threads wait in with what keeps them waiting. */
  private racesOfWaiting(): void {
    const { machine, trace } = this
    if (this.options.ignoreWaiting === true) return
    for (let thread = 0; thread < machine.at.length; thread++) {
      const pending = machine.pending(thread)
      if (pending === undefined || machine.isEnabled(thread)) continue
      const touched = new Touched()
      machine.dependence.touchAtWorst(touched, thread, pending)
      this.note(machine.at[thread]!, touched)
      this.reverse(thread, touched.places, touched.modes, pending, trace.length, trace.clockBefore(thread))
    }
  }

  private reverse(
    thread: number,
    places: ReadonlyArray<number>,
    modes: ReadonlyArray<number>,
    waiting: Happened["ask"] | undefined,
    index: number,
    past: Clock
  ): void {
    const { races, trace } = this
    const from = this.firstPartial()
    if (from >= index) return
    const candidates = races.candidates(places, modes, index, past, waiting !== undefined)
    if (candidates.length === 0) return
    const clock = past.slice()
    for (const candidate of candidates) {
      if (candidate < from) return
      if (trace.within(candidate, clock)) continue
      if (
        waiting !== undefined && !races.couldRun(thread, waiting, candidate, races.independentOf(candidate, index))
      ) continue
      join(clock, trace.clocks[candidate]!)
      this.add(candidate, thread, index, true)
    }
  }

  /**
   * What comes after step `at` without depending on it, and then what `thread` does, can also happen before that step.
   * Some thread that such a sequence can begin with is to be moved there (source sets, POPL'14, section 4), unless one
   * of them is or sleeps. `alone`: the sequence holds no steps that are not on the path.
   */
  private add(at: number, thread: number, until: number, alone: boolean): void {
    const { trace } = this
    const node = this.nodes[at]!
    // As long as that step is there it is the same.
    if (node.cover !== undefined && node.coverAt < until && trace.steps[node.coverAt] === node.cover) return
    const covered = node.todo | node.done | node.asleep
    const first = trace.steps[at]!.thread
    const ordinal = trace.clocks[at]![first]!
    let seen = 0
    let beginning = 0
    const heads: Array<number> = []
    for (let k = at + 1; k < until; k++) {
      if (trace.clocks[k]![first]! >= ordinal) continue
      const bit = 1 << trace.steps[k]!.thread
      if ((seen & bit) !== 0) continue
      seen |= bit
      if (heads.some((head) => trace.before(head, k))) continue
      heads.push(k)
      if ((covered & bit) !== 0) {
        node.cover = trace.steps[k]!
        node.coverAt = k
        return
      }
      if (beginning === 0) beginning = bit
    }
    if (beginning === 0 && alone) beginning = node.enabled & (1 << thread)
    node.todo |= beginning === 0 ? node.enabled : beginning
  }

  /** Races of the steps of the path with what may follow from its last state, which is not walked again. */
  private racesOfFutures(): void {
    const { machine, trace } = this
    if (this.options.ignoreFutures === true) return
    if (this.firstPartial() >= trace.length) return
    for (let thread = 0; thread < machine.at.length; thread++) {
      const moment = machine.at[thread] ?? machine.fibers.rootIfKnown(thread)
      if (moment === undefined || machine.hasThrown(thread)) continue
      const past = trace.clockBefore(thread)
      this.futures[thread]!.each(moment, (future) => {
        if (trace.lastConflictOn(future.place, future.mode) >= this.whole) this.reverseFuture(thread, future, past)
      })
    }
  }

  private reverseFuture(thread: number, { ask, mode, place }: Future, past: Clock): void {
    const { trace } = this
    const from = this.firstPartial()
    trace.conflictsOn(place, mode, trace.length, (at, other) => {
      if (at < from) return false
      if (trace.within(at, past)) return other !== writing
      if (this.nodes[at]!.isWhole && ask !== undefined) return true
      const answer = ask === undefined ? "yes" : this.mayRun(thread, ask, at, other)
      if (answer !== "no") this.add(at, thread, trace.length, false)
      return answer !== "yes" || other !== writing
    })
  }

  /** Whether the ask could proceed before step `at`. Steps not walked again that commute with `at` may let it. */
  private mayRun(thread: number, ask: Happened["ask"], at: number, mode: number): "yes" | "maybe" | "no" {
    const { races, trace } = this
    const { command } = ask
    if (races.couldRun(thread, ask, at, races.independentOf(at, trace.length))) return "yes"
    const isKilled = (this.killed & (1 << thread)) !== 0 && this.machine.dependence.canSeeSignals(command)
    return mode !== writing || command.alsoReads.length > 0 || isKilled ? "maybe" : "no"
  }

  private note(moment: Moment, { modes, places }: Footprint): void {
    this.futures[moment.thread]!.note(moment, places, modes)
  }

  // Two that help each other -------------------------------------------------------------------------

  /** What passes between this exploration and one of the same model in another process. */
  private share(): Sharing {
    this.known.share()
    return this.sharing ??= new Sharing(this.machine, this.futures)
  }

  /** For the partner: what was explored since it was last told, and where this search stands. */
  tell(): Told {
    const sharing = this.share()
    const states = this.known.tell()
    const { counts, blocked, countsTold } = this
    this.countsTold = { ...counts, blocked }
    return {
      // What is neither plain nor an actor means something else there.
      states: this.machine.prints.areShared ? states : new Int32Array(0),
      lore: sharing.tell(this.killed),
      path: this.save().path,
      counts: {
        states: counts.states - countsTold.states,
        steps: counts.steps - countsTold.steps,
        matched: counts.matched - countsTold.matched,
        ends: counts.ends - countsTold.ends
      },
      blocked: blocked - countsTold.blocked
    }
  }

  /** What the partner has told. `counting`: what it did counts as done here; of states, those not explored here. */
  learn({ blocked, counts, lore, states }: Told, counting: boolean): void {
    this.share().learn(lore)
    this.killed |= lore.killed
    const others = this.known.learn(states)
    if (!counting) return
    this.counts.states += others
    this.counts.steps += counts.steps
    this.counts.matched += counts.matched
    this.counts.ends += counts.ends
    this.blocked += blocked
  }

  /**
   * Takes up a part of what the partner has still to explore: a thread that it is going to move from a state of its path,
   * the one that it comes to last. Goes on with the present part while the partner has not come to it. False: there
   * is nothing to do.
   */
  help(path: SavedStateful["path"]): boolean {
    if (this.part !== undefined && this.nodes.length > this.base && isAhead(path, this.part)) return true
    if (this.part !== undefined && this.nodes.length === this.base) {
      const { state, thread } = this.part
      this.helped.set(state, (this.helped.get(state) ?? 0) | (1 << thread))
    }
    this.begun = true
    this.layAside()
    const { known, machine, trace } = this
    for (const [i, entry] of path.entries()) {
      const state = known.numberOf(machine.vector!)
      if (state < 0) break
      const enabled = this.canMove()
      const under = entry.thread >= 0 ? 1 << entry.thread : 0
      const ahead = entry.todo & enabled & ~(entry.done | entry.asleep | under | (this.helped.get(state) ?? 0))
      const node = new Node(state, enabled, [], 0, true)
      this.push(node)
      if (ahead !== 0) {
        const thread = 31 - Math.clz32(ahead)
        node.todo = 1 << thread
        node.done = enabled & ~node.todo
        for (const sleeper of entry.sleep) {
          node.sleep.push({ thread: sleeper.thread, footprint: this.share().footprintOf(sleeper.footprint) })
        }
        this.base = i
        this.part = { state, thread, way: this.moves() }
        return true
      }
      if (i === path.length - 1) break
      node.todo = enabled
      const step = machine.step(entry.thread, entry.value)
      trace.push(step)
      this.note(step.moment, step)
    }
    this.layAside()
    return false
  }

  /** Goes back to the beginning. What is being explored may be met again. */
  private layAside(): void {
    while (this.nodes.length > 0) {
      const { borrowed, state } = this.nodes.pop()!
      if (borrowed) this.known.pass(state)
      else if (state >= 0) this.known.abandon(state)
      if (this.nodes.length > 0) this.back()
    }
    this.part = undefined
    this.base = 0
    this.whole = 0
  }
}

/** The partner has not come to the part, nor has it left the state where it begins. */
const isAhead = (path: SavedStateful["path"], { thread, way }: NonNullable<Stateful["part"]>): boolean => {
  const at = path[way.length]
  return at !== undefined && at.thread !== thread && ((at.todo & ~at.done) & (1 << thread)) !== 0 &&
    way.every((move, i) => path[i]!.thread === move.thread && path[i]!.value === move.value)
}

/** What one exploration tells its partner. Plain data. */
export interface Told {
  readonly states: Int32Array
  readonly lore: Lore
  readonly path: SavedStateful["path"]
  /** What came to these counts since it last told. */
  readonly counts: StatesCounts
  readonly blocked: number
}

export interface SavedStateful {
  /** What the numbers of places in footprints mean. */
  readonly parts: ReadonlyArray<PartPath>
  readonly killed: number
  readonly path: ReadonlyArray<{
    readonly asleep: number
    readonly done: number
    readonly isOpen: boolean
    readonly sleep: ReadonlyArray<Sleeper>
    readonly thread: number
    readonly todo: number
    readonly touched: Footprint | null
    readonly value: number
    readonly values: number
  }>
  readonly counts: StatesCounts
  readonly blocked: number
}
