/**
 * execute : Model x Schedule -> Log + Verdict, a pure function inside one synchronous call.
 *
 * An `Executor` owns the buffers for executing one model again and again. Each call of `run` starts every
 * actor from its initial state and every thread from its beginning; what it leaves behind (`log`, `choices`)
 * is valid until the next call.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { type Actor, type Command, commandTableSize, type ThreadRef } from "./Actor.ts"
import type { Ask, Path } from "./Ask.ts"
import { Cursor, fastPort, type FiberPort, type Handle, running, stopped, usePort } from "./internal/fiberPort.ts"
import type { Model, Thread } from "./Model.ts"
import type { Event, Monitor, Quiescence } from "./Monitor.ts"
import type { Profile } from "./Profile.ts"
import { emptyProfile } from "./Profile.ts"
import type { Strategy, View } from "./Strategy.ts"
import { chooseNumber, killThread, spawnThread } from "./Thread.ts"
import { ok, type Verdict, type Wait } from "./Verdict.ts"

/** The events of one execution, as parallel arrays: entry i is step i. */
export interface Log {
  readonly length: number
  readonly threads: ReadonlyArray<number>
  readonly asks: ReadonlyArray<Ask<unknown>>
  readonly results: ReadonlyArray<unknown>
}

/** Sees every step of every execution of a run; for analyses over runs (coverage, lock order, classes). */
export interface Observer {
  /** Commands of interest; default all. */
  readonly wants?: (command: Command<unknown, unknown, unknown>) => boolean
  begin(): void
  step(thread: number, ask: Ask<unknown>, result: unknown, step: number): void
  end(verdict: Verdict): void
}

export interface ExecutorOptions {
  /** Executions longer than this end with the verdict StepLimit. Default 10,000. */
  readonly maxSteps?: number
  readonly observers?: ReadonlyArray<Observer>
  /**
   * Default true: a cycle of threads that wait for each other is a failure, whatever else can move. One with a wait that a
   * kill would end is none before nobody can move.
   */
  readonly partialDeadlocks?: boolean
  /** How fibers are parked and resumed; default the fast one. */
  readonly port?: FiberPort
}

export const defaultMaxSteps = 10_000

class Slot implements ThreadRef {
  readonly id: number
  readonly name: string
  readonly spec: Thread
  readonly cursor = new Cursor()
  /** The thread's code as an effect; built for its kind of body when it first runs. */
  root: Effect.Effect<unknown>
  pending: Ask<unknown> | undefined = undefined
  handle: Handle | undefined = undefined
  reusable: Handle | undefined = undefined
  enabled = false
  killed = false

  constructor(spec: Thread) {
    this.id = spec.id
    this.name = spec.name
    this.spec = spec
    this.root = Effect.suspend(() => {
      const code = spec.body()
      if (Effect.isEffect(code)) return code
      // A body gives the same kind of code each time: from now on without asking.
      this.root = Effect.gen(spec.body as () => Path<unknown>)
      return Effect.gen(() => code)
    })
  }
}

export class Executor implements View, Event, Quiescence {
  readonly model: Model
  readonly maxSteps: number
  private readonly slots: ReadonlyArray<Slot>
  private readonly observers: ReadonlyArray<Observer>
  private readonly partialDeadlocks: boolean
  private readonly port: FiberPort
  /** Indices of monitors to tell, by command id. */
  private readonly told: ReadonlyArray<ReadonlyArray<number> | undefined>
  private readonly watching: ReadonlyArray<ReadonlyArray<Observer> | undefined>
  private readonly monitorStates: Array<unknown>

  // View
  readonly enabled: Int32Array
  enabledCount = 0
  last = -1
  step = 0
  readonly threadCount: number

  // Event: the step being told to monitors
  thread = 0
  actor!: Actor<unknown>
  command!: Command<unknown, unknown, unknown>
  arg: unknown
  result: unknown
  before: unknown

  // Quiescence
  steps = 0
  waiting: Quiescence["waiting"] = []

  // Log
  private readonly logThreads: Array<number> = []
  private readonly logAsks: Array<Ask<unknown>> = []
  private readonly logResults: Array<unknown> = []
  private logLength = 0

  /** The choices made, in order: an index for every point with two or more possibilities, and data choices. */
  readonly choices: Array<number> = []
  choiceCount = 0
  /** Scheduling points at which two or more threads could move. */
  contested = 0

  /** A step is being told to monitors; false at the end of an execution. */
  private telling = true
  private found: Verdict | undefined = undefined
  private monitorAtWork = ""

