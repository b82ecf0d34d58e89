/**
 * What a run without failures says, and what it does not. Pure functions of counts.
 *
 * - Rule of three, exact form: N independent executions without failure leave, at confidence 1 - delta, a failure
 *   probability of at most 1 - delta^(1/N). With a fixed rotation of strategies it bounds the mean over the rotation.
 * - PCT (Burckhardt et al., ASPLOS'10): one execution at depth d finds a bug of depth d with probability at least
 *   1 / (n k^(d-1)).
 * - Good-Turing: f1 / N estimates the probability that the next execution falls into a class never seen; upper
 *   bound after McAllester and Schapire (COLT 2000).
 * - Chao1 (Chao 1984, bias-corrected): how many classes there are, from below.
 */

/** Bound on the failure probability of one execution after `executions` clean ones. */
export const failureRateBound = (executions: number, delta = defaultDelta): number =>
  executions === 0 ? 1 : -Math.expm1(Math.log(delta) / executions)

/** Bound on the probability that `executions` executions of PCT at `depth` all miss a bug of that depth. */
export const pctMissBound = (executions: number, depth: number, threads: number, choices: number): number => {
  const hit = 1 / (Math.max(1, threads) * Math.max(1, choices) ** (depth - 1))
  return hit >= 1 ? (executions === 0 ? 1 : 0) : Math.exp(executions * Math.log1p(-hit))
}

export interface ClassCounts {
  readonly distinct: number
  /** Classes seen exactly once, exactly twice. */
  readonly once: number
  readonly twice: number
}

/** Estimated probability that the next execution shows a class not seen so far. */
export const unseenMass = (executions: number, classes: ClassCounts): number =>
  executions === 0 ? 1 : classes.once / executions

/** The true probability is below this at confidence 1 - delta. */
export const unseenMassBound = (executions: number, classes: ClassCounts, delta = defaultDelta): number => {
  if (executions === 0) return 1
  const width = (2 * Math.SQRT2 + Math.sqrt(3)) * Math.sqrt(Math.log(3 / delta) / executions)
  return Math.min(1, unseenMass(executions, classes) + width)
}

/** Estimated number of classes, a lower bound in expectation; at least the number seen. */
export const chao1 = ({ distinct, once, twice }: ClassCounts): number =>
  distinct + (once * (once - 1)) / (2 * (twice + 1))

/** 95% confidence. */
const defaultDelta = 0.05

/** Why a campaign stopped. */
export type Stop =
  /** Every schedule was executed; `within` names the bound of the search, e.g. "2 preemptions". */
  | { readonly _tag: "Exhausted"; readonly within?: string }
  /** A limit came first; `by` names it, e.g. "10,000 executions" or "60 s". */
  | { readonly _tag: "Capped"; readonly by: string }

/** What a campaign without failures knows about itself. */
export interface CleanRun {
  readonly executions: number
  readonly stop: Stop
  /** Executions that ended at the step limit. */
  readonly stepLimited: number
  /** How many of the executions were drawn independently, not guided by what earlier ones were like. */
  readonly independent: number
  /** Most threads, and most points with a real choice, seen in one execution: n and k of PCT. */
  readonly threads: number
  readonly choices: number
  /** Executions of PCT by its depth parameter. */
  readonly pct: ReadonlyArray<{ readonly depth: number; readonly executions: number }>
  readonly classes: ClassCounts
}

export interface Claims {
  readonly exhausted: boolean
  readonly executions: number
  readonly classes: ClassCounts
  /** The rest is absent after an exhaustive search and where it would not be valid. */
  readonly failureRateBound: number | undefined
  /** Probability of having missed a bug of each depth, from PCT executions of that depth or more. */
  readonly pctMissBounds: ReadonlyArray<{ readonly depth: number; readonly bound: number }>
  readonly unseenMass: number | undefined
  readonly unseenMassBound: number | undefined
  readonly chao1: number | undefined
}

const depths = [1, 2, 3]

