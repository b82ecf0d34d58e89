/** How an execution ended. */
export type Verdict =
  | { readonly _tag: "Ok" }
  /** A monitor or end-of-execution check reported. `subject` says which object, for telling failures apart. */
  | {
    readonly _tag: "Violation"
    readonly monitor: string
    readonly message: string
    readonly subject: string
    readonly step: number
  }
  /** Threads are left and none can move, or a cycle of waiters that nothing ends formed while others still run. */
  | { readonly _tag: "Deadlock"; readonly waits: ReadonlyArray<Wait>; readonly step: number }
  /** The same states and fiber histories come again for ever, with nobody making progress. */
  | { readonly _tag: "Livelock"; readonly cycleStart: number; readonly cycleLength: number; readonly step: number }
  | { readonly _tag: "StepLimit"; readonly step: number }
  /** A thread, an actor or a monitor threw. */
  | { readonly _tag: "Crash"; readonly where: string; readonly error: string; readonly step: number }

export interface Wait {
  readonly thread: string
  readonly actor: string
  readonly command: string
  /** Names of the threads waited for. */
  readonly waitsFor: ReadonlyArray<string>
}

export const ok: Verdict = { _tag: "Ok" }

/** Identity of a failure: what broke and where, not the schedule that led there. Equal text = the same failure. */
export const failureId = (verdict: Verdict): string | undefined => {
  switch (verdict._tag) {
    case "Ok":
      return undefined
    case "Violation":
      return `${verdict.monitor}:${verdict.subject}`
    case "Deadlock":
      return `deadlock:${verdict.waits.map((w) => `${w.thread}@${w.actor}.${w.command}`).toSorted().join(",")}`
    case "Livelock":
      return "livelock"
    case "StepLimit":
      return "step-limit"
    case "Crash":
      return `crash:${verdict.where}`
  }
}
