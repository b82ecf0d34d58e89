/**
 * Which classes of equivalent executions are left: sampling without replacement, for any strategy.
 *
 * What has happened so far, up to the order of independent steps, is a *prefix*: the set of the threads' last events,
 * each of which has its whole past in its hash (as in analysis/TraceClasses). What a step would make of it is known
 * before the step runs, because its footprint is. So executions are paths through a graph of prefixes, in which two
 * orders of independent steps meet again; an execution that has ended closes its last prefix, and a prefix all of whose
 * choices are closed is closed, too. A closed choice is not offered to the strategy. A thread whose step was closed
 * before another one moved stays closed until something happens that depends on it (sleep sets; Godefroid, LNCS 1032).
 *
 * Not offered is only what was executed. The converse does not hold: that two prefixes become one by steps which
 * nobody chose shows too late, and such an execution repeats a class. So does one that passes a data choice.
 */
import { type Ask, conflicts, locationOf } from "../Ask.ts"
import { absorbA, absorbB, finish } from "../internal/hash.ts"
import type { View } from "../Strategy.ts"
import { chooseNumber, killThread, type ThreadState } from "../Thread.ts"

interface Prefix {
  /** Choices behind which something may be left. */
  open: number
  closed: ReadonlyArray<number>
  /** Prefixes from which a choice led here, and the thread chosen. */
  before: ReadonlyArray<Link>
}

interface Link {
  readonly from: Prefix
  readonly by: number
}

/** Most prefixes have none of something: these are shared. */
const none: ReadonlyArray<never> = []

/** With this many prefixes known no more are noted: what is left of a program of this size will not be exhausted. */
const mostPrefixes = 2 ** 13

export class Unseen implements View {
  // The view with the closed choices left out.
  enabled = new Int32Array(0)
  enabledCount = 0
  last = -1
  step = 0
  threadCount = 0
  private view!: View
  /** Index of each entry of `enabled` in the view behind it. */
  private index = new Int32Array(0)

  // Hashes of the execution under way, in two lanes: last event of each thread, last write of each location, all.
  private threadA = new Int32Array(0)
  private threadB = new Int32Array(0)
  private writeA = new Int32Array(0)
  private writeB = new Int32Array(0)
  private allA = 0
  private allB = 0
  private readonly event = { a: 0, b: 0 }

  private asleep = new Uint8Array(0)
  private sleepers = 0

  private readonly known = new Map<number, Prefix>()
  private root: Prefix | undefined = undefined
  /** The last choice: where, which thread, and the prefix right after it; unknown behind a data choice. */
  private from: Prefix | undefined = undefined
  private chosen = -1
  private entered = unknown
  /** The key of the choice last looked at. */
  private next = unknown
  private following = false
  private fresh = true

  /** Every class was executed: nothing is left out any more. */
  get exhausted(): boolean {
    return this.root !== undefined && this.root.open === 0
  }

  pending(thread: number): Ask<unknown> {
    return this.view.pending(thread)
  }

  isEnabled(thread: number): boolean {
    return this.view.isEnabled(thread)
  }

  begin(): void {
    this.finish()
    this.fresh = true
    this.from = undefined
    this.entered = unknown
    this.following = !this.exhausted
  }

  /** What `choose` picks among the choices that are left; among all when there are none. */
  pick(view: View, choose: (view: View) => number): number {
    const prefix = this.arrive(view)
    if (prefix === undefined) return choose(view)
    while (this.enabledCount > 0) {
      const choice = this.enabledCount === 1 ? 0 : choose(this)
      const thread = this.enabled[choice]!
      if (this.isOpen(prefix, thread)) {
        this.leave(prefix, thread)
        return this.index[choice]!
      }
      this.leaveOut(choice)
    }
    // All ways on were taken: what is left of this execution is a repetition.
    this.following = false
    return choose(view)
  }

  /** A data choice: what comes behind it depends on the number. */
  passData(): void {
    this.entered = unknown
  }

  ran(thread: number, ask: Ask<unknown>, view: View): void {
    if (this.fresh) this.prepare(view.threadCount)
    if (!this.following) return
    if (this.sleepers > 0) this.wake(thread, ask, view)
    this.hash(thread, ask)
    const { a, b } = this.event
    if (ask.command.isWrite) {
      const location = locationOf(ask)
      if (location >= this.writeA.length) this.widen(location)
      this.writeA[location] = a
      this.writeB[location] = b
    }
    this.replace(thread, a, b)
    // A kill and the steps of its target depend on each other, without a common location.
    const target = targetOf(ask)
    if (target >= 0) this.replace(target, absorbA(this.threadA[target]!, a), absorbB(this.threadB[target]!, b))
  }

  private prepare(threads: number): void {
    this.fresh = false
    if (this.threadA.length !== threads) {
      this.threadA = new Int32Array(threads)
      this.threadB = new Int32Array(threads)
      this.asleep = new Uint8Array(threads)
      this.enabled = new Int32Array(threads)
      this.index = new Int32Array(threads)
    }
    for (let t = 0; t < threads; t++) {
      this.threadA[t] = absorbA(0x2545f491, t + 1)
      this.threadB[t] = absorbB(0x6c8e9cf5, t + 1)
    }
    this.writeA.fill(0)
    this.writeB.fill(0)
    this.allA = 0
    this.allB = 0
    this.asleep.fill(0)
    this.sleepers = 0
  }

