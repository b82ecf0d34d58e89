/**
 * The default, without a parameter: few switches of threads, at places that were not tried yet, and no class of executions
 * twice.
 *
 * - The first execution, of which nothing is known, runs all threads side by side (Opening).
 * - Then two that stop threads at one place or two, spread evenly over their steps (Stops), and one that stops a thread
 *   before a conflict (Meeting), in turn.
 * - What is known of lengths and conflicts grows after the first, second, fourth, eighth ... execution.
 * - None of the first thousand goes where everything was executed (Unseen).
 * - Later ones are independent, and every other one is of URW, PCT, SURW or POS: what was not found by then may need more
 *   switches.
 */
import type { Strategy } from "../Strategy.ts"
import { Avoiding } from "./Avoiding.ts"
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

export const directed = (): Plan => {
  const unseen = new Unseen()
  const avoiding = (strategy: Strategy): Strategy => new Avoiding(strategy, unseen)
  const [spread, untried] = [avoiding(new Stops(true)), avoiding(new Meeting(true))]
  const opening = avoiding(new Opening())
  const early = [spread, spread, untried]
  const [stops, meeting] = [new Stops(false), new Meeting(false)]
  const late = [stops, new Urw(), meeting, new Pct(5), stops, new Surw(), meeting, new Pos()]
  const strategyFor = (index: number): Strategy => {
    if (index === 0) return opening
    const turns = index < learning ? early : late
    return turns[(index - 1) % turns.length]!
  }
  return { name: "directed", learning, strategyFor }
}
