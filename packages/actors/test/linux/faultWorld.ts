/** Runs small programs without invariants, and checks that everything is back where it belongs at the end. */
import {
  emptyProfile,
  Executor as Engine,
  type Executor,
  exitThread,
  makeModel,
  type Model,
  Mutex,
  portfolio,
  Sequential,
  type Strategy
} from "@mmrace/core"
import { Result } from "effect"
import type { Kernel } from "../../src/kernel/index.ts"
import { makeWorld, type World } from "../../src/objects/World.ts"
import { parse, type Program } from "../../src/program/index.ts"
import { runThread } from "../../src/run/Interpret.ts"
import { Layout } from "../../src/run/Layout.ts"

export interface Loaded {
  readonly model: Model
  readonly world: World
  readonly program: Program
}

export const load = (text: string, kernel: Kernel): Loaded => {
  const parsed = parse(`mmrace test\n${text}`)
  if (Result.isFailure(parsed)) throw parsed.failure
  const { program } = parsed.success
  let world: World | undefined = undefined
  const model = makeModel("test", (m) => {
    const made = makeWorld(m, program, kernel)
    world = made
    const machine = { layout: new Layout(made), threads: m.threads, choice: m.choice, kills: false }
    const fromStart = new Set(["main", ...program.regions.map((region) => region.sharedWith)])
    program.threads.forEach((thread, id) => {
      m.thread(thread.name, () => runThread(machine, id), {
        start: fromStart.has(thread.process) ? "at-once" : "spawned"
      })
    })
  })
  return { model, world: world!, program }
}

/** Registers at the end, `thread:name` -> value. */
export const registersOf = (executor: Executor): Record<string, number> => {
  const registers: Record<string, number> = {}
  const { asks, length, results, threads } = executor.log
  for (let i = 0; i < length; i++) {
    if (asks[i]!.command !== (exitThread as unknown)) continue
    for (const [name, value] of Object.entries(results[i] as Record<string, number>)) {
      registers[`${executor.model.threads[threads[i]!]!.name}:${name}`] = value
    }
  }
  return registers
}

/** What is not as it must be when nothing runs: locks held, references and slots that nobody accounts for. */
export const leaks = (world: World): ReadonlyArray<string> => {
  const found: Array<string> = []
  const expect = (what: string, actual: unknown, expected: unknown): void => {
    if (actual !== expected) found.push(`${what}: ${String(actual)}, expected ${String(expected)}`)
  }
  const free = new Set(world.buddy.state)
  for (const { folio, lock, pfn } of world.folios) {
    const { mapcount, refcount, swap } = folio.state
    let ptes = 0
    for (const mm of world.mms) {
      for (const pte of mm.ptes) if (pte.state._tag === "present" && pte.state.pfn === pfn) ptes++
    }
    expect(`PG_locked(${pfn})`, lock.state, Mutex.free)
    if (pfn === 0) continue
    expect(`mapcount of pfn ${pfn}`, mapcount, ptes)
    expect(`refcount of pfn ${pfn}`, refcount, ptes + (swap >= 0 ? 1 : 0))
    expect(`pfn ${pfn} free`, free.has(pfn), refcount === 0)
    if (swap >= 0) expect(`swap cache of slot ${swap}`, world.slots[swap]!.actor.state.cache, pfn)
  }
  expect("free list", world.buddy.state.length, free.size)
  for (const { actor, offset } of world.slots) {
    let ptes = 0
    for (const mm of world.mms) {
      for (const pte of mm.ptes) if (pte.state._tag === "swap" && pte.state.offset === offset) ptes++
    }
    expect(`count of slot ${offset}`, actor.state.count, ptes)
    expect(`SWAP_HAS_CACHE of slot ${offset}`, actor.state.hasCache, actor.state.cache >= 0)
  }
  for (const mm of world.mms) {
    expect(`${mm.name} mmap_lock`, mm.mmap_lock.state.writer < 0 && mm.mmap_lock.state.readers.length === 0, true)
    for (const ptl of mm.ptls) expect(ptl.name, ptl.state, Mutex.free)
    for (const vma of mm.vmas) {
      expect(`readers of ${vma.name}`, vma.state.readers.length, 0)
      expect(`vm_refcnt of ${vma.name}`, vma.state.vm_refcnt <= 1, true)
    }
  }
  for (const { actor } of world.cpus) expect(`instruction of ${actor.name}`, actor.state.instruction, -1)
  return found
}

