/** The end of an execution that the executor ran, for naming its outcome. */
import type { Executor } from "../Execution.ts"
import type { Final } from "./Outcomes.ts"

/** Valid until the executor's next run. */
export const finalOf = ({ log, model }: Executor): Final => ({
  returned: (thread) => {
    const { exit } = model.threads[thread]!
    for (let i = log.length - 1; i >= 0; i--) if (log.asks[i] === exit) return log.results[i]
    return undefined
  }
})
