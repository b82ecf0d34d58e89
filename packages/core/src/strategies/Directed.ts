/**
 * The default, without a parameter: conflicts that were not tried yet, and no class of executions twice.
 *
 * - The first execution, of which nothing is known, runs all threads side by side (Opening).
 * - After it every other one stops a thread before a conflict, without replacement (Meeting); those between are URW, PCT,
 *   SURW and POS in turn, for what two threads and a stop do not reach.
 * - What is known of lengths and conflicts grows after the first, second, fourth, eighth ... execution.
 * - None of the first thousand goes where everything was executed (Unseen).
 */
import type { Strategy } from "../Strategy.ts"
import { Avoiding } from "./Avoiding.ts"
import { Meeting } from "./Meeting.ts"
import { Opening } from "./Opening.ts"
import { Pct } from "./Pct.ts"
import type { Plan } from "./Portfolio.ts"
import { Pos } from "./Pos.ts"
import { Surw } from "./Surw.ts"
import { Unseen } from "./Unseen.ts"
import { Urw } from "./Urw.ts"

/** Executions that learn from each other; behind them a program is too large for that to help. */
const learning = 1024

const turns = (meeting: Meeting): ReadonlyArray<Strategy> => {
  const others = [new Urw(), new Pct(5), new Surw(), new Pos()]
  return others.flatMap((other) => [meeting, other])
}

export const directed = (): Plan => {
  const unseen = new Unseen()
  const opening = new Avoiding(new Opening(), unseen)
  const early = turns(new Meeting(true)).map((strategy) => new Avoiding(strategy, unseen))
  const late = turns(new Meeting(false))
  return {
    name: "directed",
    learning,
    strategyFor: (index) => index === 0 ? opening : (index < learning ? early : late)[(index - 1) % early.length]!
  }
}
