/** Delivering page faults to user space: fs/userfaultfd.c, handle_userfault() and what it calls. */
import type { Path } from "@mmrace/core"
import type { Vmf } from "../../types.ts"

export type Reason = "missing" | "wp"

/** handle_userfault(): returns vm_fault_t bits. */
export function* handle_userfault(vmf: Vmf, reason: Reason): Path<number> {
  throw new Error(`${vmf.address} ${reason}`)
}
