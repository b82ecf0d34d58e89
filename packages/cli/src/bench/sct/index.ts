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
import { elsewhere, type Published, published } from "./published.ts"
import { judge, type Row } from "./judge.ts"
import { digestOf, Results } from "../Results.ts"
import { cell, expected, geometricMean, markdown, replaceBetween } from "./table.ts"
import { type Outcome, programNamed, type Trial, usualLimit } from "./trial.ts"

/** The spawned form stands beside published means of 20 trials; what is judged has more. */
const seedsOf: Readonly<Record<Trial["form"], number>> = { flat: 100, spawned: 30, corpus: 100 }
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
const strategies = values.strategies?.split(",") ?? allStrategies

const trialOf = (program: string, form: Trial["form"], strategy: string): Trial => ({
  program,
  form,
  strategy,
  limit: form === "corpus" ? corpusLimit : programNamed(program).limit ?? usualLimit,
  seeds: seedsOf[form]
})

const forms = (program: string): ReadonlyArray<Form> => published.has(program) ? ["flat", "spawned"] : ["flat"]
const isLarge = (trial: Trial): boolean => trial.limit < usualLimit
const trials = [
  ...names.flatMap((name) => forms(name).flatMap((form) => strategies.map((s) => trialOf(name, form, s)))),
  ...races.flatMap((name) => strategies.map((s) => trialOf(name, "corpus", s)))
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
  join(here, "trial.js")
]
const keyOf = ({ form, limit, program, seeds: count, strategy }: Trial): string =>
  [program, form, strategy, limit, count].join(" ")

const digests = new Map<string, string>()
const buildOf = (trial: Trial): string => {
  const key = `${trial.form === "corpus"} ${trial.strategy === "directed"}`
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

const corpusTable = (): string =>
  markdown(
    ["program", ...strategies],
    [
      ...races.map((name) => [name].concat(strategies.map((s) => cell(outcomeOf(name, "corpus", s))))),
      [
        "geometric mean",
        ...strategies.map((s) => geometricMean(races.map((n) => expected(outcomeOf(n, "corpus", s)))).toFixed(2))
      ]
    ]
  )

const half = (rows: ReadonlyArray<Row>, rest: number): ReadonlyArray<Row> => rows.filter((_, i) => i % 2 === rest)

/** A strategy against the best of the others, on the odd and the even rows of each table. */
const judgedTable = (candidate: string): string => {
  const rowsOf = (form: "flat" | "corpus"): ReadonlyArray<Row> =>
    (form === "flat" ? names : races).map((name) => ({
      ours: outcomeOf(name, form, candidate),
      others: strategies.filter((s) => s !== candidate).map((s) => outcomeOf(name, form, s))
    }))
  const [suite, corpus] = [rowsOf("flat"), rowsOf("corpus")]
  const sets: ReadonlyArray<readonly [string, ReadonlyArray<Row>]> = [
    ["suite, odd rows", half(suite, 0)],
    ["suite, even rows", half(suite, 1)],
    ["corpus, odd rows", half(corpus, 0)],
    ["corpus, even rows", half(corpus, 1)],
    ["all", [...suite, ...corpus]]
  ]
  return markdown(
    ["programs", "", "no worse", "significantly better", "significantly worse", "ratio of means"],
    sets.map(([title, rows]) => {
      const { better, noWorse, programs: count, ratio, worse } = judge(rows)
      return [title, count, noWorse, better, worse, ratio.toFixed(2)].map(String)
    })
  )
}

/** A strategy against each of the others, and against the best of them for each program. */
const againstTable = (candidate: string): string => {
  const others = strategies.filter((s) => s !== candidate)
  const alone = others.map((s): readonly [string, ReadonlyArray<string>] => [s, [s]])
  return markdown(
    ["against", "suite: no worse", "better", "worse", "corpus: no worse", "better", "worse", "ratio", "worse on"],
    alone.concat([["the best of them", others]]).map(([title, rival]) => {
      const rowsOf = (which: ReadonlyArray<string>, form: "flat" | "corpus"): ReadonlyArray<Row> =>
        which.map((name) => ({
          ours: outcomeOf(name, form, candidate),
          others: rival.map((s) => outcomeOf(name, form, s))
        }))
      const [suite, corpus] = [rowsOf(names, "flat"), rowsOf(races, "corpus")]
      const counts = [judge(suite), judge(corpus)].flatMap(({ better, noWorse, worse }) => [noWorse, better, worse])
      const all = [...suite, ...corpus]
      const worse = all.filter((one) => judge([one]).worse > 0).map(({ ours: { trial } }) => trial.program)
      return [title].concat(counts.map(String), judge(all).ratio.toFixed(2), worse.join(", "))
    })
  )
}

await runAll()
const tables: Record<string, string> = {}
if (names.length > 0) Object.assign(tables, { flat: flatTable(), spawned: spawnedTable() })
if (races.length > 0) tables["corpus"] = corpusTable()
if (names.length > 1 && races.length > 1 && strategies.includes("directed")) {
  Object.assign(tables, { judged: judgedTable("directed"), against: againstTable("directed") })
}
const isWhole = values.only === undefined && values.strategies === undefined
if (isWhole && existsSync(document)) {
  let text = readFileSync(document, "utf8")
  for (const [name, table] of Object.entries(tables)) text = replaceBetween(text, `sct-${name}`, table)
  writeFileSync(document, text)
  process.stdout.write("docs/strategies.md is up to date\n")
} else process.stdout.write(`${Object.values(tables).join("\n\n")}\n`)
