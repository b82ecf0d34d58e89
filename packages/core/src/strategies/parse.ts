/** Strategies by name, as people write them: `random`, `pct:3`, `directed`. */
import * as Data from "effect/Data"
import * as Result from "effect/Result"
import { nearest } from "../internal/nearest.ts"
import { directed } from "./Directed.ts"
import { Pct } from "./Pct.ts"
import { always, type Plan, portfolio } from "./Portfolio.ts"
import { Pos } from "./Pos.ts"
import { RandomWalk } from "./RandomWalk.ts"
import { Sequential } from "./Sequential.ts"
import { Surw } from "./Surw.ts"
import { Urw } from "./Urw.ts"

export interface StrategyHelp {
  readonly name: string
  /** One line: what it is good at. */
  readonly about: string
}

/** Every strategy a user can name. */
export const strategies: ReadonlyArray<StrategyHelp> = [
  { name: "directed", about: "aims at conflicts not tried yet, and goes nowhere twice (default)" },
  { name: "portfolio", about: "all of the following in rotation" },
  { name: "random", about: "every thread that can move is equally likely" },
  {
    name: "pct",
    about: "random priorities with D-1 changes, as pct:D (default pct:3); long orderings; has a proven bound"
  },
  { name: "pos", about: "random priorities of pending operations; wide, shallow bugs" },
  { name: "urw", about: "every interleaving equally likely" },
  { name: "surw", about: "uniform orders of the accesses to a few shared locations" },
  { name: "sequential", about: "no preemption: one execution, always the same" }
]

export const defaultStrategy = "directed"
const deepest = 100

const makers: Readonly<Record<string, () => Plan>> = {
  directed,
  portfolio,
  random: () => always(new RandomWalk()),
  pct: () => always(new Pct(3)),
  pos: () => always(new Pos()),
  urw: () => always(new Urw()),
  surw: () => always(new Surw()),
  sequential: () => always(new Sequential())
}

export class StrategyError extends Data.TaggedError("StrategyError")<{
  readonly reason: "unknown" | "parameter"
  readonly message: string
  /** The name nearest to what was written; undefined when nothing is near. */
  readonly suggestion: string | undefined
}> {}

/** Reads NAME or pct:DEPTH. */
export const parseStrategy = (text: string): Result.Result<Plan, StrategyError> => {
  const word = text.trim().toLowerCase()
  const colon = word.indexOf(":")
  const name = colon < 0 ? word : word.slice(0, colon)
  const parameter = colon < 0 ? undefined : word.slice(colon + 1)
  const make = Object.hasOwn(makers, name) ? makers[name] : undefined
  if (make === undefined) return unknown(text, name)
  if (parameter === undefined) return Result.succeed(make())
  if (name !== "pct") return wrong(`strategy ${name} takes no parameter: write ${name}`, name)
  const depth = /^[0-9]{1,3}$/u.test(parameter) ? Number(parameter) : 0
  if (depth < 1 || depth > deepest) {
    return wrong(`expected a depth from 1 to ${deepest} after "pct:", got "${parameter}"; for example pct:3`, "pct:3")
  }
  return Result.succeed(always(new Pct(depth)))
}

const unknown = (text: string, name: string): Result.Result<never, StrategyError> => {
  const names = strategies.map((s) => s.name)
  const suggestion = nearest(name, names)
  const hint = suggestion === undefined ? "." : `; did you mean ${suggestion}?`
  const known = names.map((n) => n === "pct" ? "pct:D" : n).join(", ")
  return Result.fail(
    new StrategyError({
      reason: "unknown",
      message: `no strategy is called "${text.trim()}"${hint} Strategies: ${known}`,
      suggestion
    })
  )
}

const wrong = (message: string, suggestion: string): Result.Result<never, StrategyError> =>
  Result.fail(new StrategyError({ reason: "parameter", message, suggestion }))
