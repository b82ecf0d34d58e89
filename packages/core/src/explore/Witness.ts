/** An execution given as a list of thread moves, run by the executor: from that come its choices and its verdict. */
import { Executor } from "../Execution.ts"
import type { Model } from "../Model.ts"
import type { Strategy, View } from "../Strategy.ts"
import type { Verdict } from "../Verdict.ts"

/** One step of a thread; `value` is the number of a data choice, otherwise -1. */
export interface Move {
  readonly thread: number
  readonly value: number
}

export interface Witness {
  readonly choices: ReadonlyArray<number>
  readonly verdict: Verdict
  /** Moves at which another thread took over from one that could have gone on. */
  readonly preemptions: number
}

export interface WitnessOptions {
  readonly maxSteps: number
  readonly partialDeadlocks: boolean
}

/** Runs the moves and then on to the end without preemption. Throws when a move is not possible. */
export const witnessOf = (model: Model, moves: ReadonlyArray<Move>, options: WitnessOptions): Witness => {
  const executor = new Executor(model, options)
  const strategy = new FromMoves(moves)
  const verdict = executor.run(strategy)
  return { choices: executor.copyChoices(), verdict, preemptions: strategy.preemptions }
}

class FromMoves implements Strategy {
  readonly name = "from-moves"
  preemptions = 0
  private readonly moves: ReadonlyArray<Move>
  private position = 0

  constructor(moves: ReadonlyArray<Move>) {
    this.moves = moves
  }

  begin(): void {
    this.preemptions = 0
    this.position = 0
  }

  pick(view: View): number {
    const wanted = this.moves[this.position]?.thread ?? view.last
    for (let i = 0; i < view.enabledCount; i++) {
      if (view.enabled[i] !== wanted) continue
      if (wanted !== view.last && view.last >= 0 && view.isEnabled(view.last)) this.preemptions++
      return i
    }
    if (this.position < this.moves.length) {
      throw new Error(
        `move ${this.position} of an explored execution cannot be repeated: is the model deterministic?`
      )
    }
    return 0
  }

  choose(): number {
    return Math.max(0, this.moves[this.position]?.value ?? 0)
  }

  ran(): void {
    this.position++
  }
}
