/** An exploration as a user sees it: logs as soon as there is something to write, checkpoints, minimising, a verdict. */
import { type Explore, type Failure, failureId, type Verdict } from "@mmrace/core"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { fileStem, openFolder, record } from "../fuzz/LogStore.ts"
import { Pool } from "../fuzz/Pool.ts"
import { type Found, minimise, storeFailure } from "../fuzz/session.ts"
import { isInterrupted, listenForInterrupt } from "../interrupt.ts"
import { leastMemory } from "../options.ts"
import { complain, duration, endStatus, grouped, note } from "../screen.ts"
import type { Job } from "../Subject.ts"
import type { UserError } from "../UserError.ts"
import { writeCheckpoint } from "./Checkpoint.ts"
import { type EndState, endStateOf } from "./EndStates.ts"
import { Meter } from "./Meter.ts"
import { PairSearch } from "./PairSearch.ts"
import { isShared, isTree, type Plan } from "./protocol.ts"
import { type Part, Search, type Searched, type SearchOptions } from "./search.ts"

export interface ExploreSettings {
  readonly plan: Plan
  /** First see whether there are few states: then match them, and that is all. */
  readonly statesFirst: boolean
  /** Seconds; undefined: no limit. */
  readonly time: number | undefined
  /** Bytes for all workers. */
  readonly memory: number
  readonly workers: number
  readonly folder: string
  readonly checkFolder: boolean
  readonly shrink: boolean
  /** Where checkpoints go. */
  readonly checkpoint: string
  /** What is left of an earlier run. */
  readonly parts: ReadonlyArray<Part> | undefined
}

/** A state that executions end in, with the schedule of one that does. */
export interface StateRow extends EndState {
  readonly count: number
  readonly schedule: string
}

export interface Exploration {
  /** What was done in the end. */
  readonly plan: Plan
  readonly verdict: "complete" | "violated" | "incomplete"
  /** Every schedule was explored, within the bound if there was one; true also where some failed. */
  readonly exhaustive: boolean
  readonly within: string | undefined
  /** What was explored completely of an exploration by levels that is not. */
  readonly covered: string | undefined
  readonly omission: number
  /** Why it is not exhaustive. */
  readonly reasons: ReadonlyArray<string>
  readonly counts: Explore.Counts
  readonly states: ReadonlyArray<StateRow>
  readonly found: ReadonlyArray<Found>
  /** Of the first failure, when schedules were taken in the order of their preemptions: none with fewer fails. */
  readonly fewestPreemptions: number | undefined
  /** Executions that reached the step limit. */
  readonly stepLimited: number
  /** The file to go on with. */
  readonly checkpoint: string | undefined
  readonly ending: Searched["ending"]
}

/** Seconds between two checkpoints. */
const pause = 60

/** With more states than this executions are explored instead, which needs little memory and can be done in parts. */
const fewStates = 50_000_000

