/**
 * Happens-before of one recorded execution: which steps are ordered, by which edges between threads, and what its
 * data races look like with values. For display and explanation; `DataRaces` is the fast form for many executions.
 */
import type { Actor } from "../Actor.ts"
import { type Ask, locationOf } from "../Ask.ts"
import type { Log } from "../Execution.ts"
import type { Model } from "../Model.ts"
import { spawnThread, threadType } from "../Thread.ts"
import { type DataRace, dataRacesOf, type RacyAccess } from "./DataRaces.ts"
import { joinsReaders, joinsWriters, orderingOf, publishesAsReader, publishesAsWriter } from "./Ordering.ts"

/** `from` happens before `to`, steps of different threads. Edges that follow from others are left out. */
export interface OrderEdge {
  readonly from: number
  readonly to: number
  /** `atomic`: a release and an acquire of one location. */
  readonly kind: "lock" | "atomic" | "spawn" | "join"
  /** Name of the actor that carries the order. */
  readonly actor: string
}

/** A clock that can be published to and joined, with the last publishing step of each thread (-1 none). */
interface Channel {
  readonly clock: Int32Array
  readonly publishers: Int32Array
}

export class HappensBefore {
  readonly edges: ReadonlyArray<OrderEdge>
  private readonly log: Log
  private readonly threads: number
  /** Row per step: for each thread, how many of its steps happen before or are this step. */
  private readonly rows: Int32Array
  /** Position of a step within its thread, from 1. */
  private readonly positions: Int32Array

  constructor(model: Model, log: Log) {
    this.log = log
    this.threads = model.threads.length
    this.rows = new Int32Array(log.length * this.threads)
    this.positions = new Int32Array(log.length)
    this.edges = this.walk(model)
  }

  /** Step `a` happens before step `b`. */
  before(a: number, b: number): boolean {
    return a < b && this.positions[a]! <= this.rows[b * this.threads + this.log.threads[a]!]!
  }

  /** Neither happens before the other. */
  concurrent(a: number, b: number): boolean {
    return a !== b && !this.before(a, b) && !this.before(b, a)
  }

  private walk(model: Model): ReadonlyArray<OrderEdge> {
    const { log, positions, rows, threads } = this
    const edges: Array<OrderEdge> = []
    const writers = new Map<number, Channel>()
    const readers = new Map<number, Channel>()
    const clocks = model.threads.map(() => new Int32Array(threads))
    const spawnedAt = model.threads.map(() => -1)
    for (let step = 0; step < log.length; step++) {
      const thread = log.threads[step]!
      const ask = log.asks[step]!
      const clock = clocks[thread]!
      const ordering = orderingOf(ask.command, log.results[step], ask.arg)
      const shared = ask.command.lock === undefined ? locationOf(ask) : ask.actor.base
      const joined: Array<Channel | undefined> = [
        (ordering & joinsWriters) === 0 ? undefined : writers.get(shared),
        (ordering & joinsReaders) === 0 ? undefined : readers.get(ask.actor.id)
      ]
      const sources = joined.flatMap((channel) => channel === undefined ? [] : [...channel.publishers])
      for (const from of this.newest(sources, clock)) {
        edges.push({ from, to: step, kind: kindOf(ask), actor: ask.actor.name })
      }
      const spawn = spawnedAt[thread]!
      if (spawn >= 0) {
        edges.push({ from: spawn, to: step, kind: "spawn", actor: model.threads[thread]!.actor.name })
        spawnedAt[thread] = -1
      }
      for (const channel of joined) if (channel !== undefined) raise(clock, channel.clock)
      positions[step] = ++clock[thread]!
      rows.set(clock, step * threads)
      if ((ordering & publishesAsWriter) !== 0) publish(writers, shared, clock, thread, step)
      if ((ordering & publishesAsReader) !== 0) publish(readers, ask.actor.id, clock, thread, step)
      if (ask.command.id === spawnThread.id) {
        const child = model.threads.findIndex((t) => (t.actor as unknown) === ask.actor)
        raise(clocks[child]!, clock)
        spawnedAt[child] = step
      }
    }
    return edges
  }

  /** Of the publishing steps those that are news to `clock` and not before another of them. */
  private newest(sources: ReadonlyArray<number>, clock: Int32Array): ReadonlyArray<number> {
    const news = sources.filter((s) => s >= 0 && this.positions[s]! > clock[this.log.threads[s]!]!)
    return [...new Set(news)].filter((s) => !news.some((other) => this.before(s, other))).sort((a, b) => a - b)
  }
}

const kindOf = (ask: Ask<unknown>): OrderEdge["kind"] => {
  if (ask.command.lock !== undefined) return "lock"
  return ask.actor.type === (threadType as unknown) ? "join" : "atomic"
}

const raise = (clock: Int32Array, by: Int32Array): void => {
  for (let i = 0; i < clock.length; i++) if (by[i]! > clock[i]!) clock[i] = by[i]!
}

const publish = (
  channels: Map<number, Channel>,
  key: number,
  clock: Int32Array,
  thread: number,
  step: number
): void => {
  let channel = channels.get(key)
  if (channel === undefined) {
    channel = { clock: new Int32Array(clock.length), publishers: new Int32Array(clock.length).fill(-1) }
    channels.set(key, channel)
  }
  raise(channel.clock, clock)
  channel.publishers[thread] = step
}

/** A data race with the values that passed, as KCSAN reports it. */
export interface RaceReport {
  readonly race: DataRace
  /** State of the actor before and after the writing access (the later one, when both write). */
  readonly valueBefore: unknown
  readonly valueAfter: unknown
}

/** The data races of one recorded execution, with values. */
export const raceReports = (model: Model, log: Log): ReadonlyArray<RaceReport> =>
  dataRacesOf(model, log).map((race) => {
    const write = race.second.write ? race.second.step : race.first.step
    const { actor } = log.asks[write]!
    return { race, valueBefore: stateOf(actor, log, write), valueAfter: stateOf(actor, log, write + 1) }
  })

/** The actor's state after the first `steps` steps. */
const stateOf = (actor: Actor<unknown>, log: Log, steps: number): unknown => {
  let state = actor.initial
  for (let i = 0; i < steps; i++) {
    const { actor: on, arg, command } = log.asks[i]!
    if (on === actor && command.evolve !== undefined) {
      state = command.evolve(state, arg, log.results[i], log.threads[i]!)
    }
  }
  return state
}

/** The report as lines, in the shape of kernel/kcsan/report.c. */
export const renderRace = (model: Model, report: RaceReport): ReadonlyArray<string> => {
  const { first, location, second } = report.race
  const actor = model.actorNamed(location) ?? model.actorNamed(location.replace(/\.[^.]*$/, ""))
  const show = (value: unknown): string => actor?.type.show?.(value) ?? JSON.stringify(value) ?? String(value)
  return [
    "=".repeat(66),
    `BUG: data-race in ${second.thread}.${second.command} / ${first.thread}.${first.command}`,
    "",
    accessLine(second, location),
    "",
    accessLine(first, location),
    "",
    `value changed: ${show(report.valueBefore)} -> ${show(report.valueAfter)}`
  ]
}

const accessLine = (access: RacyAccess, location: string): string =>
  `${access.write ? "write" : "read"}${access.plain ? "" : " (marked)"} to ${location} by thread ${access.thread}, ` +
  `step ${access.step}: ${access.command}`
