/**
 * Data races over all executions of a run, by happens-before: two accesses to a location by different threads, at
 * least one a write and at least one `plain`, neither ordered before the other. Marked accesses (READ_ONCE,
 * atomics) do not race with each other, as in the kernel's memory model and KCSAN.
 *
 * Vector clocks with FastTrack's same-epoch check. For each location and thread the last access of each kind is
 * kept instead of one epoch for all: marked accesses may be unordered without being a race, and threads are few.
 * A location that races is found in every execution in which it does, whatever ran in between.
 *
 * Clocks run on from execution to execution: everything of earlier executions counts as ordered before, which
 * resets all tables in the time it takes to set one clock for each thread.
 */
import type { Command } from "../Actor.ts"
import { type Ask, locationOf } from "../Ask.ts"
import type { Log, Observer } from "../Execution.ts"
import type { Model } from "../Model.ts"
import { spawnThread } from "../Thread.ts"
import { joinsReaders, joinsWriters, orderingOf, publishesAsReader, publishesAsWriter } from "./Ordering.ts"
import { Sites } from "./Sites.ts"

export interface RacyAccess {
  readonly thread: string
  readonly command: string
  readonly write: boolean
  readonly plain: boolean
  readonly step: number
}

export interface DataRace {
  /** The same for the same two commands of the same two threads at the same location, whichever came first. */
  readonly id: string
  readonly location: string
  /** In the order of the execution below. */
  readonly first: RacyAccess
  readonly second: RacyAccess
  /** Number of the first execution that showed it. */
  readonly execution: number
}

const isPlain = (command: Command<unknown, unknown, unknown>): boolean => command.ordering === "plain"

// Kinds of access to a location; each has its place in `clocks`, `steps` and `siteOf`.
const plainWrite = 0
const plainRead = 1
const markedWrite = 2
const markedRead = 3
const kinds = 4

const largestClock = 2 ** 30

export class DataRaces implements Observer {
  /** Number of the next execution; a worker sets it before each block of executions it runs, in ascending order. */
  nextExecution = 0
  private readonly model: Model
  private readonly sites: Sites
  private readonly threads: number
  private readonly threadOfActor: Int32Array
  /** 1 where a location can be accessed plainly. */
  private readonly racy: Uint8Array
  /** Row t: the clock of thread t. */
  private readonly clocks: Int32Array
  /** Row per location, row per actor. */
  private readonly writerClocks: Int32Array
  private readonly readerClocks: Int32Array
  /** By (location, thread, kind): the thread's own clock, the step and the site of its last such access. */
  private readonly seen: Int32Array
  private readonly steps: Int32Array
  private readonly siteOf: Int32Array
  private readonly races = new Map<string, DataRace>()
  /** Site pairs met already, to name a race once only. */
  private readonly known = new Set<number>()
  private execution = -1
  private base = 0

  constructor(model: Model) {
    this.model = model
    this.sites = new Sites(model)
    this.threads = model.threads.length
    this.threadOfActor = new Int32Array(model.actors.length).fill(-1)
    for (const thread of model.threads) this.threadOfActor[thread.actor.id] = thread.id
    this.racy = new Uint8Array(model.locations)
    for (const actor of model.actors) {
      if (!actor.type.commands.some(isPlain)) continue
      this.racy.fill(1, actor.base, actor.base + actor.type.fields.length)
    }
    this.clocks = new Int32Array(this.threads * this.threads)
    this.writerClocks = new Int32Array(model.locations * this.threads)
    this.readerClocks = new Int32Array(model.actors.length * this.threads)
    this.seen = new Int32Array(model.locations * this.threads * kinds)
    this.steps = new Int32Array(this.seen.length)
    this.siteOf = new Int32Array(this.seen.length)
  }

  /** Steps that order nothing and touch no location that is ever accessed plainly cost nothing. */
  readonly wants = (command: Command<unknown, unknown, unknown>): boolean =>
    command.lock !== undefined || command.ordering !== "relaxed" || command.type.commands.some(isPlain)

  /** Distinct races so far. */
  get found(): number {
    return this.races.size
  }

  begin(): void {
    this.execution = this.nextExecution++
    const { clocks, threads } = this
    for (let t = 0; t < threads; t++) this.base = Math.max(this.base, clocks[t * threads + t]!)
    if (this.base > largestClock) {
      this.base = 0
      this.writerClocks.fill(0)
      this.readerClocks.fill(0)
      this.seen.fill(0)
    }
    clocks.fill(this.base)
    for (let t = 0; t < threads; t++) clocks[t * threads + t] = this.base + 1
  }