export const runExploration = (
  job: Job,
  settings: ExploreSettings
): Effect.Effect<Exploration, UserError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    let { plan } = settings
    if (settings.checkFolder) yield* openFolder(settings.folder)
    const run = Effect.runPromiseWith(yield* Effect.context<FileSystem.FileSystem>())
    const most = isTree(plan) ? settings.workers : isShared(plan) ? Math.min(2, settings.workers) : 1
    const size = Math.max(1, Math.min(most, Math.floor(settings.memory / leastMemory)))
    const memory = settings.memory / size
    const shares = settings.statesFirst || isShared(plan)
    const pool = yield* Effect.acquireRelease(
      // Room for what comes between two looks at the memory.
      Effect.sync(() => new Pool(job, size, Math.ceil((shares ? settings.memory : memory) / 2 ** 20) + 256)),
      (opened) => Effect.promise(() => opened.close())
    )
    /** By failure id: the schedule that is on disk, and where. */
    const stored = new Map<string, { readonly token: string | undefined; readonly path: string | undefined }>()
    const store = async (failure: Failure): Promise<void> => {
      const path = await run(storeFailure(job, { folder: settings.folder, maxSteps: stepsOf(failure, plan) }, failure))
      const isNew = stored.get(failure.id)?.path === undefined
      stored.set(failure.id, { token: failure.token, path })
      if (path !== undefined && isNew) note(`found ${failure.id}, log ${path}`)
    }
    const meter = new Meter(settings.time)
    const writes: Array<Promise<unknown>> = []
    let isSaved = settings.parts !== undefined
    const save = (done: Plan, parts: ReadonlyArray<Part>): Promise<string | undefined> => {
      isSaved = true
      return run(
        writeCheckpoint(settings.checkpoint, job, done, parts).pipe(
          Effect.as(settings.checkpoint),
          Effect.catch((error) => Effect.as(Effect.sync(() => complain(error.message)), undefined))
        )
      )
    }
    const search = (wanted: Plan, parts?: ReadonlyArray<Part>, budget?: number): Promise<Searched> => {
      const options: SearchOptions = {
        plan: wanted,
        memory: isShared(wanted) ? settings.memory : memory,
        pause,
        parts,
        ...(budget === undefined ? {} : { budget }),
        onFound: (name, choices) => {
          // How long the way round is comes with the outcomes.
          if (name === "livelock") return
          const failure = failureOf(job, { choices, count: 1 }, plan.maxSteps, name)
          if (failure === undefined || stored.has(failure.id)) return
          stored.set(failure.id, { token: undefined, path: undefined })
          meter.failures = stored.size
          writes.push(store(failure))
        },
        onProgress: (progress) => meter.show(progress),
        onCheckpoint: (left) => {
          writes.push(save(wanted, left))
        }
      }
      return (isShared(wanted) ? new PairSearch(pool, options) : new Search(pool, options)).run()
    }
    const ended = yield* Effect.promise(() =>
      limited(pool, settings.time, async () => {
        if (settings.statesFirst) {
          const matched: Plan = { ...plan, reduction: "stateful" }
          const few = await search(matched, undefined, fewStates)
          if (few.ending !== "spent" && few.ending !== "memory") {
            plan = matched
            return few
          }
          note(
            `more states than ${few.ending === "spent" ? grouped(fewStates) : "fit in --memory"}: on with executions`
          )
          pool.resume()
        }
        return search(plan, settings.parts)
      })
    )
    yield* Effect.promise(() => Promise.all(writes))
    const { searched } = ended
    if (searched.broken !== undefined) {
      const kept = searched.ending === "broken" ? "what was found until then is kept" : "another one went on alone"
      complain(`a worker failed, ${kept}: ${searched.broken}`)
    }
    const checkpoint = searched.left === undefined ? undefined : yield* Effect.promise(() => save(plan, searched.left!))
    if (searched.left === undefined && isSaved) yield* forget(settings.checkpoint)

    const { failures, states, stepLimited } = assess(job, searched.explored, plan.maxSteps)
    const found: Array<Found> = []
    for (const failure of failures) {
      // Another worker may have come to the same failure first; the first one in the tree counts.
      if (stored.get(failure.id)?.token !== failure.token) yield* Effect.promise(() => store(failure))
      const minimal = settings.shrink && failure.reproduced && !isInterrupted() && searched.broken === undefined
        ? yield* minimise(job, { folder: settings.folder, maxSteps: stepsOf(failure, plan) }, pool, failure)
        : undefined
      found.push({ failure, log: stored.get(failure.id)?.path, minimal })
    }
    const { verdict } = searched.explored
    const first = verdict._tag === "Violated" ? verdict.first : undefined
    const reasons = [
      ...(ended.reason === undefined ? [] : [ended.reason]),
      ...(searched.ending === "memory" ? [memoryText(settings.memory)] : []),
      ...(searched.ending === "broken" ? ["a worker failed"] : []),
      ...(verdict._tag === "Incomplete" ? verdict.reasons.filter((reason) => !isOwn(reason)) : []),
      ...(failures.length > 0 && plan.untilFailure && searched.left === undefined
        ? ["stopped at the first failure"]
        : [])
    ]
    const exhaustive = searched.left === undefined && reasons.length === 0 &&
      (verdict._tag === "Complete" || (verdict._tag === "Violated" && verdict.exhaustive))
    const judgement: Exploration["verdict"] = failures.length > 0 ? "violated" : exhaustive ? "complete" : "incomplete"
    return {
      plan,
      verdict: judgement,
      exhaustive,
      within: verdict._tag === "Complete" ? verdict.within : undefined,
      covered: verdict._tag === "Incomplete" ? verdict.covered : undefined,
      omission: verdict._tag === "Complete" ? verdict.omission : 0,
      reasons,
      counts: searched.explored.counts,
      states,
      found,
      // Livelocks are looked for without regard to preemptions.
      fewestPreemptions: plan.cost === "preemptions" && first?.name !== "livelock" ? first?.preemptions : undefined,
      stepLimited,
      checkpoint,
      ending: searched.ending
    }
  }).pipe(Effect.scoped)

