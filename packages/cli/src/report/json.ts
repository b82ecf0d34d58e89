/** The documents of --json. Each command prints one; its shape is the Schema here. */
import { claimsOf, renderLockReport } from "@mmrace/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Session, SessionOptions } from "../fuzz/session.ts"
import { print } from "../screen.ts"
import type { Job } from "../Subject.ts"
import { version } from "../version.ts"
import { summarize } from "./final.ts"
import { cleanRun, runLine } from "./summary.ts"
import { quoted } from "./shell.ts"

const Count = Schema.Int
const Text = Schema.String
const Maybe = Schema.NullOr

/** How an execution ended; members besides `_tag` as in the footer of a log. */
const Verdict = Schema.Struct({ _tag: Text }).pipe((s) => Schema.StructWithRest(s, [Schema.Record(Text, Schema.Json)]))

const Cost = Schema.Struct({ preemptions: Count, switches: Count, steps: Count, threads: Count })

const Minimal = Schema.Struct({
  schedule: Text,
  before: Cost,
  after: Cost,
  /** Every schedule with fewer preemptions was executed. */
  preemptionsMinimal: Schema.Boolean,
  log: Maybe(Text)
})

const Failure = Schema.Struct({
  /** What broke and where: equal ids are one failure. */
  id: Text,
  verdict: Verdict,
  /** The first execution that showed it, from 0. */
  execution: Count,
  seed: Count,
  strategy: Text,
  /** Executions that failed so. */
  count: Count,
  /** Null when the execution does not repeat. */
  schedule: Maybe(Text),
  log: Maybe(Text),
  minimal: Maybe(Minimal),
  /** The command line that shows it again. */
  again: Maybe(Text)
})

const Claims = Schema.Struct({
  exhausted: Schema.Boolean,
  failureRateBound: Maybe(Schema.Number),
  pctMissBounds: Schema.Array(Schema.Struct({ depth: Count, bound: Schema.Number })),
  unseenMass: Maybe(Schema.Number),
  unseenMassBound: Maybe(Schema.Number),
  chao1: Maybe(Schema.Number)
})

const Final = Schema.Struct({
  quantifier: Text,
  condition: Text,
  states: Schema.Array(Schema.Struct({ state: Text, holds: Schema.Boolean, count: Count })),
  positive: Count,
  negative: Count,
  ok: Schema.Boolean,
  observation: Schema.Literals(["Never", "Sometimes", "Always"])
})

const head = <const Name extends string>(name: Name) => ({
  format: Schema.Literal(name),
  version: Schema.Literal(1),
  /** Version of mmrace. */
  tool: Text,
  program: Text,
  kernel: Text
})

/** `mmrace fuzz --json`. Equal options give equal documents, whatever the number of workers; --time does not. */
export const FuzzDocument = Schema.Struct({
  ...head("mmrace-fuzz"),
  strategy: Text,
  seed: Count,
  maxSteps: Count,
  ended: Schema.Literals(["runs", "failure", "time", "interrupt", "broken"]),
  executions: Count,
  steps: Count,
  verdicts: Schema.Record(Text, Count),
  classes: Schema.Struct({ distinct: Count, once: Count, twice: Count }),
  conflictPairs: Count,
  failures: Schema.Array(Failure),
  /** Null when something failed. */
  claims: Maybe(Claims),
  lockOrder: Schema.Array(Schema.Struct({ id: Text, report: Schema.Array(Text) })),
  /** Null when the program has no final condition. */
  final: Maybe(Final)
})
export type FuzzDocument = typeof FuzzDocument.Type

const plain = (value: unknown): { readonly _tag: string } => JSON.parse(JSON.stringify(value)) as { readonly _tag: string }

export const headOf = <const Name extends string>(format: Name, job: Job) => ({
  format,
  version: 1 as const,
  tool: version,
  program: job.program.name,
  kernel: String(job.kernel)
})

export const fuzzDocument = (job: Job, { found, fuzzed }: Session, options: SessionOptions) => {
  const { analyses, ending, report } = fuzzed
  const { final } = job.program
  const { distinct, once, twice } = analyses.classes.counts
  const claims = found.length > 0 ? undefined : claimsOf(cleanRun(job, fuzzed, options))
  return Schema.encodeEffect(FuzzDocument)({
    ...headOf("mmrace-fuzz", job),
    strategy: report.strategy,
    seed: report.seed,
    maxSteps: options.maxSteps,
    ended: ending,
    executions: report.executions,
    steps: report.steps,
    verdicts: report.verdicts,
    classes: { distinct, once, twice },
    conflictPairs: analyses.coverage.pairs,
    failures: found.map(({ failure, log, minimal }) => {
      const token = minimal?.result.shrunk.token ?? failure.token
      const best = minimal?.log ?? log
      return {
        id: failure.id,
        verdict: plain(failure.verdict),
        execution: failure.execution,
        seed: failure.seed,
        strategy: failure.strategy,
        count: failure.count,
        schedule: failure.token ?? null,
        log: log ?? null,
        minimal: minimal === undefined ? null : {
          schedule: minimal.result.shrunk.token,
          before: minimal.result.shrunk.before,
          after: minimal.result.shrunk.after,
          preemptionsMinimal: minimal.result.shrunk.proof.preemptionsMinimal,
          log: minimal.log ?? null
        },
        again: best !== undefined
          ? `mmrace replay ${quoted(best)}`
          : token === undefined
          ? null
          : runLine(job, token)
      }
    }),
    claims: claims === undefined ? null : {
      exhausted: claims.exhausted,
      failureRateBound: claims.failureRateBound ?? null,
      pctMissBounds: claims.pctMissBounds,
      unseenMass: claims.unseenMass ?? null,
      unseenMassBound: claims.unseenMassBound ?? null,
      chao1: claims.chao1 ?? null
    },
    lockOrder: analyses.locks.reports().map((r) => ({ id: r.id, report: renderLockReport(r) })),
    final: final === undefined ? null : summarize(final, analyses.outcomes.export())
  })
}

/** Prints a document; a document that does not fit its Schema is a defect. */
export const printJson = (document: Effect.Effect<unknown, unknown>): Effect.Effect<void> =>
  Effect.map(Effect.orDie(document), (value) => print(JSON.stringify(value, undefined, 2)))
