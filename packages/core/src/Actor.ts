/**
 * Actors own shared state; commands are the only way to touch it.
 *
 * An actor is event-sourced. A command is *decided* against the state without side effect, and the
 * decision (the command, its argument and its result) is the event from which the next state *evolves*:
 *
 *     blocked(state, arg, thread)         -> boolean       may the step run at all?
 *     decide(state, arg, thread)          -> result        no side effect
 *     evolve(state, arg, result, thread)  -> state         no decision
 *
 * States are immutable values: a step replaces the state, it never edits it. That makes going back to
 * any earlier state a pointer assignment.
 */
import type { Ask } from "./Ask.ts"
import { noValue, type Shape } from "./Shape.ts"

/** How a command touches its location; two steps conflict when they share a location and one writes. */
export type Access = "read" | "write"

/**
 * What an access means for happens-before. `plain` accesses race; `relaxed` ones (READ_ONCE, atomics)
 * do not race with each other but order nothing; the rest order as their names say.
 */
export type Ordering = "plain" | "relaxed" | "acquire" | "release" | "acq_rel"

/** What a step did to a lock, for lock-order analysis, held-lock display and happens-before. */
export type LockAction =
  /** waited for (or would have) and holds it now */
  | "acquire"
  /** got it by a trylock, which can never wait */
  | "try"
  /** joined the queue of a lock that is held; `granted` follows */
  | "queue"
  | "granted"
  /** left the queue without the lock (fatal signal) */
  | "abandon"
  | "release"
  /** writer became reader without letting anyone in between */
  | "downgrade"

export interface LockEffect {
  readonly action: LockAction
  readonly mode: "read" | "write"
}

/** The thread on whose behalf a command is decided. */
export interface ThreadRef {
  /** Index into the model's threads: stable for a model. */
  readonly id: number
  readonly name: string
  /** A fatal signal is pending (set by `kill`); killable commands stop waiting. */
  readonly killed: boolean
}

/** What a blocked command waits for: another thread's lock, or something only user space will do. */
export type WaitKind = "lock" | "user"

export interface CommandSpec<S, A, R> {
  readonly access: Access
  /** Index of the touched location within the actor; default 0. A function when the argument decides. */
  readonly field?: number | ((arg: A) => number)
  /**
   * Further locations of the actor that the step sees or changes, by the names in `fields`. A step that another step
   * of the same actor lets wait, or answers differently after, must name what the other one writes: all reductions of
   * exploration rest on it.
   */
  readonly also?: { readonly reads?: ReadonlyArray<string>; readonly writes?: ReadonlyArray<string> | "all" }
  readonly ordering?: Ordering
  readonly blocked?: (state: S, arg: A, thread: ThreadRef) => boolean
  /** Default "lock". Only read while blocked. */
  readonly waits?: WaitKind
  readonly decide?: (state: S, arg: A, thread: ThreadRef) => R
  readonly evolve?: (state: S, arg: A, result: R, thread: number) => S
  readonly lock?: (result: R, arg: A) => LockEffect | undefined
  /** Shapes for the event log; default is "no argument" / "no result". */
  readonly arg?: Shape<A>
  readonly result?: Shape<R>
  /** One short phrase for people, e.g. `= 3`; default prints argument and result. */
  readonly show?: (arg: A, result: R) => string
}

const fieldsNamed = (
  type: { readonly name: string; readonly fields: ReadonlyArray<string> },
  command: string,
  names: ReadonlyArray<string> | "all" = []
): ReadonlyArray<number> => {
  if (names === "all") return type.fields.map((_, field) => field)
  return names.map((name) => {
    const field = type.fields.indexOf(name)
    if (field < 0) {
      throw new TypeError(`${type.name}.${command}: no field ${name}; there are ${type.fields.join(", ")}`)
    }
    return field
  })
}

/** One word of an actor type's vocabulary. */
export class Command<S, A, R> {
  /** Unique in the process; used only to index tables, never shown, never ordered by. */
  readonly id: number
  /** Index within the actor type. */
  readonly index: number
  readonly type: ActorType<S>
  readonly name: string
  readonly access: Access
  readonly isWrite: boolean
  readonly field: number
  readonly fieldOf: ((arg: A) => number) | undefined
  /** Further locations seen, and changed. */
  readonly alsoReads: ReadonlyArray<number>
  readonly alsoWrites: ReadonlyArray<number>
  readonly ordering: Ordering
  readonly blocked: ((state: S, arg: A, thread: ThreadRef) => boolean) | undefined
  readonly waits: WaitKind
  readonly decide: ((state: S, arg: A, thread: ThreadRef) => R) | undefined
  readonly evolve: ((state: S, arg: A, result: R, thread: number) => S) | undefined
  readonly lock: ((result: R, arg: A) => LockEffect | undefined) | undefined
  readonly arg: Shape<A>
  readonly result: Shape<R>
  readonly show: ((arg: A, result: R) => string) | undefined

