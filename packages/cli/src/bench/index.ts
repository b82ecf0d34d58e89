/**
 * `pnpm bench`: what the engine costs, against the same work without it, in one run on one machine. Ratios first;
 * docs/measurements.md keeps a table of one run with what it was run on.
 */
import { Kernel, loadProgram, readProgram } from "@mmrace/actors"
import {
  ask,
  Cell,
  Coverage,
  emptyProfile,
  Executor,
  makeModel,
  mix32,
  type Model,
  Prng,
  RandomWalk,
  runSlice,
  TraceClasses
} from "@mmrace/core"
import { Result } from "effect"
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { cpus } from "node:os"
import { fileURLToPath } from "node:url"
import { measure } from "./measure.ts"
import { bareFibers, fastCheckSchedules, rawGenerators } from "./rivals.ts"

const cells: { x: ReturnType<typeof makeCell> | undefined } = { x: undefined }
const makeCell = (m: Parameters<Parameters<typeof makeModel>[1]>[0]) => m.actor(Cell.cellType, "x", 0)

function* adds(steps: number) {
  for (let i = 0; i < steps; i++) yield* ask(cells.x!, Cell.fetchAdd, 1)
}

/** `threads` x `steps` atomic additions; with monitors, two that look at every step. */
const additions = (threads: number, steps: number, monitors: boolean): Model =>
  makeModel("additions", (m) => {
    cells.x = makeCell(m)
    for (let t = 0; t < threads; t++) m.thread(`T${t}`, () => adds(steps))
    if (!monitors) return
    m.monitor<number>({
      id: "grows",
      title: "the cell never shrinks",
      on: "all",
      initial: () => 0,
      step: (state, event) => {
        if ((event.result as number) < 0) event.violate("a negative number")
        return state
      }
    })
    m.monitor<number>({
      id: "bounded",
      title: "the cell stays below the number of additions",
      on: "all",
      initial: () => threads * steps,
      step: (limit, event) => {
        if (cells.x!.state > limit) event.violate(`above ${limit} at step ${event.step}`)
        return limit
      }
    })
  })

const one = (executor: Executor): () => number => {
  const walk = new RandomWalk()
  let run = 0
  return () => {
    const verdict = executor.run(walk, mix32(1, run++))
    if (verdict._tag !== "Ok") throw new Error(`the benchmark's model failed: ${JSON.stringify(verdict)}`)
    return executor.step
  }
}

/** Executions instead of steps as the unit of work. */
const executions = (work: () => number): () => number => () => {
  work()
  return 1
}

const ns = (value: number): string => `${value.toFixed(0)} ns`
const rate = (nsPerUnit: number): string => Math.round(1e9 / nsPerUnit).toLocaleString("en-US")
const row = (what: string, value: string, note: string): void => {
  process.stdout.write(`  ${what.padEnd(50)}${value.padStart(14)}   ${note}\n`)
}
const heading = (text: string): void => {
  process.stdout.write(`\n${text}\n`)
}

const stepCost = async (): Promise<void> => {
  heading("1  cost of a step, 3 threads x 200 steps")
  const prng = new Prng(1)
  const bare = await measure(() => bareFibers(3, 200, prng))
  const raw = await measure(() => rawGenerators(3, 200, prng))
  const plain = await measure(one(new Executor(additions(3, 200, false))))
  const full = await measure(one(new Executor(additions(3, 200, true))))
  row("engine with log and 2 monitors / bare Effect fiber", (full / bare).toFixed(2), "goal: at most 2")
  row("engine with log and 2 monitors / raw generators", (full / raw).toFixed(2), "")
  row("engine with log and 2 monitors", ns(full), `without monitors ${ns(plain)}`)
  row("bare Effect fiber, parked and resumed", ns(bare), `raw generators ${ns(raw)}`)
}

