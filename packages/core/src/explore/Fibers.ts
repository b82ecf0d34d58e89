/**
 * What a thread will ask next, as a function of what it has been told: a fiber is a fold of the results it received.
 *
 * Each thread has a tree of moments, one for each sequence of results, and a moment remembers the ask (or the end)
 * that the fiber came to. A fiber runs only where the tree has no branch yet. When the live fiber of the thread stands
 * elsewhere, a new one is brought to the place by feeding it the recorded results. So going back costs nothing, and
 * the total work of all fibers is bounded by the distinct thread histories, not by the number of executions.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Ask } from "../Ask.ts"
import {
  Cursor,
  fastPort,
  type Call,
  type Handle,
  running,
  type Settled,
  stopped,
  usePort
} from "../internal/fiberPort.ts"
import type { Thread } from "../Model.ts"
import { type Fingerprint, type Fingerprints, Printer } from "./Fingerprint.ts"
import type { Values } from "./Values.ts"

/** How a thread's code ended. */
export type Ended =
  | { readonly _tag: "Returned"; readonly value: unknown }
  | { readonly _tag: "Threw"; readonly error: unknown }

const neverLooked = Symbol("never looked")

/** A thread after it has received certain results. */
export class Moment {
  /** Unique in one Fibers: equal numbers mean the same thread with the same history. */
  readonly id: number
  /** Counts the moments of the thread from 0. */
  readonly ordinal: number
  readonly thread: number
  readonly parent: Moment | undefined
  /** The result that led here from the parent. */
  readonly received: unknown
  readonly depth: number
  /** What it asks next, the same object where it is equal; undefined when its code has ended. */
  readonly ask: Ask<unknown> | undefined
  readonly ended: Ended | undefined
  readonly children = new Map<unknown, Moment>()
  /** Moments other than `parent` after which the thread said that its future is the one of this moment (`settle`, `call`). */
  others: Array<Moment> | undefined = undefined
  /** Of calls that began just before, by their depth: where the thread was in them and after them. */
  calls: Array<Known> | undefined = undefined
  /** What the thread said, when that is all its future depends on. */
  readonly settled: Settled | undefined
  /** The same in every process: see `Fibers.printOf`. */
  print: Fingerprint | undefined = undefined
  /** What follows is kept by the machine: the number of the moment among the positions of its thread, */
  position = -1
  /** whether the ask had to wait when its actor was last looked at, */
  lookedAt: unknown = neverLooked
  waited = false
  /** the ask in states of its actor, by their numbers: one list for all moments of the thread with equal asks, */
  cases: Array<unknown> | undefined = undefined
  /** and the states of the thread's actor around its end. */
  exit: { readonly before: unknown; readonly after: unknown } | undefined = undefined

  constructor(
    id: number,
    ordinal: number,
    thread: number,
    parent: Moment | undefined,
    received: unknown,
    stop: Ask<unknown> | Ended,
    settled: Settled | undefined
  ) {
    this.settled = settled
    this.id = id
    this.ordinal = ordinal
    this.thread = thread
    this.parent = parent
    this.received = received
    this.depth = parent === undefined ? 0 : parent.depth + 1
    this.ask = "_tag" in stop ? undefined : stop
    this.ended = "_tag" in stop ? stop : undefined
  }
}

/** Where a thread was, by what it said that it depends on. */
interface Known {
  readonly settled: Map<unknown, Moment>
  readonly returned: Map<unknown, Moment>
}

interface Live {
  readonly root: Effect.Effect<unknown>
  readonly cursor: Cursor
  handle: Handle | undefined
  /** Where the fiber stands; undefined when there is none. */
  at: Moment | undefined
  /** The calls that it is in. */
  calls: Array<Call>
}

