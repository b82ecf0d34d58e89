/**
 * Which locks each thread holds and which it queues for, kept up to date from lock effects (`command.lock`).
 * `LockStacks` follows steps as they come and allocates nothing once warm; `heldLocksAt` answers for any step
 * of a recorded execution.
 */
import type { Actor, LockEffect } from "../Actor.ts"
import type { Ask } from "../Ask.ts"
import type { Log } from "../Execution.ts"
import type { Model } from "../Model.ts"

export interface HeldLock {
  readonly actor: Actor<unknown>
  readonly mode: "read" | "write"
  /** Taken by a trylock. */
  readonly tried: boolean
  /** Step at which it was taken, or at which the thread joined the queue. */
  readonly since: number
}

class Entry implements HeldLock {
  actor!: Actor<unknown>
  mode: "read" | "write" = "write"
  tried = false
  since = 0

  set(actor: Actor<unknown>, mode: "read" | "write", tried: boolean, since: number): void {
    this.actor = actor
    this.mode = mode
    this.tried = tried
    this.since = since
  }
}

/** Locks held by each thread, oldest first. What `at` and `queued` return is reused: read it, do not keep it. */
export class LockStacks {
  private readonly stacks: ReadonlyArray<Array<Entry>>
  private readonly depths: Int32Array
  private readonly queues: ReadonlyArray<Entry>
  private readonly queueing: Uint8Array

  constructor(threads: number) {
    this.stacks = Array.from({ length: threads }, () => [])
    this.depths = new Int32Array(threads)
    this.queues = Array.from({ length: threads }, () => new Entry())
    this.queueing = new Uint8Array(threads)
  }

  /** Nobody holds anything. */
  reset(): void {
    this.depths.fill(0)
    this.queueing.fill(0)
  }

  depth(thread: number): number {
    return this.depths[thread]!
  }

  at(thread: number, index: number): HeldLock {
    return this.stacks[thread]![index]!
  }

  /** The lock the thread queues for. */
  queued(thread: number): HeldLock | undefined {
    return this.queueing[thread] === 1 ? this.queues[thread] : undefined
  }

  apply(thread: number, actor: Actor<unknown>, effect: LockEffect, step: number): void {
    switch (effect.action) {
      case "acquire":
      case "try":
        this.push(thread, actor, effect.mode, effect.action === "try", step)
        break
      case "queue":
        this.queues[thread]!.set(actor, effect.mode, false, step)
        this.queueing[thread] = 1
        break
      case "granted":
        this.queueing[thread] = 0
        this.push(thread, actor, effect.mode, false, step)
        break
      case "abandon":
        this.queueing[thread] = 0
        break
      case "release":
        this.release(thread, actor, effect.mode)
        break
      case "downgrade": {
        const at = this.find(thread, actor, "write")
        if (at >= 0) this.stacks[thread]![at]!.mode = "read"
      }
    }
  }

  private push(thread: number, actor: Actor<unknown>, mode: "read" | "write", tried: boolean, step: number): void {
    const depth = this.depths[thread]!++
    const stack = this.stacks[thread]!
    if (depth === stack.length) stack.push(new Entry())
    stack[depth]!.set(actor, mode, tried, step)
  }

  /** The thread's own hold; else anybody's, for locks that one thread takes and another releases. */
  private release(thread: number, actor: Actor<unknown>, mode: "read" | "write"): void {
    if (this.remove(thread, actor, mode)) return
    for (let other = 0; other < this.depths.length; other++) if (this.remove(other, actor, mode)) return
  }

  private remove(thread: number, actor: Actor<unknown>, mode: "read" | "write"): boolean {
    const at = this.find(thread, actor, mode)
    if (at < 0) return false
    const stack = this.stacks[thread]!
    const last = --this.depths[thread]!
    const removed = stack[at]!
    for (let i = at; i < last; i++) stack[i] = stack[i + 1]!
    stack[last] = removed
    return true
  }

  private find(thread: number, actor: Actor<unknown>, mode: "read" | "write"): number {
    const stack = this.stacks[thread]!
    for (let i = this.depths[thread]! - 1; i >= 0; i--) {
      if (stack[i]!.actor === actor && stack[i]!.mode === mode) return i
    }
    return -1
  }
}

/** A lock a thread cannot get at the moment. */
export interface WaitedLock {
  readonly actor: Actor<unknown>
  /** Unknown for an ask that never ran. */
  readonly mode: "read" | "write" | undefined
  /** Step after which the thread waits: it queued there, or its step before the waiting ask; -1 = from its start. */
  readonly since: number
  /** Threads that hold the lock. */
  readonly holders: ReadonlyArray<number>
}

export interface ThreadLocks {
  readonly thread: number
  /** Oldest first. */
  readonly held: ReadonlyArray<HeldLock>
  readonly waits: WaitedLock | undefined
}

/**
 * Locks of every thread right after `step` of a log (-1: before the first step).
 *
 * A thread waits when it has queued, or when the next ask it makes takes a lock that others hold in a conflicting
 * mode. For threads that make no further step in the log, `pending` may say what they ask for (`Executor.pending`
 * after the execution, or a deadlock's waits).
 */
export const heldLocksAt = (
  model: Model,
  log: Log,
  step: number,
  pending: (thread: number) => Ask<unknown> | undefined = () => undefined
): ReadonlyArray<ThreadLocks> => {
  const stacks = new LockStacks(model.threads.length)
  const lastStep = model.threads.map(() => -1)
  for (let i = 0; i <= step && i < log.length; i++) {
    const { actor, arg, command } = log.asks[i]!
    const thread = log.threads[i]!
    lastStep[thread] = i
    const effect = command.lock?.(log.results[i], arg)
    if (effect !== undefined) stacks.apply(thread, actor, effect, i)
  }
  const heldBy = (thread: number): ReadonlyArray<HeldLock> =>
    Array.from({ length: stacks.depth(thread) }, (_, i) => ({ ...stacks.at(thread, i) }))
  const held = model.threads.map((thread) => heldBy(thread.id))

  const holders = (actor: Actor<unknown>, except: number, mode: "read" | "write" | undefined): ReadonlyArray<number> =>
    held.flatMap((locks, thread) =>
      thread !== except && locks.some((lock) => lock.actor === actor && (mode !== "read" || lock.mode === "write"))
        ? [thread]
        : []
    )

  const waitOf = (thread: number): WaitedLock | undefined => {
    const queued = stacks.queued(thread)
    if (queued !== undefined) {
      return {
        actor: queued.actor,
        mode: queued.mode,
        since: queued.since,
        holders: holders(queued.actor, thread, undefined)
      }
    }
    let next = Math.max(0, step + 1)
    while (next < log.length && log.threads[next] !== thread) next++
    const since = lastStep[thread]!
    if (next < log.length) {
      const { actor, arg, command } = log.asks[next]!
      const effect = command.blocked === undefined ? undefined : command.lock?.(log.results[next], arg)
      if (effect?.action !== "acquire") return undefined
      const others = holders(actor, thread, effect.mode)
      return others.length === 0 ? undefined : { actor, mode: effect.mode, since, holders: others }
    }
    const ask = pending(thread)
    if (ask === undefined || ask.command.lock === undefined || ask.command.blocked === undefined) return undefined
    return { actor: ask.actor, mode: undefined, since, holders: holders(ask.actor, -1, undefined) }
  }

  return model.threads.map(({ id }) => ({ thread: id, held: held[id]!, waits: waitOf(id) }))
}
