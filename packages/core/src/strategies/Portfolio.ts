/**
 * Strategies in rotation, by the index of the execution. No single strategy finds most bugs: PCT is
 * the worst on wide programs and by far the best on long orderings, and its depth must be varied.
 */
import type { Profile } from "../Profile.ts"
import type { Strategy } from "../Strategy.ts"
import { Pct } from "./Pct.ts"
import { Pos } from "./Pos.ts"
import { RandomWalk } from "./RandomWalk.ts"
import { Surw } from "./Surw.ts"
import { Urw } from "./Urw.ts"

/** Which strategy runs an execution of a campaign. */
export interface Plan {
  /** What `parseStrategy` reads back. */
  readonly name: string
  /** Executions before this index learn from those before them: one worker does them, all in order. Default none. */
  readonly learning?: number
  /** The strategy of execution `index` (from 0), by what is known of the program. Instances are reused: `begin` before use. */
  strategyFor(index: number, profile: Profile): Strategy
}

/** The same strategy every time. */
export const always = (strategy: Strategy): Plan => ({ name: strategy.name, strategyFor: () => strategy })

/** `strategies[index % length]`. */
export const rotating = (name: string, strategies: ReadonlyArray<Strategy>): Plan => ({
  name,
  strategyFor: (index) => strategies[index % strategies.length]!
})

export const portfolio = (): Plan => {
  const random = new RandomWalk()
  const pos = new Pos()
  const urw = new Urw()
  const surw = new Surw()
  return rotating("portfolio", [
    random,
    pos,
    surw,
    new Pct(2),
    urw,
    new Pct(3),
    random,
    surw,
    pos,
    new Pct(5),
    urw,
    new Pct(10)
  ])
}
