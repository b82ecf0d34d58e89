/**
 * `npm run bench -- sct`: executions to the first failure of every strategy on every program, into docs/strategies.md.
 *
 *     npm run bench -- sct [--only PROGRAM]... [--strategies A,B]     (a part, to the terminal only)
 *
 * Results do not depend on the number of workers. An interrupted run goes on where it was.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { Worker } from "node:worker_threads"
import type { Form } from "./Program.ts"
import { programs } from "./programs/index.ts"
import { elsewhere, type Published, published } from "./published.ts"
import { digestOf, Results } from "../Results.ts"
import { cell, expected, geometricMean, markdown, replaceBetween } from "./table.ts"
import { type Outcome, programNamed, type Trial, usualLimit } from "./trial.ts"

const seeds = 30
const allStrategies = ["random", "pct:2", "pct:3", "pct:5", "pos", "urw", "surw", "portfolio"]

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, "../../../../..")
const coreBuild = dirname(fileURLToPath(import.meta.resolve("@mmrace/core")))
const document = join(root, "docs/strategies.md")

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: { only: { type: "string", multiple: true }, strategies: { type: "string" } }
})
const names = values.only?.map((name) => programNamed(name).name) ?? programs.map((p) => p.name)
const strategies = values.strategies?.split(",") ?? allStrategies

const trialOf = (program: string, form: Form, strategy: string): Trial => ({
  program,
  form,
  strategy,
  limit: programNamed(program).limit ?? usualLimit,
  seeds
})

const forms = (program: string): ReadonlyArray<Form> => published.has(program) ? ["flat", "spawned"] : ["flat"]
const isLarge = (trial: Trial): boolean => trial.limit < usualLimit
const trials = names.flatMap((name) => forms(name).flatMap((form) => strategies.map((s) => trialOf(name, form, s))))
  // The small ones first: an interrupted run has most of the table.
  .toSorted((a, b) => Number(isLarge(a)) - Number(isLarge(b)))

/** What decides an outcome. */
const deciding = [
  ...["strategies", "primitives", "Execution.js", "Campaign.js", "Profile.js", "Prng.js"].map((p) =>
    join(coreBuild, p)
  ),
  ...["programs", "Program.js", "trial.js"].map((p) => join(here, p))
]
const keyOf = ({ form, limit, program, seeds: count, strategy }: Trial): string =>
  [program, form, strategy, limit, count].join(" ")

const results = new Results<Outcome>(
  join(root, "node_modules/.cache/mmrace/sct.jsonl"),
  digestOf(deciding),
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

const outcomeOf = (program: string, form: Form, strategy: string): Outcome =>
  results.find(keyOf(trialOf(program, form, strategy)))!

const limitOf = (program: string): string => {
  const { limit } = programNamed(program)
  return limit === undefined ? program : `${program} [${limit.toLocaleString("en-US")}]`
}

const publishedCell = (row: Published, strategy: string): string => {
  const value = row[strategy as keyof Omit<Published, "few">]
  if (value === undefined) return ""
  return value === 0 ? "–" : `${value}${row.few?.includes(strategy) === true ? "\\*" : ""}`
}

/** The figure of the other implementation, in italics. */
const beside = (name: string, strategy: string): string => {
  const row = elsewhere.get(name)
  const figure = row === undefined ? "" : publishedCell(row, strategy)
  return figure === "" ? "" : `, *${figure}*`
}

const flatTable = (): string =>
  markdown(
    ["program", ...strategies],
    [
      ...names.map((name) =>
        [limitOf(name)].concat(strategies.map((s) => cell(outcomeOf(name, "flat", s)) + beside(name, s)))
      ),
      [
        "geometric mean",
        ...strategies.map((s) => geometricMean(names.map((n) => expected(outcomeOf(n, "flat", s)))).toFixed(2))
      ]
    ]
  )

const compared = new Set(["random", "pct:3", "pos", "surw"])

const spawnedTable = (): string => {
  const both = strategies.filter((s) => compared.has(s))
  const alone = strategies.filter((s) => !compared.has(s))
  return markdown(
    ["program", ...both.flatMap((s) => [s, "paper"]), ...alone],
    names.filter((name) => published.has(name)).map((name) =>
      [limitOf(name)].concat(
        both.flatMap((s) => [cell(outcomeOf(name, "spawned", s)), publishedCell(published.get(name)!, s)]),
        alone.map((s) => cell(outcomeOf(name, "spawned", s)))
      )
    )
  )
}

await runAll()
const tables = { flat: flatTable(), spawned: spawnedTable() }
const isWhole = values.only === undefined && values.strategies === undefined
if (isWhole && existsSync(document)) {
  let text = readFileSync(document, "utf8")
  text = replaceBetween(text, "sct-flat", tables.flat)
  text = replaceBetween(text, "sct-spawned", tables.spawned)
  writeFileSync(document, text)
  process.stdout.write("docs/strategies.md is up to date\n")
} else process.stdout.write(`${tables.flat}\n\n${tables.spawned}\n`)
