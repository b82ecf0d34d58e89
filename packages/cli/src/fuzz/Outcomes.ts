/** Counts the states that executions end in, for programs with a final condition. */
import { finalCheck, Layout, type LoadedProgram } from "@mmrace/actors"
import { type Ask, type Command, exitThread, type Mergeable, type Verdict } from "@mmrace/core"

/** `dma:r0=7;`, whether it satisfies the condition, and how many executions ended so. */
export interface FinalState {
  readonly state: string
  readonly holds: boolean
  readonly count: number
}

export class Outcomes implements Mergeable<ReadonlyArray<FinalState>> {
  private readonly outcome: ((state: unknown) => { readonly text: string; readonly holds: boolean }) | undefined
  private readonly counts = new Map<string, { readonly holds: boolean; count: number }>()
  private registers: Record<number, unknown> = {}

  constructor({ world }: LoadedProgram) {
    this.outcome = finalCheck(new Layout(world))?.outcome
  }

  readonly wants = (command: Command<unknown, unknown, unknown>): boolean => command === (exitThread as unknown)

  begin(): void {
    this.registers = {}
  }

  step(thread: number, _ask: Ask<unknown>, result: unknown): void {
    this.registers[thread] = result
  }

  /** An execution that something else ended has no final state. */
  end(verdict: Verdict): void {
    if (this.outcome === undefined) return
    if (verdict._tag !== "Ok" && !(verdict._tag === "Violation" && verdict.monitor === "final")) return
    const { holds, text } = this.outcome({ registers: this.registers })
    this.add({ state: text, holds, count: 1 })
  }

  /** All states, ordered by their text. */
  export(): ReadonlyArray<FinalState> {
    return [...this.counts]
      .map(([state, { count, holds }]) => ({ state, holds, count }))
      .sort((a, b) => a.state < b.state ? -1 : 1)
  }

  merge(states: ReadonlyArray<FinalState>): void {
    for (const state of states) this.add(state)
  }

  private add({ count, holds, state }: FinalState): void {
    const known = this.counts.get(state)
    if (known === undefined) this.counts.set(state, { holds, count })
    else known.count += count
  }
}
