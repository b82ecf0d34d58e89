/** mm_users, which keeps an address space from being torn down: include/linux/sched/mm.h, kernel/fork.c. */
import { ask, type Path } from "@mmrace/core"
import { atomic_add_return, atomic_inc_not_zero } from "../../objects/Mm.ts"
import type { MmRef, TaskRef } from "../../objects/World.ts"
import { exit_mmap } from "./mmap.ts"

/** mmget_not_zero(): false when the address space is gone or going. */
export function* mmget_not_zero(mm: MmRef): Path<boolean> {
  return yield* ask(mm.mm_users, atomic_inc_not_zero)
}

/** mmput(): the last user tears the address space down. */
export function* mmput(task: TaskRef, mm: MmRef): Path<void> {
  if ((yield* ask(mm.mm_users, atomic_add_return, -1)) === 0) yield* exit_mmap(task, mm)
}
