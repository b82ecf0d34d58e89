/**
 * A model that can be stepped and stepped back. It does what `Executor` does for a step, but any step can be undone:
 * states are immutable values, so undoing is putting the old ones back, and threads are `Moment`s of `Fibers`, so no
 * fiber has to run again for it.
 *
 * Unlike the executor it can go on after a failure: what other threads would have done then is needed to know all
 * other executions. A thread whose step threw stops for ever.
 *
 * Only one Machine may be open for a model at a time, and no execution may run meanwhile: the states live in the
 * model's actors. `close` gives the model back.
 */
import type { Actor, Command, ThreadRef } from "../Actor.ts"
import type { Ask } from "../Ask.ts"
import type { Model } from "../Model.ts"
import type { Event, Quiescence } from "../Monitor.ts"
import { chooseNumber, spawnThread, type ThreadState } from "../Thread.ts"
import { ok, type Verdict, type Wait } from "../Verdict.ts"
import { type Dependence } from "./Dependence.ts"
import { type Footprint, Touched } from "./Footprint.ts"
import { Fibers, Moment } from "./Fibers.ts"
import { type Fingerprint, Fingerprints, Printer } from "./Fingerprint.ts"
import type { Values } from "./Values.ts"
import { Vector } from "./Vector.ts"
import { type Look, Watch } from "./Watch.ts"

/** A step that was executed, with what is needed to take it back. */
export class Happened implements Footprint {
  readonly thread: number
  readonly ask: Ask<unknown>
  /** For a data choice the number picked; otherwise -1. */
  readonly value: number
  result: unknown = undefined
  places: ReadonlyArray<number> = nothing
  modes: ReadonlyArray<number> = nothing
  /** The first failure that the step showed. */
  failure: Verdict | undefined = undefined
  /** It showed when the thread ran on: the executor has looked for circles of waiters by then. */
  isLate = false
  /** The thread that the step started. */
  spawned = -1
  /** Events this step put into the log: itself and ends of threads. */
  events = 0
  /** State of `ask.actor` before. */
  before: unknown = undefined
  /** Threads that ended with this step, with the states of their actors before. */
  exits: Array<{ readonly thread: number; readonly before: unknown; readonly value: unknown }> | undefined = undefined
  readonly moment: Moment
  monitors: ReadonlyArray<unknown> = nothing
  /** The number of the state of `ask.actor` before, where states are numbered. */
  number = 0

  constructor(thread: number, moment: Moment, value: number) {
    this.thread = thread
    this.moment = moment
    this.ask = moment.ask!
    this.value = value
  }
}

const nothing: ReadonlyArray<never> = []

/** Stands for where a thread is that has not started. */
const unborn = Symbol("unborn")

/** An ask of a thread in one state of its actor: what is known of it so far. */
class Case {
  /** While its thread is not killed. */
  waits: boolean | undefined = undefined
  blockers: Blockers | undefined = undefined
  /** While its thread is not killed. */
  effect: Effect | undefined = undefined
}

/** Threads that keep another one waiting; `bits` as far as a number has them. */
interface Blockers {
  readonly threads: ReadonlyArray<number>
  readonly bits: number
}

/** What an ask does in one state of its actor. */
interface Effect {
  readonly result: unknown
  /** The first result that equals it: leads from a moment with the ask to the next one. */
  readonly key: unknown
  readonly after: unknown
  /** The number of `after`. */
  readonly number: number
  readonly places: ReadonlyArray<number>
  readonly modes: ReadonlyArray<number>
  /** By monitor and its state: what hearing of it comes to. */
  readonly told: Array<Map<unknown, Array<Told>> | undefined>
}

/** What a monitor did in one of its states when it heard of an effect; the same whenever what it saw is the same. */
interface Told {
  readonly seen: Look
  readonly next: unknown
  readonly places: ReadonlyArray<number>
  readonly modes: ReadonlyArray<number>
}

class Ref implements ThreadRef {
  readonly id: number
  readonly name: string
  killed = false
  constructor(id: number, name: string) {
    this.id = id
    this.name = name
  }
}

