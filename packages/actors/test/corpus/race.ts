/** What the tests of shipped programs do with one: fuzz it, shrink what breaks, look for the documented steps. */
import { type Ask, Executor, type Failure, failureId, FromChoices, type Model, runCampaign, shrink } from "@mmrace/core"
import { Kernel, kernelWords, latest, loadProgram, type Program, readProgram } from "@mmrace/actors"
import * as Result from "effect/Result"
import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const seed = 7
const maxSteps = 5000

export const parseRace = (source: string, file: string): Program =>
  Result.getOrThrow(readProgram(source, { file, ...kernelWords })).program

export const readRace = (file: URL): Program => parseRace(readFileSync(file, "utf8"), fileURLToPath(file))

/** The kernel a program states; `fixed`: with its fixes. */
export const kernelOf = (program: Program, fixed = false): Kernel =>
  Result.getOrThrow(Kernel.parse([
    `${program.kernel.release ?? latest},${program.kernel.arch ?? "x86-64"}`,
    ...program.with.map((change) => `with ${change}`),
    ...program.without.map((change) => `without ${change}`),
    ...(fixed ? program.fixes.map((change) => `with ${change}`) : [])
  ].join(" ")))

/** The models of all shipped programs, each on the kernel that it states and on the one that has every fix. */
export function* corpusModels(): Generator<{ readonly file: string; readonly model: Model }> {
  const corpus = new URL("../../corpus/", import.meta.url)
  for (const file of readdirSync(corpus)) {
    const program = readRace(new URL(file, corpus))
    for (const kernel of [kernelOf(program), Kernel.complete()]) {
      yield { file, model: loadProgram(program, kernel).model }
    }
  }
}

/** Everything that `runs` executions with the default strategies break. */
export const failures = (program: Program, kernel: Kernel, runs: number): ReadonlyArray<string> =>
  runCampaign(loadProgram(program, kernel).model, { seed, runs, maxSteps }).report.failures.map(
    ({ execution, id }) => `${id} in execution ${execution}`
  )

export interface Broken {
  /** Number of the execution that found it. */
  readonly execution: number
  /** Identity of the failure, and after shrinking. */
  readonly found: string
  readonly id: string | undefined
  /** The minimised schedule. */
  readonly steps: ReadonlyArray<Step>
  readonly preemptions: { readonly count: number; readonly minimal: boolean }
}

export interface Step {
  readonly thread: string
  /** `set_pte_at(pte A): swap 0`, as in an explained schedule. */
  readonly text: string
}

/**
 * The first failure within `runs` executions, minimised and run again from its schedule; where the program names the
 * invariant that breaks, the first failure of that: one bug can show in several ways.
 */
export const breakAndShrink = (program: Program, kernel: Kernel, runs: number, strategy?: string): Broken => {
  const { model } = loadProgram(program, kernel)
  const [named] = program.breaks
  let failure: Failure | undefined
  runCampaign(model, { seed, runs, maxSteps, ...(strategy === undefined ? {} : { strategy }) }, {
    onFailure: (found) => {
      if (named === undefined || found.id.startsWith(`${named}:`)) failure ??= found
    },
    shouldStop: () => failure !== undefined
  })
  if (failure === undefined) {
    throw new Error(`${program.name}: ${runs} executions on ${kernel.toString()} do not break ${named ?? "anything"}`)
  }
  const shrunk = Result.getOrThrow(shrink(model, failure, { maxSteps, reduceExecutions: 3000, searchExecutions: 3000 }))
  const executor = new Executor(model, { maxSteps })
  const verdict = executor.run(new FromChoices(shrunk.choices))
  return {
    execution: failure.execution,
    found: failure.id,
    id: failureId(verdict),
    steps: stepsOf(model, executor),
    preemptions: { count: shrunk.after.preemptions, minimal: shrunk.proof.preemptionsMinimal }
  }
}

const stepsOf = (model: Model, { log }: Executor): ReadonlyArray<Step> =>
  Array.from({ length: log.length }, (_, i) => ({
    thread: model.threads[log.threads[i]!]!.name,
    text: textOf(log.asks[i]!, log.results[i])
  }))

const plain = (value: unknown): string =>
  typeof value === "object" && value !== null ? JSON.stringify(value).replaceAll("\"", "") : String(value)

const textOf = ({ actor, arg, command }: Ask<unknown>, result: unknown): string => {
  const detail = command.show?.(arg, result)
  if (actor.type.name === "syscall") {
    if (command.name === "enter") return `${detail ?? ""} {`
    if (command.name === "leave") return `} ${detail ?? ""}`
    return `[${command.name.replaceAll("_", " ")} ${detail ?? ""}]`
  }
  if (detail !== undefined) return `${command.name}(${actor.name}): ${detail}`
  const given = arg === undefined ? "" : `: ${plain(arg)}`
  return `${command.name}(${actor.name})${given}${result === undefined ? "" : ` = ${plain(result)}`}`
}

/** A documented step: who (`a|b`: either), and how the step's text begins. */
export type Landmark = readonly [thread: string, begins: string]

/** The first landmark that does not come, in order, among the steps, and all steps; undefined when all do. */
export const missing = (steps: ReadonlyArray<Step>, landmarks: ReadonlyArray<Landmark>): string | undefined => {
  let at = 0
  for (const [thread, begins] of landmarks) {
    const who = thread.split("|")
    const next = steps.findIndex((step, i) => i >= at && who.includes(step.thread) && step.text.startsWith(begins))
    if (next < 0) {
      const all = steps.map((step, i) => `${i} ${step.thread} ${step.text}`)
      return `${thread} ${begins}, from step ${at} on, is not in\n${all.join("\n")}`
    }
    at = next + 1
  }
  return undefined
}
