import type { Path } from "@mmrace/core"
import type { MmRef, RegionRef, TaskRef } from "../../objects/World.ts"
/** mmap(2) of a whole region, MAP_FIXED: 0 or a negative errno. */
export function* sys_mmap(task: TaskRef, region: RegionRef): Path<number> {
  throw new Error(`${task.name} ${region.name}`)
}
/** munmap(2): 0 or a negative errno. */
export function* sys_munmap(task: TaskRef, start: number, end: number): Path<number> {
  throw new Error(`${task.name} ${start} ${end}`)
}
/** exit_mmap(): unmaps everything of an address space that has no users any more; no events. */
export function* exit_mmap(task: TaskRef, mm: MmRef): Path<void> {
  throw new Error(`${task.name} ${mm.name}`)
}