export interface MachineOptions {
  /** Monitors, by id, whose verdict is known not to depend on the order of independent steps. */
  readonly unordered?: ReadonlySet<string>
  /** Let equal states be one object: what is needed to compare whole states fast. Default false. */
  readonly intern?: boolean
}

export class Machine {
  readonly model: Model
  readonly fibers: Fibers
  readonly dependence: Dependence
  /** Where each thread stands; undefined before it is spawned. */
  readonly at: Array<Moment | undefined>
  /** The states of the monitors; replaced, never edited. */
  monitorStates: ReadonlyArray<unknown> = nothing
  /** Events so far, ends of threads included. */
  events = 0
  /** What failed before the first step. */
  initialFailure: Verdict | undefined = undefined
  /** The present state as numbers; undefined unless equal states are one object. */
  readonly vector: Vector | undefined
  /** Of all that is in `vector`. */
  readonly prints = new Fingerprints()
  /** The column of `vector` that is left to its user: for who is part of the state in a search with a bound. */
  private readonly freeColumn: number
  /** The actors have the first columns, by id; then come the threads, and then the monitors. */
  private readonly threadColumn: number
  private readonly monitorColumn: number
  private readonly values: Values
  private readonly same: (state: unknown) => unknown
  private readonly refs: ReadonlyArray<Ref>
  private readonly threadActors: ReadonlyArray<Actor<ThreadState>>
  private readonly dead: Array<boolean>
  private readonly told: ReadonlyMap<Command<unknown, unknown, unknown>, ReadonlyArray<number>>
  private readonly ordered: ReadonlyArray<boolean>
  private readonly watch: Watch | undefined
  /** By thread and what it asks. */
  private readonly cases: ReadonlyArray<Map<Ask<unknown>, Array<Case | undefined>>>
  private readonly event: MutableEvent
  private failing: Verdict | undefined = undefined
  private monitorAtWork = ""

  constructor(model: Model, values: Values, dependence: Dependence, options: MachineOptions = {}) {
    this.model = model
    this.dependence = dependence
    this.values = values
    this.threadColumn = model.actors.length
    this.monitorColumn = this.threadColumn + model.threads.length
    this.freeColumn = this.monitorColumn + model.monitors.length
    this.vector = options.intern === true
      ? new Vector(this.freeColumn + 1, (value) => this.printOf(value))
      : undefined
    this.same = options.intern === true ? (state) => values.representative(state) : (state) => state
    this.fibers = new Fibers(model.threads, values)
    this.at = model.threads.map(() => undefined)
    this.cases = model.threads.map(() => new Map())
    this.dead = model.threads.map(() => false)
    this.threadActors = model.threads.map((thread) => thread.actor)
    this.refs = model.threads.map((thread) => new Ref(thread.id, thread.name))
    this.ordered = model.monitors.map((monitor) => options.unordered?.has(monitor.id) !== true)
    const told = new Map<Command<unknown, unknown, unknown>, Array<number>>()
    for (const type of new Set(model.actors.map((actor) => actor.type))) {
      for (const command of type.commands) {
        model.monitors.forEach((monitor, index) => {
          if (monitor.on !== "all" && !monitor.on.includes(command as unknown as Command<never, never, never>)) return
          const list = told.get(command)
          if (list === undefined) told.set(command, [index])
          else list.push(index)
        })
      }
    }
    this.told = told
    this.event = new MutableEvent(this)
    this.watch = told.size > 0 && this.ordered.includes(true) ? new Watch(model) : undefined
    dependence.watched = this.watch !== undefined
    this.reset()
  }

  /** Gives the model back in its initial state. */
  close(): void {
    this.watch?.remove()
    for (const actor of this.model.actors) actor.reset()
  }

