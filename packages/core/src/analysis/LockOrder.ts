/**
 * Lock-order analysis over all executions of a run, with the semantics of kernel/locking/lockdep.c: one execution
 * that takes A then B and another that takes B then A suffice for a report; nothing has to deadlock.
 *
 * - Locks are ordered by class (`lockClass`, with `/subclass` when it is not 0), not by instance.
 * - Waiting for B adds an edge from each held lock, most recent first, up to and including the first that was not
 *   taken by a trylock: older ones are connected through that one (check_prevs_add).
 * - A trylock cannot wait, so it adds no edge to its lock; once held, its lock gives edges like any other.
 * - Readers do not recurse unless their class is listed: a writer queued between two readers blocks the second.
 * - The same class twice is a report of its own, unless both are recursive readers or the class is declared as
 *   nested under a lock that is held exclusively (check_deadlock, nest_lock).
 *
 * Each distinct sequence of held locks is checked once; after that a lock step costs a few table look-ups.
 */
import type { Actor, Command, LockEffect } from "../Actor.ts"
import type { Ask } from "../Ask.ts"
import type { Observer } from "../Execution.ts"
import type { Model } from "../Model.ts"
import { type HeldLock, LockStacks } from "./HeldLocks.ts"
import { type EdgeKind, type GraphEdge, LockGraph } from "./LockGraph.ts"

/** A lock as a report names it. */
export interface LockSample {
  readonly lock: string
  readonly lockClass: string
  readonly mode: "read" | "write"
  readonly tried: boolean
  /** Step at which it was taken. */
  readonly since: number
}

/** Where and how a lock was waited for. */
export interface LockAttempt {
  readonly thread: string
  readonly lock: string
  readonly lockClass: string
  readonly mode: "read" | "write"
  /** Number of the execution (from 0) and step in it: the first such attempt of the run. */
  readonly execution: number
  readonly step: number
  /** All locks the thread held, oldest first. */
  readonly holding: ReadonlyArray<LockSample>
}

/** `from` was held while `to` was waited for. */
export interface LockEdge extends GraphEdge {
  readonly attempt: LockAttempt
  /** The entry of `attempt.holding` that is `from`. */
  readonly held: LockSample
}

export type LockOrderReport =
  /** `edges[0]` closed the cycle; each edge ends where the next begins, the last where the first begins. */
  | { readonly _tag: "Inversion"; readonly id: string; readonly edges: ReadonlyArray<LockEdge> }
  /** A class taken again while held. */
  | { readonly _tag: "Recursion"; readonly id: string; readonly held: LockSample; readonly attempt: LockAttempt }

/** Plain data: what a worker sends. */
export interface LockOrderData {
  readonly edges: ReadonlyArray<LockEdge>
  readonly recursions: ReadonlyArray<{ readonly held: LockSample; readonly attempt: LockAttempt }>
}

export interface LockOrderOptions {
  /** Lock classes whose readers may recurse (rwlock_t in interrupts); rwsem readers may not. Default none. */
  readonly recursiveReaders?: ReadonlySet<string>
  /** class -> outer class: several locks of the class may be held by whoever holds the outer one exclusively. */
  readonly nestedUnder?: ReadonlyMap<string, string>
}

/** An item of a chain: class, mode, how it was taken, and whether it is held or (the last one) wanted. */
const itemsPerClass = 8
const wantedBit = 4

export class LockOrder implements Observer {
  /** Number of the next execution; a worker sets it before each block of executions it runs, in ascending order. */
  nextExecution = 0
  private readonly model: Model
  private readonly stacks: LockStacks
  /** By actor id: index into `classNames`. */
  private readonly classOf: Int32Array
  private readonly classNames: ReadonlyArray<string>
  private readonly recursiveClass: Uint8Array
  /** By class: index of the outer class that permits nesting, -1 none. */
  private readonly outerClass: Int32Array
  /** Chain cache: a trie of held-lock sequences. Key: node * width + item. */
  private readonly chains = new Map<number, number>()
  private readonly width: number
  private readonly graph = new LockGraph<LockEdge>()
  private readonly recursions = new Map<string, { readonly held: LockSample; readonly attempt: LockAttempt }>()
  private readonly cycles = new Set<string>()
  private execution = -1

