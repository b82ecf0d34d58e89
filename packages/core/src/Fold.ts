/**
 * States from a log alone: every actor's state after any number of steps, without running a fiber.
 *
 * A state is the fold of its events (`command.evolve`), and states are immutable values, so a snapshot is an
 * array of pointers and going back is taking an older one. Monitors are folds too, so a verdict can be derived
 * from the log again, and an actor's `decide` tells whether a logged step could have happened at all.
 */
import * as Data from "effect/Data"
import * as Equal from "effect/Equal"
import type { Actor, Command, ThreadRef } from "./Actor.ts"
import type { Ask } from "./Ask.ts"
import { portableVerdict, type Waiting } from "./EventLog.ts"
import { defaultMaxSteps, type Log } from "./Execution.ts"
import { stepText, valueText } from "./internal/stepText.ts"
import type { Model } from "./Model.ts"
import type { Event, Monitor, Quiescence } from "./Monitor.ts"
import { chooseNumber, exitThread, type ThreadState } from "./Thread.ts"
import { ok, type Verdict } from "./Verdict.ts"

/** An event of the log that the actor's own `evolve` refuses: the log was edited, or is of another model. */
export class FoldError extends Data.TaggedError("FoldError")<{ readonly step: number; readonly reason: string }> {
  override get message(): string {
    return `step ${this.step} cannot be applied: ${this.reason}. The log was edited, or it is of another model.`
  }
}

/** The states of all actors after `step` events. */
export interface States {
  readonly step: number
  /** By actor id. */
  readonly all: ReadonlyArray<unknown>
  of<S>(actor: Actor<S>): S
}

export interface FoldOptions {
  /** Steps between snapshots; default 256. A move costs at most so many steps. */
  readonly every?: number
}

const statesOf = (step: number, all: ReadonlyArray<unknown>): States => ({
  step,
  all,
  of: <S>(actor: Actor<S>) => all[actor.id] as S
})

/** Time travel through a log: `fold.stateAt(n)` is what every actor held after the first n events. */
export class Fold {
  readonly model: Model
  readonly log: Log
  private readonly every: number
  private readonly states: Array<unknown>
  private position = 0
  /** `snapshots[k]` is the state after `k * every` events; filled as far as the fold has come. */
  private readonly snapshots: Array<ReadonlyArray<unknown>>

  constructor(model: Model, log: Log, options: FoldOptions = {}) {
    this.model = model
    this.log = log
    this.every = Math.max(1, Math.floor(options.every ?? 256))
    this.states = model.actors.map((actor) => actor.initial)
    this.snapshots = [[...this.states]]
  }

  /** Number of events: states exist for 0 (the initial ones) to this. */
  get length(): number {
    return this.log.length
  }

  /** All states after `step` events. Throws a RangeError outside 0..length, and FoldError. */
  stateAt(step: number): States {
    this.seek(step)
    return statesOf(step, [...this.states])
  }

  /** One actor's state after `step` events. Throws like `stateAt`. */
  stateOf<S>(actor: Actor<S>, step: number): S {
    this.seek(step)
    return this.states[actor.id] as S
  }

  /** The states after `from`, `from + 1`, ... events. Each value is a copy of its own. */
  *walk(from = 0): Generator<States> {
    for (let step = from; step <= this.log.length; step++) yield this.stateAt(step)
  }

  private seek(step: number): void {
    if (!Number.isInteger(step) || step < 0 || step > this.log.length) {
      throw new RangeError(`there is no step ${step}: the log has the states 0 to ${this.log.length}`)
    }
    const nearest = Math.min(Math.floor(step / this.every), this.snapshots.length - 1)
    if (step < this.position || nearest * this.every > this.position) {
      const snapshot = this.snapshots[nearest]!
      for (let i = 0; i < snapshot.length; i++) this.states[i] = snapshot[i]
      this.position = nearest * this.every
    }
    while (this.position < step) {
      applyStep(this.states, this.log, this.position)
      this.position++
      if (this.position === this.snapshots.length * this.every) this.snapshots.push([...this.states])
    }
  }
}

/** The state of the step's actor after event `step`, from the one before. Throws FoldError. */
const evolved = (before: unknown, log: Log, step: number): unknown => {
  const { arg, command } = log.asks[step]!
  if (command.evolve === undefined) return before
  try {
    return command.evolve(before, arg, log.results[step], log.threads[step]!)
  } catch (error) {
    throw new FoldError({
      step,
      reason: `${stepText(log.asks[step]!, log.results[step])}: ${
        error instanceof Error ? error.message : String(error)
      }`
    })
  }
}

