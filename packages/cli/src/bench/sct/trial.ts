/** One cell of the table: a program, a form, a strategy; executions to the first failure for each seed. */
import { isFailure, type Model, runCampaign, type Verdict } from "@mmrace/core"
import { corpusModel } from "./corpus.ts"
import { type Form, kindOf, type Program } from "./Program.ts"
import { programs } from "./programs/index.ts"
import { systematic } from "./systematic.ts"

export interface Trial {
  readonly program: string
  /** `corpus`: a program of the corpus, at the kernel it states. */
  readonly form: Form | "corpus"
  /** Or one of the searches of systematic.ts, which have one seed. */
  readonly strategy: string
  readonly limit: number
  readonly seeds: number
}

export interface Outcome {
  readonly trial: Trial
  /** Executions up to and including the first that failed, for each seed; 0 where none of `limit` did. */
  readonly executions: ReadonlyArray<number>
  /** The cost at which a search by cost found it. */
  readonly bound?: number
}

export const usualLimit = 100_000
const maxSteps = 5000

export const programNamed = (name: string): Program => {
  const program = programs.find((p) => p.name === name)
  if (program === undefined) throw new RangeError(`no program is called "${name}"`)
  return program
}

export const runTrial = (trial: Trial): Outcome => {
  const { form, program } = trial
  return form === "corpus" ? runOnCorpus(trial) : runOnProgram(trial, programNamed(program), form)
}

const runOnProgram = (trial: Trial, program: Program, form: Form): Outcome =>
  run(trial, program.build(form), program.maxSteps ?? maxSteps, (verdict) => {
    if (verdict._tag === "Livelock") return false
    if (kindOf(verdict) === program.fails) return true
    throw new Error(`${program.name} must end in ${program.fails}, but ended in ${JSON.stringify(verdict)}`)
  })

const runOnCorpus = (trial: Trial): Outcome => run(trial, corpusModel(trial.program), maxSteps, isFailure)

const run = (trial: Trial, model: Model, steps: number, counts: (verdict: Verdict) => boolean): Outcome => {
  const { limit, seeds, strategy } = trial
  const search = systematic.get(strategy)
  if (search !== undefined) {
    const { bound, executions: found } = search(model, limit, steps, counts) ?? { executions: 0 }
    return { trial, executions: [found], ...(bound === undefined ? {} : { bound }) }
  }
  const executions = Array.from({ length: seeds }, (_, seed) => {
    const { report } = runCampaign(model, {
      seed: seed + 1,
      strategy,
      runs: limit,
      untilFailure: true,
      maxSteps: steps
    })
    const found = report.failures.find((f) => f.verdict._tag !== "StepLimit")
    return found !== undefined && counts(found.verdict) ? found.execution + 1 : 0
  })
  return { trial, executions }
}