export class Fibers {
  /** Fibers started, and results fed to bring a fiber back to where it was needed. */
  started = 0
  fed = 0
  /** Moments known: the size of the memory. */
  moments = 0
  private readonly values: Values
  private readonly live: ReadonlyArray<Live>
  private readonly roots: Array<Moment | undefined>
  private readonly names: ReadonlyArray<string>
  /** By thread: its moments, by their ordinals, and those at which it settled, by what it said. */
  private readonly known: ReadonlyArray<Array<Moment>>
  private readonly settled: ReadonlyArray<Map<unknown, Moment>>
  /** What was asked so far: equal asks are one object, though a fiber makes their arguments anew each time. */
  private readonly asks = new Map<string, Ask<unknown>>()

  private readonly forgets: boolean

  /** `forgets`: what threads say that they do not depend on (`settle`, `call`) makes no difference. Default true. */
  constructor(threads: ReadonlyArray<Thread>, values: Values, forgets = true) {
    this.values = values
    this.forgets = forgets
    this.names = threads.map((thread) => thread.name)
    this.roots = threads.map(() => undefined)
    this.known = threads.map(() => [])
    this.settled = threads.map(() => new Map())
    this.live = threads.map((thread) => ({
      root: Effect.suspend(() => {
        const code = thread.body()
        return Effect.isEffect(code) ? code : Effect.gen(() => code)
      }),
      cursor: new Cursor(),
      handle: undefined,
      at: undefined,
      calls: []
    }))
  }

  /** The thread before it has received anything. */
  root(thread: number): Moment {
    return this.roots[thread] ??= this.grow(thread, undefined, undefined, this.start(this.live[thread]!))
  }

  /** The same, if it was ever needed. */
  rootIfKnown(thread: number): Moment | undefined {
    return this.roots[thread]
  }

  /** All moments of a thread, by their ordinals. */
  momentsOf(thread: number): ReadonlyArray<Moment> {
    return this.known[thread]!
  }

  /** The thread after `moment.ask` gave `result`. */
  after(moment: Moment, result: unknown): Moment {
    const key = this.values.representative(result)
    const known = moment.children.get(key)
    if (known !== undefined) return known
    const live = this.live[moment.thread]!
    if (live.at !== moment) this.bring(live, moment)
    const child = this.grow(moment.thread, moment, result, this.resume(live, result))
    moment.children.set(key, child)
    return child
  }

  private grow(thread: number, parent: Moment | undefined, received: unknown, stop: Ask<unknown> | Ended): Moment {
    const live = this.live[thread]!
    const { settled } = stopped
    const alike = settled === undefined ? undefined : this.alike(thread, settled)
    const key = settled === undefined ? undefined : this.values.representative(settled.value)
    const known = alike?.get(key)
    if (known !== undefined && parent !== undefined) {
      this.join(known, parent, stop)
      live.at = known.ask === undefined ? undefined : known
      this.begin(known)
      return known
    }
    const at = "_tag" in stop ? stop : this.representative(stop)
    const list = this.known[thread]!
    const moment = new Moment(this.moments++, list.length, thread, parent, received, at, settled)
    list.push(moment)
    alike?.set(key, moment)
    live.at = moment.ask === undefined ? undefined : moment
    this.begin(moment)
    return moment
  }

  /** Tells the moment from all others by what the thread was told, or by what it said that its future depends on. */
  printOf(moment: Moment, prints: Fingerprints): Fingerprint {
    const { parent, received, settled, thread } = moment
    if (moment.print !== undefined) return moment.print
    if (settled === undefined) {
      return moment.print = parent === undefined
        ? new Printer("root").word(thread).done
        : new Printer("after").print(this.printOf(parent, prints)).print(prints.of(received)).done
    }
    const { call, returned, value } = settled
    const printer = call === undefined
      ? new Printer("settled").word(thread)
      : new Printer("called").print(this.printOf(call.since as Moment, prints)).word(call.depth).word(returned ? 1 : 0)
    return moment.print = printer.print(prints.of(value)).done
  }

  /** Where the thread was after it had said something of the kind, by what it said. */
  private alike(thread: number, { call, returned }: Settled): Map<unknown, Moment> {
    if (call === undefined) return this.settled[thread]!
    const since = call.since as Moment
    const known = (since.calls ??= [])[call.depth] ??= { settled: new Map(), returned: new Map() }
    return returned ? known.returned : known.settled
  }

