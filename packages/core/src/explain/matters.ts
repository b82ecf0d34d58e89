/**
 * Which steps of an execution matter: those that read or overwrite what another thread wrote, or write what another
 * thread read before. Locks are left out: they say why an order was possible, not what went wrong.
 */
import { type Ask, locationOf } from "../Ask.ts"
import type { Log } from "../Execution.ts"
import { exitThread } from "../Thread.ts"

/** For each step, whether it conflicts with the access to the same location just before or after it by another thread. */
export const stepsThatMatter = (log: Log, isMark: (ask: Ask<unknown>) => boolean): ReadonlyArray<boolean> => {
  const matters: Array<boolean> = Array.from({ length: log.length }, () => false)
  const lastWrite = new Map<number, number>()
  const readsSince = new Map<number, Array<number>>()
  for (let step = 0; step < log.length; step++) {
    const ask = log.asks[step]!
    if (ask.command.lock !== undefined || isMark(ask) || ask.command === (exitThread as unknown)) continue
    const location = locationOf(ask)
    const thread = log.threads[step]!
    const write = lastWrite.get(location)
    if (write !== undefined && log.threads[write] !== thread) matters[write] = matters[step] = true
    if (!ask.command.isWrite) {
      const reads = readsSince.get(location)
      if (reads === undefined) readsSince.set(location, [step])
      else reads.push(step)
      continue
    }
    for (const read of readsSince.get(location) ?? []) {
      if (log.threads[read] !== thread) matters[read] = matters[step] = true
    }
    readsSince.set(location, [])
    lastWrite.set(location, step)
  }
  return matters
}
