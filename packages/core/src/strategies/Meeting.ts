/**
 * Two threads meet: one runs up to an access with which the other one's accesses conflict and is stopped there; the other
 * one runs to its end, then all others in a random order, then the stopped one. When one of them has to wait, the stopped
 * one goes on until it need not, and no further.
 *
 * The executions are those of PCT with one change point (Burckhardt et al., ASPLOS 2010), but for four things: the change
 * point lies where there is a conflict; the thread that runs there takes part in it; threads that do the same count as
 * one, so that a hundred writers are no more places to look at than two; and no place is taken twice before all were.
 * Who conflicts with whom comes from the profile.
 */
import type { Ask } from "../Ask.ts"
import { Prng } from "../Prng.ts"
import { emptyProfile, type Profile } from "../Profile.ts"
import type { Strategy, View } from "../Strategy.ts"
import { alike, type Group, meetings, meets } from "./Conflicts.ts"
import { lowestRank, randomRanks } from "./Orders.ts"
import { Streak } from "./Streak.ts"

interface Target {
  /** Groups of threads that do the same: of the one that is stopped, and of the one that runs then. */
  readonly stopped: Group
  readonly runner: Group
  /** Before which of its conflicting accesses, from 1. */
  readonly at: number
}

export class Meeting implements Strategy {
  readonly name = "meeting"
  private readonly prng = new Prng()
  /** Takes each target once before it takes one again; else targets are independent. */
  private readonly remembers: boolean
  private readonly taken = new Set<string>()
  private targets: Array<Array<Target>> = []
  /** The threads of each group that were not chosen since all were. */
  private readonly decks = new Map<string, Array<number>>()
  private profile: Profile = emptyProfile
  private stale = true
  private fresh = true
  private ranks: Int32Array = new Int32Array(0)
  private stopped = 0
  private runner = 0
  private target: Target | undefined = undefined
  /** Before which of its conflicting accesses the first one is stopped. */
  private limit = 1
  private hasStopped = false
  /** Threads that have moved, and whether the two are there: before, those that spawn them come first. */
  private born = new Uint8Array(0)
  private bothBorn = false
  private readonly streak = new Streak()
  private bottom = 0
  private stoppedMet = 0
  private runnerMet = false

  constructor(remembers: boolean) {
    this.remembers = remembers
  }

  begin(seed: number, profile: Profile): void {
    this.prng.seed(seed)
    if (profile !== this.profile) this.stale = true
    this.profile = profile
    this.fresh = true
  }

  pick(view: View): number {
    if (this.fresh) this.prepare(view.threadCount)
    if (!this.bothBorn) {
      const parent = this.parentOfUnborn(view)
      if (parent >= 0) return parent
    }
    if (!this.hasStopped && this.isThere(view)) this.stop()
    if (this.streak.spins(view.last)) this.ranks[view.last] = ++this.bottom
    return lowestRank(this.ranks, view.enabled, view.enabledCount)
  }

  choose(n: number): number {
    return this.prng.below(n)
  }

  ran(thread: number, ask: Ask<unknown>, view: View): void {
    if (this.fresh) this.prepare(view.threadCount)
    const { runner, stopped } = this
    this.born[thread] = 1
    this.streak.ran(thread)
    if (thread === stopped) {
      if (meets(this.profile, ask, runner)) this.stoppedMet++
    } else if (thread === runner && !this.runnerMet && meets(this.profile, ask, stopped)) {
      this.runnerMet = true
      if (this.hasStopped) this.takeAlike()
    }
  }

  /** The first one has come to where it is to be stopped, or it has ended. */
  private isThere(view: View): boolean {
    const pending = view.pending(this.stopped) as Ask<unknown> | undefined
    if (pending === undefined) return this.born[this.stopped] === 1
    return this.stoppedMet >= this.limit - 1 && meets(this.profile, pending, this.runner)
  }

  /**
   * The runner was kept waiting until now by what the stopped thread held: any stop between where it was stopped and
   * here leads to the same.
   */
  private takeAlike(): void {
    if (!this.remembers || this.target === undefined) return
    const { at, runner, stopped } = this.target
    for (let other = at + 1; other <= this.stoppedMet + 1; other++) {
      this.taken.add(nameOf({ at: other, runner, stopped }))
    }
  }

