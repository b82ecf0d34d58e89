/** `mmrace demo`: the main job on a shipped program, from finding a race to the kernel that no longer has it. */
import { defaultStrategy, isFailure } from "@mmrace/core"
import { Command } from "effect/cli"
import * as Effect from "effect/Effect"
import { exit } from "../exit.ts"
import { runSession, type SessionOptions } from "../fuzz/session.ts"
import { asStated } from "../kernelOf.ts"
import * as O from "../options.ts"
import { renderFound, renderStatistics, title, verdictLine } from "../report/summary.ts"
import { beQuiet, count, print, styled } from "../screen.ts"
import { load, openSubject } from "../Subject.ts"
import { exitCodes, userError } from "../UserError.ts"
import { defaultFolder } from "./fuzz.ts"
import { readWhole, strictly } from "./replay.ts"

/** GUP-fast against fork. */
const flagship = "B-05"
/** As many executions on the fixed kernel as without, and enough to have met the race many times. */
const executions = 10_000

const step = (n: number, text: string): void => print(styled("bold", `\n${n}. ${text}`))

export const demo = Command.make("demo", {
  seed: O.seed,
  workers: O.workers,
  out: O.out(`Folder for logs (default ${defaultFolder})`),
  quiet: O.quiet
}, (input) =>
  Effect.gen(function*() {
    if (input.quiet) beQuiet()
    const { source } = yield* openSubject(flagship)
    const before = yield* load(source, asStated)
    const fixed = yield* load(source, { ...asStated, fixed: true })
    const options: SessionOptions = {
      seed: input.seed,
      strategy: defaultStrategy,
      runs: executions,
      time: undefined,
      keepGoing: false,
      maxSteps: 10_000,
      workers: input.workers,
      folder: input.out ?? defaultFolder,
      checkFolder: true,
      shrink: true
    }
    step(1, `Fuzzing ${title(before)}`)
    print(source.text.trimEnd().split("\n").map((line) => `   ${line}`.trimEnd()).join("\n"))
    print()
    const session = yield* runSession(before, options)
    const found = session.found[0]
    for (const one of session.found) for (const line of renderFound(before, one)) print(line)
    if (found?.minimal?.log === undefined) {
      for (const line of renderStatistics(before, session.fuzzed, options)) print(line)
      return yield* session.fuzzed.ending === "interrupt"
        ? exit(exitCodes.interrupted)
        : userError(`no failure of ${flagship} was found and written; try another --seed`)
    }

    step(2, `Replaying ${found.minimal.log}`)
    const opened = yield* Effect.flatMap(
      openSubject(found.minimal.log),
      (subject) =>
        subject._tag === "Log" ? readWhole(subject.path, subject.header, subject.source) : userError("no log")
    )
    const replayed = strictly(opened)
    if (replayed._tag === "Diverged") {
      print(replayed.text)
      return yield* exit(exitCodes.diverged)
    }
    print(`${count(replayed.steps, "step")}: ${styled("green", "identical, every event and the verdict")}`)
    if (replayed.verdict !== undefined) print(verdictLine(replayed.verdict))

    step(3, `The same fuzzing on ${title(fixed)}`)
    const again = yield* runSession(fixed, options)
    for (const one of again.found) for (const line of renderFound(fixed, one)) print(line)
    for (const line of renderStatistics(fixed, again.fuzzed, options)) print(line)
    if (again.fuzzed.ending === "interrupt") return yield* exit(exitCodes.interrupted)
    const survived = again.fuzzed.report.failures.every((f) => !isFailure(f.verdict))
    print()
    print(
      survived
        ? styled("green", "The race was found, minimised and replayed; the kernel with the fix survives.")
        : styled("red", "The kernel with the fix failed too.")
    )
    // What was to be found was found: a clean demonstration.
    yield* exit(survived ? exitCodes.clean : exitCodes.violation)
  })).pipe(Command.withDescription("Find, minimise, replay and explain a race in a shipped program"))