  constructor(model: Model, options: ExecutorOptions = {}) {
    this.model = model
    this.maxSteps = options.maxSteps ?? defaultMaxSteps
    this.observers = options.observers ?? []
    this.partialDeadlocks = options.partialDeadlocks ?? true
    this.port = options.port ?? fastPort
    this.slots = model.threads.map((t) => new Slot(t))
    this.enabled = new Int32Array(this.slots.length)
    this.threadCount = this.slots.length
    this.monitorStates = model.monitors.map(() => undefined)
    const table: Array<Array<number> | undefined> = Array.from({ length: commandTableSize() }, () => undefined)
    const watching: Array<Array<Observer> | undefined> = table.map(() => undefined)
    for (const type of new Set(model.actors.map((a) => a.type))) {
      for (const command of type.commands) {
        model.monitors.forEach((monitor, index) => {
          if (monitor.on === "all" || monitor.on.includes(command as unknown as Command<never, never, never>)) {
            ;(table[command.id] ??= []).push(index)
          }
        })
        for (const observer of this.observers) {
          if (observer.wants === undefined || observer.wants(command)) (watching[command.id] ??= []).push(observer)
        }
      }
    }
    this.told = table
    this.watching = watching
  }

  /** The last execution's events. Valid until the next `run`; `copyLog` keeps them. */
  get log(): Log {
    return { length: this.logLength, threads: this.logThreads, asks: this.logAsks, results: this.logResults }
  }

  copyLog(): Log {
    return {
      length: this.logLength,
      threads: this.logThreads.slice(0, this.logLength),
      asks: this.logAsks.slice(0, this.logLength),
      results: this.logResults.slice(0, this.logLength)
    }
  }

  copyChoices(): ReadonlyArray<number> {
    return this.choices.slice(0, this.choiceCount)
  }

  /** State of monitor `index` after the last execution. */
  monitorState(index: number): unknown {
    return this.monitorStates[index]
  }

  pending(thread: number): Ask<unknown> {
    return this.slots[thread]!.pending!
  }

  isEnabled(thread: number): boolean {
    return this.slots[thread]!.enabled
  }

  isLive(thread: number): boolean {
    return this.slots[thread]!.pending !== undefined
  }

  get threadName(): string {
    return this.slots[this.thread]!.name
  }

  violate(message: string, subject?: string): void {
    this.found ??= {
      _tag: "Violation",
      monitor: this.monitorAtWork,
      message,
      subject: subject ?? (this.telling ? this.actor.type.name : ""),
      step: Math.max(0, this.step - 1)
    }
  }

  /** Executes the model once under `strategy`. */
  run(strategy: Strategy, seed = 0, profile: Profile = emptyProfile): Verdict {
    usePort(this.port)
    // A fiber that left the model in an earlier execution may have come back since, and parked at an ask.
    stopped.ask = undefined
    this.reset()
    strategy.begin(seed, profile)
    for (let i = 0; i < this.slots.length; i++) {
      if (this.slots[i]!.spec.actor.state.phase === "running") this.startThread(this.slots[i]!)
    }
    const verdict = this.loop(strategy)
    for (let i = 0; i < this.observers.length; i++) this.observers[i]!.end(verdict)
    return verdict
  }

  private reset(): void {
    const { actors, monitors } = this.model
    this.step = 0
    this.telling = true
    this.found = undefined
    for (let i = 0; i < actors.length; i++) actors[i]!.reset()
    for (let i = 0; i < monitors.length; i++) {
      try {
        this.monitorStates[i] = monitors[i]!.initial()
      } catch (error) {
        this.found ??= this.crash(`monitor ${monitors[i]!.id}`, error)
      }
    }
    for (let i = 0; i < this.slots.length; i++) {
      const slot = this.slots[i]!
      slot.pending = undefined
      slot.enabled = false
      slot.killed = false
    }
    for (let i = 0; i < this.observers.length; i++) this.observers[i]!.begin()
    this.enabledCount = 0
    this.last = -1
    this.logLength = 0
    this.choiceCount = 0
    this.contested = 0
  }