  /** The prefix that has been reached; undefined when nothing is known or noted from here on. */
  private arrive(view: View): Prefix | undefined {
    if (this.fresh) this.prepare(view.threadCount)
    if (!this.following) return undefined
    const prefix = this.note(keyOf(this.allA, this.allB), view.enabledCount)
    if (prefix === undefined) {
      this.following = false
      return undefined
    }
    if (this.from === undefined) this.root ??= prefix
    for (let i = 0; this.sleepers > 0 && i < view.enabledCount; i++) {
      if (this.asleep[view.enabled[i]!] === 1) this.close(prefix, view.enabled[i]!)
    }
    this.view = view
    this.last = view.last
    this.step = view.step
    this.threadCount = view.threadCount
    this.enabledCount = 0
    for (let i = 0; i < view.enabledCount; i++) {
      const thread = view.enabled[i]!
      if (prefix.closed.includes(thread)) continue
      this.enabled[this.enabledCount] = thread
      this.index[this.enabledCount++] = i
    }
    return prefix
  }

  private isOpen(prefix: Prefix, thread: number): boolean {
    this.next = this.keyAfter(thread)
    const child = this.known.get(this.next)
    if (child === undefined || child.open > 0) return true
    this.close(prefix, thread)
    return false
  }

  private leaveOut(choice: number): void {
    this.enabledCount--
    for (let i = choice; i < this.enabledCount; i++) {
      this.enabled[i] = this.enabled[i + 1]!
      this.index[i] = this.index[i + 1]!
    }
  }

  private leave(prefix: Prefix, thread: number): void {
    this.from = prefix
    this.chosen = thread
    const { command } = this.view.pending(thread)
    this.entered = command === (chooseNumber as unknown) ? unknown : this.next
    for (const other of prefix.closed) {
      if (this.asleep[other] === 1 || targetOf(this.view.pending(other)) >= 0) continue
      this.asleep[other] = 1
      this.sleepers++
    }
  }

  private wake(thread: number, ask: Ask<unknown>, view: View): void {
    const { asleep } = this
    const target = targetOf(ask)
    for (let t = 0; t < asleep.length; t++) {
      if (asleep[t] === 0) continue
      if (t !== thread && t !== target && !conflicts(view.pending(t), ask)) continue
      asleep[t] = 0
      this.sleepers--
    }
  }

  /** The end of an execution is a prefix without choices. */
  private finish(): void {
    if (this.following && this.from !== undefined) this.note(keyOf(this.allA, this.allB), 0)
    this.following = false
  }

  /** The prefix with this key, and that the last choice led to it. */
  private note(key: number, choices: number): Prefix | undefined {
    let prefix = this.known.get(key)
    if (prefix === undefined) {
      if (this.known.size >= mostPrefixes) return undefined
      prefix = { open: choices, closed: none, before: none }
      this.known.set(key, prefix)
    }
    const { chosen, entered, from } = this
    if (from === undefined || entered === unknown) return prefix
    if (entered !== key) this.known.set(entered, prefix)
    if (prefix.open === 0) this.close(from, chosen)
    else if (!prefix.before.some((link) => link.from === from && link.by === chosen)) {
      prefix.before = [...prefix.before, { from, by: chosen }]
    }
    return prefix
  }

  /** Nothing is left behind this choice. */
  private close(prefix: Prefix, thread: number): void {
    if (prefix.open === 0 || prefix.closed.includes(thread)) return
    prefix.closed = [...prefix.closed, thread]
    if (--prefix.open > 0) return
    for (const { by, from } of prefix.before) this.close(from, by)
  }

  private keyAfter(thread: number): number {
    const pending = this.view.pending(thread)
    this.hash(thread, pending)
    const { a, b } = this.event
    let allA = this.allA + finish(a) - finish(this.threadA[thread]!)
    let allB = this.allB + finish(b) - finish(this.threadB[thread]!)
    const target = targetOf(pending)
    if (target >= 0) {
      const { threadA, threadB } = this
      allA += finish(absorbA(threadA[target]!, a)) - finish(threadA[target]!)
      allB += finish(absorbB(threadB[target]!, b)) - finish(threadB[target]!)
    }
    return keyOf(allA | 0, allB | 0)
  }

  /** The hash of what `thread` is about to do, into `event`. */
  private hash(thread: number, ask: Ask<unknown>): void {
    const location = locationOf(ask)
    const label = (location << 8) ^ ask.command.index
    this.event.a = absorbA(absorbA(this.threadA[thread]!, label), this.writeA[location] ?? 0)
    this.event.b = absorbB(absorbB(this.threadB[thread]!, label), this.writeB[location] ?? 0)
  }

  private widen(location: number): void {
    const [a, b] = [this.writeA, this.writeB]
    this.writeA = new Int32Array(2 * location + 16)
    this.writeB = new Int32Array(2 * location + 16)
    this.writeA.set(a)
    this.writeB.set(b)
  }

  private replace(thread: number, a: number, b: number): void {
    this.allA = (this.allA + finish(a) - finish(this.threadA[thread]!)) | 0
    this.allB = (this.allB + finish(b) - finish(this.threadB[thread]!)) | 0
    this.threadA[thread] = a
    this.threadB[thread] = b
  }
}

const unknown = -1

/** The thread that this ask kills; -1 when it is another ask. */
const targetOf = (ask: Ask<unknown>): number =>
  ask.command === (killThread as unknown) ? (ask.actor.state as ThreadState).id : -1

const keyOf = (a: number, b: number): number => (finish(b) & 0x1f_ffff) * 0x1_0000_0000 + (finish(a) >>> 0)
