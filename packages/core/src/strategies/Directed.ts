/**
 * The default, without a parameter: few switches of threads, at places that were not tried yet, and no class of executions
 * twice.
 *
 * - The first execution, of which nothing is known, runs all threads side by side (Opening).
 * - Where threads are short, two then stop a thread before a conflict (Meeting) and one is a random interleaving (URW), in
 *   turn. Where they are longer, two stop threads at one place or two, spread evenly over their steps (Stops), and one
 *   brings conflicts into a random order (Draws).
 * - What is known of lengths and conflicts grows after the first, second, fourth, eighth ... execution.
 * - None of the first thousand goes where everything was executed (Unseen).
 * - Later ones are independent, and every other one is of URW, PCT, SURW or POS: what was not found by then may need more
 *   switches.
 */
import type { Profile } from "../Profile.ts"
import type { Strategy } from "../Strategy.ts"
import { Avoiding } from "./Avoiding.ts"
import { Draws } from "./Draws.ts"
import { Meeting } from "./Meeting.ts"
import { Opening } from "./Opening.ts"
import { Pct } from "./Pct.ts"
import type { Plan } from "./Portfolio.ts"
import { Pos } from "./Pos.ts"
import { Stops } from "./Stops.ts"
import { Surw } from "./Surw.ts"
import { Unseen } from "./Unseen.ts"
import { Urw } from "./Urw.ts"

/** Executions that learn from each other; behind them a program is too large for that to help. */
const learning = 1024

/** Steps of a thread, on average over all, up to which random interleavings meet most of what there is. */
const short = 10

const areShort = ({ stepsOf, threads }: Profile): boolean => {
  let steps = 0
  for (let thread = 0; thread < stepsOf.length; thread++) steps += stepsOf[thread]!
  return steps <= short * threads
}

export const directed = (): Plan => {
  const unseen = new Unseen()
  const avoiding = (strategy: Strategy): Strategy => new Avoiding(strategy, unseen)
  const opening = avoiding(new Opening())
  const [spread, drawn, untried, uniform] = [new Stops(true), new Draws(), new Meeting(true), new Urw()].map(avoiding)
  const ofShort = [untried!, untried!, uniform!]
  const ofLong = [spread!, spread!, drawn!]
  const [stops, meeting] = [new Stops(false), new Meeting(false)]
  const late = [stops, new Urw(), meeting, new Pct(5), stops, new Surw(), new Draws(), new Pos()]
  const strategyFor = (index: number, profile: Profile): Strategy => {
    if (index === 0) return opening
    const turns = index >= learning ? late : areShort(profile) ? ofShort : ofLong
    return turns[(index - 1) % turns.length]!
  }
  return { name: "directed", learning, strategyFor }
}