/** All that may be claimed after a clean run. */
export const claimsOf = (run: CleanRun, delta = defaultDelta): Claims => {
  const { classes, executions, independent } = run
  const exhausted = run.stop._tag === "Exhausted"
  const bounded = !exhausted && independent > 0
  // Classes were counted over all executions: those that avoid the classes of others say nothing of the next one.
  const estimate = bounded && independent === executions
  // A bug of depth d is also one of any greater depth, so executions at greater depths count with their own odds.
  const missed = (depth: number): number =>
    run.pct
      .filter((p) => p.depth >= depth)
      .reduce((product, p) => product * pctMissBound(p.executions, p.depth, run.threads, run.choices), 1)
  const covered = (depth: number): boolean => run.pct.some((p) => p.depth >= depth && p.executions > 0)
  return {
    exhausted,
    executions,
    classes,
    failureRateBound: bounded ? failureRateBound(independent, delta) : undefined,
    pctMissBounds: exhausted ? [] : depths.filter(covered).map((depth) => ({ depth, bound: missed(depth) })),
    unseenMass: estimate ? unseenMass(executions, classes) : undefined,
    unseenMassBound: estimate ? unseenMassBound(executions, classes, delta) : undefined,
    chao1: estimate ? chao1(classes) : undefined
  }
}

/** The claims as lines of text. */
export const renderClaims = (run: CleanRun, delta = defaultDelta): ReadonlyArray<string> => {
  const claims = claimsOf(run, delta)
  const confidence = `${Number(((1 - delta) * 100).toPrecision(6))}% confidence`
  const classes = `${count(run.classes.distinct, "class", "classes")} of equivalent executions`
  const lines = [`${count(run.executions, "execution")}, no failure; ${classes}`, stopLine(run)]
  if (run.stepLimited > 0) {
    lines.push(
      `${count(run.stepLimited, "execution")} ended at the step limit: what would have come later is not covered`
    )
  }
  if (claims.failureRateBound !== undefined) {
    const some = run.independent === run.executions
      ? ""
      : `, by the ${count(run.independent, "execution")} that did not learn from others`
    lines.push(`an execution fails with probability at most ${chance(claims.failureRateBound)} (${confidence}${some})`)
  } else if (!claims.exhausted && run.executions > 0) {
    lines.push("no bound on the failure probability: the executions were not independent of each other")
  }
  if (claims.pctMissBounds.length > 0) {
    const bounds = claims.pctMissBounds.map(({ bound, depth }) => `${chance(bound)} at depth ${depth}`).join(", ")
    lines.push(
      `PCT missed a bug with probability at most ${bounds} (n = ${run.threads} threads, k = ${run.choices} choices)`
    )
  }
  if (claims.unseenMass !== undefined) {
    lines.push(
      `the next execution is of an unseen class with probability about ${chance(claims.unseenMass)}, ` +
        `at most ${chance(claims.unseenMassBound!)} (${confidence}; ${grouped(run.classes.once)} seen once, ` +
        `${grouped(run.classes.twice)} twice)`
    )
    const least = Math.ceil(claims.chao1!)
    lines.push(`about ${grouped(least)} ${least === 1 ? "class or more exists" : "classes or more exist"} (Chao1)`)
  }
  return lines
}

const stopLine = ({ stepLimited, stop }: CleanRun): string => {
  if (stop._tag === "Capped") return `CAPPED at ${stop.by}: schedules are left that were not executed`
  const schedules = stepLimited > 0 ? "every schedule up to the step limit" : "every schedule"
  return stop.within === undefined
    ? `EXHAUSTED: ${schedules} of this program was executed`
    : `EXHAUSTED within ${stop.within}: ${schedules} inside that bound was executed, none outside it`
}

const grouped = (n: number): string => String(n).replace(/\B(?=(?:\d{3})+$)/g, ",")

const count = (n: number, one: string, many = `${one}s`): string => `${grouped(n)} ${n === 1 ? one : many}`

/** A probability, rounded up so that a bound stays one. */
const chance = (p: number): string => {
  if (p <= 0) return "0"
  if (p >= 1) return "1"
  const digits = p > 0.99 ? 6 : p > 0.1 ? 3 : Math.ceil(-Math.log10(p)) + 1
  if (digits > 8) return `10^${Math.ceil(Math.log10(p))}`
  const scale = 10 ** digits
  return String(Number((Math.ceil(p * scale - 1e-9) / scale).toFixed(digits)))
}