  /** The initial state: threads that start at once stand at their first ask. */
  reset(): void {
    const { actors, monitors, threads } = this.model
    for (const actor of actors) actor.state = this.same(actor.initial)
    this.events = 0
    this.failing = undefined
    this.monitorStates = monitors.map((monitor) => {
      try {
        return this.same(monitor.initial())
      } catch (error) {
        this.failing ??= this.crash(`monitor ${monitor.id}`, error)
        return undefined
      }
    })
    for (let t = 0; t < threads.length; t++) {
      this.at[t] = undefined
      this.dead[t] = false
    }
    const scratch = new Touched()
    for (const thread of threads) {
      if (thread.actor.state.phase === "running") {
        this.arrive(thread.id, this.fibers.root(thread.id), scratch, undefined)
      }
    }
    this.initialFailure = this.failing
    this.failing = undefined
    this.number()
  }

  /** Brings `vector` to the initial state. */
  private number(): void {
    const { at, model, monitorStates, vector } = this
    if (vector === undefined) return
    for (const { id, state } of model.actors) vector.set(id, vector.numberOf(id, state))
    at.forEach((moment, thread) => vector.set(this.threadColumn + thread, this.position(thread, moment)))
    monitorStates.forEach((state, m) =>
      vector.set(this.monitorColumn + m, vector.numberOf(this.monitorColumn + m, state))
    )
    this.setFree(0)
  }

  /** Puts a number into the column that is left to the user of `vector`. */
  setFree(number: number): void {
    const { freeColumn, vector } = this
    vector!.set(freeColumn, vector!.numberOf(freeColumn, number))
  }

  private printOf(value: unknown): Fingerprint {
    if (value === unborn) return new Printer("unborn").done
    return value instanceof Moment ? this.fibers.printOf(value, this.prints) : this.prints.of(value)
  }

  /** Of a thread that has ended only what it returned can still matter. */
  private position(thread: number, moment: Moment | undefined): number {
    const column = this.threadColumn + thread
    if (moment === undefined) return this.vector!.numberOf(column, unborn)
    if (moment.position >= 0) return moment.position
    const key = moment.ended?._tag === "Returned" ? this.values.representative(moment.ended.value) : moment
    return moment.position = this.vector!.numberOf(column, key)
  }

  private place(thread: number, moment: Moment | undefined): void {
    this.at[thread] = moment
    this.vector?.set(this.threadColumn + thread, this.position(thread, moment))
  }

  private replace(actor: Actor<unknown>, state: unknown): void {
    actor.state = state
    this.vector?.set(actor.id, this.vector.numberOf(actor.id, state))
  }

  private replaceMonitors(states: ReadonlyArray<unknown>): void {
    const { monitorColumn, monitorStates, vector } = this
    this.monitorStates = states
    if (vector === undefined || states === monitorStates) return
    for (let m = 0; m < states.length; m++) {
      if (Object.is(states[m], monitorStates[m])) continue
      vector.set(monitorColumn + m, vector.numberOf(monitorColumn + m, states[m]))
    }
  }

  /** What a thread asks next; undefined when it has not started, has ended or threw. */
  pending(thread: number): Ask<unknown> | undefined {
    return this.dead[thread] === true ? undefined : this.at[thread]?.ask
  }

  /** A step of the thread threw, and it stopped for ever. */
  hasThrown(thread: number): boolean {
    return this.dead[thread] === true
  }

  isEnabled(thread: number): boolean {
    return this.pending(thread) !== undefined && !this.mustWait(thread, this.at[thread]!)
  }

  /** Whether what the thread asks at the moment has to wait now. Answers are kept: it is asked for often. */
  private mustWait(thread: number, moment: Moment): boolean {
    const ask = moment.ask!
    if (ask.command.blocked === undefined) return false
    const { state } = ask.actor
    if (this.isKilled(thread)) return this.isBlocked(thread, ask, state, true)
    if (this.vector !== undefined) {
      const known = this.caseOf(moment, this.vector.now[ask.actor.id]!)
      return known.waits ??= this.isBlocked(thread, ask, state, false)
    }
    if (!Object.is(moment.lookedAt, state)) {
      moment.waited = this.isBlocked(thread, ask, state, false)
      moment.lookedAt = state
    }
    return moment.waited
  }

  /** Whether the ask would have to wait if its actor were in `state`. */
  isBlocked(
    thread: number,
    { actor, arg, command }: Ask<unknown>,
    state: unknown,
    killed = this.isKilled(thread)
  ): boolean {
    if (command.blocked === undefined) return false
    const ref = this.refs[thread]!
    ref.killed = killed
    try {
      return command.blocked(state, arg, ref)
    } catch (error) {
      this.failing ??= this.crash(`${actor.type.name}.${command.name}`, error)
      return true
    }
  }