  private loop(strategy: Strategy): Verdict {
    const { enabled, slots, told, watching, maxSteps, logThreads, logAsks, logResults, choices } = this
    while (this.found === undefined) {
      const count = this.enabledCount
      if (count === 0) return this.nobodyMoves()
      if (this.step >= maxSteps) return { _tag: "StepLimit", step: this.step }
      let index = 0
      if (count > 1) {
        index = strategy.pick(this)
        if (!(index >= 0 && index < count)) {
          throw new RangeError(`strategy ${strategy.name} picked ${index} of ${count} threads`)
        }
        choices[this.choiceCount++] = index
        this.contested++
      }
      const slot = slots[enabled[index]!]!
      const pending = slot.pending!
      const { actor, arg, command } = pending
      const before = actor.state
      let result: unknown = undefined
      try {
        if (command === (chooseNumber as unknown)) {
          result = (arg as number) > 1 ? (choices[this.choiceCount++] = strategy.choose(arg as number, this)) : 0
        } else if (command.decide !== undefined) result = command.decide(before, arg, slot)
        if (command.evolve !== undefined) actor.state = command.evolve(before, arg, result, slot.id)
      } catch (error) {
        this.found = this.crash(`${actor.type.name}.${command.name}`, error)
        break
      }
      const at = this.logLength++
      logThreads[at] = slot.id
      logAsks[at] = pending
      logResults[at] = result
      this.last = slot.id
      this.step++
      const monitors = told[command.id]
      if (monitors !== undefined) this.tell(monitors, slot.id, pending, result, before)
      const observers = watching[command.id]
      if (observers !== undefined) {
        for (let i = 0; i < observers.length; i++) observers[i]!.step(slot.id, pending, result, at)
      }
      if (strategy.ran !== undefined) strategy.ran(slot.id, pending, this)
      // The log ends with the step that broke the rule, not with what its thread did next.
      if (monitors !== undefined && this.found !== undefined) break
      slot.pending = undefined
      // Others first: whether the thread's next ask closes a cycle of waiters depends on who can move now.
      if (actor.state !== before) this.reconsider(actor)
      if (command === (spawnThread as unknown) || command === (killThread as unknown)) this.control(command, actor)
      this.resumeThread(slot, result)
    }
    return this.found
  }

  private tell(
    indices: ReadonlyArray<number>,
    thread: number,
    pending: Ask<unknown>,
    result: unknown,
    before: unknown
  ): void {
    this.thread = thread
    this.actor = pending.actor
    this.command = pending.command
    this.arg = pending.arg
    this.result = result
    this.before = before
    const { monitors } = this.model
    // Event.step is the index of the step, View.step the count of steps: the view is advanced already.
    for (let i = 0; i < indices.length; i++) {
      const index = indices[i]!
      const monitor: Monitor = monitors[index]!
      this.monitorAtWork = monitor.id
      try {
        this.monitorStates[index] = monitor.step(this.monitorStates[index], this.event)
      } catch (error) {
        this.found ??= this.crash(`monitor ${monitor.id}`, error)
      }
    }
  }

  /** This executor seen as the step just done. */
  private readonly event: Event = eventOf(this)

  private startThread(slot: Slot): void {
    running.cursor = slot.cursor
    slot.handle = this.port.start(slot.root, slot.reusable)
    slot.reusable = undefined
    this.settle(slot)
  }

  private resumeThread(slot: Slot, result: unknown): void {
    running.cursor = slot.cursor
    this.port.resume(slot.handle!, result)
    this.settle(slot)
  }

  /** After a thread ran: it has a pending ask now, or it ended. */
  private settle(slot: Slot): void {
    const next = stopped.ask
    if (next !== undefined) {
      stopped.ask = undefined
      slot.pending = next
      this.consider(slot)
      return
    }
    const exit = stopped.exit!
    // A fiber that failed may have left the model with frames on its stack.
    if (Exit.isSuccess(exit)) slot.reusable = slot.handle
    slot.handle = undefined
    this.setEnabled(slot, false)
    if (Exit.isFailure(exit)) {
      this.found ??= this.crash(`thread ${slot.name}`, Cause.squash(exit.cause))
      return
    }
    this.logExit(slot, exit.value)
  }

  /** The end of a thread is an event too, logged without a scheduling point of its own. */
  private logExit(slot: Slot, value: unknown): void {
    const pending = slot.spec.exit
    const { actor, command } = pending
    const before = actor.state
    const at = this.logLength++
    this.logThreads[at] = slot.id
    this.logAsks[at] = pending
    this.logResults[at] = value
    actor.state = command.evolve!(before, undefined, value, slot.id)
    this.step++
    const monitors = this.told[command.id]
    if (monitors !== undefined) this.tell(monitors, slot.id, pending, value, before)
    const observers = this.watching[command.id]
    if (observers !== undefined) {
      for (let i = 0; i < observers.length; i++) observers[i]!.step(slot.id, pending, value, at)
    }
    this.reconsider(actor)
  }

  private control(command: Command<unknown, unknown, unknown>, actor: Actor<unknown>): void {
    const slot = this.slots.find((s) => (s.spec.actor as unknown) === actor)!
    if (command === (spawnThread as unknown)) this.startThread(slot)
    else {
      slot.killed = true
      if (slot.pending !== undefined) this.consider(slot)
    }
  }

  /** Threads that wait at `actor` may be able to move now, or no longer. */
  private reconsider(actor: Actor<unknown>): void {
    const { slots } = this
    for (let i = 0; i < slots.length; i++) {
      const pending = slots[i]!.pending
      if (pending !== undefined && pending.actor === actor && pending.command.blocked !== undefined) {
        this.consider(slots[i]!)
      }
    }
  }

