/** The options that commands share, as effect/cli flags, and what their texts mean. */
import { defaultMaxSteps, defaultStrategy, parseStrategy } from "@mmrace/core"
import { Argument, Flag } from "effect/cli"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { availableParallelism, totalmem } from "node:os"

const text = (name: string, metavar: string, about: string) =>
  Flag.String(name).pipe(
    Flag.withMetavar(metavar),
    Flag.withDescription(about),
    Flag.optional,
    Flag.map(Option.getOrUndefined)
  )

const repeated = (name: string, metavar: string, about: string) =>
  Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(about), Flag.between(0, 1000))

export const toggle = (name: string, about: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(about), Flag.withDefault(false), Flag.withoutNegation)

const wholeNumber = (name: string, metavar: string, about: string, least: number, most: number) =>
  Flag.String(name).pipe(
    Flag.withMetavar(metavar),
    Flag.withDescription(about),
    Flag.filterMap(
      (word) => {
        const value = /^[0-9][0-9_,]*$/.test(word) ? Number(word.replaceAll(/[_,]/g, "")) : Number.NaN
        return value >= least && value <= most ? Option.some(value) : Option.none()
      },
      (word) => `--${name}: expected a whole number from ${least} to ${most}, got "${word}"`
    )
  )

export const subject = Argument.String("program").pipe(
  Argument.withMetavar("FILE|ID|LOG"),
  Argument.withDescription("A program file, a shipped program (B-05) or a log")
)

export const logArgument = Argument.String("log").pipe(
  Argument.withMetavar("LOG"),
  Argument.withDescription("A log, as fuzz writes them")
)

/** --kernel, --with, --without, --fixed */
export const kernelFlags = {
  kernel: text("kernel", "RELEASE[,ARCH]", "Run on this kernel, e.g. 6.8 (default: what the program says)"),
  with: repeated("with", "COMMIT", "Add a fix or feature to the kernel (repeatable)"),
  without: repeated("without", "COMMIT", "Take a fix or feature out (repeatable)"),
  fixed: toggle("fixed", "Add the fixes that the program names")
}

const largestSeed = 0xffff_ffff

export const seed = wholeNumber("seed", "N", "Where random choices come from (default 0)", 0, largestSeed).pipe(
  Flag.withDefault(0)
)

export const strategy = Flag.String("strategy").pipe(
  Flag.withMetavar("NAME"),
  Flag.withDescription("directed, portfolio, random, pct:D, pos, urw, surw, sequential"),
  Flag.withDefault(defaultStrategy),
  Flag.mapTryCatch(
    (word) => Result.getOrThrow(parseStrategy(word)).name,
    (error) => `--strategy: ${error instanceof Error ? error.message : String(error)}`
  )
)

export const maxSteps = wholeNumber(
  "max-steps",
  "N",
  `Cut executions off after N steps (default ${defaultMaxSteps})`,
  1,
  100_000_000
).pipe(Flag.withDefault(defaultMaxSteps))

/** For logs, which say themselves what was used. */
export const maxStepsOption = wholeNumber("max-steps", "N", "Cut executions off after N steps", 1, 100_000_000).pipe(
  Flag.optional,
  Flag.map(Option.getOrUndefined)
)

export const runs = wholeNumber(
  "runs",
  "N",
  "Executions at most (default 20000; with --time no limit)",
  1,
  Number.MAX_SAFE_INTEGER
).pipe(Flag.optional, Flag.map(Option.getOrUndefined))

const unit: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, "": 1 }

/** Seconds of `90`, `90s`, `1.5m`, `2h`. */
export const parseDuration = (word: string): number | undefined => {
  const { amount, suffix } = /^(?<amount>\d+(?:\.\d+)?)(?<suffix>ms|s|m|h|)$/.exec(word.trim())?.groups ?? {}
  const seconds = Number(amount) * (unit[suffix ?? "s"] ?? Number.NaN)
  // Timers of Node hold 31 bits of milliseconds.
  return seconds > 0 && seconds <= 2_000_000 ? seconds : undefined
}

export const time = Flag.String("time").pipe(
  Flag.withMetavar("T"),
  Flag.withDescription("Time at most, e.g. 30s, 5m, 2h"),
  Flag.filterMap(
    (word) => Option.fromUndefinedOr(parseDuration(word)),
    (word) => `--time: expected a time such as 30s, 5m or 2h, got "${word}"`
  ),
  Flag.optional,
  Flag.map(Option.getOrUndefined)
)

const bound = (name: string, about: string) =>
  wholeNumber(name, "N", about, 0, 1000).pipe(Flag.optional, Flag.map(Option.getOrUndefined))

const reductions = ["auto", "stateful", "optimal", "source", "states"] as const

/** --reduction, --preemptions, --delays, --iterative, --minimal */
export const explorationFlags = {
  reduction: Flag.String("reduction").pipe(
    Flag.withMetavar("NAME"),
    Flag.withDescription("auto, stateful, optimal, source, states: what is left out as it cannot differ"),
    Flag.filterMap(
      (word) => Option.fromUndefinedOr(reductions.find((name) => name === word)),
      (word) => `--reduction: expected one of ${reductions.join(", ")}, got "${word}"`
    ),
    Flag.withDefault("auto" as const)
  ),
  preemptions: bound("preemptions", "Schedules with at most N preemptions only (one worker)"),
  delays: bound("delays", "Schedules with at most N delays only (one worker)"),
  iterative: toggle("iterative", "No preemption first, then one, two, ... (one worker)"),
  minimal: toggle("minimal", "The first failure, with the fewest preemptions of all (one worker)")
}

const sizes: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }

/** Bytes of `512m`, `2g`, `1.5GiB`. */
const parseSize = (word: string): number | undefined => {
  const { amount, suffix } = /^(?<amount>\d+(?:\.\d+)?)(?<suffix>[kmg])(?:i?b)?$/i.exec(word.trim())?.groups ?? {}
  const bytes = Number(amount) * (sizes[(suffix ?? "").toLowerCase()] ?? Number.NaN)
  return bytes >= leastMemory && bytes <= Number.MAX_SAFE_INTEGER ? bytes : undefined
}

/** A worker with a program in it takes a third of that before it does anything. */
export const leastMemory = 128 * 2 ** 20

export const memory = Flag.String("memory").pipe(
  Flag.withMetavar("SIZE"),
  Flag.withDescription("Memory to use, e.g. 512m, 2g (default: half of the machine's)"),
  Flag.filterMap(
    (word) => Option.fromUndefinedOr(parseSize(word)),
    (word) => `--memory: expected a size such as 512m or 2g, at least 128m, got "${word}"`
  ),
  Flag.withDefault(totalmem() / 2)
)

export const checkpoint = text("checkpoint", "FILE", "Where to save what is done, each minute and at Ctrl-C")
export const resume = text("resume", "FILE", "Go on where a checkpoint stands")

export const workers = wholeNumber("workers", "N", "Threads to work on (default: one for each core)", 1, 256).pipe(
  Flag.withDefault(availableParallelism())
)

export const out = (about: string) => text("out", "PATH", about)

export const scheduleToken = text("schedule", "TOKEN", "Follow this schedule (mm1...., as fuzz prints them)")

export const json = toggle("json", "One JSON document on stdout")
export const quiet = toggle("quiet", "No progress on stderr")
