/**
 * Coverage of conflicts: the distinct pairs (writer, next one who read or overwrote that write) at a location,
 * where writer and other are (thread, command) of different threads. These are the reads-from pairs of RFF
 * (Wolff et al., ASPLOS'24) with overwriting added. The number grows while a campaign still sees new
 * interactions between threads, and levels off when it does not.
 */
import { type Ask, locationOf } from "../Ask.ts"
import type { Observer } from "../Execution.ts"
import type { Model } from "../Model.ts"
import { type Counts, CountTable } from "./CountTable.ts"
import { Sites } from "./Sites.ts"

export interface ConflictPair {
  /** Actor and field, e.g. `pte.flags`. */
  readonly location: string
  readonly writer: { readonly thread: string; readonly command: string }
  readonly other: { readonly thread: string; readonly command: string }
  /** How often it occurred in the executions observed. */
  readonly count: number
}

const largestStamp = 2 ** 30

export class Coverage implements Observer {
  /** Distinct pairs so far. */
  get pairs(): number {
    return this.table.distinct
  }
  /** Pairs that the last execution (or the one under way) was the first to show. */
  get fresh(): number {
    return this.table.distinct - this.known
  }
  private readonly sites: Sites
  private readonly table = new CountTable()
  private known = 0
  /** Per location: site of its last write, plus `base`; a smaller number stems from an earlier execution. */
  private readonly lastWrite: Int32Array
  private base = 0

  constructor(model: Model) {
    this.sites = new Sites(model)
    this.lastWrite = new Int32Array(model.locations).fill(-1)
  }

  begin(): void {
    this.known = this.table.distinct
    this.base += this.sites.size
    if (this.base > largestStamp) {
      this.base = 0
      this.lastWrite.fill(-1)
    }
  }

  step(thread: number, ask: Ask<unknown>): void {
    const location = locationOf(ask)
    const { command } = ask
    const { lastWrite, sites } = this
    const site = thread * sites.commands + command.index
    const writer = lastWrite[location]! - this.base
    // A write by the same thread lies in the same block of sites: no conflict.
    if (writer >= 0) {
      const first = thread * sites.commands
      if (writer < first || writer >= first + sites.commands) this.table.add(sites.pair(location, writer, site))
    }
    if (command.isWrite) lastWrite[location] = this.base + site
  }

  end(): void {}

  /** Everything seen, to be merged into another Coverage of an equal model. */
  export(): Counts {
    return this.table.export()
  }

  merge(other: Counts): void {
    this.table.merge(other)
  }

  /** The pairs by name, ordered by location, writer, other. */
  list(): ReadonlyArray<ConflictPair> {
    const { counts, keys } = this.table.export()
    return Array.from(keys, (key, i) => {
      const { first, location, second } = this.sites.unpair(key)
      return {
        location: this.sites.locationName(location),
        writer: this.sites.name(location, first),
        other: this.sites.name(location, second),
        count: counts[i]!
      }
    })
  }
}
