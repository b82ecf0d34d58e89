/**
 * The default, without a parameter: few switches of threads, at places that were not tried yet, and no class of executions
 * twice.
 *
 * - The first execution, of which nothing is known, runs all threads side by side (Opening).
 * - Where threads are short, two of three then stop a thread before a conflict (Meeting), and one is a random interleaving
 *   (URW).
 * - Where they are longer, twenty stop one thread at one place, all threads in turn and spread evenly over their steps
 *   (Stops). Behind those every fourth one does; the others bring conflicts into a random order (Draws), accesses to a few
 *   locations (SURW), or all steps (URW).
 * - What is known of lengths and conflicts grows after the first, second, fourth, eighth ... execution. Stops, SURW and URW
 *   go by what the first one showed.
 * - None of the first thousand goes where everything was executed (Unseen).
 * - Later ones are independent, and every other one is of URW, PCT, SURW or POS: what was not found by then may need more
 *   switches.
 */
import { emptyProfile, type Profile } from "../Profile.ts"
import type { Strategy } from "../Strategy.ts"
import { Avoiding } from "./Avoiding.ts"
import { Draws } from "./Draws.ts"
import { Knowing } from "./Knowing.ts"
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

/** Executions of a program with longer threads that stop one of them, before anything else is tried. */
const stopsFirst = 20

const turn = (strategies: ReadonlyArray<Strategy>, index: number): Strategy =>
  strategies[(index - 1) % strategies.length]!

export const directed = (): Plan => {
  const unseen = new Unseen()
  const avoiding = (strategy: Strategy): Strategy => new Avoiding(strategy, unseen)
  let original = emptyProfile
  const atFirst = (strategy: Strategy): Strategy => avoiding(new Knowing(strategy, () => original))
  const opening = avoiding(new Opening())
  const [untried, uniform] = [avoiding(new Meeting(true)), avoiding(new Urw())]
  const ofShort = [untried, untried, uniform]
  const spread = atFirst(new Stops(true))
  const ofLong = [avoiding(new Draws()), spread, atFirst(new Surw()), atFirst(new Urw())]
  const [stops, meeting] = [new Stops(false), new Meeting(false)]
  const late = [stops, new Urw(), meeting, new Pct(5), stops, new Surw(), new Draws(), new Pos()]
  const strategyFor = (index: number, profile: Profile): Strategy => {
    if (index === 0) return opening
    if (original.threads === 0) original = profile
    if (index >= learning) return turn(late, index)
    if (areShort(profile)) return turn(ofShort, index)
    return index <= stopsFirst ? spread : turn(ofLong, index)
  }
  return { name: "directed", learning, strategyFor }
}
