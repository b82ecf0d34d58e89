/**
 * Follows a log on a model that may differ from the recorded one: steps may be missing, new or blocked.
 *
 * Steps are matched by name, thread by thread. A switch of threads in the log happens in the replay when the
 * same step is next, so steps that a fix added do not shift all later switches.
 */
import type { Ask } from "../Ask.ts"
import type { Model } from "../Model.ts"
import { continueLast } from "../strategies/Sequential.ts"
import type { Strategy, View } from "../Strategy.ts"
import { exitThread } from "../Thread.ts"
import type { LogLine } from "./eventCodec.ts"

/** How far ahead in a thread's own logged steps a match is looked for. */
const lookAhead = 32
/** After so many steps in a row that the log does not have, a thread no longer holds up the others. */
const patience = 64

interface Entry {
  readonly actor: string
  readonly command: string
  readonly number: unknown
  /** Position in the whole log, exits left out. */
  readonly at: number
}

export class FollowLog implements Strategy {
  readonly name = "follow-log"
  /** Logged steps that ran in the logged order. */
  fitted = 0
  /** Logged steps that ran too late (their thread had to wait) or are gone, with their thread or without. */
  misfits = 0
  /** Steps that the log does not have. */
  extra = 0
  /** Step of the replay at which the first misfit or extra step was met. */
  firstDifference: number | undefined
  private readonly entries: ReadonlyArray<ReadonlyArray<Entry>>
  private readonly unknownThreads: number
  private readonly next: Array<number>
  private readonly unmatched: Array<number>
  /** The latest logged step that has run: one from before it runs too late. */
  private latest = -1
  private picked = -1
  /** False from a data choice whose logged number is out of range until its step has run. */
  private numberFits = true

  constructor(model: Model, lines: Iterable<Pick<LogLine, "t" | "a" | "c" | "r">>) {
    const ids = new Map(model.threads.map((thread) => [thread.name, thread.id]))
    const entries: Array<Array<Entry>> = model.threads.map(() => [])
    let at = 0
    let unknown = 0
    for (const line of lines) {
      if (line.c === exitThread.name && line.a === `thread:${line.t}`) continue
      const thread = ids.get(line.t)
      if (thread === undefined) unknown++
      else entries[thread]!.push({ actor: line.a, command: line.c, number: line.r, at: at++ })
    }
    this.entries = entries
    this.unknownThreads = unknown
    this.next = entries.map(() => 0)
    this.unmatched = entries.map(() => 0)
  }

  /** Logged steps left over at the end. */
  get unused(): number {
    return this.entries.reduce((sum, list, thread) => sum + list.length - this.next[thread]!, 0)
  }

  begin(): void {
    this.fitted = 0
    this.misfits = this.unknownThreads
    this.extra = 0
    this.firstDifference = this.unknownThreads > 0 ? 0 : undefined
    this.next.fill(0)
    this.unmatched.fill(0)
    this.latest = -1
    this.picked = -1
    this.numberFits = true
  }

  /** The enabled thread whose next logged step is the earliest; a thread that waits is passed over. */
  pick(view: View): number {
    let first = Number.POSITIVE_INFINITY
    let index = -1
    for (let i = 0; i < view.enabledCount; i++) {
      const thread = view.enabled[i]!
      const entry = this.entries[thread]![this.next[thread]!]
      if (entry === undefined || this.unmatched[thread]! >= patience || entry.at >= first) continue
      first = entry.at
      index = i
    }
    if (index < 0) index = continueLast(view)
    this.picked = view.enabled[index]!
    return index
  }

  choose(n: number, view: View): number {
    const thread = view.enabledCount === 1 ? view.enabled[0]! : this.picked
    const list = this.entries[thread]!
    const entry = list[this.match(thread, view.pending(thread))]
    if (entry === undefined) return 0
    const { number } = entry
    if (typeof number === "number" && Number.isInteger(number) && number >= 0 && number < n) return number
    this.numberFits = false
    return 0
  }

  ran(thread: number, ask: Ask<unknown>, view: View): void {
    const found = this.match(thread, ask)
    if (found < 0) {
      this.differs(view.step - 1)
      this.extra++
      this.unmatched[thread]!++
      return
    }
    const { at } = this.entries[thread]![found]!
    const skipped = found - this.next[thread]!
    const fits = at > this.latest && this.numberFits
    if (fits) this.fitted++
    if (!fits || skipped > 0) this.differs(view.step - 1)
    this.misfits += skipped + (fits ? 0 : 1)
    this.latest = Math.max(this.latest, at)
    this.numberFits = true
    this.unmatched[thread] = 0
    this.next[thread] = found + 1
  }

  /** Index of the thread's logged step that `ask` is, or -1. */
  private match(thread: number, { actor, command }: Ask<unknown>): number {
    const list = this.entries[thread]!
    const from = this.next[thread]!
    for (let i = from; i < Math.min(from + lookAhead, list.length); i++) {
      if (list[i]!.actor === actor.name && list[i]!.command === command.name) return i
    }
    return -1
  }

  private differs(step: number): void {
    this.firstDifference ??= step
  }
}