  constructor(model: Model, options: LockOrderOptions = {}) {
    this.model = model
    this.stacks = new LockStacks(model.threads.length)
    const names = new Map<string, number>()
    const number = (name: string): number => {
      if (!names.has(name)) names.set(name, names.size)
      return names.get(name)!
    }
    this.classOf = Int32Array.from(model.actors, (actor) => number(className(actor)))
    this.classNames = [...names.keys()]
    this.recursiveClass = new Uint8Array(names.size)
    this.outerClass = new Int32Array(names.size).fill(-1)
    for (const actor of model.actors) {
      const id = this.classOf[actor.id]!
      this.recursiveClass[id] = options.recursiveReaders?.has(actor.lockClass) === true ? 1 : 0
      const outer = options.nestedUnder?.get(actor.lockClass)
      if (outer !== undefined) this.outerClass[id] = names.get(outer) ?? -1
    }
    this.width = names.size * itemsPerClass
  }

  /** Distinct inversions and recursions so far, for a live display; `reports` has them in full. */
  get found(): number {
    return this.cycles.size + this.recursions.size
  }

  readonly wants = (command: Command<unknown, unknown, unknown>): boolean => command.lock !== undefined

  begin(): void {
    this.execution = this.nextExecution++
    this.stacks.reset()
  }

  step(thread: number, ask: Ask<unknown>, result: unknown, step: number): void {
    const { actor, arg, command } = ask
    const effect = command.lock?.(result, arg)
    if (effect === undefined) return
    if (this.stacks.depth(thread) > 0 && this.waits(thread, actor, effect)) this.attempt(thread, actor, effect, step)
    this.stacks.apply(thread, actor, effect, step)
  }

  end(): void {}

  /** All reports, in an order and wording that do not depend on how executions were split over workers. */
  reports(): ReadonlyArray<LockOrderReport> {
    const graph = new LockGraph<LockEdge>()
    const inversions = new Map<string, LockOrderReport>()
    for (const edge of [...this.graph.edges()].sort(byFirstSeen)) {
      const edges = graph.add(edge)
      if (edges === undefined) continue
      const id = `lock-order:${cycleName(edges)}`
      if (!inversions.has(id)) inversions.set(id, { _tag: "Inversion", id, edges })
    }
    const recursions = [...this.recursions.values()]
      .map(({ attempt, held }): LockOrderReport => ({
        _tag: "Recursion",
        id: `lock-recursion:${attempt.lockClass}`,
        held,
        attempt
      }))
      .sort((a, b) => compareText(a.id, b.id))
    return [...inversions.values(), ...recursions]
  }

  export(): LockOrderData {
    return {
      edges: [...this.graph.edges()].sort(byFirstSeen),
      recursions: [...this.recursions.values()].sort((a, b) => compareText(a.attempt.lockClass, b.attempt.lockClass))
    }
  }

  merge(data: LockOrderData): void {
    for (const edge of data.edges) this.learn(edge)
    for (const { attempt, held } of data.recursions) this.learnRecursion(held, attempt)
  }

  /** A granted lock was waited for when its thread queued; all else is waited for where it is taken. */
  private waits(thread: number, actor: Actor<unknown>, effect: LockEffect): boolean {
    if (effect.action === "acquire" || effect.action === "queue") return true
    return effect.action === "granted" && this.stacks.queued(thread)?.actor !== actor
  }

  private attempt(thread: number, actor: Actor<unknown>, effect: LockEffect, step: number): void {
    const { stacks } = this
    const depth = stacks.depth(thread)
    let chain = 0
    for (let i = 0; i < depth; i++) {
      const held = stacks.at(thread, i)
      chain = this.child(chain, this.item(held.actor, held.mode, held.tried))
    }
    const known = this.chains.size
    this.child(chain, this.item(actor, effect.mode, false) | wantedBit)
    if (this.chains.size === known) return
    this.check(thread, actor, effect.mode, step)
  }