  /** Fills `out` with the threads that can move, ascending, and returns how many. */
  enabled(out: Array<number>): number {
    let count = 0
    for (let t = 0; t < this.at.length; t++) {
      const moment = this.at[t]
      if (moment?.ask === undefined || this.dead[t] === true || this.mustWait(t, moment)) continue
      out[count++] = t
    }
    // To set the length takes longer than to take a few away.
    while (out.length > count) out.pop()
    return count
  }

  /** How many numbers a data choice offers; 0 when the pending ask is no choice. */
  choicesOf(thread: number): number {
    const pending = this.pending(thread)!
    return pending.command === (chooseNumber as unknown) ? Math.max(1, pending.arg as number) : 0
  }

  /** Executes the pending ask of an enabled thread. `value`: the number for a data choice. */
  step(thread: number, value = -1): Happened {
    const moment = this.at[thread]!
    const happened = new Happened(thread, moment, value)
    const { actor } = happened.ask
    const before = actor.state
    happened.before = before
    happened.monitors = this.monitorStates
    happened.number = this.vector?.now[actor.id] ?? 0
    this.failing = undefined
    const killed = this.isKilled(thread)
    if (!killed && value < 0 && this.vector !== undefined) {
      const known = this.caseOf(moment, happened.number).effect
      if (known !== undefined) return this.repeat(happened, known)
    }
    return this.discover(happened, killed)
  }

  /** The moment's ask in the state of its actor that has this number. */
  private caseOf(moment: Moment, number: number): Case {
    const cases = (moment.cases ??= this.casesOf(moment)) as Array<Case | undefined>
    return cases[number] ??= new Case()
  }

  private casesOf({ ask, thread }: Moment): Array<Case | undefined> {
    const known = this.cases[thread]!
    let cases = known.get(ask!)
    if (cases === undefined) known.set(ask!, cases = [])
    return cases
  }

  /** The ask, or an equal one of the thread, was seen to do this in the same state. */
  private repeat(happened: Happened, { after, key, modes, number, places, result, told }: Effect): Happened {
    const { ask, before, moment, thread } = happened
    const next = moment.children.get(key) ?? this.fibers.after(moment, result)
    const { actor } = ask
    actor.state = after
    this.vector!.set(actor.id, number)
    happened.result = result
    this.events++
    happened.events = 1
    if (next.ended === undefined && !this.told.has(ask.command)) {
      this.place(thread, next)
      happened.places = places
      happened.modes = modes
      return happened
    }
    const touched = new Touched(places, modes)
    this.tell(thread, ask, result, before, touched, told)
    return this.runOn(happened, next, touched)
  }

  private discover(happened: Happened, killed: boolean): Happened {
    const { before, moment, thread, value } = happened
    const { actor, arg, command } = happened.ask
    const touched = new Touched()
    const ref = this.refs[thread]!
    ref.killed = killed
    let after = before
    let result: unknown = undefined
    try {
      if (value >= 0) result = value
      else if (command.decide !== undefined) result = command.decide(before, arg, ref)
      if (command.evolve !== undefined) after = this.same(command.evolve(before, arg, result, thread))
    } catch (error) {
      this.failing = this.crash(`${actor.type.name}.${command.name}`, error)
      this.dead[thread] = true
      this.dependence.touch(touched, thread, happened.ask, undefined, before, before)
      return this.seal(happened, touched)
    }
    this.replace(actor, after)
    happened.result = result
    this.dependence.touch(touched, thread, happened.ask, result, before, after)
    this.events++
    happened.events++
    const isSpawn = command === (spawnThread as unknown)
    const next = this.fibers.after(moment, result)
    if (this.vector !== undefined && !isSpawn && !killed && value < 0) {
      const effect: Effect = {
        result,
        key: this.values.representative(result),
        after,
        number: this.vector.now[actor.id]!,
        places: touched.places.slice(),
        modes: touched.modes.slice(),
        told: []
      }
      this.caseOf(moment, happened.number).effect = effect
    }
    this.tell(thread, happened.ask, result, before, touched)
    if (isSpawn) {
      const child = this.dependence.threadOf(actor)!
      happened.spawned = child
      this.arrive(child, this.fibers.root(child), touched, happened)
    }
    return this.runOn(happened, next, touched)
  }