const applyStep = (states: Array<unknown>, log: Log, step: number): void => {
  const { id } = log.asks[step]!.actor
  states[id] = evolved(states[id], log, step)
}

/** The first event that could not have happened after those before it. */
export interface Impossible {
  readonly step: number
  readonly thread: string
  readonly reason: string
}

/**
 * Looks for the first event that its actor would not have decided so: a blocked command, another result, a thread
 * that was not running. All events before it are possible, so this tells how far an edited log can be believed.
 * It knows actors, not the threads' code: a strict replay knows both.
 */
export const firstImpossible = (model: Model, log: Log): Impossible | undefined => {
  const states = model.actors.map((actor) => actor.initial)
  for (let step = 0; step < log.length; step++) {
    const reason = impossible(model, states, log, step)
    if (reason !== undefined) return { step, thread: model.threads[log.threads[step]!]!.name, reason }
    applyStep(states, log, step)
  }
  return undefined
}

const impossible = (model: Model, states: ReadonlyArray<unknown>, log: Log, step: number): string | undefined => {
  const pending = log.asks[step]!
  const result = log.results[step]
  const { actor, arg, command } = pending
  const thread = threadRef(model, states, log.threads[step]!)
  const phase = (states[model.threads[thread.id]!.actor.id] as ThreadState).phase
  if (phase !== "running") return `the thread is ${phase === "done" ? "done already" : "not started yet"}`
  const text = stepText(pending, result)
  if (command === (exitThread as unknown)) {
    return actor.id === model.threads[thread.id]!.actor.id
      ? undefined
      : `${text} is another thread's exit`
  }
  if (command === (chooseNumber as unknown)) {
    return typeof result === "number" && result >= 0 && result < Math.max(1, arg as number)
      ? undefined
      : `${text}: the number is out of range`
  }
  try {
    const state = states[actor.id]
    if (command.blocked?.(state, arg, thread) === true) {
      return `${text}: the thread would have had to wait (${showState(actor, state)})`
    }
    const decided = command.decide?.(state, arg, thread)
    return Equal.equals(decided, result)
      ? undefined
      : `${text}: the result would have been ${valueText(decided)} (${showState(actor, state)})`
  } catch (error) {
    return `${text}: ${error instanceof Error ? error.message : String(error)}`
  }
}

const threadRef = (model: Model, states: ReadonlyArray<unknown>, id: number): ThreadRef => {
  const thread = model.threads[id]!
  return { id, name: thread.name, killed: (states[thread.actor.id] as ThreadState).killed }
}

const showState = (actor: Actor<unknown>, state: unknown): string =>
  `${actor.name} is ${actor.type.show?.(state) ?? valueText(state)}`

/** What an execution left, as far as its verdict depends on it. A loaded log and a recording both fit. */
export interface Ended {
  readonly log: Log
  readonly waiting: ReadonlyArray<Waiting>
}

/**
 * The verdict from the log alone: monitors are folded over the events, and what the waiting threads wait in tells
 * the end. Undefined when a log does not say: it is truncated, or the execution crashed or was judged from outside.
 * Sets the state of the model's actors, because monitors read it. Throws FoldError.
 */
export const deriveVerdict = (model: Model, ended: Ended, maxSteps = defaultMaxSteps): Verdict | undefined => {
  const watch = new MonitorFold(model, ended.log)
  watch.finish()
  if (watch.verdict !== undefined) return watch.verdict
  return endOf(model, ended, watch, maxSteps)
}

