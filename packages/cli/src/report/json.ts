/** The documents of --json. Each command prints one; its shape is the Schema here. */
import { type Change, print as printProgram } from "@mmrace/actors"
import { claimsOf, failureId, type Followed, renderLockReport, type Verdict as CoreVerdict } from "@mmrace/core"
import { quoted } from "@mmrace/core/explain/shell"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { OpenedLog, StrictReplay } from "../commands/replay.ts"
import type { ShrinkResult } from "../fuzz/protocol.ts"
import { isTree } from "../explore/protocol.ts"
import type { Exploration } from "../explore/session.ts"
import type { Found, Session, SessionOptions } from "../fuzz/session.ts"
import { print } from "../screen.ts"
import type { Job } from "../Subject.ts"
import { version } from "../version.ts"
import { summarize } from "./final.ts"
import { cleanRun, runLine } from "./summary.ts"

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

const stateFields = { state: Text, holds: Schema.Boolean, count: Count, schedule: Text }

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

const plain = (value: unknown): { readonly _tag: string } =>
  JSON.parse(JSON.stringify(value)) as { readonly _tag: string }

export const headOf = <const Name extends string>(format: Name, job: Job) => ({
  format,
  version: 1 as const,
  tool: version,
  program: job.program.name,
  kernel: String(job.kernel)
})

