/** What `it.explore` does once vitest runs the test. */
import { explore, type Explored, type ExploreOptions, type Verdict } from "../explore/Explore.ts"
import { stepLimit } from "../explore/Outcomes.ts"
import type { Model } from "../Model.ts"
import { FromChoices } from "../strategies/FromChoices.ts"
import { differenceOf, outcomeTable } from "./outcomes.ts"
import type { RaceError } from "./RaceError.ts"
import { replayTest } from "./replayTest.ts"
import { hasFailed, headline, runOnce, tell, tellFailure, type Told } from "./report.ts"
import { countsOf, mustRepeat, raceError, spinAdvice, stopwatch, timeIsOver, type Trial } from "./trial.ts"

export interface ExploreTestOptions extends Omit<ExploreOptions, "resume"> {
  /** Milliseconds; default the one of the project. The exploration ends with it and says what it covered. */
  readonly timeout?: number
  /** All the outcomes there are, no more and no fewer: names that `outcomeOf` gives. */
  readonly outcomes?: ReadonlyArray<string>
  /** The failure that some schedule must lead to: a monitor's id, or the whole id of a failure. */
  readonly violates?: string
  /** Judges what was explored, in the place of all the rest: throws when it is wrong. */
  readonly expect?: (explored: Explored) => void
}

/** Gives the line to say of a test that passes. */
export const exploreTest = (model: Model, options: ExploreTestOptions, trial: Trial): string => {
  const { expect, outcomes, violates } = options
  if (trial.token !== undefined) {
    return replayTest(model, trial.token, options, (told) => isWrong(told, options), trial)
  }
  const explored = exploreInTime(model, options, trial)
  const { verdict } = explored
  if (expect !== undefined) {
    expect(explored)
    return verdictLine(explored)
  }
  if (violates !== undefined) return demandFailure(explored, violates, options, trial)
  if (verdict._tag === "Violated") {
    const { exhaustive, first } = verdict
    const remark = `explored ${countsOf(explored.counts)}, ${exhaustive ? "all there is" : "up to the first failure"}`
    // As long again for a schedule that people can read.
    const shouldStop = stopwatch(trial.timeout)
    const failure = { choices: first.choices, id: first.name }
    const least = tellFailure(model, failure, trial.place, remark, { ...options, shouldStop })
    throw raceError(trial.site, headline(least.verdict), least.text)
  }
  if (verdict._tag === "Incomplete") throw incomplete(explored, verdict, options, trial)
  if (outcomes !== undefined) demandOutcomes(model, explored, outcomes, options, trial)
  const line = verdictLine(explored)
  // Who reads that the test passes must see that it passes for less than it seems.
  if (verdict.within !== undefined) console.log(line)
  return line
}

/** Explores until the time is over; without another wish up to the first failure. */
const exploreInTime = (model: Model, options: ExploreTestOptions, { site, timeout }: Trial): Explored => {
  const { expect, interrupt, outcomes: _o, timeout: _t, violates, ...rest } = options
  const late = stopwatch(timeout)
  const run = (onFailure: "continue" | "stop"): Explored => {
    try {
      return explore(model, {
        onFailure,
        ...(options.bound === undefined ? {} : { cost: "preemptions" }),
        ...rest,
        interrupt: (progress, save) => interrupt?.(progress, save) ?? (late() ? timeIsOver(timeout) : undefined)
      })
    } catch (error) {
      throw raceError(
        site,
        `The exploration failed: ${error instanceof Error ? error.message : String(error)}`,
        mustRepeat
      )
    }
  }
  if (expect !== undefined) return run("continue")
  const explored = run("stop")
  const { verdict } = explored
  const isAnother = violates !== undefined && verdict._tag === "Violated" && !isThe(violates, verdict.first.name)
  return isAnother ? run("continue") : explored
}

const isThe = (wanted: string, id: string): boolean => id === wanted || id.startsWith(`${wanted}:`)