  /** Index of the thread that spawns one of the two; -1 when both are there or it cannot move. */
  private parentOfUnborn(view: View): number {
    const { born, profile } = this
    let missing = false
    for (const thread of [this.stopped, this.runner]) {
      if (born[thread] === 1 || (view.pending(thread) as Ask<unknown> | undefined) !== undefined) continue
      missing = true
      const parent = profile.parentOf[thread] ?? -1
      for (let i = 0; i < view.enabledCount; i++) if (view.enabled[i] === parent) return i
    }
    this.bothBorn = !missing
    return -1
  }

  private stop(): void {
    this.hasStopped = true
    this.ranks[this.stopped] = ++this.bottom
  }

  private prepare(threads: number): void {
    const { prng } = this
    this.fresh = false
    this.hasStopped = false
    this.streak.begin()
    this.bottom = threads
    this.stoppedMet = 0
    this.runnerMet = false
    this.bothBorn = false
    if (this.born.length !== threads) this.born = new Uint8Array(threads)
    this.born.fill(0)
    this.aim(threads)
    this.ranks = randomRanks(prng, threads)
    this.ranks[this.stopped] = -2
    this.ranks[this.runner] = -1
  }

  private aim(threads: number): void {
    const { prng } = this
    if (this.stale) this.findTargets(threads)
    this.target = this.draw()
    if (this.target === undefined && this.taken.size > 0) {
      // Once round: now with other threads of the groups, and in another order of the rest.
      this.taken.clear()
      this.findTargets(threads)
      this.target = this.draw()
    }
    const { target } = this
    this.limit = target?.at ?? 1
    // Without a target nothing is known of conflicts: any two.
    this.runner = target === undefined ? below(prng, threads) : this.deal(target.runner, -1)
    this.stopped = target === undefined ? below(prng, threads) : this.deal(target.stopped, this.runner)
  }

  /** The pair first: where a short thread meets a long one, both are to be stopped equally often. */
  private draw(): Target | undefined {
    const { prng, taken, targets } = this
    while (targets.length > 0) {
      const i = below(prng, targets.length)
      const pair = targets[i]!
      const k = below(prng, pair.length)
      const target = pair[k]!
      if (!this.remembers) return target
      pair[k] = pair.at(-1)!
      pair.pop()
      if (pair.length === 0) {
        targets[i] = targets.at(-1)!
        targets.pop()
      }
      const name = nameOf(target)
      if (taken.has(name)) continue
      taken.add(name)
      return target
    }
    return undefined
  }

  private findTargets(threads: number): void {
    this.stale = false
    this.targets = targetsOf(this.profile, threads)
  }

  /** A random thread of the group other than `not`; with a memory, all of them in turn. */
  private deal({ name, threads }: Group, not: number): number {
    const { prng } = this
    if (threads.length === 1) return threads[0]!
    if (!this.remembers) {
      const others = threads.filter((t) => t !== not)
      return others[below(prng, others.length)]!
    }
    let deck = this.decks.get(name)
    if (deck === undefined) this.decks.set(name, deck = [])
    for (;;) {
      if (deck.length === 0) deck.push(...threads)
      const [thread] = deck.splice(below(prng, deck.length), 1)
      if (thread !== not) return thread!
    }
  }
}

const below = (prng: Prng, n: number): number => Math.floor(prng.unit() * n)

const nameOf = ({ at, runner, stopped }: Target): string => `${stopped.name}> ${runner.name}> ${at}`

/** For each two groups of threads, one target for each access of the first. A stop before the very first is none. */
const targetsOf = (profile: Profile, threads: number): Array<Array<Target>> => {
  const groups = alike(profile, threads)
  const found: Array<Array<Target>> = []
  for (const stopped of groups) {
    for (const runner of groups) {
      const first = stopped.threads[0]!
      const second = runner.threads.find((t) => t !== first)
      if (second === undefined) continue
      const most = meetings(profile, first, second)
      const pair: Array<Target> = []
      for (let at = Math.min(2, most); at > 0 && at <= most; at++) pair.push({ stopped, runner, at })
      if (pair.length > 0) found.push(pair)
    }
  }
  return found
}
