/**
 * Follows a recorded choice stream. Where a choice does not fit (index out of range: the kernel or the model
 * changed) or the stream has ended, it goes on without preemption and counts the misfit.
 */
import type { Strategy, View } from "../Strategy.ts"
import { continueLast } from "./Sequential.ts"

export class FromChoices implements Strategy {
  readonly name = "from-schedule"
  /** Choices that were out of range in the last execution. */
  misfits = 0
  private readonly choices: ReadonlyArray<number>
  private position = 0

  constructor(choices: ReadonlyArray<number>) {
    this.choices = choices
  }

  begin(): void {
    this.position = 0
    this.misfits = 0
  }

  pick(view: View): number {
    const choice = this.choices[this.position++]
    if (choice === undefined) return continueLast(view)
    if (choice < view.enabledCount) return choice
    this.misfits++
    return continueLast(view)
  }

  choose(n: number): number {
    const choice = this.choices[this.position++]
    if (choice === undefined) return 0
    if (choice < n) return choice
    this.misfits++
    return 0
  }
}
