/** Results of the parts of one exploration as one result. */
import type { Counts, Explored, Verdict } from "./Explore.ts"
import type { Outcome } from "./Outcomes.ts"

/**
 * What the parts of a tree showed, as if one exploration had gone through them in their order. With
 * `untilFailure`, what comes after the first part that failed is left out: it may have been explored or not.
 */
export const merge = (parts: ReadonlyArray<Explored>, options: { readonly untilFailure: boolean }): Explored => {
  // Its verdict may say more than one put together from several.
  if (parts.length === 1) return { ...parts[0]!, checkpoint: undefined }
  const failing = options.untilFailure ? parts.findIndex(({ verdict }) => verdict._tag === "Violated") : -1
  const counted = failing < 0 ? parts : parts.slice(0, failing + 1)
  const outcomes = new Map<string, Outcome>()
  for (const part of counted) {
    for (const outcome of part.outcomes) {
      const known = outcomes.get(outcome.name)
      outcomes.set(outcome.name, known === undefined ? outcome : { ...known, count: known.count + outcome.count })
    }
  }
  return {
    verdict: verdictOf(counted, failing >= 0),
    counts: counted.map((part) => part.counts).reduce(add, none),
    outcomes: [...outcomes.values()],
    checkpoint: undefined
  }
}

const verdictOf = (parts: ReadonlyArray<Explored>, cut: boolean): Verdict => {
  const verdicts = parts.map((part) => part.verdict)
  const violated = verdicts.find((verdict) => verdict._tag === "Violated")
  const reasons = [...new Set(verdicts.flatMap((verdict) => verdict._tag === "Incomplete" ? verdict.reasons : []))]
  if (violated !== undefined) {
    const exhaustive = !cut && reasons.length === 0 && verdicts.every((v) => v._tag !== "Violated" || v.exhaustive)
    return { ...violated, exhaustive }
  }
  if (reasons.length > 0) return { _tag: "Incomplete", reasons, covered: undefined }
  return { _tag: "Complete", within: undefined, omission: 0 }
}

const none: Counts = { executions: 0, blocked: 0, steps: 0, states: 0, matched: 0, fibers: 0, fed: 0 }

const add = (a: Counts, b: Counts): Counts => ({
  executions: a.executions + b.executions,
  blocked: a.blocked + b.blocked,
  steps: a.steps + b.steps,
  states: a.states + b.states,
  matched: a.matched + b.matched,
  fibers: a.fibers + b.fibers,
  fed: a.fed + b.fed
})
