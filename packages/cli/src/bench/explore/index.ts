/**
 * `npm run bench -- explore`: every program of the corpus, before its fix and at it, explored, into docs/exploration.md.
 *
 *     npm run bench -- explore [--only B-05]... [--time 60] [--cap 20]     (with --only: to the terminal only)
 *
 * `--time`: seconds for a verdict, and a fifth of them for one with a bound; `--cap`: seconds for a cell of the comparison.
 * An interrupted run goes on where it was.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { Worker } from "node:worker_threads"
import { corpusFolder } from "../../Corpus.ts"
import { digestOf, Results } from "../Results.ts"
import { replaceBetween } from "../sct/table.ts"
import type { Outcome, Trial } from "./cell.ts"
import { comparison, type Row, verdicts } from "./tables.ts"

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, "../../../../..")
const build = (specifier: string): string => dirname(fileURLToPath(import.meta.resolve(specifier)))
const document = join(root, "docs/exploration.md")

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    only: { type: "string", multiple: true },
    time: { type: "string", default: "60" },
    cap: { type: "string", default: "20" }
  }
})
const time = Number(values.time)
const boundedTime = time / 5
const cap = Number(values.cap)
const programs = readdirSync(corpusFolder).filter((name) => name.endsWith(".mmrace")).toSorted()
  .filter((name) => values.only === undefined || values.only.some((id) => name.startsWith(id)))

/** Compared with each other; executions are counted, or states where states are matched. */
const compared = ["every schedule", "sleep sets", "source", "optimal", "states", "states, sleep sets", "stateful"]
const whole = "stateful"
const bounds = ["1 preemption", "2 preemptions", "3 preemptions"]

const keyOf = ({ fixed, method, program, seconds }: Trial): string => [program, fixed, method, seconds].join("|")

const digest = digestOf([build("@mmrace/core"), build("@mmrace/actors"), here])
const results = new Results<Outcome>(
  join(root, "node_modules/.cache/mmrace/explore.jsonl"),
  () => digest,
  (outcome) => keyOf(outcome.trial)
)

/** Megabytes that one trial's heap may have. */
const heap = 4096

/** A trial on a thread of its own; whatever goes wrong with it is its result. */
const run = (trial: Trial): Promise<Outcome> =>
  new Promise((resolve) => {
    const began = performance.now()
    const worker = new Worker(new URL("./worker.js", import.meta.url), {
      workerData: trial,
      resourceLimits: { maxOldGenerationSizeMb: heap }
    })
    const settle = (outcome: Outcome): void => {
      clearTimeout(timer)
      void worker.terminate()
      resolve(outcome)
    }
    const failed = (error: string): void =>
      settle({
        trial,
        complete: false,
        violated: false,
        executions: 0,
        states: 0,
        seconds: (performance.now() - began) / 1000,
        error
      })
    // What does not look at the clock in time is ended from outside.
    const timer = setTimeout(() => failed(`no answer in ${trial.seconds} s`), (3 * trial.seconds + 60) * 1000)
    worker.on("message", settle)
    worker.on("error", (error: NodeJS.ErrnoException) =>
      failed(error.code === "ERR_WORKER_OUT_OF_MEMORY" ? `more than ${heap} MiB` : error.message.split("\n")[0]!))
  })

/** The result of a trial, from an earlier run or from this one. */
const outcomeOf = async (trial: Trial): Promise<Outcome> => {
  const known = results.find(keyOf(trial))
  if (known !== undefined) return known
  const outcome = await run(trial)
  results.add(outcome)
  const { complete, error, executions, states } = outcome
  const ended = error ?? (complete ? "complete" : "capped")
  process.stderr.write(
    `${trial.program} ${trial.fixed ? "fixed" : "before"} ${trial.method}: ${ended}, ` +
      `${executions} executions, ${states} states, ${outcome.seconds.toFixed(1)} s\n`
  )
  return outcome
}

const rowOf = async (program: string, fixed: boolean): Promise<Row> => {
  const unbounded = await outcomeOf({ program, fixed, method: whole, seconds: time })
  const bounded: Array<Outcome> = []
  if (!unbounded.complete) {
    for (const method of bounds) {
      // oxlint-disable-next-line no-await-in-loop -- a larger bound is tried when the smaller one is complete
      bounded.push(await outcomeOf({ program, fixed, method, seconds: boundedTime }))
      if (bounded.at(-1)!.complete === false) break
    }
  }
  return { name: program.replace(/\.mmrace$/, ""), kernel: fixed ? "fixed" : "before", whole: unbounded, bounded }
}

/** All jobs, as many at a time as there are cores; results in the order of the jobs. */
const inParallel = async <A>(jobs: ReadonlyArray<() => Promise<A>>): Promise<ReadonlyArray<A>> => {
  const done: Array<A> = []
  let next = 0
  const drain = async (): Promise<void> => {
    for (let at = next++; at < jobs.length; at = next++) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other on each core
      done[at] = await jobs[at]!()
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, drain))
  return done
}

const rows = await inParallel(programs.flatMap((program) => [false, true].map((fixed) => () => rowOf(program, fixed))))
const cells = await inParallel(
  programs.flatMap((program) =>
    compared.map((method) => () => outcomeOf({ program, fixed: true, method, seconds: cap }))
  )
)
const cellsOf = new Map(cells.map((outcome) => [keyOf(outcome.trial), outcome]))
const tables = {
  verdicts: verdicts(rows),
  comparison: comparison(
    programs.map((program) => program.replace(/\.mmrace$/, "")),
    compared,
    (name, method) => cellsOf.get(keyOf({ program: `${name}.mmrace`, fixed: true, method, seconds: cap }))
  )
}
if (values.only === undefined && existsSync(document)) {
  let text = readFileSync(document, "utf8")
  text = replaceBetween(text, "explore-verdicts", tables.verdicts)
  text = replaceBetween(text, "explore-comparison", tables.comparison)
  const limits = `A verdict had ${time} s, one with a bound ${boundedTime} s, a cell of the comparison ${cap} s.`
  text = replaceBetween(text, "explore-limits", limits)
  writeFileSync(document, text)
  process.stdout.write("docs/exploration.md is up to date\n")
} else process.stdout.write(`${tables.verdicts}\n\n${tables.comparison}\n`)
