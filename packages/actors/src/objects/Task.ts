/** Task state: what sleeping and waking act on. kernel/sched/core.c: set_current_state, schedule, try_to_wake_up. */
import { ActorType } from "@mmrace/core"
import { Schema } from "effect"

export type Sleep = "TASK_INTERRUPTIBLE" | "TASK_KILLABLE" | "TASK_UNINTERRUPTIBLE"
export type TaskState = "TASK_RUNNING" | Sleep

export const taskType = new ActorType<TaskState>("task", { show: (s) => s })

/** `set_current_state`, with its full barrier. */
export const set_current_state = taskType.command<TaskState>("set_current_state", {
  access: "write",
  ordering: "acq_rel",
  evolve: (_, state) => state,
  arg: Schema.Literals(["TASK_RUNNING", "TASK_INTERRUPTIBLE", "TASK_KILLABLE", "TASK_UNINTERRUPTIBLE"])
})

/** `schedule`: waits until somebody made the task runnable, or a fatal signal ends a sleep that allows it. */
export const schedule = taskType.command("schedule", {
  access: "write",
  ordering: "acq_rel",
  waits: "user",
  blocked: (state, _arg, thread) => state !== "TASK_RUNNING" && !(thread.killed && state !== "TASK_UNINTERRUPTIBLE"),
  evolve: () => "TASK_RUNNING"
})

/** `try_to_wake_up`: true when the task was sleeping (or about to). */
export const try_to_wake_up = taskType.command<void, boolean>("try_to_wake_up", {
  access: "write",
  ordering: "acq_rel",
  decide: (state) => state !== "TASK_RUNNING",
  evolve: () => "TASK_RUNNING",
  result: Schema.Boolean
})
