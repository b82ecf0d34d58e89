/** `mmrace explore`: every schedule, but for those that cannot differ from another one. */
import { Command } from "effect/cli"
import * as Effect from "effect/Effect"
import { exit } from "../exit.ts"
import { readCheckpoint } from "../explore/Checkpoint.ts"
import { isLasting, isTree, type Plan } from "../explore/protocol.ts"
import { checkpointPath, type Exploration, type ExploreSettings, runExploration } from "../explore/session.ts"
import { hearInterrupts } from "../interrupt.ts"
import * as O from "../options.ts"
import { renderExploration } from "../report/explored.ts"
import { exploreDocument, printJson } from "../report/json.ts"
import { title } from "../report/summary.ts"
import { isInterrupted } from "../interrupt.ts"
import { beQuiet, print, styled } from "../screen.ts"
import { load, openProgram } from "../Subject.ts"
import { type ExitCode, exitCodes, type UserError, userError } from "../UserError.ts"
import { defaultFolder } from "./fuzz.ts"

interface Wanted {
  readonly reduction: "auto" | Plan["reduction"]
  readonly preemptions: number | undefined
  readonly delays: number | undefined
  readonly iterative: boolean
  readonly minimal: boolean
  readonly untilFailure: boolean
  readonly maxSteps: number
}

/** What the options ask for. */
const planOf = (wanted: Wanted): Effect.Effect<Plan, UserError> => {
  const { delays, iterative, maxSteps, minimal, preemptions, reduction, untilFailure } = wanted
  if (preemptions !== undefined && delays !== undefined) {
    return Effect.fail(userError("--preemptions and --delays are two bounds: give one of them"))
  }
  if (minimal && delays !== undefined) {
    return Effect.fail(userError("--minimal is about preemptions: leave out --delays"))
  }
  const byLevels = preemptions !== undefined || delays !== undefined || iterative || minimal
  if (byLevels && reduction !== "auto" && reduction !== "states") {
    return Effect.fail(
      userError(
        `--reduction ${reduction} has no bounds: with --preemptions, --delays, --iterative and --minimal leave it out`
      )
    )
  }
  return Effect.succeed({
    reduction: reduction === "auto" ? byLevels ? "states" : "optimal" : reduction,
    cost: byLevels ? delays === undefined ? "preemptions" : "delays" : undefined,
    bound: preemptions ?? delays,
    untilFailure: untilFailure || minimal,
    maxSteps
  })
}

const exitCodeOf = ({ ending, verdict }: Exploration): ExitCode => {
  if (verdict === "violated") return exitCodes.violation
  if (verdict === "complete") return exitCodes.clean
  if (ending === "broken") return exitCodes.usage
  return isInterrupted() ? exitCodes.interrupted : exitCodes.incomplete
}

export const explore = Command.make("explore", {
  subject: O.subject,
  ...O.kernelFlags,
  ...O.explorationFlags,
  untilFailure: O.toggle("until-failure", "End with the first failure"),
  maxSteps: O.maxSteps,
  time: O.time,
  memory: O.memory,
  workers: O.workers,
  noShrink: O.toggle("no-shrink", "Do not minimise what is found"),
  out: O.out(`Folder for logs (default ${defaultFolder})`),
  checkpoint: O.checkpoint,
  resume: O.resume,
  json: O.json,
  quiet: O.quiet
}, (input) =>
  Effect.gen(function*() {
    if (input.quiet) beQuiet()
    const source = yield* openProgram(input.subject)
    const job = yield* load(source, input)
    const wanted = yield* planOf(input)
    const resumed = input.resume === undefined ? undefined : yield* readCheckpoint(input.resume, job)
    if (
      resumed !== undefined &&
      (!isLasting(wanted) || (input.reduction !== "auto" && input.reduction !== resumed.plan.reduction))
    ) {
      return yield* userError(
        `--resume: ${
          input.resume ?? ""
        } is a checkpoint of an exploration with --reduction ${resumed.plan.reduction} ` +
          "and without bounds: leave these options out"
      )
    }
    const folder = input.out ?? defaultFolder
    const settings: ExploreSettings = {
      plan: resumed?.plan ?? wanted,
      statesFirst: input.reduction === "auto" && isTree(wanted) && resumed === undefined,
      time: input.time,
      memory: input.memory,
      workers: input.workers,
      folder,
      checkFolder: input.out !== undefined,
      shrink: !input.noShrink,
      checkpoint: input.checkpoint ?? input.resume ?? checkpointPath(folder, job),
      parts: resumed?.parts
    }
    const done = yield* hearInterrupts(Effect.gen(function*() {
      if (!input.json) {
        print(`${styled("bold", title(job))}, ${planText(settings.plan, settings.statesFirst)}`)
        if (job.program.description !== undefined) print(job.program.description)
        print()
      }
      return yield* runExploration(job, settings)
    }))
    if (input.json) yield* printJson(exploreDocument(job, done))
    else for (const line of renderExploration(job, done)) print(line)
    yield* exit(exitCodeOf(done))
  })).pipe(
    Command.withDescription("Execute every schedule of a program, up to equivalence"),
    Command.withExamples([
      { command: "mmrace explore race.mmrace" },
      { command: "mmrace explore B-05 --preemptions 2 --until-failure" }
    ])
  )

/** `all schedules, source`, `schedules of at most 2 preemptions`. */
const planText = ({ bound, cost, reduction }: Plan, isAuto: boolean): string =>
  cost === undefined
    ? `all schedules${isAuto ? "" : `, ${reduction}`}`
    : bound === undefined
    ? `all schedules, fewest ${cost} first`
    : `schedules of at most ${bound} ${bound === 1 ? cost.slice(0, -1) : cost}`