  constructor(id: number, index: number, type: ActorType<S>, name: string, spec: CommandSpec<S, A, R>) {
    this.id = id
    this.index = index
    this.type = type
    this.name = name
    this.access = spec.access
    this.isWrite = spec.access === "write"
    this.field = typeof spec.field === "number" ? spec.field : 0
    this.fieldOf = typeof spec.field === "function" ? spec.field : undefined
    this.alsoReads = fieldsNamed(type, name, spec.also?.reads)
    this.alsoWrites = fieldsNamed(type, name, spec.also?.writes)
    this.ordering = spec.ordering ?? "relaxed"
    this.blocked = spec.blocked
    this.waits = spec.waits ?? "lock"
    this.decide = spec.decide
    this.evolve = spec.evolve
    this.lock = spec.lock
    this.arg = spec.arg ?? (noValue as unknown as Shape<A>)
    this.result = spec.result ?? (noValue as unknown as Shape<R>)
    this.show = spec.show
  }
}

let commandCount = 0

/** How many commands exist in the process: the size of a table indexed by `Command.id`. */
export const commandTableSize = (): number => commandCount

export interface ActorTypeOptions<S> {
  /** Names of the locations an actor of this type has; default one, called "value". */
  readonly fields?: ReadonlyArray<string>
  /** Threads that keep others waiting in this state: holders of a lock, or waiters ahead in its queue. */
  readonly waitsFor?: (state: S, waiter: number) => ReadonlyArray<number>
  /** A short phrase for a state, for deadlock reports and `explain`. */
  readonly show?: (state: S) => string
}

/** A kind of actor: its name and the commands it understands. Created once, at module level. */
export class ActorType<S> {
  readonly name: string
  readonly fields: ReadonlyArray<string>
  readonly waitsFor: ((state: S, waiter: number) => ReadonlyArray<number>) | undefined
  readonly show: ((state: S) => string) | undefined
  readonly commands: Array<Command<S, unknown, unknown>> = []
  private readonly byName = new Map<string, Command<S, unknown, unknown>>()

  constructor(name: string, options: ActorTypeOptions<S> = {}) {
    this.name = name
    this.fields = options.fields ?? ["value"]
    this.waitsFor = options.waitsFor
    this.show = options.show
  }

  /** Defines a command. Throws a TypeError when the name is taken: a mistake of the model's author. */
  command<A = void, R = void>(name: string, spec: CommandSpec<S, A, R>): Command<S, A, R> {
    if (this.byName.has(name)) throw new TypeError(`actor type ${this.name} already has a command ${name}`)
    const command = new Command<S, A, R>(commandCount++, this.commands.length, this, name, spec)
    this.commands.push(command as unknown as Command<S, unknown, unknown>)
    this.byName.set(name, command as unknown as Command<S, unknown, unknown>)
    return command
  }

  find(name: string): Command<S, unknown, unknown> | undefined {
    return this.byName.get(name)
  }
}

export interface ActorOptions {
  /** lockdep's class: all locks of one class are ordered as one. Default: the actor's type name. */
  readonly lockClass?: string
  /** Nesting annotation within the class (lockdep subclass). */
  readonly subclass?: number
}

/** One piece of shared state. Created once for a model and reset before each execution. */
export class Actor<S> {
  readonly id: number
  readonly name: string
  readonly type: ActorType<S>
  readonly initial: S
  /** The current state. Read by monitors and reports; replaced by the engine only. */
  state: S
  /** First of this actor's location numbers; location = base + field. */
  readonly base: number
  readonly lockClass: string
  readonly subclass: number
  /** Prebuilt asks of argument-less commands, by command index. */
  readonly asks: Array<Ask<unknown> | undefined>
  /** Prebuilt asks of commands with a small whole number as argument, by command index and number. */
  readonly numbered: Array<Array<Ask<unknown>> | undefined>

  constructor(id: number, base: number, name: string, type: ActorType<S>, initial: S, options: ActorOptions) {
    this.id = id
    this.base = base
    this.name = name
    this.type = type
    this.initial = initial
    this.state = initial
    this.lockClass = options.lockClass ?? type.name
    this.subclass = options.subclass ?? 0
    this.asks = type.commands.map(() => undefined)
    this.numbered = type.commands.map(() => undefined)
  }

  reset(): void {
    this.state = this.initial
  }
}

export type AnyActor = Actor<unknown>