  /** Calls that the fiber began on its way to the moment begin with it. */
  private begin(moment: Moment): void {
    const { calls } = stopped
    if (calls === undefined) return
    for (let i = calls.length - 1; i >= 0 && calls[i]!.since === undefined; i--) {
      const { first } = calls[i]!
      calls[i]!.since = moment
      if (first !== undefined) this.alike(moment.thread, first).set(this.values.representative(first.value), moment)
    }
    stopped.calls = undefined
  }

  /** The first ask that equals this one. */
  representative(ask: Ask<unknown>): Ask<unknown> {
    const name = `${ask.actor.id} ${ask.command.id} ${this.values.number(ask.arg)}`
    const known = this.asks.get(name)
    if (known === undefined) this.asks.set(name, ask)
    return known ?? ask
  }

  /** After `parent` the thread is where it was at `known`. */
  private join(known: Moment, parent: Moment, stop: Ask<unknown> | Ended): void {
    if (this.isSame(known, stop)) {
      if (known.parent !== parent) (known.others ??= []).push(parent)
      return
    }
    const what = stopped.settled?.returned !== true
      ? "said twice that what follows depends on the same value (settle)"
      : "came twice out of the same call with the same result (call)"
    throw new Error(
      `thread ${this.names[known.thread]} ${what}, and did ` +
        `${nameOf(known.ask)} after one and ${nameOf("_tag" in stop ? undefined : stop)} after the other`
    )
  }

  private isSame(known: Moment, stop: Ask<unknown> | Ended): boolean {
    if ("_tag" in stop) return known.ended?._tag === stop._tag
    return known.ask?.actor === stop.actor && known.ask.command === stop.command &&
      this.values.representative(known.ask.arg) === this.values.representative(stop.arg)
  }

  /** Starts a fiber anew and feeds it what it had received at `moment`. */
  private bring(live: Live, moment: Moment): void {
    const path: Array<Moment> = []
    for (let m: Moment | undefined = moment; m !== undefined; m = m.parent) path.push(m)
    this.check(path.pop()!, this.start(live))
    while (path.length > 0) {
      const next = path.pop()!
      this.fed++
      this.check(next, this.resume(live, next.received))
    }
  }

  private check(moment: Moment, stop: Ask<unknown> | Ended): void {
    this.begin(moment)
    const expected = moment.ask!
    if (!("_tag" in stop) && stop.actor === expected.actor && stop.command === expected.command) return
    const got = "_tag" in stop ? "ended" : `asked ${stop.actor.name} ${stop.command.name}`
    throw new Error(
      `thread ${
        this.names[moment.thread]
      } is not deterministic: with the same results it asked ${expected.actor.name} ` +
        `${expected.command.name} before and ${got} now; a thread must keep no state outside its own function`
    )
  }

  private start(live: Live): Ask<unknown> | Ended {
    this.started++
    usePort(fastPort)
    running.cursor = live.cursor
    stopped.ask = undefined
    stopped.settled = undefined
    stopped.calls = this.forgets ? live.calls = [] : undefined
    live.handle = fastPort.start(live.root, undefined)
    return takeStop()
  }

  private resume(live: Live, result: unknown): Ask<unknown> | Ended {
    usePort(fastPort)
    running.cursor = live.cursor
    stopped.ask = undefined
    stopped.settled = undefined
    stopped.calls = this.forgets ? live.calls : undefined
    fastPort.resume(live.handle!, result)
    return takeStop()
  }
}

const nameOf = (ask: Ask<unknown> | undefined): string =>
  ask === undefined ? "nothing any more" : `${ask.actor.name} ${ask.command.name}`

const takeStop = (): Ask<unknown> | Ended => {
  const { ask } = stopped
  stopped.ask = undefined
  if (ask !== undefined) return ask
  const exit = stopped.exit!
  return Exit.isSuccess(exit)
    ? { _tag: "Returned", value: exit.value }
    : { _tag: "Threw", error: Cause.squash(exit.cause) }
}
