/**
 * `settle(key)`: a thread says that what it will do from here on depends on `key` and on what it will be told, and on
 * nothing that it was told before. Exploration tells threads apart by all that they were told; a thread that settles is
 * told apart by its key only, so states become equal sooner, and a thread that goes round a loop comes back to where it
 * was. Executions do not look at it.
 *
 *     for (let round = 0; round < 3; round++) {
 *       settle(round)
 *       ...
 *     }
 *
 * Call it in the thread's own code, before the ask that comes next. The key is a plain value, not changed afterwards: it must hold every local
 * variable that is still needed, of callers, too. Two different places of one thread need different keys. Exploration
 * throws when a thread asks differently after the same key.
 */
import { stopped } from "./internal/fiberPort.ts"

export const settle = (key: unknown): void => {
  stopped.settled = { key }
}
