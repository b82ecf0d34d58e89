/**
 * Plays a script of steps in a world, one monitor listening: for each step the thread that makes it and what it asks.
 * Nothing of the kernel's paths takes part, so that each test says exactly which steps break the invariant.
 */
import { type Ask, Executor, makeModel, type Rwsem, type Strategy, type Verdict } from "@mmrace/core"
import { invariant, type InvariantId, invariantIds } from "@mmrace/actors/invariants/index"
import { Kernel } from "@mmrace/actors/kernel/index"
import { type Inc, makeWorld, type World } from "@mmrace/actors/objects/index"
import type { Pte } from "@mmrace/arch"
import type { Program } from "@mmrace/actors/program/index"

/** Threads t0, t1 (main), c0 (child), each on a CPU of its own; one region A of one page. */
export const program = (more: Partial<Program> = {}): Program => ({
  name: "test",
  kernel: {},
  with: [],
  without: [],
  fixes: [],
  breaks: [],
  limits: {},
  swap: { slots: 2, device: "disk" },
  regions: [{ name: "A", kind: "anon", protection: "rw", pages: 1, content: 1, swapped: false }],
  uffds: [],
  registrations: [],
  tlb: [],
  threads: [
    {
      name: "t0",
      process: "main",
      body: [{ _tag: "fork", result: "child" }, {
        _tag: "pin",
        result: "p",
        page: { region: "A", page: 0 },
        access: "write"
      }]
    },
    { name: "t1", process: "main", body: [] },
    { name: "c0", process: "child", body: [] }
  ],
  ...more
})

/** Asks of any result: the script does not look at results. */
type AnyAsk = Ask<never> | Ask<void> | Ask<boolean> | Ask<number> | Ask<Pte> | Ask<Inc> | Ask<Rwsem.Down>

export type Step = readonly [thread: number, ask: AnyAsk]

/** Runs thread after thread as the script says. */
const scripted = (order: ReadonlyArray<number>): Strategy => {
  let next = 0
  return {
    name: "scripted",
    begin() {
      next = 0
    },
    pick(view) {
      const wanted = order[view.step]
      for (let i = 0; i < view.enabledCount; i++) if (view.enabled[i] === wanted) return i
      if (wanted === undefined) return 0
      throw new Error(`step ${next}: thread ${wanted} cannot move`)
    },
    choose: () => 0
  }
}

const sentinel = Symbol("end of script")

export interface Played {
  readonly verdict: Verdict
  readonly steps: number
  readonly executor: Executor
}

/** Plays the script with the monitors of `ids` (default: all of them, whether they mean anything there or not). */
export const play = (
  script: (world: World) => ReadonlyArray<Step>,
  ids: ReadonlyArray<InvariantId> = invariantIds,
  options: { readonly program?: Program; readonly kernel?: Kernel } = {}
): Played => {
  const source = options.program ?? program()
  let steps: ReadonlyArray<Step> = []
  const model = makeModel("script", (m) => {
    const world = makeWorld(m, source, options.kernel ?? Kernel.complete())
    steps = script(world)
    source.threads.forEach((thread, id) => {
      m.thread(thread.name, function*() {
        for (const [t, ask] of steps) if (t === id) yield* ask
        return sentinel
      })
    })
    for (const id of ids) m.monitor(invariant(id, world))
  })
  const executor = new Executor(model)
  const order: Array<number> = []
  // The end of a thread is a step too, right after its last one (at once, when it has none).
  const left = source.threads.map((_, id) => steps.filter(([t]) => t === id).length)
  left.forEach((n, id) => {
    if (n === 0) order.push(id)
  })
  for (const [t] of steps) {
    order.push(t)
    if (--left[t]! === 0) order.push(t)
  }
  const verdict = executor.run(scripted(order))
  return { verdict, steps: steps.length, executor }
}

/** The number of the invariant that broke and the step of the script that broke it, or the verdict's tag. */
export const outcome = (played: Played): string => {
  const { executor, verdict } = played
  if (verdict._tag !== "Violation") return verdict._tag
  let step = 0
  const { log } = executor
  for (let i = 0; i < verdict.step; i++) if (log.asks[i]!.command.name !== "exit") step++
  return `${verdict.monitor} at ${step}`
}