  /** The thread goes on with its result. */
  private runOn(happened: Happened, next: Moment, touched: Touched): Happened {
    happened.isLate = this.failing === undefined
    this.arrive(happened.thread, next, touched, happened)
    return this.seal(happened, touched)
  }

  /** Takes back the last step not yet taken back. */
  undo(happened: Happened): void {
    const { exits, spawned, thread } = happened
    if (exits !== undefined) {
      for (let i = exits.length - 1; i >= 0; i--) {
        const exit = exits[i]!
        this.replace(this.model.threads[exit.thread]!.actor as unknown as Actor<unknown>, exit.before)
      }
    }
    happened.ask.actor.state = happened.before
    this.vector?.set(happened.ask.actor.id, happened.number)
    this.place(thread, happened.moment)
    this.dead[thread] = false
    if (spawned >= 0) {
      this.place(spawned, undefined)
      this.dead[spawned] = false
    }
    this.replaceMonitors(happened.monitors)
    this.events -= happened.events
  }

  /**
   * The failure that the executor reports of the last step: monitors see a step first, and a thread that it started begins;
   * then circles of waiters are looked for; then its thread runs on.
   */
  failureOf(last: Happened | undefined, partialDeadlocks: boolean): Verdict | undefined {
    const failure = last?.failure
    if (!partialDeadlocks || (failure !== undefined && !last!.isLate)) return failure
    const circle = last === undefined ? this.cycle() : this.newCycle(last)
    return circle === undefined ? failure : this.deadlockOf(circle)
  }

  /** The verdict where nobody can move. */
  end(partialDeadlocks: boolean): Verdict {
    const circle = partialDeadlocks ? this.cycle(true) : undefined
    if (circle !== undefined) return this.deadlockOf(circle)
    const left = this.model.threads.filter((thread) => this.pending(thread.id) !== undefined)
    const waiting = left.filter((thread) => !thread.daemon)
    if (waiting.some((thread) => this.pending(thread.id)!.command.waits === "lock")) {
      return { _tag: "Deadlock", waits: waiting.map((thread) => this.waitOf(thread.id)), step: this.events }
    }
    this.failing = undefined
    const end: Quiescence = {
      steps: this.events,
      waiting: left.map((thread) => {
        const { actor, arg, command } = this.pending(thread.id)!
        return { thread: thread.id, actor, command, arg }
      }),
      violate: (message, subject) => this.violate(message, subject ?? "")
    }
    this.model.monitors.forEach((monitor, index) => {
      this.monitorAtWork = monitor.id
      try {
        monitor.end?.(this.monitorStates[index], end)
      } catch (error) {
        this.failing ??= this.crash(`monitor ${monitor.id}`, error)
      }
    })
    return this.failing ?? ok
  }

  /**
   * A circle of threads that wait for each other, in the present state; undefined when there is none. One with a wait that a
   * kill would end is none, unless nobody can move any more (`atEnd`): see `lookForCycle` of the executor.
   */
  cycle(atEnd = false): ReadonlyArray<number> | undefined {
    for (let start = 0; start < this.at.length; start++) {
      const found = this.cycleOf(start, atEnd)
      if (found !== undefined) return found
    }
    return undefined
  }

