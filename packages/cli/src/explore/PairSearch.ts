/**
 * An exploration with state matching on two workers, which tell each other of the states that they have explored. They do
 * so after so many steps, and not after so much time: what comes out does not depend on the workers, and with one worker,
 * which does the work of both, it is the same.
 */
import { Explore } from "@mmrace/core"
import { leastMemory } from "../options.ts"
import type { Ending, ExploreProgress, Rounded } from "./protocol.ts"
import type { Part, Searched, SearchOptions, Workers } from "./search.ts"
import { leastProgress, statesPerByte } from "./work.ts"

export interface Pace {
  /** Steps that the leader does alone: it may be done by then. */
  readonly alone: number
  /** Steps from one exchange to the next. */
  readonly round: number
}

const usualPace: Pace = { alone: 200_000, round: 10_000 }

export class PairSearch {
  private readonly pool: Workers
  private readonly options: SearchOptions
  private readonly pace: Pace
  private helps = false
  private saved: Explore.Checkpoint | undefined
  /** What the helper found that the leader has not been told of. */
  private helperNews: Explore.News | undefined = undefined
  private broken: string | undefined = undefined
  private readonly progress = new Map<number, ExploreProgress>()

  /** `options.memory` is for both of them. */
  constructor(pool: Workers, options: SearchOptions, pace: Pace = usualPace) {
    this.pool = pool
    this.options = options
    this.pace = pace
    this.saved = options.parts?.[0]?.saved
  }

  /** Until everything is explored, or the pool is stopped. */
  async run(): Promise<Searched> {
    const { onCheckpoint, onFound, plan } = this.options
    this.pool.events = {
      onFound,
      onExploring: (worker, progress) => this.show(worker, progress),
      onSaved: (_, checkpoint) => {
        this.saved = checkpoint
        onCheckpoint(this.list)
      }
    }
    try {
      const { ending, explored } = await this.attempts(0)
      return { explored, left: ending === "done" ? undefined : this.list, ending, broken: this.broken }
    } catch (error) {
      return {
        explored: Explore.merge([], plan),
        left: this.list,
        ending: "broken",
        broken: messageOf(error)
      }
    } finally {
      this.pool.events = {}
    }
  }

  /** What the leader knows holds what the helper did. */
  private show(worker: number, progress: ExploreProgress): void {
    this.progress.set(worker, progress)
    const leader = this.progress.get(0)
    if (leader === undefined) return
    const memory = [...this.progress.values()].reduce((sum, own) => sum + own.memory, 0)
    this.options.onProgress({ ...leader, memory, done: 0, parts: 1 })
  }

  private get list(): ReadonlyArray<Part> {
    return [{ task: Explore.wholeTree, level: 0, saved: this.saved }]
  }

  /** What was remembered only saves work: without it there is room again, as long as that leads on. */
  private async attempts(done: number): Promise<{ ending: Ending; explored: Explore.Explored }> {
    const { ending, explored } = await this.attempt()
    const now = explored.counts.executions + explored.counts.blocked
    const leadsOn = ending === "memory" && this.saved !== undefined && now >= done + leastProgress
    return leadsOn ? this.attempts(now) : { ending, explored }
  }

  /** From where it was saved until nothing is left or the memory is full. */
  private async attempt(): Promise<{ ending: Ending; explored: Explore.Explored }> {
    this.helps = this.broken === undefined && this.options.memory >= 2 * leastMemory
    const ending = await this.rounds()
    const explored = await this.end()
    this.saved = explored.checkpoint
    return { ending, explored }
  }

  // oxlint-disable no-await-in-loop -- each round begins where the one before has ended
  private async rounds(): Promise<Ending> {
    const { alone, round } = this.pace
    let leader = await this.round("leader", alone, undefined, this.saved)
    for (;;) {
      if (leader.ending === "memory" && this.helps) await this.goOnAlone()
      else if (leader.ending !== "spent") return leader.ending
      if (leader.states >= (this.options.budget ?? Infinity)) return "spent"
      const { news } = leader
      const known = this.helperNews
      this.helperNews = undefined
      const lead = (): Promise<Rounded> => this.round("leader", round, known)
      if (!this.helps) leader = await lead()
      else if (this.pool.size === 1) {
        leader = await lead()
        await this.help(round, news)
      } else [leader] = await Promise.all([lead(), this.help(round, news)])
    }
  }

  // oxlint-enable no-await-in-loop

  private async help(steps: number, news: Explore.News | undefined): Promise<void> {
    try {
      const { ending, news: found } = await this.round("helper", steps, news)
      this.helperNews = found
      if (ending === "memory") await this.goOnAlone()
    } catch (error) {
      if (this.pool.size === 1) throw error
      // The leader has all that it was told of.
      this.helps = false
      this.broken = messageOf(error)
    }
  }

  /** The helper's memory is the leader's from now on. */
  private async goOnAlone(): Promise<void> {
    this.helps = false
    await this.ask("helper", undefined, undefined)
  }

  private async round(
    role: Explore.Role,
    steps: number,
    news: Explore.News | undefined,
    resume?: Explore.Checkpoint
  ): Promise<Rounded> {
    const done = await this.ask(role, steps, news, resume)
    if (done._tag !== "Rounded") throw new Error(`a worker answered a round with ${done._tag}`)
    return done
  }

  private async end(): Promise<Explore.Explored> {
    if (this.helps) await this.goOnAlone()
    const news = this.helperNews
    // It would mean nothing to another leader.
    this.helperNews = undefined
    const done = await this.ask("leader", undefined, news)
    if (done._tag !== "Explored") throw new Error(`a worker answered the end with ${done._tag}`)
    return done.explored
  }

  private ask(
    role: Explore.Role,
    steps: number | undefined,
    news: Explore.News | undefined,
    resume?: Explore.Checkpoint
  ) {
    const { memory, pause, plan } = this.options
    return this.pool.run(role === "helper" && this.pool.size > 1 ? 1 : 0, {
      _tag: "Round",
      role,
      plan,
      resume,
      news,
      tells: this.helps,
      steps,
      pause: role === "leader" ? pause : undefined,
      memory: this.helps ? memory / 2 : memory,
      states: Math.ceil(memory * statesPerByte)
    })
  }
}

const messageOf = (error: unknown): string => error instanceof Error ? error.message : String(error)
