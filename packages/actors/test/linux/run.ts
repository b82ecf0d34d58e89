/** Runs programs, invariants included, and looks at what they leave behind. */
import {
  emptyProfile,
  Executor,
  exitThread,
  failureId,
  Mutex,
  type Plan,
  portfolio,
  Rwsem,
  Seqcount,
  Sequential
} from "@mmrace/core"
import { Result } from "effect"
import type { Kernel } from "../../src/kernel/index.ts"
import { counterType } from "../../src/objects/Mm.ts"
import { queueType } from "../../src/objects/Userfaultfd.ts"
import type { World } from "../../src/objects/World.ts"
import { readProgram } from "../../src/program/index.ts"
import { loadProgram, type LoadedProgram } from "../../src/run/index.ts"

/** A program given by the lines after its first one. Problems of the text throw. */
export const programOf = (text: string, kernel: Kernel): LoadedProgram => {
  const source = text.startsWith("mmrace ") ? text : `mmrace test\n${text}`
  return loadProgram(Result.getOrThrow(readProgram(source)).program, kernel)
}

/** Registers at the end of the last execution, `thread:register`. */
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

/** Locks that are held, counters that are not 0 and waiters that are queued although every thread has ended. */
export const heldAtEnd = ({ model, world }: LoadedProgram): ReadonlyArray<string> => {
  const users = new Set(
    world.mms.flatMap((mm) => [mm.mm_lock_seq, mm.has_pinned, mm.mm_users, mm.batched_pending, mm.batched_flushed])
  )
  const found: Array<string> = []
  for (const actor of model.actors) {
    const type: unknown = actor.type
    const held = type === Mutex.mutex.type || type === Mutex.spinlock.type
      ? actor.state !== Mutex.free
      : type === Rwsem.rwsem.type
      ? (actor.state as Rwsem.RwsemState).writer >= 0 || (actor.state as Rwsem.RwsemState).readers.length > 0
      : type === queueType
      ? (actor.state as ReadonlyArray<unknown>).length > 0
      : type === Seqcount.seqcount.type
      ? Seqcount.isOdd((actor.state as Seqcount.SeqcountState).sequence)
      : type === counterType && !users.has(actor as never)
      ? actor.state !== 0
      : false
    if (held) found.push(actor.name)
  }
  for (const mm of world.mms) if (Seqcount.isOdd(mm.mm_lock_seq.state)) found.push(mm.mm_lock_seq.name)
  return [...found, ...vmasAtEnd(world), ...foliosAtEnd(world)]
}

/** The VMA tree and the VMAs must agree. */
const vmasAtEnd = (world: World): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const mm of world.mms) {
    mm.vmas.forEach(({ name, state }, number) => {
      const covers = mm.mt.state.flatMap((vma, page) => vma === number ? [page] : [])
      if (state.vm_refcnt !== (covers.length > 0 ? 1 : 0)) found.push(`${name} vm_refcnt ${state.vm_refcnt}`)
      const { end, start } = state.fields
      if (covers.length > 0 && (covers[0] !== start || covers.at(-1) !== end - 1 || covers.length !== end - start)) {
        found.push(`${name} is ${start}..${end - 1} but covers ${covers.join(" ")}`)
      }
    })
    mm.ptes.forEach((pte, page) => {
      if (mm.mt.state[page]! < 0 && pte.state._tag !== "none") found.push(`${pte.name} is mapped in a hole`)
    })
  }
  return found
}

/** References are mappings and swap cache, nothing else; pages without any are free. */
const foliosAtEnd = (world: World): ReadonlyArray<string> => {
  const found: Array<string> = []
  const entries = world.mms.flatMap((mm) => mm.ptes.map((pte) => pte.state))
  const free = new Set(world.buddy.state)
  for (const { folio, pfn } of world.folios.slice(1)) {
    const mapped = entries.filter((pte) => pte._tag === "present" && pte.pfn === pfn).length
    const { mapcount, refcount, swap } = folio.state
    if (mapcount !== mapped) found.push(`mapcount of pfn ${pfn} is ${mapcount}, mapped ${mapped}`)
    if (refcount !== mapped + (swap >= 0 ? 1 : 0)) found.push(`refcount of pfn ${pfn} is ${refcount}`)
    if (free.has(pfn) !== (refcount === 0)) found.push(`pfn ${pfn} has ${refcount} references`)
  }
  for (const { actor, offset } of world.slots) {
    const used = entries.filter((pte) => pte._tag === "swap" && pte.offset === offset).length
    if (actor.state.count !== used) found.push(`slot ${offset} is used ${used} times, counts ${actor.state.count}`)
  }
  return found
}

/** The one execution without preemption: registers; what it left held, a verdict or an error throws. */
export const runOnce = (text: string, kernel: Kernel): Record<string, number> => {
  const loaded = programOf(text, kernel)
  const executor = new Executor(loaded.model)
  const verdict = executor.run(new Sequential())
  if (verdict._tag !== "Ok") throw new Error(JSON.stringify(verdict))
  const left = heldAtEnd(loaded)
  if (left.length > 0) throw new Error(left.join(", "))
  return registersOf(executor)
}

export interface Explored {
  /** Failures by id, and how often. */
  readonly failures: Readonly<Record<string, number>>
  /** What executions that went well left held. */
  readonly left: ReadonlySet<string>
  /** Threads that wait for user space at the end of executions that went well. */
  readonly asleep: ReadonlySet<string>
  /** Values of each register. */
  readonly values: Readonly<Record<string, ReadonlySet<number>>>
}

/** `runs` executions under the portfolio of strategies, or another plan. */
export const explore = (
  text: string,
  kernel: Kernel,
  runs = 600,
  plan: Plan = portfolio(),
  prepare: (loaded: LoadedProgram) => void = () => {}
): Explored => {
  const loaded = programOf(text, kernel)
  prepare(loaded)
  const executor = new Executor(loaded.model, { maxSteps: 3000 })
  const failures: Record<string, number> = {}
  const left = new Set<string>()
  const asleep = new Set<string>()
  const values: Record<string, Set<number>> = {}
  for (let i = 0; i < runs; i++) {
    const verdict = executor.run(plan.strategyFor(i, emptyProfile), 7919 * i + 1)
    if (verdict._tag !== "Ok") {
      const id = verdict._tag === "Crash" ? `${verdict.where}: ${verdict.error}` : failureId(verdict) ?? ""
      failures[id] = (failures[id] ?? 0) + 1
      continue
    }
    const waiting = loaded.model.threads.filter(({ actor }) => actor.state.phase === "running")
    for (const { name } of waiting) asleep.add(name)
    // Who sleeps is in a queue.
    if (waiting.length === 0) { for (const name of heldAtEnd(loaded)) left.add(name) }
    for (const [name, value] of Object.entries(registersOf(executor))) (values[name] ??= new Set()).add(value)
  }
  return { failures, left, asleep, values }
}

/** Monitors that reported, e.g. `I-37`. */
export const broken = ({ failures }: Explored): ReadonlyArray<string> =>
  [
    ...new Set(Object.keys(failures).map((id) => id.split(" ")[0]!.split(":")[0]!))
  ].toSorted()

/** As after writing 4 to /proc/PID/clear_refs: the entries of the set-up are not soft-dirty. */
export const clearSoftDirty = ({ world }: LoadedProgram): void => {
  for (const { ptes } of world.mms) {
    for (const pte of ptes) {
      if (pte.initial._tag === "present") Object.assign(pte, { initial: { ...pte.initial, softDirty: false } })
    }
  }
}
