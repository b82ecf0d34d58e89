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
 * Call it in the thread's own code, before the ask that comes next. The key is a plain value, not changed afterwards: it
 * must hold every local variable that is still needed, of callers, too. Two different places of one thread need different
 * keys. Exploration throws when a thread asks differently after the same key.
 *
 * Inside a path that was called with `call`, all that is about the time since that call began: what was before it is
 * remembered, and the key need not hold it.
 */
import type { Path } from "./Ask.ts"
import { type Call, stopped } from "./internal/fiberPort.ts"

/** `settle(key, local)` is `settle([key, local])`, and makes no array where nobody looks at it. */
export const settle = (key: unknown, local?: unknown): void => {
  const { calls } = stopped
  if (calls === undefined) return
  const call = calls.at(-1)
  const settled = { call, returned: false, value: local === undefined ? key : [key, local] }
  // Before the first ask of a call what is outside of it may have settled, too.
  if (call !== undefined && call.since === undefined) call.first = settled
  else stopped.settled = settled
}

/**
 * `yield* call(path)`: like `yield* path`, and says that once `path` has returned, what follows depends on what came before
 * it and on its result: not on how it came to that.
 *
 *     const fault = yield* call(handle_mm_fault(task, mm, vma, address, flags))
 *
 * Results are compared as plain values. `path` hands on nothing else: what it is given, and what it can reach, is no
 * different afterwards. Exploration throws when a thread asks differently after the same call with the same result.
 */
export const call = <T>(path: Path<T>): Path<T> => stopped.calls === undefined ? path : called(path, stopped.calls)

function* called<T>(path: Path<T>, calls: Array<Call>): Path<T> {
  const own: Call = { depth: calls.length, since: undefined, first: undefined }
  calls.push(own)
  try {
    const result = yield* path
    // Without an ask there is nothing to forget.
    if (own.since !== undefined) stopped.settled = { call: own, returned: true, value: result }
    return result
  } finally {
    calls.length = own.depth
  }
}
