/** Program + Kernel -> Model: everything that `fuzz`, `replay` and `shrink` need. */
import { type Executor, type Log, makeModel, type Model } from "@mmrace/core"
import { invariantsFor } from "../invariants/index.ts"
import type { Kernel } from "../kernel/index.ts"
import { retire } from "../objects/Cpu.ts"
import { page_read, page_write } from "../objects/Folio.ts"
import { leave } from "../objects/Syscall.ts"
import { makeWorld, type World } from "../objects/World.ts"
import { MAIN, type Program } from "../program/index.ts"
import { finalCheck } from "./Final.ts"
import { type Machine, runThread } from "./Interpret.ts"
import { Layout } from "./Layout.ts"

export interface LoadedProgram {
  readonly program: Program
  readonly kernel: Kernel
  readonly model: Model
  readonly world: World
  /** What the last execution of `executor` (of this model) ended in, for the table of final states. */
  readonly outcome: ((executor: Executor) => { readonly text: string; readonly holds: boolean }) | undefined
}

/** The program must have passed `check`. */
export const loadProgram = (program: Program, kernel: Kernel): LoadedProgram => {
  let world: World | undefined = undefined
  let check: ReturnType<typeof finalCheck> = undefined
  const model = makeModel(program.name, (m) => {
    const made = makeWorld(m, program, kernel)
    world = made
    const layout = new Layout(made)
    const fromStart = new Set([
      MAIN,
      ...program.regions.flatMap((r) => r.sharedWith === undefined ? [] : [r.sharedWith])
    ])
    const machine: Machine = { layout, threads: m.threads, choice: m.choice, kills: made.kills }
    program.threads.forEach((thread, id) => {
      m.thread(thread.name, () => runThread(machine, id), {
        start: fromStart.has(thread.process) ? "at-once" : "spawned"
      })
    })
    m.progress = isProgress
    for (const monitor of invariantsFor(made)) m.monitor(monitor)
    check = finalCheck(layout)
    if (check !== undefined) m.monitor((check as NonNullable<typeof check>).monitor)
  })
  const final = check as ReturnType<typeof finalCheck>
  return {
    program,
    kernel,
    model,
    world: world!,
    outcome: final === undefined
      ? undefined
      : (executor) => final.outcome(executor.monitorState(model.monitors.indexOf(final.monitor as never)))
  }
}

/** A statement was completed: a system call returned, or an access of user code took place. Programs have no endless loops. */
const isProgress = (log: Log, step: number): boolean => {
  const command: unknown = log.asks[step]!.command
  if (command === leave) return true
  if (command !== retire) return false
  // The instruction is over; it was a page fault unless the step of this thread before it touched the data.
  let before = step - 1
  while (before >= 0 && log.threads[before] !== log.threads[step]) before--
  const last: unknown = before < 0 ? undefined : log.asks[before]!.command
  return last === page_read || last === page_write
}
