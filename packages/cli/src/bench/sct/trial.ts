/** One cell of the table: a program, a form, a strategy; executions to the first failure for each seed. */
import { runCampaign } from "@mmrace/core"
import { type Form, kindOf, type Program } from "./Program.ts"
import { programs } from "./programs/index.ts"

export interface Trial {
  readonly program: string
  readonly form: Form
  readonly strategy: string
  readonly limit: number
  readonly seeds: number
}

export interface Outcome {
  readonly trial: Trial
  /** Executions up to and including the first that failed, for each seed; 0 where none of `limit` did. */
  readonly executions: ReadonlyArray<number>
}

export const usualLimit = 100_000
const maxSteps = 5000

export const programNamed = (name: string): Program => {
  const program = programs.find((p) => p.name === name)
  if (program === undefined) throw new RangeError(`no program is called "${name}"`)
  return program
}

export const runTrial = (trial: Trial): Outcome => {
  const { form, limit, program: name, seeds, strategy } = trial
  const program = programNamed(name)
  const model = program.build(form)
  const executions = Array.from({ length: seeds }, (_, seed) => {
    const { report } = runCampaign(model, {
      seed: seed + 1,
      strategy,
      runs: limit,
      untilFailure: true,
      maxSteps: program.maxSteps ?? maxSteps
    })
    const found = report.failures.find((f) => f.verdict._tag !== "StepLimit")
    if (found === undefined || found.verdict._tag === "Livelock") return 0
    if (kindOf(found.verdict) !== program.fails) {
      throw new Error(`${name} must end in ${program.fails}, but ended in ${JSON.stringify(found.verdict)}`)
    }
    return found.execution + 1
  })
  return { trial, executions }
}