  private consider(slot: Slot): void {
    const { actor, arg, command } = slot.pending!
    if (command.blocked === undefined) {
      if (!slot.enabled) this.setEnabled(slot, true)
      return
    }
    let blocked = true
    try {
      blocked = command.blocked(actor.state, arg, slot)
    } catch (error) {
      this.found ??= this.crash(`${actor.type.name}.${command.name}`, error)
    }
    this.setEnabled(slot, !blocked)
    if (blocked && this.partialDeadlocks && actor.type.waitsFor !== undefined) this.lookForCycle(slot, false)
  }

  private setEnabled(slot: Slot, enabled: boolean): void {
    if (slot.enabled === enabled) return
    slot.enabled = enabled
    const list = this.enabled
    if (enabled) {
      let i = this.enabledCount++
      for (; i > 0 && list[i - 1]! > slot.id; i--) list[i] = list[i - 1]!
      list[i] = slot.id
    } else {
      let i = 0
      while (list[i] !== slot.id) i++
      this.enabledCount--
      for (; i < this.enabledCount; i++) list[i] = list[i + 1]!
    }
  }

  /**
   * Wait-for graph (holders and conflicting waiters ahead): a cycle is a deadlock of its members. While others can move,
   * waits that a kill ends are no part of one, as in check_hung_uninterruptible_tasks (kernel/hung_task.c).
   */
  private lookForCycle(start: Slot, atEnd: boolean): void {
    const path: Array<Slot> = []
    const visit = (slot: Slot): boolean => {
      if (path.includes(slot)) return slot === start
      if (slot.pending === undefined || slot.enabled || (!atEnd && this.isKillable(slot))) return false
      path.push(slot)
      for (const other of this.blockers(slot)) if (visit(this.slots[other]!)) return true
      path.pop()
      return false
    }
    if (visit(start)) this.found ??= { _tag: "Deadlock", waits: path.map((s) => this.waitOf(s)), step: this.step }
  }

  /** The thread waits, and a kill would end that. */
  private isKillable(slot: Slot): boolean {
    const { actor, arg, command } = slot.pending!
    if (slot.killed) return false
    slot.killed = true
    try {
      return !command.blocked!(actor.state, arg, slot)
    } catch (error) {
      this.found ??= this.crash(`${actor.type.name}.${command.name}`, error)
      return false
    } finally {
      slot.killed = false
    }
  }

  private blockers(slot: Slot): ReadonlyArray<number> {
    const { actor } = slot.pending!
    // A lock may start out held by nobody of this model.
    return actor.type.waitsFor?.(actor.state, slot.id).filter((t) => this.slots[t] !== undefined) ?? []
  }

  private waitOf(slot: Slot): Wait {
    const { actor, command } = slot.pending!
    return {
      thread: slot.name,
      actor: actor.name,
      command: command.name,
      waitsFor: this.blockers(slot).map((t) => this.slots[t]!.name)
    }
  }

  private nobodyMoves(): Verdict {
    if (this.partialDeadlocks) {
      for (const slot of this.slots) if (slot.pending !== undefined) this.lookForCycle(slot, true)
      if (this.found !== undefined) return this.found
    }
    const waiting = this.slots.filter((s) => s.pending !== undefined && !s.spec.daemon)
    if (waiting.some((s) => s.pending!.command.waits === "lock")) {
      return { _tag: "Deadlock", waits: waiting.map((s) => this.waitOf(s)), step: this.step }
    }
    this.steps = this.step
    this.waiting = this.slots.filter((s) => s.pending !== undefined).map((s) => ({
      thread: s.id,
      actor: s.pending!.actor,
      command: s.pending!.command,
      arg: s.pending!.arg
    }))
    const { monitors } = this.model
    // What monitors report now is about the end, not about the step that happened to be told last.
    this.telling = false
    for (let i = 0; i < monitors.length; i++) {
      const monitor = monitors[i]!
      if (monitor.end === undefined) continue
      this.monitorAtWork = monitor.id
      try {
        monitor.end(this.monitorStates[i], this)
      } catch (error) {
        this.found ??= this.crash(`monitor ${monitor.id}`, error)
      }
    }
    return this.found ?? ok
  }

  private crash(where: string, error: unknown): Verdict {
    const text = error instanceof Error ? error.stack ?? error.message : String(error)
    return { _tag: "Crash", where, error: text, step: this.step }
  }
}

/** An Event whose `step` is the index of the step just done. */
const eventOf = (executor: Executor): Event => ({
  get step() {
    return executor.step - 1
  },
  get thread() {
    return executor.thread
  },
  get threadName() {
    return executor.threadName
  },
  get actor() {
    return executor.actor
  },
  get command() {
    return executor.command
  },
  get arg() {
    return executor.arg
  },
  get result() {
    return executor.result
  },
  get before() {
    return executor.before
  },
  violate: (message, subject) => executor.violate(message, subject)
})