  private item(actor: Actor<unknown>, mode: "read" | "write", tried: boolean): number {
    return this.classOf[actor.id]! * itemsPerClass + (mode === "read" ? 1 : 0) + (tried ? 2 : 0)
  }

  private child(node: number, item: number): number {
    const key = node * this.width + item
    const known = this.chains.get(key)
    if (known !== undefined) return known
    const fresh = this.chains.size + 1
    this.chains.set(key, fresh)
    return fresh
  }

  /** A sequence of held locks not met before: lockdep's validate_chain. */
  private check(thread: number, actor: Actor<unknown>, mode: "read" | "write", step: number): void {
    const { stacks } = this
    const wanted = this.classOf[actor.id]!
    const recursive = mode === "read" && this.recursiveClass[wanted] === 1
    const depth = stacks.depth(thread)
    const holding: Array<LockSample> = []
    for (let i = 0; i < depth; i++) holding.push(sampleOf(stacks.at(thread, i)))
    const attempt: LockAttempt = {
      thread: this.model.threads[thread]!.name,
      lock: actor.name,
      lockClass: this.classNames[wanted]!,
      mode,
      execution: this.execution,
      step,
      holding
    }
    for (let i = 0, outerHeld = false; i < depth; i++) {
      const held = stacks.at(thread, i)
      const heldClass = this.classOf[held.actor.id]!
      if (heldClass === this.outerClass[wanted] && held.mode === "write") outerHeld = true
      if (heldClass !== wanted || (recursive && held.mode === "read")) continue
      // Serialised by the outer lock: no report, and no new dependency either.
      if (outerHeld) return
      this.learnRecursion(holding[i]!, attempt)
      return
    }
    for (let i = depth - 1; i >= 0; i--) {
      const held = stacks.at(thread, i)
      const heldClass = this.classOf[held.actor.id]!
      if (heldClass !== wanted) {
        const kind: EdgeKind = `${held.mode === "write" ? "E" : "S"}${recursive ? "R" : "N"}`
        this.learn({ from: this.classNames[heldClass]!, to: attempt.lockClass, kind, attempt, held: holding[i]! })
      }
      if (!held.tried) break
    }
  }

  private learn(edge: LockEdge): void {
    const known = this.graph.get(edge.from, edge.to, edge.kind)
    if (known !== undefined) {
      if (byFirstSeen(edge, known) < 0) this.graph.replace(edge)
      return
    }
    const cycle = this.graph.add(edge)
    if (cycle !== undefined) this.cycles.add(cycleName(cycle))
  }

  private learnRecursion(held: LockSample, attempt: LockAttempt): void {
    const known = this.recursions.get(attempt.lockClass)
    if (known === undefined || earlier(attempt, known.attempt) < 0) {
      this.recursions.set(attempt.lockClass, { held, attempt })
    }
  }
}

/** lockdep's name of an actor's class. */
const className = (actor: Actor<unknown>): string =>
  actor.subclass === 0 ? actor.lockClass : `${actor.lockClass}/${actor.subclass}`

const sampleOf = (held: HeldLock): LockSample => ({
  lock: held.actor.name,
  lockClass: className(held.actor),
  mode: held.mode,
  tried: held.tried,
  since: held.since
})

const earlier = (a: LockAttempt, b: LockAttempt): number => a.execution - b.execution || a.step - b.step

const compareText = (a: string, b: string): number => a < b ? -1 : a > b ? 1 : 0

const byFirstSeen = (a: LockEdge, b: LockEdge): number =>
  earlier(a.attempt, b.attempt) || compareText(a.from, b.from) || compareText(a.to, b.to) || compareText(a.kind, b.kind)

/** The classes of a cycle from the alphabetically first one on: the same for every rotation. */
const cycleName = (edges: ReadonlyArray<LockEdge>): string => {
  const classes = edges.map((edge) => edge.from)
  const first = classes.indexOf(classes.toSorted()[0]!)
  return [...classes.slice(first), ...classes.slice(0, first), classes[first]!].join("->")
}