const endOf = (model: Model, { log, waiting }: Ended, watch: MonitorFold, maxSteps: number): Verdict | undefined => {
  const states: ReadonlyArray<unknown> = model.actors.map((actor) => actor.state)
  const asks = new Map(waiting.map((entry) => [entry.thread, entry.ask]))
  const isBlocked = ({ actor, arg, command }: Ask<unknown>, thread: ThreadRef): boolean =>
    command.blocked?.(states[actor.id], arg, thread) === true
  if (!waiting.every((entry) => isBlocked(entry.ask, threadRef(model, states, entry.thread)))) return undefined
  const blockers = (thread: number): ReadonlyArray<number> => {
    const pending = asks.get(thread)
    return pending?.actor.type.waitsFor?.(states[pending.actor.id], thread) ?? []
  }
  const deadlock = (threads: ReadonlyArray<number>): Verdict => ({
    _tag: "Deadlock",
    step: log.length,
    waits: threads.map((thread) => {
      const { actor, command } = asks.get(thread)!
      const waitsFor = blockers(thread).map((t) => model.threads[t]!.name)
      return { thread: model.threads[thread]!.name, actor: actor.name, command: command.name, waitsFor }
    })
  })
  const unfinished = model.threads.filter((thread) => thread.actor.state.phase === "running")
  const atEnd = unfinished.every((thread) => asks.has(thread.id))
  const mayBeKilled = (thread: number): boolean =>
    !isBlocked(asks.get(thread)!, { ...threadRef(model, states, thread), killed: true })
  const stuck = waiting.filter((entry) => atEnd || !mayBeKilled(entry.thread)).map((entry) => entry.thread)
  const cycle = findCycle(stuck, blockers)
  if (cycle !== undefined) return deadlock(cycle)
  if (atEnd) {
    const kept = waiting.filter((entry) => !model.threads[entry.thread]!.daemon)
    if (kept.some((entry) => entry.ask.command.waits === "lock")) return deadlock(kept.map((entry) => entry.thread))
    return watch.quiesce(waiting) ?? ok
  }
  return log.length >= maxSteps ? { _tag: "StepLimit", step: log.length } : undefined
}

/** A cycle of these threads that wait for each other, from its lowest one on. */
const findCycle = (
  threads: ReadonlyArray<number>,
  blockers: (thread: number) => ReadonlyArray<number>
): ReadonlyArray<number> | undefined => {
  for (const start of threads) {
    const path: Array<number> = []
    const visit = (thread: number): boolean => {
      if (path.includes(thread)) return thread === start
      if (!threads.includes(thread)) return false
      path.push(thread)
      if (blockers(thread).some(visit)) return true
      path.pop()
      return false
    }
    if (visit(start)) return path
  }
  return undefined
}

/** Monitors folded over a log, step by step, as the engine does it live. */
export class MonitorFold {
  /** The first violation, or the crash of a monitor; undefined so far. */
  verdict: Verdict | undefined
  readonly states: Array<unknown>
  private readonly model: Model
  private readonly log: Log
  private readonly told: ReadonlyMap<Command<unknown, unknown, unknown>, ReadonlyArray<number>>
  private position = 0
  private subject = ""

  constructor(model: Model, log: Log) {
    this.model = model
    this.log = log
    for (const actor of model.actors) actor.reset()
    this.states = model.monitors.map((monitor) => monitor.initial())
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
  }

  /** Folds one event; false when there is none left. Throws FoldError. */
  next(): boolean {
    const step = this.position
    if (step >= this.log.length) return false
    const { actor, arg, command } = this.log.asks[step]!
    const before = actor.state
    const result = this.log.results[step]
    const thread = this.log.threads[step]!
    actor.state = evolved(before, this.log, step)
    this.position++
    const indices = this.told.get(command)
    if (indices === undefined) return true
    this.subject = actor.type.name
    for (const index of indices) {
      const monitor: Monitor = this.model.monitors[index]!
      const event: Event = {
        step,
        thread,
        threadName: this.model.threads[thread]!.name,
        actor,
        command,
        arg,
        result,
        before,
        violate: (message, subject) => this.violate(monitor, message, subject)
      }
      try {
        this.states[index] = monitor.step(this.states[index], event)
      } catch (error) {
        this.crash(monitor, error)
      }
    }
    return true
  }

  finish(): void {
    while (this.next());
  }

  /** The end of the execution: what the monitors say to it. */
  quiesce(waiting: ReadonlyArray<Waiting>): Verdict | undefined {
    this.subject = ""
    this.model.monitors.forEach((monitor, index) => {
      const end: Quiescence = {
        steps: this.position,
        waiting: waiting.map(({ ask: { actor, arg, command }, thread }) => ({ thread, actor, command, arg })),
        violate: (message, subject) => this.violate(monitor, message, subject)
      }
      try {
        monitor.end?.(this.states[index], end)
      } catch (error) {
        this.crash(monitor, error)
      }
    })
    return this.verdict
  }

  private violate(monitor: Monitor, message: string, subject: string | undefined): void {
    this.verdict ??= {
      _tag: "Violation",
      monitor: monitor.id,
      message,
      subject: subject ?? this.subject,
      step: Math.max(0, this.position - 1)
    }
  }

  private crash(monitor: Monitor, error: unknown): void {
    const text = error instanceof Error ? error.stack ?? error.message : String(error)
    this.verdict ??= portableVerdict({
      _tag: "Crash",
      where: `monitor ${monitor.id}`,
      error: text,
      step: this.position
    })
  }
}
