/** Shared by the engine's and the primitives' tests. */
import type { Executor, Strategy, Verdict, View } from "@mmrace/core"

/** The log as plain values. */
export const events = (executor: Executor): ReadonlyArray<ReadonlyArray<unknown>> => {
  const { asks, length, results, threads } = executor.log
  return Array.from({ length }, (_, i) => {
    const { actor, arg, command } = asks[i]!
    return [threads[i], actor.name, command.name, arg, results[i]]
  })
}

/** The log as "0 down_read taken" lines: thread, command, argument and result if any. Exits are left out. */
export const lines = (executor: Executor): ReadonlyArray<string> =>
  events(executor).filter(([, , command]) => command !== "exit").map(([thread, , command, arg, result]) =>
    [thread, command, arg, result].filter((part) => part !== undefined).join(" ")
  )

/** A crash's stack depends on who called; everything else of a verdict must not. */
export const comparable = (verdict: Verdict): Verdict =>
  verdict._tag === "Crash" ? { ...verdict, error: verdict.error.split("\n")[0]! } : verdict

/**
 * Moves the threads in the order given, one id for each step (also where there is no choice). Throws when a thread
 * of the order cannot move; goes on without preemption when the order has ended.
 */
export const inOrder = (...order: ReadonlyArray<number>): Strategy => {
  let position = 0
  return {
    name: "in-order",
    begin() {
      position = 0
    },
    pick(view: View) {
      const wanted = order[position] ?? view.last
      for (let i = 0; i < view.enabledCount; i++) if (view.enabled[i] === wanted) return i
      if (order[position] === undefined) return 0
      throw new Error(`thread ${wanted} cannot make step ${position}`)
    },
    choose: () => 0,
    ran(thread) {
      if (order[position] !== undefined && order[position] !== thread) {
        throw new Error(`thread ${thread} made step ${position}, expected ${order[position]}`)
      }
      position++
    }
  }
}
