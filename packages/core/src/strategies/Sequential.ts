/** No preemption: the running thread goes on while it can, then the enabled thread with the lowest id. */
import type { Strategy, View } from "../Strategy.ts"

/** The default continuation everywhere: index of the thread that ran last, else 0. */
export const continueLast = (view: View): number => {
  for (let i = 0; i < view.enabledCount; i++) if (view.enabled[i] === view.last) return i
  return 0
}

export class Sequential implements Strategy {
  readonly name = "sequential"
  begin(): void {}
  pick(view: View): number {
    return continueLast(view)
  }
  choose(): number {
    return 0
  }
}
