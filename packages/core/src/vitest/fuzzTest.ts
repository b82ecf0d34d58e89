/** What `it.fuzz` does once vitest runs the test. */
import { type CampaignOptions, isFailure, runCampaign } from "../Campaign.ts"
import { defaultMaxSteps } from "../Execution.ts"
import type { Model } from "../Model.ts"
import { replayTest } from "./replayTest.ts"
import { hasFailed, headline, tellFailure } from "./report.ts"
import { counted, mustRepeat, raceError, spinAdvice, stopwatch, timeIsOver, type Trial } from "./trial.ts"

export interface FuzzTestOptions extends Pick<CampaignOptions, "seed" | "strategy" | "maxSteps"> {
  /** Milliseconds; default the one of the project. */
  readonly timeout?: number
  /** Executions; default 1,000. */
  readonly runs?: number
}

/** Gives the line to say of a test that passes. */
export const fuzzTest = (model: Model, options: FuzzTestOptions, trial: Trial): string => {
  const { place, site, timeout, token } = trial
  if (token !== undefined) return replayTest(model, token, options, ({ verdict }) => hasFailed(verdict), trial)
  const { timeout: _, ...campaign } = options
  const runs = options.runs ?? 1000
  const { report } = runCampaign(model, { ...campaign, runs, untilFailure: true }, { shouldStop: stopwatch(timeout) })
  const done = `${counted(report.executions, "execution")} of seed ${report.seed}, strategy ${report.strategy}`
  const failure = report.failures.find(({ verdict }) => isFailure(verdict))
  if (failure?.reproduced === false) {
    throw raceError(site, `${headline(failure.verdict)}; the same schedule again led to another execution`, mustRepeat)
  }
  if (failure !== undefined) {
    const remark = `found by execution ${failure.execution + 1} of seed ${report.seed}, strategy ${failure.strategy}`
    const { text, verdict } = tellFailure(model, failure, place, remark, { ...options, shouldStop: stopwatch(timeout) })
    throw raceError(site, headline(verdict), text)
  }
  if (report.executions < runs) {
    throw raceError(
      site,
      `Incomplete: ${timeIsOver(timeout)} after ${done}, none of which failed; ${counted(runs, "run")} were asked for.`,
      "Raise the timeout of the test, or lower `runs`."
    )
  }
  const cut = report.verdicts.StepLimit
  const limit = counted(options.maxSteps ?? defaultMaxSteps, "step")
  if (cut === report.executions) {
    throw raceError(site, `Incomplete: every execution was cut after ${limit}, so nothing was tested.`, spinAdvice)
  }
  return `no failure in ${done}${cut === 0 ? "" : `; ${cut} of them were cut after ${limit}`}`
}
