/** A test at work: where it is, how long it may take, how it fails. */
import type { Counts } from "../explore/Explore.ts"
import type { Place } from "./command.ts"
import { RaceError, type Site } from "./RaceError.ts"

export interface Trial {
  readonly place: Place
  readonly site: Site
  /** Milliseconds; 0 or Infinity for no limit. */
  readonly timeout: number
  /** The only schedule to run, as a token. */
  readonly token: string | undefined
}

/** Says when the time is over. */
export const stopwatch = (timeout: number): () => boolean => {
  const end = timeout > 0 ? performance.now() + timeout : Number.POSITIVE_INFINITY
  return () => performance.now() > end
}

export const timeIsOver = (timeout: number): string => `the test's timeout of ${timeout / 1000} s was over`

/** The first paragraph says what is wrong in one line. */
export const raceError = (site: Site, ...paragraphs: ReadonlyArray<string>): RaceError =>
  new RaceError(paragraphs.map((text) => text.trimEnd()).join("\n\n"), site)

/** `1 step`, `1,200 steps`. */
export const counted = (n: number, what: string): string => `${n.toLocaleString("en-US")} ${what}${n === 1 ? "" : "s"}`

export const countsOf = ({ executions, states, steps }: Counts): string =>
  [
    counted(executions, "execution"),
    counted(steps, "step"),
    ...(states > 0 ? [counted(states, "state")] : [])
  ].join(", ")

export const spinAdvice =
  "A thread that spins until another one has moved has executions without end: let it wait in a command that blocks (`Cell.awaitValue`, a lock or a condition of `primitives`), or `settle` where its loop begins, or raise `maxSteps` if executions are that long."

/** What to do about a model that is not deterministic. */
export const mustRepeat =
  "All that an execution depends on must be in actors, results of asks and local variables of threads: `checkDeterminism` names the first step that differs between two executions of one schedule."
