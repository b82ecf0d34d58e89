/**
 * When two steps of different threads may be swapped: the one relation that all reductions rest on.
 *
 * A step *touches* places, each in a mode. Places are the model's locations, and these:
 *
 *   signal of a thread   written by a kill, read by commands whose `blocked` or `decide` can see `thread.killed`
 *   parts of a monitor's state, as a step looks at them or changes them (Parts)
 *   properties of actors' states, as monitors look at them (Properties)
 *
 * The exit of a thread belongs to its last step and writes the thread's location. Two steps are dependent when they
 * touch one place in conflicting modes. Modes are known once a step has run: a step that left its actor as it was
 * (a failed trylock, a failed compare-and-exchange) only read it. That this is sound needs no more than what
 * DPOR asks of a happens-before assignment: swapping adjacent independent steps changes neither their results nor
 * the state after both (Abdulla, Aronis, Jonsson, Sagonas, POPL'14, definition 3.2).
 *
 * Data choices touch nothing: they branch within their own thread.
 */
import type { Actor, Command } from "../Actor.ts"
import { type Ask, locationOf } from "../Ask.ts"
import type { Model } from "../Model.ts"
import { completion } from "../primitives/Completion.ts"
import { refcount } from "../primitives/Refcount.ts"
import { rwsem } from "../primitives/Rwsem.ts"
import { semaphore } from "../primitives/Semaphore.ts"
import { chooseNumber, killThread } from "../Thread.ts"
import { adding, type Mode, reading, sharing, type Touched, writing } from "./Footprint.ts"
import { type PartPath, Parts } from "./Parts.ts"
import { Properties } from "./Properties.ts"

export interface DependenceOptions {
  /**
   * Whether a store that happens to leave the value as it was counts as a read (default) or as the write that it is
   * in the published counts of other tools.
   */
  readonly silentStores?: "read" | "write"
}

/** One rule of the relation, so that a test can leave it out and see what it is for. */
export type Rule =
  | "write"
  | "change"
  | "signal"
  | "exit"
  | "monitor-state"
  | "monitor-reads"
  | "sharing"
  | "adding"
  | "also"

type AnyCommand = Command<unknown, unknown, unknown>

/**
 * Pairs of commands that commute though both change the state, by what they returned.
 *
 * rwsem: a reader takes the lock at once only when nobody queues, so among these steps nobody joins or leaves the
 * queue; readers are kept sorted; a reader's release hands the lock to a writer only, and that writer's await is not
 * of this mode. Additions: the sum does not depend on the order and no result shows it.
 */
const commuting: ReadonlyMap<
  AnyCommand,
  { readonly mode: Mode; readonly when: (result: unknown, after: unknown) => boolean }
> = new Map(
  ([
    [rwsem.downRead, sharing, (result) => result === "taken"],
    [rwsem.downReadTrylock, sharing, (result) => result === true],
    [rwsem.awaitRead, sharing, () => true],
    [rwsem.awaitReadKillable, sharing, (result) => result === true],
    [rwsem.upRead, sharing, () => true],
    [semaphore.up, adding, () => true],
    [refcount.inc, adding, () => true],
    [completion.complete, adding, () => true]
  ] as ReadonlyArray<readonly [unknown, Mode, (result: unknown, after: unknown) => boolean]>).map((
    [command, mode, when]
  ) => [command as AnyCommand, { mode, when }])
)

/** Builds footprints for one model. */
export class Dependence {
  /** Number of places; grows as monitors show parts of their states. */
  places: number
  /** The parts of monitors' states that have places, two each, in the order of their places, which begin at `firstPart`. */
  readonly partPaths: Array<PartPath> = []
  readonly firstPart: number
  private readonly model: Model
  private readonly silentStores: "read" | "write"
  private readonly broken: Rule | undefined
  private readonly threadOfActor = new Map<Actor<unknown>, number>()
  private readonly seesThread = new Map<AnyCommand, boolean>()
  private readonly parts: ReadonlyArray<Parts>
  private readonly properties: Properties
  /** Some monitor's looks count. */
  watched = false

  /** `broken` leaves one rule out: for tests only. */
  constructor(model: Model, options: DependenceOptions = {}, broken?: Rule) {
    this.model = model
    this.silentStores = options.silentStores ?? "read"
    this.broken = broken
    this.firstPart = this.places = model.locations + model.threads.length
    const newPart = (path: PartPath): number => {
      this.partPaths.push(path)
      this.places += 2
      return this.places - 2
    }
    this.parts = model.monitors.map((_, monitor) => new Parts(monitor, newPart))
    this.properties = new Properties(newPart)
    for (const thread of model.threads) this.threadOfActor.set(thread.actor as unknown as Actor<unknown>, thread.id)
    for (const type of new Set(model.actors.map((actor) => actor.type))) {
      for (const command of type.commands) {
        this.seesThread.set(command, mayReadThread(command.blocked) || mayReadThread(command.decide))
      }
    }
  }