/** Whether one execution shows the test to be wrong. What `expect` says of all of them, one cannot show. */
const isWrong = ({ outcome, verdict }: Told, { expect, outcomes, violates }: ExploreTestOptions): boolean => {
  if (expect !== undefined) return false
  if (hasFailed(verdict)) return violates === undefined || !isThe(violates, outcome)
  return violates === undefined && outcomes !== undefined && !outcomes.includes(outcome)
}

const demandFailure = (
  explored: Explored,
  wanted: string,
  options: ExploreTestOptions,
  trial: Trial
): string => {
  const { outcomes, verdict } = explored
  const failures = outcomes.filter(({ failed }) => failed)
  const found = failures.find(({ name }) => isThe(wanted, name))
  if (found !== undefined) return `violated as it should be: ${headline(found.verdict)}`
  if (verdict._tag === "Incomplete") throw incomplete(explored, verdict, options, trial)
  const instead = failures.map(({ name }) => name).join(", ")
  throw raceError(
    trial.site,
    `Not violated: no schedule breaks ${wanted}${instead === "" ? "" : `, but some break ${instead}`}.`,
    verdictLine(explored)
  )
}

const demandOutcomes = (
  model: Model,
  { counts, outcomes }: Explored,
  expected: ReadonlyArray<string>,
  options: ExploreTestOptions,
  { place, site }: Trial
): void => {
  const difference = differenceOf(outcomes, expected)
  if (difference === undefined) return
  const { missing, unexpected } = difference
  const strange = unexpected[0]
  const what = [
    ...(unexpected.length > 0 ? [`${unexpected.map(({ name }) => name).join(", ")} not expected`] : []),
    ...(missing.length > 0 ? [`${missing.join(", ")} never met`] : [])
  ]
  const told = strange === undefined ? [] : [
    `An execution that ends in ${strange.name}:`,
    tell(model, runOnce(model, new FromChoices(strange.choices), options), place, [])
  ]
  throw raceError(
    site,
    `Outcomes: ${what.join("; ")}`,
    `${outcomeTable(outcomes, expected)}\nexplored ${countsOf(counts)}, all there is`,
    ...told
  )
}

const incomplete = (
  { counts, outcomes }: Explored,
  { covered, reasons }: Extract<Verdict, { readonly _tag: "Incomplete" }>,
  { cost, minimal }: ExploreTestOptions,
  { site, timeout }: Trial
): RaceError => {
  const advice: Array<string> = []
  if (reasons.includes(timeIsOver(timeout))) {
    const less = cost === undefined && minimal !== true
      ? "or ask for less: with `bound: 2` only the schedules with up to 2 preemptions are explored"
      : "or lower `bound`"
    advice.push(`Raise the timeout of the test, ${less}.`)
  }
  if (outcomes.some(({ name }) => name === stepLimit)) advice.push(spinAdvice)
  if (reasons.some((reason) => reason.startsWith("no room"))) advice.push("Raise `maxStates`.")
  const what = covered === undefined ? "" : ` Every schedule within ${covered} was explored.`
  return raceError(
    site,
    `Incomplete: ${reasons.join("; ")}`,
    `No failure in ${countsOf(counts)}, but there is more.${what}`,
    ...advice
  )
}

const verdictLine = ({ counts, verdict }: Explored): string => {
  switch (verdict._tag) {
    case "Complete": {
      const within = verdict.within === undefined ? "" : ` within ${verdict.within}, not beyond`
      const omission = verdict.omission === 0
        ? ""
        : `; a state was taken for another one with probability at most ${verdict.omission.toExponential(1)}`
      return `Complete${within}: no schedule fails (${countsOf(counts)}${omission})`
    }
    case "Violated":
      return `Violated: ${headline(verdict.first.verdict)} (${countsOf(counts)})`
    case "Incomplete":
      return `Incomplete: ${verdict.reasons.join("; ")} (${countsOf(counts)})`
  }
}