  /**
   * A circle that was not there before the step: who waits for whom has only changed for its thread and for those
   * who wait for its actor.
   */
  private newCycle({ ask, before, spawned, thread }: Happened): ReadonlyArray<number> | undefined {
    const own = this.cycleOf(thread) ?? (spawned < 0 ? undefined : this.cycleOf(spawned))
    if (own !== undefined || Object.is(before, ask.actor.state)) return own
    for (let other = 0; other < this.at.length; other++) {
      if (this.at[other]?.ask?.actor !== ask.actor) continue
      const found = this.cycleOf(other)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** A circle for each thread that is in one, the thread first. */
  cycles(): ReadonlyArray<ReadonlyArray<number>> {
    return this.at.flatMap((_, start) => {
      const found = this.cycleOf(start)
      return found === undefined ? [] : [found]
    })
  }

  private cycleOf(start: number, atEnd = false): ReadonlyArray<number> | undefined {
    const pending = this.pending(start)
    if (pending?.command.blocked === undefined || pending.actor.type.waitsFor === undefined) return undefined
    if (!this.mustWait(start, this.at[start]!) || !this.mayBeInCircle(start)) return undefined
    const path: Array<number> = []
    const visit = (thread: number): boolean => {
      if (path.includes(thread)) return thread === start
      const ask = this.pending(thread)
      if (ask === undefined || this.isEnabled(thread)) return false
      if (!atEnd && !this.isBlocked(thread, ask, ask.actor.state, true)) return false
      path.push(thread)
      if (this.blockers(thread).some(visit)) return true
      path.pop()
      return false
    }
    return visit(start) ? path : undefined
  }

  /** Quickly, for as many threads as a number has bits: whether a thread waits for itself in the end. */
  private mayBeInCircle(start: number): boolean {
    if (this.at.length > 30) return true
    let seen = 0
    let todo = this.blockerBits(start)
    while (todo !== 0) {
      const thread = 31 - Math.clz32(todo & -todo)
      if (thread === start) return true
      seen |= 1 << thread
      todo = (todo | this.blockerBits(thread)) & ~seen
    }
    return false
  }

  private blockerBits(thread: number): number {
    const moment = this.at[thread]
    if (moment?.ask === undefined || this.dead[thread] === true || !this.mustWait(thread, moment)) return 0
    return this.blockersAt(thread, moment).bits
  }

  deadlockOf(threads: ReadonlyArray<number>): Verdict {
    return { _tag: "Deadlock", waits: threads.map((thread) => this.waitOf(thread)), step: this.events }
  }

  violate(message: string, subject: string): void {
    this.failing ??= {
      _tag: "Violation",
      monitor: this.monitorAtWork,
      message,
      subject,
      step: Math.max(0, this.events - 1)
    }
  }

  private seal(happened: Happened, touched: Touched): Happened {
    happened.places = touched.places
    happened.modes = touched.modes
    happened.failure = this.failing
    this.failing = undefined
    return happened
  }

  /** A thread has come to its next ask or to its end. */
  private arrive(thread: number, moment: Moment, touched: Touched, happened: Happened | undefined): void {
    this.place(thread, moment)
    const { ended } = moment
    if (ended === undefined) return
    if (ended._tag === "Threw") {
      this.failing ??= this.crash(`thread ${this.refs[thread]!.name}`, ended.error)
      return
    }
    const pending = this.model.threads[thread]!.exit
    const { actor, command } = pending
    const before = actor.state
    if (happened !== undefined) {
      ;(happened.exits ??= []).push({ thread, before, value: ended.value })
      happened.events++
    }
    if (moment.exit === undefined || !Object.is(moment.exit.before, before)) {
      moment.exit = { before, after: this.same(command.evolve!(before, undefined, ended.value, thread)) }
    }
    this.replace(actor as unknown as Actor<unknown>, moment.exit.after)
    this.events++
    this.dependence.touchExit(touched, thread)
    this.tell(thread, pending, ended.value, before, touched)
  }

  private tell(
    thread: number,
    pending: Ask<unknown>,
    result: unknown,
    before: unknown,
    touched: Touched,
    known?: Effect["told"]
  ): void {
    const indices = this.told.get(pending.command)
    if (indices === undefined) return
    const { event } = this
    event.stepSeen = false
    event.index = this.events - 1
    event.thread = thread
    event.threadName = this.refs[thread]!.name
    event.actor = pending.actor
    event.command = pending.command
    event.arg = pending.arg
    event.result = result
    event.before = before
    for (const index of indices) {
      const state = this.monitorStates[index]
      const same = known?.[index]?.get(state)?.find((told) => this.watch!.shows(told.seen))
      if (same === undefined) this.hear(index, state, touched, known)
      else {
        touched.addAll(same.places, same.modes)
        if (!Object.is(state, same.next)) this.replaceMonitors(this.monitorStates.with(index, same.next))
      }
    }
  }

  /** Lets a monitor hear of the present event. */
  private hear(index: number, state: unknown, touched: Touched, known: Effect["told"] | undefined): void {
    const { event, model, watch } = this
    const monitor = model.monitors[index]!
    this.monitorAtWork = monitor.id
    let next = state
    if (this.ordered[index] !== true) {
      try {
        next = this.same(monitor.step(state, event))
      } catch (error) {
        this.failing ??= this.crash(`monitor ${monitor.id}`, error)
      }
    } else {
      const own = new Touched()
      const failing = this.failing
      this.failing = undefined
      watch!.begin()
      try {
        next = this.same(this.dependence.followMonitor(own, index, state, (view) => monitor.step(view, event)))
      } catch (error) {
        this.failing = this.crash(`monitor ${monitor.id}`, error)
      }
      const seen = watch!.end()
      for (let i = 0; i < seen.actors.length; i++) this.dependence.touchSeen(own, seen.actors[i]!, seen.keys[i])
      touched.addAll(own.places, own.modes)
      if (known !== undefined && this.failing === undefined && !event.stepSeen) {
        const told: Told = { seen, next, places: own.places, modes: own.modes }
        const byState = known[index] ??= new Map()
        const list = byState.get(state)
        if (list === undefined) byState.set(state, [told])
        else list.push(told)
      }
      this.failing = failing ?? this.failing
    }
    if (!Object.is(state, next)) this.replaceMonitors(this.monitorStates.with(index, next))
  }

  /** Some monitor hears of steps, and what it looks at counts. */
  get isWatched(): boolean {
    return this.watch !== undefined
  }

  /** Some monitor hears of the command. */
  isTold(command: Command<unknown, unknown, unknown>): boolean {
    return this.watch !== undefined && this.told.has(command)
  }

  private isKilled(thread: number): boolean {
    return this.threadActors[thread]!.state.killed
  }

  private blockers(thread: number): ReadonlyArray<number> {
    return this.blockersAt(thread, this.at[thread]!).threads
  }

  /** Kept where states are numbered. */
  private blockersAt(thread: number, moment: Moment): Blockers {
    const { id, state, type } = moment.ask!.actor
    const known = this.vector === undefined ? undefined : this.caseOf(moment, this.vector.now[id]!)
    if (known?.blockers !== undefined) return known.blockers
    const threads = type.waitsFor?.(state, thread).filter((t) => this.refs[t] !== undefined) ?? []
    const blockers: Blockers = { threads, bits: threads.reduce((bits, blocker) => bits | (1 << blocker), 0) }
    if (known !== undefined) known.blockers = blockers
    return blockers
  }

  private waitOf(thread: number): Wait {
    const { actor, command } = this.pending(thread)!
    const waitsFor = actor.type.waitsFor?.(actor.state, thread) ?? []
    return {
      thread: this.refs[thread]!.name,
      actor: actor.name,
      command: command.name,
      waitsFor: waitsFor.flatMap((t) => this.refs[t]?.name ?? [])
    }
  }

  private crash(where: string, error: unknown): Verdict {
    const text = error instanceof Error ? error.stack ?? error.message : String(error)
    return { _tag: "Crash", where, error: text, step: this.events }
  }
}

class MutableEvent implements Event {
  index = 0
  /** Somebody has asked which step it is. */
  stepSeen = false
  thread = 0
  threadName = ""
  actor!: Actor<unknown>
  command!: Command<unknown, unknown, unknown>
  arg: unknown
  result: unknown
  before: unknown
  private readonly machine: Machine

  constructor(machine: Machine) {
    this.machine = machine
  }

  get step(): number {
    this.stepSeen = true
    return this.index
  }

  readonly violate = (message: string, subject?: string): void => {
    this.machine.violate(message, subject ?? this.actor.type.name)
  }
}
