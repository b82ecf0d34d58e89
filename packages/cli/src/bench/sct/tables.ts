/** The tables of docs/strategies.md, from the outcomes of all trials. */
import { judge, type Row } from "./judge.ts"
import { elsewhere, type FoundElsewhere, type Published, published, searchedElsewhere } from "./published.ts"
import { cell, expected, geometricMean, markdown } from "./table.ts"
import { type Outcome, programNamed, type Trial } from "./trial.ts"

export interface Measured {
  /** Programs of the suite, and of the corpus. */
  readonly names: ReadonlyArray<string>
  readonly races: ReadonlyArray<string>
  readonly strategies: ReadonlyArray<string>
  readonly searches: ReadonlyArray<string>
  readonly outcomeOf: (program: string, form: Trial["form"], strategy: string) => Outcome
}

/** By the names of their markers. */
export const tablesOf = (measured: Measured): Readonly<Record<string, string>> => {
  const { names, races, searches, strategies } = measured
  const tables: Record<string, string> = {}
  if (names.length > 0) Object.assign(tables, { flat: flatTable(measured), spawned: spawnedTable(measured) })
  if (races.length > 0) tables["corpus"] = corpusTable(measured)
  if (names.length > 0 && searches.length > 0) tables["searches"] = searchTable(measured, "flat")
  if (races.length > 0 && searches.length > 0) tables["corpus-searches"] = searchTable(measured, "corpus")
  if (names.length > 1 && races.length > 1 && strategies.includes("directed")) {
    Object.assign(tables, { judged: judgedTable(measured, "directed"), against: againstTable(measured, "directed") })
  }
  return tables
}

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

const flatTable = ({ names, outcomeOf, strategies }: Measured): string =>
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

const spawnedTable = ({ names, outcomeOf, strategies }: Measured): string => {
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

const corpusTable = ({ outcomeOf, races, strategies }: Measured): string =>
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

/** Executions to the first failure, and behind it in brackets the cost at which it was found. */
const searchCell = ({ executions: [found], bound, trial: { form, program, strategy } }: Outcome): string => {
  const own = withBound(found!, bound)
  const theirs = form === "flat" ? searchedElsewhere.get(program)?.[strategy as keyof FoundElsewhere] : undefined
  if (theirs === undefined) return own
  return `${own}, *${typeof theirs === "number" ? withBound(theirs) : withBound(...theirs)}*`
}

const withBound = (executions: number, bound?: number): string =>
  executions === 0 ? "–" : `${executions.toLocaleString("en-US")}${bound === undefined ? "" : ` (${bound})`}`

const searchTable = (measured: Measured, form: "flat" | "corpus"): string => {
  const { names, outcomeOf, races, searches, strategies } = measured
  const all = form === "flat" ? names : races
  const mine = strategies.filter((s) => s === "directed")
  const meanOf = (s: string): string => geometricMean(all.map((name) => expected(outcomeOf(name, form, s)))).toFixed(2)
  return markdown(
    ["program", ...searches, ...mine],
    [
      ...all.map((name) =>
        [form === "flat" ? limitOf(name) : name].concat(
          searches.map((search) => searchCell(outcomeOf(name, form, search))),
          mine.map((s) => cell(outcomeOf(name, form, s)))
        )
      ),
      ["geometric mean", ...[...searches, ...mine].map(meanOf)]
    ]
  )
}

const half = (rows: ReadonlyArray<Row>, rest: number): ReadonlyArray<Row> => rows.filter((_, i) => i % 2 === rest)

/** A strategy against the best of the others, on the odd and the even rows of each table. */
const judgedTable = ({ names, outcomeOf, races, searches, strategies }: Measured, candidate: string): string => {
  const rowsOf = (form: "flat" | "corpus", rivals: ReadonlyArray<string>): ReadonlyArray<Row> =>
    (form === "flat" ? names : races).map((name) => ({
      ours: outcomeOf(name, form, candidate),
      others: rivals.filter((s) => s !== candidate).map((s) => outcomeOf(name, form, s))
    }))
  const [suite, corpus] = [rowsOf("flat", strategies), rowsOf("corpus", strategies)]
  const all = [...strategies, ...searches]
  const withSearches = judge([...rowsOf("flat", all), ...rowsOf("corpus", all)])
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
    }).concat([[
      "all, and the searches among the others",
      String(withSearches.programs),
      String(withSearches.noWorse),
      // A search has one number: nothing to test.
      "",
      "",
      withSearches.ratio.toFixed(2)
    ]])
  )
}

/** A strategy against each of the others, and against the best of them for each program. */
const againstTable = ({ names, outcomeOf, races, strategies }: Measured, candidate: string): string => {
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
