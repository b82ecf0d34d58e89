/**
 * `npm run bench -- sct`: executions to the first failure of every strategy on every program of the suite and of the
 * corpus, into docs/strategies.md.
 *
 *     npm run bench -- sct [--only PROGRAM]... [--strategies A,B]     (a part, to the terminal only)
 *
 * Results do not depend on the number of workers. An interrupted run goes on where it was.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { Worker } from "node:worker_threads"
import { corpusFolder } from "../../Corpus.ts"
import { corpusLimit, corpusPrograms } from "./corpus.ts"
import type { Form } from "./Program.ts"
import { programs } from "./programs/index.ts"
import { published } from "./published.ts"
import { digestOf, Results } from "../Results.ts"
import { cell, replaceBetween } from "./table.ts"
import { tablesOf } from "./tables.ts"
import { systematic } from "./systematic.ts"
import { type Outcome, programNamed, type Trial, usualLimit } from "./trial.ts"

const seeds = 100
/** Of the spawned form, which stands beside published means of 20 trials, and of programs that take minutes. */
const fewSeeds = 30
const long = 2000
const allStrategies = ["random", "pct:2", "pct:3", "pct:5", "pos", "urw", "surw", "portfolio", "directed"]

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, "../../../../..")
const coreBuild = dirname(fileURLToPath(import.meta.resolve("@mmrace/core")))
const actorsBuild = dirname(fileURLToPath(import.meta.resolve("@mmrace/actors")))
const document = join(root, "docs/strategies.md")

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: { only: { type: "string", multiple: true }, strategies: { type: "string" } }
})
const isWanted = (name: string): boolean => values.only === undefined || values.only.includes(name)
const names = programs.map((p) => p.name).filter(isWanted)
const races = corpusPrograms.filter(isWanted)
for (const name of values.only ?? []) if (!corpusPrograms.includes(name)) programNamed(name)
const wanted = values.strategies?.split(",") ?? [...allStrategies, ...systematic.keys()]
const strategies = wanted.filter((strategy) => !systematic.has(strategy))
const searches = wanted.filter((strategy) => systematic.has(strategy))

const limitOf = (program: string, form: Trial["form"]): number =>
  form === "corpus" ? corpusLimit : programNamed(program).limit ?? usualLimit

const seedsOf = (form: Trial["form"], limit: number): number =>
  form === "spawned" || (form === "flat" && limit <= long) ? fewSeeds : seeds

const trialOf = (program: string, form: Trial["form"], strategy: string): Trial => {
  const limit = limitOf(program, form)
  return { program, form, strategy, limit, seeds: systematic.has(strategy) ? 1 : seedsOf(form, limit) }
}

const forms = (program: string): ReadonlyArray<Form> => published.has(program) ? ["flat", "spawned"] : ["flat"]
const isLarge = (trial: Trial): boolean => trial.limit < usualLimit
const trials = [
  ...names.flatMap((name) => forms(name).flatMap((form) => strategies.map((s) => trialOf(name, form, s)))),
  ...names.flatMap((name) => searches.map((s) => trialOf(name, "flat", s))),
  ...races.flatMap((name) => wanted.map((s) => trialOf(name, "corpus", s)))
]
  // The small ones first: an interrupted run has most of the table.
  .toSorted((a, b) => Number(isLarge(a)) - Number(isLarge(b)))

/** Files that only `directed` uses: a change of them says nothing about the other strategies. */
const ours = new Set([
  "Avoiding.js",
  "Conflicts.js",
  "Directed.js",
  "Draws.js",
  "Knowing.js",
  "Meeting.js",
  "Opening.js",
  "Orders.js",
  "Stops.js",
  "Streak.js",
  "Unseen.js"
])

/** What decides an outcome. */
const deciding = (trial: Trial): ReadonlyArray<string> => [
  ...readdirSync(join(coreBuild, "strategies"))
    .filter((name) => name.endsWith(".js") && (trial.strategy === "directed" || !ours.has(name)))
    .toSorted()
    .map((name) => join(coreBuild, "strategies", name)),
  ...["primitives", "Execution.js", "Campaign.js", "Profile.js", "Prng.js"].map((p) => join(coreBuild, p)),
  ...(trial.form === "corpus" ? [actorsBuild, corpusFolder] : [join(here, "programs"), join(here, "Program.js")]),
  ...(systematic.has(trial.strategy) ? [join(coreBuild, "explore"), join(here, "systematic.js")] : []),
  join(here, "trial.js")
]
const keyOf = ({ form, limit, program, seeds: count, strategy }: Trial): string =>
  [program, form, strategy, limit, count].join(" ")

const digests = new Map<string, string>()
const buildOf = (trial: Trial): string => {
  const key = `${trial.form === "corpus"} ${trial.strategy === "directed"} ${systematic.has(trial.strategy)}`
  const known = digests.get(key) ?? digestOf(deciding(trial))
  digests.set(key, known)
  return known
}
const results = new Results<Outcome>(
  join(root, "node_modules/.cache/mmrace/sct.jsonl"),
  (outcome) => buildOf(outcome.trial),
  (outcome) => keyOf(outcome.trial)
)

const runAll = async (): Promise<void> => {
  const waiting = trials.filter((trial) => results.find(keyOf(trial)) === undefined)
  const total = waiting.length
  let done = 0
  const drain = (worker: Worker): Promise<void> =>
    new Promise((resolve, reject) => {
      const next = (): void => {
        const trial = waiting.shift()
        if (trial === undefined) resolve()
        else worker.postMessage(trial)
      }
      worker.on("error", reject)
      worker.on("message", (outcome: Outcome) => {
        results.add(outcome)
        const { form, program, strategy } = outcome.trial
        process.stderr.write(`${++done}/${total} ${program} ${form} ${strategy}: ${cell(outcome)}\n`)
        next()
      })
      next()
    })
  const workers = Array.from(
    { length: Math.min(total, availableParallelism()) },
    () => new Worker(new URL("./worker.js", import.meta.url))
  )
  try {
    await Promise.all(workers.map(drain))
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
}

const outcomeOf = (program: string, form: Trial["form"], strategy: string): Outcome =>
  results.find(keyOf(trialOf(program, form, strategy)))!

await runAll()
const tables = tablesOf({ names, races, strategies, searches, outcomeOf })
const isWhole = values.only === undefined && values.strategies === undefined
if (isWhole && existsSync(document)) {
  let text = readFileSync(document, "utf8")
  for (const [name, table] of Object.entries(tables)) text = replaceBetween(text, `sct-${name}`, table)
  writeFileSync(document, text)
  process.stdout.write("docs/strategies.md is up to date\n")
} else process.stdout.write(`${Object.values(tables).join("\n\n")}\n`)
