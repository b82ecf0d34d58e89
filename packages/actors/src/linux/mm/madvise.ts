import type { Path } from "@mmrace/core"
import type { TaskRef } from "../../objects/World.ts"
import type { Advice } from "../../program/index.ts"
/** madvise(2): 0 or a negative errno. */
export function* sys_madvise(task: TaskRef, start: number, end: number, advice: Advice): Path<number> {
  throw new Error(`${task.name} ${start} ${end} ${advice}`)
}