  step(thread: number, ask: Ask<unknown>, result: unknown, step: number): void {
    const { actor, arg, command } = ask
    const location = locationOf(ask)
    const ordering = orderingOf(command, result, arg)
    const shared = command.lock === undefined ? location : actor.base
    if ((ordering & joinsWriters) !== 0) this.join(thread, this.writerClocks, shared * this.threads)
    if ((ordering & joinsReaders) !== 0) this.join(thread, this.readerClocks, actor.id * this.threads)
    if (this.racy[location] === 1) this.access(thread, location, command, step)
    if ((ordering & (publishesAsWriter | publishesAsReader)) === 0) return
    if ((ordering & publishesAsWriter) !== 0) this.publish(thread, this.writerClocks, shared * this.threads)
    if ((ordering & publishesAsReader) !== 0) this.publish(thread, this.readerClocks, actor.id * this.threads)
    if (command.id === spawnThread.id) {
      this.publish(thread, this.clocks, this.threadOfActor[actor.id]! * this.threads)
    }
    this.clocks[thread * this.threads + thread]!++
  }

  end(): void {}

  /** All races, ordered by where they were first seen. */
  list(): ReadonlyArray<DataRace> {
    return [...this.races.values()].sort((a, b) => earlier(a, b) || (a.id < b.id ? -1 : 1))
  }

  merge(races: ReadonlyArray<DataRace>): void {
    for (const race of races) this.keep(race)
  }

  private join(thread: number, from: Int32Array, row: number): void {
    const { clocks, threads } = this
    const own = thread * threads
    for (let u = 0; u < threads; u++) if (from[row + u]! > clocks[own + u]!) clocks[own + u] = from[row + u]!
  }

  private publish(thread: number, to: Int32Array, row: number): void {
    const { clocks, threads } = this
    const own = thread * threads
    for (let u = 0; u < threads; u++) if (clocks[own + u]! > to[row + u]!) to[row + u] = clocks[own + u]!
  }

  private access(thread: number, location: number, command: Command<unknown, unknown, unknown>, step: number): void {
    const { clocks, seen, threads } = this
    const plain = command.ordering === "plain"
    const kind = command.isWrite ? (plain ? plainWrite : markedWrite) : (plain ? plainRead : markedRead)
    const place = (location * threads + thread) * kinds + kind
    const now = clocks[thread * threads + thread]!
    // Same epoch: whatever this access races with, the earlier one was compared with, or was itself compared to.
    if (seen[place] === now) return
    const site = thread * this.sites.commands + command.index
    for (let u = 0; u < threads; u++) {
      if (u === thread) continue
      const known = clocks[thread * threads + u]!
      const other = (location * threads + u) * kinds
      if (seen[other + plainWrite]! > known) this.race(location, other + plainWrite, site, step)
      if (command.isWrite && seen[other + plainRead]! > known) this.race(location, other + plainRead, site, step)
      if (!plain) continue
      if (seen[other + markedWrite]! > known) this.race(location, other + markedWrite, site, step)
      if (command.isWrite && seen[other + markedRead]! > known) this.race(location, other + markedRead, site, step)
    }
    seen[place] = now
    this.steps[place] = step
    this.siteOf[place] = site
  }

  private race(location: number, earlierPlace: number, site: number, step: number): void {
    const earlierSite = this.siteOf[earlierPlace]!
    const key = this.sites.pair(location, Math.min(site, earlierSite), Math.max(site, earlierSite))
    if (this.known.has(key)) return
    this.known.add(key)
    const name = this.sites.locationName(location)
    const first = this.describe(location, earlierSite, this.steps[earlierPlace]!)
    const second = this.describe(location, site, step)
    const pair = [first, second].map((a) => `${a.thread}.${a.command}`).sort()
    this.keep({ id: `data-race:${name}:${pair.join("/")}`, location: name, first, second, execution: this.execution })
  }

  private keep(race: DataRace): void {
    const known = this.races.get(race.id)
    if (known === undefined || earlier(race, known) < 0) this.races.set(race.id, race)
  }

  private describe(location: number, site: number, step: number): RacyAccess {
    const command = this.sites.actor(location).type.commands[site % this.sites.commands]!
    const thread = this.model.threads[Math.floor(site / this.sites.commands)]!.name
    return { thread, command: command.name, write: command.isWrite, plain: isPlain(command), step }
  }
}

const earlier = (a: DataRace, b: DataRace): number => a.execution - b.execution || a.second.step - b.second.step

/** The races of one recorded execution. */
export const dataRacesOf = (model: Model, log: Log): ReadonlyArray<DataRace> => {
  const races = new DataRaces(model)
  races.begin()
  for (let i = 0; i < log.length; i++) {
    const ask = log.asks[i]!
    if (races.wants(ask.command)) races.step(log.threads[i]!, ask, log.results[i], i)
  }
  return races.list()
}