export interface Explored {
  /** Final registers that were seen (printed with keys in order), and how often. */
  readonly outcomes: ReadonlyMap<string, number>
  /** How executions ended: verdict tags, with the error of a crash. */
  readonly verdicts: ReadonlyMap<string, number>
  /** Leaks seen, and how often. */
  readonly leaks: ReadonlyMap<string, number>
}

const count = (map: Map<string, number>, key: string): void => {
  map.set(key, (map.get(key) ?? 0) + 1)
}

/** `runs` executions under the rotating portfolio. */
export const explore = (loaded: Loaded, runs: number, atEnd?: (executor: Executor) => void): Explored => {
  const executor = new Engine(loaded.model)
  const plan = portfolio()
  const outcomes = new Map<string, number>()
  const verdicts = new Map<string, number>()
  const leaked = new Map<string, number>()
  for (let i = 0; i < runs; i++) {
    const verdict = executor.run(plan.strategyFor(i, emptyProfile), 7919 * i + 1)
    count(verdicts, verdict._tag === "Crash" ? `${verdict.where}: ${verdict.error}` : verdict._tag)
    if (verdict._tag !== "Ok") continue
    count(outcomes, Object.entries(registersOf(executor)).toSorted().map(([k, v]) => `${k}=${v}`).join(" "))
    for (const leak of leaks(loaded.world)) count(leaked, leak)
    atEnd?.(executor)
  }
  return { outcomes, verdicts, leaks: leaked }
}

/** A leg of a directed schedule: `thread` moves until its next step is `until` (its end without). */
export interface Leg {
  readonly thread: string
  /** Name of a command, or `actor.command`. */
  readonly until?: string
}

/** The schedule that goes leg by leg; a thread that cannot move ends its leg. Then the first one that can. */
export const directed = (model: Model, legs: ReadonlyArray<Leg>): Strategy => {
  const ids = legs.map((leg) => model.threads.findIndex((thread) => thread.name === leg.thread))
  let at = 0
  return {
    name: "directed",
    begin: () => {
      at = 0
    },
    pick: (view) => {
      for (; at < legs.length; at++) {
        const id = ids[at]!
        const { until } = legs[at]!
        if (!view.isEnabled(id)) continue
        const { actor, command } = view.pending(id)
        if (until === command.name || until === `${actor.name}.${command.name}`) continue
        for (let i = 0; i < view.enabledCount; i++) if (view.enabled[i] === id) return i
      }
      return 0
    },
    choose: () => 0
  }
}

/** One execution, step by step as `thread actor.command`. Fails on a crash, a deadlock or a leak. */
export const runOnce = (loaded: Loaded, strategy: Strategy = new Sequential()): RanOnce => {
  const executor = new Engine(loaded.model)
  const verdict = executor.run(strategy)
  const { asks, length, threads } = executor.log
  const steps = Array.from(
    { length },
    (_, i) => `${loaded.model.threads[threads[i]!]!.name} ${asks[i]!.actor.name}.${asks[i]!.command.name}`
  )
  if (verdict._tag !== "Ok") throw new Error(`${JSON.stringify(verdict)}\n${steps.join("\n")}`)
  return { registers: registersOf(executor), steps, leaks: leaks(loaded.world) }
}

export interface RanOnce {
  readonly registers: Record<string, number>
  readonly steps: ReadonlyArray<string>
  readonly leaks: ReadonlyArray<string>
}
