/**
 * A wait queue (include/linux/wait.h): a thread joins the queue in one step, looks at its condition in others, and
 * sleeps in a last one. A wake-up takes threads off the queue; `sleep` waits exactly as long as the thread is on it.
 * So a thread that is woken between joining and sleeping does not sleep, and one that looks at its condition before it
 * joins can miss the only wake-up there will be.
 */
import { type Actor, ActorType } from "../Actor.ts"
import { ask, type Ask, type Path } from "../Ask.ts"
import { aBoolean, anInt } from "../Shape.ts"

/** Thread ids on the queue, in the order they joined. */
export type WaitQueueState = ReadonlyArray<number>

export const empty: WaitQueueState = []

const type = new ActorType<WaitQueueState>("wait-queue", {
  show: (queue) => queue.length === 0 ? "empty" : `${queue.length === 1 ? "thread" : "threads"} ${queue.join(", ")}`
})

const without = (queue: WaitQueueState, thread: number): WaitQueueState =>
  queue.includes(thread) ? queue.filter((t) => t !== thread) : queue

/** The steps. */
export const waitQueue = {
  type,
  /** Joins the queue; nothing happens when the thread is on it already. */
  prepare: type.command("prepare_to_wait", {
    access: "write",
    ordering: "acq_rel",
    evolve: (queue, _arg, _result, thread) => queue.includes(thread) ? queue : [...queue, thread]
  }),
  /** Waits until woken; returns at once when the thread is not on the queue. */
  sleep: type.command("sleep", {
    access: "read",
    ordering: "acquire",
    blocked: (queue, _arg, thread) => queue.includes(thread.id)
  }),
  /** False: a fatal signal came first; the thread is still on the queue until `finish_wait`. */
  sleepKillable: type.command<void, boolean>("sleep_killable", {
    access: "read",
    ordering: "acquire",
    blocked: (queue, _arg, thread) => !thread.killed && queue.includes(thread.id),
    decide: (queue, _arg, thread) => !queue.includes(thread.id),
    result: aBoolean
  }),
  /** Leaves the queue, if still on it. */
  finish: type.command("finish_wait", {
    access: "write",
    ordering: "relaxed",
    evolve: (queue, _arg, _result, thread) => without(queue, thread)
  }),
  /** Wakes the thread that has waited longest; returns how many were woken, 0 or 1. */
  wakeOne: type.command<void, number>("wake_one", {
    access: "write",
    ordering: "acq_rel",
    decide: (queue) => Math.min(1, queue.length),
    evolve: (queue) => queue.length === 0 ? queue : queue.slice(1),
    result: anInt
  }),
  /** Wakes everybody on the queue; returns how many were woken. */
  wakeAll: type.command<void, number>("wake_all", {
    access: "write",
    ordering: "acq_rel",
    decide: (queue) => queue.length,
    evolve: (queue) => queue.length === 0 ? queue : empty,
    result: anInt
  }),
  /** Whether somebody is on the queue (waitqueue_active: says nothing about a thread that is about to join). */
  isActive: type.command<void, boolean>("is_active", {
    access: "read",
    ordering: "relaxed",
    decide: (queue) => queue.length > 0,
    result: aBoolean
  })
}

export const prepare = (queue: Actor<WaitQueueState>): Ask<void> => ask(queue, waitQueue.prepare)
export const sleep = (queue: Actor<WaitQueueState>): Ask<void> => ask(queue, waitQueue.sleep)
export const sleepKillable = (queue: Actor<WaitQueueState>): Ask<boolean> => ask(queue, waitQueue.sleepKillable)
export const finish = (queue: Actor<WaitQueueState>): Ask<void> => ask(queue, waitQueue.finish)
export const wakeOne = (queue: Actor<WaitQueueState>): Ask<number> => ask(queue, waitQueue.wakeOne)
export const wakeAll = (queue: Actor<WaitQueueState>): Ask<number> => ask(queue, waitQueue.wakeAll)

/** wait_event(): sleeps until `condition` gives true. */
export function* waitEvent(queue: Actor<WaitQueueState>, condition: () => Path<boolean>): Path<void> {
  while (true) {
    yield* ask(queue, waitQueue.prepare)
    if (yield* condition()) break
    yield* ask(queue, waitQueue.sleep)
  }
  yield* ask(queue, waitQueue.finish)
}
