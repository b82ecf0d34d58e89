/** The operations in progress, as the marks of `Syscall.ts` tell them. */
import type { Event } from "@mmrace/core"
import { type Call, enter, leave, type MmRef, type World } from "../objects/index.ts"
import { withItem } from "./where.ts"

/** By thread: the operation it is in. */
export type Calls = ReadonlyArray<Call | undefined>

export const callCommands = [enter, leave] as const

export const isEnter = (event: Event): boolean => event.command === (enter as unknown)
export const isLeave = (event: Event): boolean => event.command === (leave as unknown)

export const callsStep = (calls: Calls, event: Event): Calls =>
  isEnter(event)
    ? withItem(calls, event.thread, event.arg as Call)
    : isLeave(event)
    ? withItem(calls, event.thread, undefined)
    : calls

/** Address space an operation works on: that of its userfaultfd, or its thread's. */
export const mmOf = (world: World, thread: number, call: Call): MmRef => {
  if (call.ctx >= 0) {
    const mm = world.ctxs[call.ctx]!.ctx.state.mm
    if (mm >= 0) return world.mms[mm]!
  }
  return world.tasks[thread]!.mm
}

export const covers = (call: Call, page: number): boolean => page >= call.page && page < call.page + call.pages

/** User space throws away what is in the pages. */
export const discards = (call: Call): boolean =>
  call.name === "madvise_dontneed" || call.name === "munmap" || call.name === "mmap"

/** A userfaultfd operation that fills empty pages. */
export const fills = (call: Call): boolean => call.name === "copy" || call.name === "zeropage"

/** A userfaultfd operation that ends with waking those who wait for its pages, when it succeeds. */
export const wakes = (call: Call): boolean =>
  call.name === "wake" ||
  (!call.dontwake && (fills(call) || (call.name === "writeprotect" && call.mode === 0)))
