/** Non-cooperative events: fs/userfaultfd.c, from dup_userfaultfd() on. */
import type { Path } from "@mmrace/core"
import type { CtxRef, MmRef, TaskRef } from "../../../objects/World.ts"
import type { VmaRef } from "../../types.ts"

/** `struct userfaultfd_fork_ctx`: the child's new context and the parent's it came from. */
export interface ForkContext {
  readonly orig: CtxRef
  readonly new: CtxRef
}

/** dup_userfaultfd(): what fork does with the context of one VMA. The contexts it makes go to `list`. */
export function* dup_userfaultfd(task: TaskRef, parent: VmaRef, child: VmaRef, mm: MmRef, list: Array<ForkContext>): Path<void> {
  throw new Error(`${task.name} ${parent.number} ${child.number} ${mm.id} ${list.length}`)
}

export function* dup_userfaultfd_complete(task: TaskRef, list: ReadonlyArray<ForkContext>): Path<void> {
  throw new Error(`${task.name} ${list.length}`)
}

export function* dup_userfaultfd_fail(task: TaskRef, list: ReadonlyArray<ForkContext>): Path<void> {
  throw new Error(`${task.name} ${list.length}`)
}