const schedules = async (): Promise<void> => {
  heading("2  schedules a second, random walk")
  const ours = await measure(executions(one(new Executor(additions(3, 10, false)))))
  const model = additions(3, 10, false)
  const watched = new Executor(model, { observers: [new Coverage(model), new TraceClasses(model)] })
  const analysed = await measure(executions(one(watched)))
  const runs = 200
  const theirs = await measure(async () => {
    await fastCheckSchedules(3, 10, 1, runs)
    return runs
  }, { window: 400, rounds: 3 })
  const long = await measure(one(new Executor(additions(5, 2000, false), { maxSteps: 20_000 })))
  row("3 x 10 atomic steps / fast-check's scheduler", (theirs / ours).toFixed(1), "goal: at least 15")
  row("3 x 10 atomic steps, schedules/s", rate(ours), `with coverage and trace classes ${rate(analysed)}`)
  row("fast-check's scheduler, schedules/s", rate(theirs), "")
  row("5 x 2,000 atomic steps, steps/s", rate(long), "goal: over 3,000,000")
}

/** The kernel paths are a lot of code: give the compiler time. */
const compiled = { warmUp: 3000 }

const memoryManagement = async (): Promise<void> => {
  heading("3  the mm model on B-05, fixed kernel, all monitors")
  const source = readFileSync(
    new URL(import.meta.resolve("@mmrace/actors/package.json")).pathname.replace(
      /package\.json$/,
      "corpus/B-05-gupfast-vs-fork.mmrace"
    ),
    "utf8"
  )
  const { program } = Result.getOrThrow(readProgram(source))
  const { model } = loadProgram(program, Kernel.atBugFix("B-05") ?? Kernel.complete())
  const bare = new Executor(model)
  const perStep = await measure(one(bare), compiled)
  const watched = new Executor(model, { observers: [new Coverage(model), new TraceClasses(model)] })
  const analysed = await measure(one(watched), compiled)
  row("steps/s on one core", rate(perStep), "goal: 1,000,000")
  row("with coverage and trace classes, steps/s", rate(analysed), "")
}

const flatness = async (): Promise<void> => {
  heading("4  cost of a step by length of the execution, 4 threads")
  const base = await measure(one(new Executor(additions(4, 25, false))))
  for (const steps of [100, 1_000, 10_000, 100_000]) {
    const cost = await measure(one(new Executor(additions(4, steps / 4, false), { maxSteps: 2 * steps })))
    row(`${steps.toLocaleString("en-US")} steps / 100 steps`, (cost / base).toFixed(2), ns(cost))
  }
}

const strategies = async (): Promise<void> => {
  heading("5  cost of a step in a campaign by strategy, 3 x 10 atomic steps")
  const model = additions(3, 10, false)
  const slice = { seed: 1, whole: true, untilFailure: false, maxSteps: 1000 }
  const { evidence: profile } = runSlice(model, { ...slice, strategy: "random", from: 0, to: 1, profile: emptyProfile })
  const cost = (strategy: string, from: number, to: number): Promise<number> =>
    measure(() => runSlice(model, { ...slice, strategy, from, to, profile }).steps)
  const walk = await cost("random", 0, 1024)
  const ratios: ReadonlyArray<readonly [string, string, number, number]> = [
    ["directed, first 1,024 executions / random", "directed", 0, 1024],
    ["directed, later / random", "directed", 1024, 2048],
    ["portfolio / random", "portfolio", 0, 1024]
  ]
  for (const [what, strategy, from, to] of ratios) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other: they share a core
    const own = await cost(strategy, from, to)
    row(what, (own / walk).toFixed(1), `${ns(own)}, random ${ns(walk)}`)
  }
}

const sections: Readonly<Record<string, () => Promise<void>>> = {
  stepCost,
  schedules,
  memoryManagement,
  flatness,
  strategies
}

const [section] = process.argv.slice(2)
if (section !== undefined) await sections[section]!()
else {
  const [cpu] = cpus()
  process.stdout.write(`node ${process.version}, ${cpu?.model.trim() ?? "unknown CPU"}, ${cpus().length} CPUs\n`)
  // A process each: what the compiler learned from one kind of work must not colour the next.
  for (const name of Object.keys(sections)) {
    const { status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), name], { stdio: "inherit" })
    if (status !== 0) process.exit(status ?? 1)
  }
}
