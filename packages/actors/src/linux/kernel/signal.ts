/** Signals as mm paths see them: include/linux/sched/signal.h. */
import { ask, type Path } from "@mmrace/core"
import { Schema } from "effect"
import { taskType } from "../../objects/Task.ts"
import type { TaskRef } from "../../objects/World.ts"

const pending = taskType.command<void, boolean>("fatal_signal_pending", {
  access: "read",
  decide: (_state, _arg, thread) => thread.killed,
  result: Schema.Boolean
})

/** fatal_signal_pending(current). */
export function* fatal_signal_pending(task: TaskRef): Path<boolean> {
  return yield* ask(task.task, pending)
}