/** A livelock goes on for ever: once round shows it. */
const stepsOf = ({ verdict }: Failure, plan: Plan): number =>
  verdict._tag === "Livelock" && verdict.step > 0 ? Math.min(verdict.step, plan.maxSteps) : plan.maxSteps

/** What workers say when they lay something aside. */
const isOwn = (reason: string): boolean => ["stopped", "memory", "spent"].includes(reason)

const memoryText = (bytes: number): string => `stopped at the memory limit of ${Math.round(bytes / 2 ** 20)} MiB`

/** Runs until the time is up or the user asks for an end; `reason` says which, if one of them came first. */
const limited = async (
  pool: Pool,
  time: number | undefined,
  work: () => Promise<Searched>
): Promise<{ readonly searched: Searched; readonly reason: string | undefined }> => {
  let reason: string | undefined
  const end = (why: string): void => {
    reason ??= why
    pool.stop()
  }
  const unlisten = listenForInterrupt(() => end("interrupted"))
  const timer = time === undefined ? undefined : setTimeout(() => end(`stopped after ${duration(time)}`), time * 1000)
  try {
    const searched = await work()
    return { searched, reason: searched.ending === "stopped" ? reason : undefined }
  } finally {
    clearTimeout(timer)
    unlisten()
    endStatus()
  }
}

/** A checkpoint of what is done is of no use any more. */
const forget = (path: string) => Effect.flatMap(FileSystem.FileSystem, (fs) => Effect.ignore(fs.remove(path)))

interface Assessed {
  /** In the order of the exploration, one for each id. */
  readonly failures: ReadonlyArray<Failure>
  readonly states: ReadonlyArray<StateRow>
  readonly stepLimited: number
}

/** Outcomes as failures and states. */
const assess = (job: Job, { outcomes }: Explore.Explored, maxSteps: number): Assessed => {
  const failures = new Map<string, Failure>()
  const states: Array<StateRow> = []
  let stepLimited = 0
  for (const outcome of outcomes) {
    const state = endStateOf(outcome.name)
    if (state !== undefined) {
      states.push({ ...state, count: outcome.count, schedule: record(job, outcome.choices, maxSteps).token })
    }
    if (outcome.name === "step-limit") stepLimited += outcome.count
    // An execution that was cut for its length may turn out to be a livelock.
    if (!outcome.failed && outcome.name !== "step-limit") continue
    const { verdict } = outcome
    const failure = failureOf(
      job,
      outcome,
      verdict._tag === "Livelock" ? verdict.step : maxSteps,
      outcome.name,
      outcome.failed ? verdict : undefined
    )
    if (failure === undefined) continue
    const known = failures.get(failure.id)
    failures.set(failure.id, known === undefined ? failure : { ...known, count: known.count + failure.count })
  }
  return {
    failures: [...failures.values()],
    states: states.toSorted((a, b) => a.state < b.state ? -1 : 1),
    stepLimited
  }
}

/** A failure as campaigns tell it, from an outcome; undefined when the execution is only long. */
const failureOf = (
  job: Job,
  { choices, count }: Pick<Explore.Outcome, "choices" | "count">,
  maxSteps: number,
  name: string,
  seen?: Verdict
): Failure | undefined => {
  const { recorded: { verdict: own }, token } = record(job, choices, maxSteps)
  // A way round that the search has seen is one, also where a fair schedule of another kind leads out of it.
  const verdict = own._tag === "StepLimit" && seen?._tag === "Livelock" ? seen : own
  if (verdict._tag === "StepLimit") return undefined
  const id = failureId(verdict)
  return {
    id: id ?? name,
    verdict,
    execution: 0,
    seed: 0,
    strategy: "explore",
    choices,
    token: id === undefined ? undefined : token,
    reproduced: id !== undefined,
    count
  }
}

/** Where checkpoints go when nothing else is said. */
export const checkpointPath = (folder: string, job: Job): string => `${folder}/${fileStem(job, "checkpoint")}.json`
