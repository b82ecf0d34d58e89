import type { Path } from "@mmrace/core"
import type { Prot } from "../../objects/Vma.ts"
import type { TaskRef } from "../../objects/World.ts"
/** mprotect(2): 0 or a negative errno. */
export function* sys_mprotect(task: TaskRef, start: number, end: number, prot: Prot): Path<number> {
  throw new Error(`${task.name} ${start} ${end} ${prot}`)
}