  signalOf(thread: number): number {
    return this.model.locations + thread
  }

  /** The thread that an actor stands for. */
  threadOf(actor: Actor<unknown>): number | undefined {
    return this.threadOfActor.get(actor)
  }

  /** What a step of `thread` touched, apart from exits and monitors. */
  touch(
    out: Touched,
    thread: number,
    pending: Ask<unknown>,
    result: unknown,
    before: unknown,
    after: unknown
  ): void {
    const { actor, command } = pending
    if (command === (chooseNumber as unknown)) return
    out.add(locationOf(pending), this.modeOf(command, result, before, after))
    if (this.broken === "also") return this.touchSignals(out, thread, pending)
    for (const field of command.alsoReads) out.add(actor.base + field, reading)
    const further = Object.is(before, after) ? reading : writing
    for (const field of command.alsoWrites) out.add(actor.base + field, further)
    this.touchSignals(out, thread, pending)
    if (this.watched && !Object.is(before, after)) this.properties.changed(out, actor.id, before, after)
  }

  private touchSignals(out: Touched, thread: number, { actor, command }: Ask<unknown>): void {
    if (command === (killThread as unknown)) {
      if (this.broken !== "signal") out.add(this.signalOf(this.threadOfActor.get(actor)!), writing)
    } else if (this.canSeeSignals(command)) out.add(this.signalOf(thread), reading)
  }

  /** What an ask may touch at worst, exits and monitors apart. */
  touchAtWorst(out: Touched, thread: number, pending: Ask<unknown>): void {
    const { actor, command } = pending
    if (command === (chooseNumber as unknown)) return
    out.add(locationOf(pending), command.isWrite ? writing : reading)
    for (const field of command.alsoReads) out.add(actor.base + field, reading)
    for (const field of command.alsoWrites) out.add(actor.base + field, writing)
    this.touchSignals(out, thread, pending)
    if (this.watched && command.isWrite) this.properties.mayChange(out, actor.id)
  }

  /** Whether a command can see that its thread was killed. */
  canSeeSignals(command: AnyCommand): boolean {
    return this.seesThread.get(command) === true
  }

  /** The end of a thread as part of a step. */
  touchExit(out: Touched, thread: number): void {
    const { actor } = this.model.threads[thread]!
    if (this.broken !== "exit") out.add(actor.base, writing)
    if (this.watched) this.properties.mayChange(out, actor.id)
  }

  /** Runs a step of a monitor, and notes which parts of its state that touches. */
  followMonitor(out: Touched, monitor: number, state: unknown, step: (view: unknown) => unknown): unknown {
    if (this.broken === "monitor-state") return step(state)
    return this.parts[monitor]!.follow(state, out, step)
  }

  /** Gives parts the places that they have in another exploration of the model. Call before anything is explored. */
  placeParts(paths: ReadonlyArray<PartPath>): void {
    for (const path of paths) this.placeOf(path)
  }

  /** The first of the two places of a part. */
  placeOf(path: PartPath): number {
    return path[0] < 0 ? this.properties.placeOf(-1 - path[0], path[1]) : this.parts[path[0]]!.placeOf(path)
  }

  /** A monitor looked at a property of an actor's state; undefined: at the state as a whole. */
  touchSeen(out: Touched, actor: number, key: string | undefined): void {
    if (this.broken !== "monitor-reads") this.properties.seen(out, actor, key)
  }

  modeOf(command: AnyCommand, result: unknown, before: unknown, after: unknown): Mode {
    if (Object.is(before, after)) {
      const isStore = command.isWrite && command.decide === undefined && command.blocked === undefined
      return isStore && this.silentStores === "write" ? writing : reading
    }
    if (this.broken === "write") return reading
    const special = commuting.get(command)
    if (special !== undefined && special.when(result, after)) return special.mode
    if (this.broken === "sharing" && command.type === (rwsem.type as unknown)) return sharing
    if (this.broken === "adding" && command.type === (semaphore.type as unknown)) return adding
    return this.broken === "change" && command.blocked !== undefined ? reading : writing
  }
}

/**
 * Whether a function of (state, arg, thread) can see its third parameter. Rest parameters, defaults and `arguments` do
 * not count in `length`, so where the text shows one of them the answer is yes.
 */
const mayReadThread = (decide: ((...args: Array<never>) => unknown) | undefined): boolean => {
  if (decide === undefined) return false
  if (decide.length >= 3) return true
  const text = decide.toString()
  const arrow = text.indexOf("=>")
  const brace = text.indexOf("{")
  const head = text.slice(0, arrow >= 0 && (brace < 0 || arrow < brace) ? arrow : brace)
  return /\.\.\.|=|native code/u.test(head) || /\barguments\b|\[native code\]/u.test(text)
}
