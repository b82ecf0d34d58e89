/** A test with a schedule given: that one is run and no other. */
import * as Result from "effect/Result"
import type { Model } from "../Model.ts"
import { decodeSchedule } from "../Schedule.ts"
import { FromSchedule } from "../strategies/FromSchedule.ts"
import { scheduleVariable } from "./command.ts"
import { headline, hasFailed, runToken, type RunOptions, tell, type Told } from "./report.ts"
import { counted, raceError, type Trial } from "./trial.ts"

/** Throws when the execution is wrong, says so when it is not. */
export const replayTest = (
  model: Model,
  token: string,
  options: RunOptions,
  isWrong: (told: Told) => boolean,
  { place, site }: Trial
): string => {
  const schedule = decodeSchedule(token)
  if (Result.isFailure(schedule)) throw raceError(site, `${scheduleVariable}: ${schedule.failure.message}`)
  const strategy = new FromSchedule(schedule.success)
  const told = runToken(model, token, strategy, options)
  const astray = strategy.misfits + strategy.unused
  const fits = astray === 0
    ? "it fits"
    : `${astray} of its ${
      counted(schedule.success.length, "deviation")
    } did not fit: it is of another test, or the model has changed`
  const text = tell(model, told, place, [`only this schedule was run (${scheduleVariable} is set); ${fits}`])
  const outcome = hasFailed(told.verdict) ? headline(told.verdict) : `outcome ${told.outcome}`
  if (isWrong(told)) throw raceError(site, outcome, text)
  const line = hasFailed(told.verdict) ? `fails as it should: ${outcome}` : `does not fail: ${outcome}`
  console.log(`${line}\n\n${text}`)
  return line
}
