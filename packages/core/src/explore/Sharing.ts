/**
 * What two explorations of one model, each in a process of its own, tell each other, so that neither explores what the
 * other one has: states, by their fingerprints, and what may follow the moments of threads (`Futures`), by theirs.
 *
 * Each numbers places, futures and asks as it comes upon them. So the news say what new numbers of the sender mean, and
 * the receiver keeps a table of what they are here.
 */
import type { Ask } from "../Ask.ts"
import { ask } from "../Ask.ts"
import type { Command } from "../Actor.ts"
import type { Fingerprint } from "./Fingerprint.ts"
import type { Footprint } from "./Footprint.ts"
import type { Moment } from "./Fibers.ts"
import type { Futures } from "./Futures.ts"
import type { Machine } from "./Machine.ts"
import type { PartPath } from "./Parts.ts"
import { fromPortable, type Portable, toPortable } from "./Portable.ts"

/** Plain data: it can be sent to another process that has loaded the same model. */
export interface Lore {
  /** Parts that have got places. */
  readonly parts: ReadonlyArray<PartPath>
  /** What threads wait in: actor, command and argument. */
  readonly asks: ReadonlyArray<readonly [actor: number, command: number, arg: Portable]>
  /** By thread: futures (place, mode, and the number of the ask or -1), and those of moments. */
  readonly futures: ReadonlyArray<{ readonly known: ReadonlyArray<number>; readonly moments: ReadonlyArray<number> }>
  /** Threads, as bits: that began somewhere; that were killed somewhere. */
  readonly begun: number
  readonly killed: number
}

/** A fingerprint as a key: 53 of its bits. */
const keyOf = ({ high, low }: Fingerprint): number => (low >>> 0) * 2 ** 21 + (high >>> 11)

export class Sharing {
  private readonly machine: Machine
  private readonly futures: ReadonlyArray<Futures>
  /** How much was told. */
  private parts = 0
  private readonly asks = new Map<Ask<unknown>, number>()
  private readonly known: Array<number>
  /** What the sender's numbers are here: of parts (their places), asks, and futures by thread. */
  private readonly theirParts: Array<number> = []
  private readonly theirAsks: Array<Ask<unknown>> = []
  private readonly theirFutures: ReadonlyArray<Array<number>>
  /** By thread and moment: what may follow, as indices here. */
  private readonly follows: ReadonlyArray<Map<number, Array<number>>>
  private begun = 0

  constructor(machine: Machine, futures: ReadonlyArray<Futures>) {
    this.machine = machine
    this.futures = futures
    this.known = futures.map(() => 0)
    this.theirFutures = futures.map(() => [])
    this.follows = futures.map(() => new Map())
  }

  /** What was not told before. */
  tell(killed: number): Lore {
    const { dependence, fibers, prints } = this.machine
    const asks: Array<Lore["asks"][number]> = []
    const numberOf = (waiting: Ask<unknown>): number => {
      let number = this.asks.get(waiting)
      if (number === undefined) {
        this.asks.set(waiting, number = this.asks.size)
        asks.push([waiting.actor.id, waiting.command.index, toPortable(waiting.arg)])
      }
      return number
    }
    let begun = 0
    const futures = this.futures.map((list, thread) => {
      if (fibers.rootIfKnown(thread) !== undefined) begun |= 1 << thread
      const moments: Array<number> = []
      list.eachNew(fibers.momentsOf(thread), (moment, indices) => {
        const { high, low } = fibers.printOf(moment, prints)
        moments.push(low, high, indices.length, ...indices)
      })
      const known = list.known.slice(this.known[thread]).flatMap(({ ask: waiting, mode, place }) => [
        place,
        mode,
        waiting === undefined ? -1 : numberOf(waiting)
      ])
      this.known[thread] = list.known.length
      return { known, moments }
    })
    const parts = dependence.partPaths.slice(this.parts)
    this.parts = dependence.partPaths.length
    return { parts, asks, futures, begun, killed }
  }

  learn({ asks, begun, futures, parts }: Lore): void {
    const { dependence, fibers, model } = this.machine
    for (const path of parts) this.theirParts.push(dependence.placeOf(path))
    for (const [actor, command, arg] of asks) {
      const of = model.actors[actor]!
      const type = of.type.commands[command] as unknown as Command<unknown, unknown, unknown>
      this.theirAsks.push(fibers.representative(ask(of as never, type as never, fromPortable(arg, model) as never)))
    }
    this.begun |= begun
    futures.forEach(({ known, moments }, thread) => {
      const own = this.theirFutures[thread]!
      for (let i = 0; i < known.length; i += 3) {
        own.push(
          this.futures[thread]!.index({
            place: this.placeOf(known[i]!),
            mode: known[i + 1]!,
            ask: known[i + 2]! < 0 ? undefined : this.theirAsks[known[i + 2]!]!
          })
        )
      }
      const follows = this.follows[thread]!
      for (let i = 0; i < moments.length; i += 3 + moments[i + 2]!) {
        const key = keyOf({ low: moments[i]!, high: moments[i + 1]! })
        let indices = follows.get(key)
        if (indices === undefined) follows.set(key, indices = [])
        for (let k = 0; k < moments[i + 2]!; k++) indices.push(own[moments[i + 3 + k]!]!)
      }
    })
  }

  /** The machine is in a state that the other one has explored: what may follow there is noted as if it had been here. */
  adopt(): void {
    const { at, fibers, prints } = this.machine
    for (let thread = 0; thread < at.length; thread++) {
      const moment: Moment | undefined = at[thread] ??
        ((this.begun & (1 << thread)) === 0 ? undefined : fibers.root(thread))
      if (moment === undefined) continue
      const indices = this.follows[thread]!.get(keyOf(fibers.printOf(moment, prints)))
      if (indices !== undefined) this.futures[thread]!.learn(moment, indices)
    }
  }

  /** A footprint of the other one's. */
  footprintOf({ modes, places }: Footprint): Footprint {
    return { places: places.map((place) => this.placeOf(place)), modes }
  }

  private placeOf(place: number): number {
    const { firstPart } = this.machine.dependence
    if (place < firstPart) return place
    const first = this.theirParts[(place - firstPart) >> 1]!
    return first + ((place - firstPart) & 1)
  }
}