const minimalAndAgain = (job: Job, { failure, log, minimal }: Found) => {
  const token = minimal?.result.shrunk.token ?? failure.token
  const best = minimal?.log ?? log
  return {
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
}

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
    failures: found.map((one) => {
      const { failure, log } = one
      return {
        id: failure.id,
        verdict: plain(failure.verdict),
        execution: failure.execution,
        seed: failure.seed,
        strategy: failure.strategy,
        count: failure.count,
        schedule: failure.token ?? null,
        log: log ?? null,
        ...minimalAndAgain(job, one)
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

/** `mmrace explore --json`. Equal options give equal documents, whatever the number of workers; --time does not. */
export const ExploreDocument = Schema.Struct({
  ...head("mmrace-explore"),
  reduction: Text,
  cost: Maybe(Text),
  bound: Maybe(Count),
  maxSteps: Count,
  verdict: Schema.Literals(["complete", "violated", "incomplete"]),
  exhaustive: Schema.Boolean,
  within: Maybe(Text),
  covered: Maybe(Text),
  /** Why it is not exhaustive. */
  reasons: Schema.Array(Text),
  omission: Schema.Number,
  executions: Count,
  blocked: Count,
  steps: Count,
  distinctStates: Maybe(Count),
  stepLimited: Count,
  /** Of the first failure, when schedules were taken in the order of their preemptions. */
  fewestPreemptions: Maybe(Count),
  failures: Schema.Array(
    Schema.Struct({
      id: Text,
      verdict: Verdict,
      count: Count,
      schedule: Maybe(Text),
      log: Maybe(Text),
      minimal: Maybe(Minimal),
      again: Maybe(Text)
    })
  ),
  /** Of the program's final condition; null when it has none. */
  final: Maybe(Schema.Struct({ ...Final.fields, states: Schema.Array(Schema.Struct(stateFields)) })),
  /** Without a final condition: all registers and memory. */
  states: Schema.Array(Schema.Struct({ state: Text, count: Count, schedule: Text })),
  checkpoint: Maybe(Text)
})

export const exploreDocument = (job: Job, done: Exploration) => {
  const { plan } = done
  const { final } = job.program
  return Schema.encodeEffect(ExploreDocument)({
    ...headOf("mmrace-explore", job),
    reduction: plan.cost === undefined ? plan.reduction : "states",
    cost: plan.cost ?? null,
    bound: plan.bound ?? null,
    maxSteps: plan.maxSteps,
    verdict: done.verdict,
    exhaustive: done.exhaustive,
    within: done.within ?? null,
    covered: done.covered ?? null,
    reasons: done.reasons,
    omission: done.omission,
    executions: done.counts.executions,
    blocked: done.counts.blocked,
    steps: done.counts.steps,
    distinctStates: isTree(plan) ? null : done.counts.states,
    stepLimited: done.stepLimited,
    fewestPreemptions: done.fewestPreemptions ?? null,
    failures: done.found.map((found) => {
      const { failure, log } = found
      return {
        id: failure.id,
        verdict: plain(failure.verdict),
        count: failure.count,
        schedule: failure.token ?? null,
        log: log ?? null,
        ...minimalAndAgain(job, found)
      }
    }),
    final: final === undefined ? null : { ...summarize(final, done.states), states: done.states },
    states: final === undefined ? done.states.map(({ count, schedule, state }) => ({ state, count, schedule })) : [],
    checkpoint: done.checkpoint ?? null
  })
}

/** Prints a document; a document that does not fit its Schema is a defect. */
export const printJson = (document: Effect.Effect<unknown, unknown>): Effect.Effect<void> =>
  Effect.map(Effect.orDie(document), (value) => print(JSON.stringify(value, undefined, 2)))

/** `mmrace replay --json`. */
export const ReplayDocument = Schema.Struct({
  ...head("mmrace-replay"),
  log: Text,
  /** `identical`: every event and the verdict; `truncated`: all events that the log has; `followed`: schedule only. */
  outcome: Schema.Literals(["identical", "truncated", "diverged", "followed"]),
  /** Steps compared and equal; for `followed` those that took place as recorded. */
  steps: Count,
  /** Null when the replay diverged or the log is truncated. */
  verdict: Maybe(Verdict),
  failureId: Maybe(Text),
  /** The first step that differs; null when none does. */
  divergedAt: Maybe(Count),
  /** The divergence with its surroundings. */
  divergence: Maybe(Text),
  /** What the end of the file says: `Whole`, `Truncated` or `Edited`; null when only the schedule was read. */
  integrity: Maybe(Text)
})

export const replayDocument = (
  opened: Pick<OpenedLog, "path" | "job"> & Partial<OpenedLog>,
  done: StrictReplay | ({ readonly _tag: "Followed" } & Followed)
) => {
  const verdict = done._tag === "Diverged" ? undefined : done.verdict
  return Schema.encodeEffect(ReplayDocument)({
    ...headOf("mmrace-replay", opened.job),
    log: opened.path,
    outcome: done._tag === "Diverged"
      ? "diverged"
      : done._tag === "Followed"
      ? "followed"
      : done.verdict === undefined
      ? "truncated"
      : "identical",
    steps: done._tag === "Diverged" ? done.step : done._tag === "Followed" ? done.fitted : done.steps,
    verdict: verdict === undefined ? null : plain(verdict),
    failureId: (verdict === undefined ? undefined : failureId(verdict)) ?? null,
    divergedAt: (done._tag === "Diverged" ? done.step : done._tag === "Followed" ? done.firstDifference : undefined) ??
      null,
    divergence: done._tag === "Diverged" ? done.text : null,
    integrity: opened.integrity?._tag ?? null
  })
}

/** `mmrace run --json`. */
export const RunDocument = Schema.Struct({
  ...head("mmrace-run"),
  strategy: Text,
  seed: Count,
  schedule: Text,
  steps: Count,
  verdict: Verdict,
  failureId: Maybe(Text),
  log: Maybe(Text),
  /** The interleaving as text. */
  explanation: Schema.Array(Text)
})

export interface RunFacts {
  readonly strategy: string
  readonly seed: number
  readonly schedule: string
  readonly steps: number
  readonly verdict: CoreVerdict
  readonly log: string | undefined
  readonly explanation: string
}

export const runDocument = (job: Job, { explanation, log, strategy, verdict, ...rest }: RunFacts) =>
  Schema.encodeEffect(RunDocument)({
    ...headOf("mmrace-run", job),
    ...rest,
    strategy,
    verdict: plain(verdict),
    failureId: failureId(verdict) ?? null,
    log: log ?? null,
    explanation: explanation.split("\n")
  })

/** `mmrace explain --json`. */
export const ExplainDocument = Schema.Struct({
  ...head("mmrace-explain"),
  steps: Count,
  verdict: Maybe(Verdict),
  failureId: Maybe(Text),
  explanation: Schema.Array(Text)
})

export const explainDocument = (job: Job, steps: number, verdict: CoreVerdict | undefined, explanation: string) =>
  Schema.encodeEffect(ExplainDocument)({
    ...headOf("mmrace-explain", job),
    steps,
    verdict: verdict === undefined ? null : plain(verdict),
    failureId: (verdict === undefined ? undefined : failureId(verdict)) ?? null,
    explanation: explanation.split("\n")
  })

/** `mmrace shrink --json`. */
export const ShrinkDocument = Schema.Struct({
  ...head("mmrace-shrink"),
  failureId: Text,
  schedule: Text,
  before: Cost,
  after: Cost,
  preemptionsMinimal: Schema.Boolean,
  leastOfAll: Schema.Boolean,
  /** Executions it took. */
  executions: Count,
  /** The text of the program that is left; the one given when only the schedule was shrunk. */
  smallest: Text,
  programsTried: Count,
  programsAccepted: Count,
  log: Maybe(Text),
  explanation: Schema.Array(Text)
})

export const shrinkDocument = (job: Job, result: ShrinkResult, log: string | undefined, explanation: string) => {
  const { accepted, program, shrunk, tried } = result
  return Schema.encodeEffect(ShrinkDocument)({
    ...headOf("mmrace-shrink", job),
    failureId: shrunk.id,
    schedule: shrunk.token,
    before: shrunk.before,
    after: shrunk.after,
    preemptionsMinimal: shrunk.proof.preemptionsMinimal,
    leastOfAll: shrunk.proof.leastOfAll,
    executions: shrunk.executions,
    smallest: printProgram(program),
    programsTried: tried,
    programsAccepted: accepted,
    log: log ?? null,
    explanation: explanation.split("\n")
  })
}

/** `mmrace list --json`. */
export const ListDocument = Schema.Struct({
  format: Schema.Literal("mmrace-list"),
  version: Schema.Literal(1),
  tool: Text,
  what: Text,
  items: Schema.Array(Schema.Record(Text, Schema.Json))
})

export const listDocument = (what: string, items: ReadonlyArray<Readonly<Record<string, Schema.Json>>>) =>
  Schema.encodeEffect(ListDocument)({ format: "mmrace-list", version: 1, tool: version, what, items })

/** `mmrace show --json`: `program` is its text, `parsed` what it says. */
export const ShowDocument = Schema.Struct({
  ...head("mmrace-show"),
  bug: Maybe(Text),
  fixes: Schema.Array(Schema.Struct({ commit: Text, title: Text, release: Maybe(Text) })),
  breaks: Schema.Array(Schema.Struct({ invariant: Text, words: Maybe(Text) })),
  text: Text,
  parsed: Schema.Json
})

export const showDocument = (
  job: Job,
  fixes: ReadonlyArray<Change>,
  breaks: ReadonlyArray<{ readonly invariant: string; readonly words: string | null }>
) =>
  Schema.encodeEffect(ShowDocument)({
    ...headOf("mmrace-show", job),
    bug: job.program.bug ?? null,
    fixes: fixes.map((c) => ({ commit: c.id, title: c.title, release: c.release ?? null })),
    breaks,
    text: job.source.text,
    parsed: JSON.parse(JSON.stringify(job.program)) as Schema.Json
  })
