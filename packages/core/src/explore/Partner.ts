/**
 * Two explorations of one model that help each other, each with a model of its own, in one process or in two. One of them
 * explores everything; the other one takes up what the first would come to last. Every so many steps they tell each
 * other what they have explored, which is not explored again. As they tell after so many steps and not after so much time,
 * what comes out does not depend on how fast either is.
 *
 *     const leader = new Partner(model, "leader", options)
 *     const helper = new Partner(sameModel, "helper", options)
 *     while (leader.run(steps) === "spent") {
 *       helper.run(steps)
 *       const news = leader.tell()
 *       leader.learn(helper.tell())
 *       helper.learn(news)
 *     }
 *     helper.release()
 *     const explored = leader.close()
 */
import type { Model } from "../Model.ts"
import { type Explored, type ExploreOptions, Search, type Tampering } from "./Explore.ts"
import type { SavedOutcomes } from "./Outcomes.ts"
import type { Stateful, Told } from "./Stateful.ts"

/** What one tells the other: plain data. */
export interface News {
  readonly told: Told
  readonly outcomes: SavedOutcomes
}

export type Role = "leader" | "helper"

export class Partner {
  private readonly role: Role
  private readonly search: Search
  private readonly stateful: Stateful | undefined
  /** Of a helper: where the leader was when it last told. */
  private path: Told["path"] = []

  /** Nothing else may execute the model until `close`. */
  constructor(model: Model, role: Role, options: ExploreOptions, tampering: Tampering = {}) {
    this.role = role
    this.search = new Search(model, { ...options, reduction: "stateful" }, tampering)
    const { machine } = this.search
    this.stateful = machine.initialFailure === undefined ? this.search.stateful() : undefined
    if (role === "helper") this.stateful?.help([])
  }

  /**
   * Explores on, for at most so many steps. "complete": there is nothing left; of a helper: until it learns of a part.
   * "stopped": by `interrupt`, or at a failure when one is enough.
   */
  run(steps: number): "complete" | "spent" | "stopped" {
    if (this.stateful === undefined) {
      this.search.run()
      return "complete"
    }
    const { role, search, stateful } = this
    for (let left = steps;;) {
      const before = stateful.counts.steps
      const end = search.runStateful(stateful, left)
      left -= stateful.counts.steps - before
      // What the leader had left is old news, but to look there is better than to do nothing.
      if (end !== "complete" || role === "leader" || left <= 0 || !stateful.help(this.path)) return end
    }
  }

  /** What it explored since it last told. From now on states are kept as their fingerprints. */
  tell(): News {
    return { told: this.stateful!.tell(), outcomes: this.search.outcomes.news() }
  }

  /**
   * What the other one explored. For the leader, what the helper did counts as done here; the helper takes up a part of
   * what the leader has left.
   */
  learn({ outcomes, told }: News): void {
    const { role, search, stateful } = this
    stateful!.learn(told, role === "leader")
    if (role === "leader") {
      search.outcomes.learn(outcomes)
      search.sync(stateful!)
    } else {
      this.path = told.path
      stateful!.help(told.path)
    }
  }

  /** A failure has been seen, and one is enough. */
  get hasFailedEnough(): boolean {
    return this.search.hasFailedEnough
  }

  /** States explored, those of the other one included if it is the leader. */
  get states(): number {
    return this.stateful?.counts.states ?? 0
  }

  /** Of a leader: what came out. Gives the model back. */
  close(): Explored {
    const { search } = this
    if (!search.ended && !search.hasFailedEnough) search.checkpoint = search.save()
    this.release()
    return search.result()
  }

  /** Gives the model back. */
  release(): void {
    this.search.machine.close()
  }
}
