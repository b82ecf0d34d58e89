/** What the examples do with their models: explore every schedule, and tell the least one that fails. */
import * as Result from "effect/Result"
import { describeShrunk, Executor, explainExecution, Explore, FromChoices, type Model, shrink } from "@mmrace/core"

export const check = (model: Model): string => {
  const { counts, verdict } = Explore.explore(model, { onFailure: "stop" })
  const explored = `${counts.executions} executions, ${counts.steps} steps`
  if (verdict._tag !== "Violated") return `${model.name}: ${verdict._tag} (${explored})`
  const least = Result.getOrThrow(shrink(model, { choices: verdict.first.choices }))
  return [
    `${model.name}: ${verdict._tag} (${explored} to the first failure)`,
    describeShrunk(least),
    `schedule ${least.token}`,
    "",
    tell(model, least.choices)
  ].join("\n")
}

/** Runs a schedule again and tells it: a column for each thread, and what broke. */
export const tell = (model: Model, choices: ReadonlyArray<number>): string => {
  const executor = new Executor(model)
  const verdict = executor.run(new FromChoices(choices))
  return explainExecution(model, { log: executor.log, verdict }, { all: true })
}
