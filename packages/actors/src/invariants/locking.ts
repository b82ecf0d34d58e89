/** I-45, I-54, I-55: who may read and change a VMA, the sequence that fork makes odd, and lock rules. */
import { commands, type Event, type Monitor, Rwsem, Seqcount } from "@mmrace/core"
import { feature } from "../kernel/index.ts"
import {
  mm_lock_seq_read,
  type MmRef,
  vma_await_readers,
  vma_refcount_detach,
  vma_refcount_inc,
  vma_refcount_put,
  vma_set_fields,
  type VmaState,
  type World
} from "../objects/index.ts"
import { filled, lookUp, whereOf, withItem } from "./where.ts"

interface Reader {
  readonly vma: MmRef["vmas"][number]
  readonly mm: MmRef
  /** The lock counts only once the sequence was seen to be old after the increment; before, the reader may back out. */
  readonly valid: boolean
}

/** By thread: VMAs it has read-locked, or is about to. */
export type Readers = ReadonlyArray<ReadonlyArray<Reader>>

const none: ReadonlyArray<Reader> = []

export const vmaReadExclusion = (world: World): Monitor<Readers> => {
  const perVma = world.kernel.has(feature.perVmaLock)
  const initial: Readers = filled(world.tasks.length, none)
  const owner = new Map<unknown, readonly [MmRef, number]>(
    world.mms.flatMap((mm) => mm.vmas.map((vma, v) => [vma, [mm, v]] as const))
  )
  const seqOwner = new Map<unknown, MmRef>(world.mms.map((mm) => [mm.mm_lock_seq, mm]))

  const change = (state: Readers, event: Event, what: string): void => {
    const [mm, v] = owner.get(event.actor)!
    const { name, state: vma } = mm.vmas[v]!
    for (let t = 0; t < state.length; t++) {
      if (t !== event.thread && state[t]!.some((r) => r.valid && r.vma === (event.actor as unknown))) {
        event.violate(`${name} is ${what} while ${world.tasks[t]!.name} has it locked for reading`, "VMA")
      }
    }
    if (!mm.mt.state.includes(v)) return
    if (mm.mmap_lock.state.writer !== event.thread) {
      event.violate(`${name} is ${what} without mmap_lock held for writing`, "VMA")
    } else if (perVma && vma.vm_lock_seq !== mm.mm_lock_seq.state) {
      event.violate(`${name} is ${what} without having been write-locked (vma_start_write)`, "VMA")
    }
  }

  return {
    id: "I-45",
    title: "VmaReadExclusion",
    on: commands(
      vma_refcount_inc,
      vma_refcount_put,
      mm_lock_seq_read,
      vma_set_fields,
      vma_refcount_detach,
      vma_await_readers
    ),
    initial: () => initial,
    step(state, event) {
      const command: unknown = event.command
      const { actor, thread } = event
      const mine = state[thread]!
      if (command === mm_lock_seq_read) {
        if (mine.length === 0) return state
        const mm = seqOwner.get(actor)
        const at = mine.findIndex((r) => !r.valid && r.mm === mm)
        if (at < 0 || mine[at]!.vma.state.vm_lock_seq === event.result) return state
        return withItem(state, thread, withItem(mine, at, { ...mine[at]!, valid: true }))
      }
      if (command === vma_refcount_inc) {
        if (event.result !== "got") return state
        const [mm, v] = owner.get(actor)!
        // vma_start_read_locked(): under mmap_lock the sequence need not be looked at.
        const valid = Rwsem.holds(mm.mmap_lock.state, thread, "read")
        return withItem(state, thread, [...mine, { vma: mm.vmas[v]!, mm, valid }])
      }
      if (command === vma_refcount_put) {
        const at = mine.findLastIndex((r) => r.vma === (actor as unknown))
        return at < 0 ? state : withItem(state, thread, mine.length === 1 ? none : mine.toSpliced(at, 1))
      }
      if (command === vma_set_fields) {
        if ((event.before as VmaState).vm_refcnt > 0) change(state, event, "changed")
        return state
      }
      if (command === vma_refcount_detach) {
        change(state, event, "detached")
        return state
      }
      // vma_await_readers: the writer is about to believe that there is no reader.
      for (let t = 0; t < state.length; t++) {
        if (t !== thread && state[t]!.some((r) => r.valid && r.vma === (actor as unknown))) {
          event.violate(
            `${actor.name}: the writer goes on while ${world.tasks[t]!.name} has it locked for reading`,
            "VMA"
          )
        }
      }
      return state
    }
  }
}

export const wpSeqParity = (world: World): Monitor => {
  const where = whereOf(world)
  const seqOwner = new Map<unknown, MmRef>(world.mms.map((mm) => [mm.write_protect_seq, mm]))
  return {
    id: "I-54",
    title: "WpSeqParity",
    on: commands(Seqcount.seqcount.writeBegin, Rwsem.rwsem.upWrite, Rwsem.rwsem.downgradeWrite),
    initial: () => null,
    step(state, event) {
      if ((event.command as unknown) === Seqcount.seqcount.writeBegin) {
        const mm = seqOwner.get(event.actor)
        if (mm !== undefined && mm.mmap_lock.state.writer !== event.thread) {
          event.violate("write_protect_seq becomes odd without mmap_lock held for writing", "write_protect_seq")
        }
        return state
      }
      const m = lookUp(where.mmapLock, event.actor.id)
      if (m >= 0 && Seqcount.isOdd(world.mms[m]!.write_protect_seq.state.sequence)) {
        event.violate("mmap_lock is given up for writing while write_protect_seq is odd", "write_protect_seq")
      }
      return state
    }
  }
}

/**
 * Deadlocks are the executor's verdict. This is the rule whose breach leads to one: the holder of a per-VMA read lock
 * never waits for mmap_lock, because its writer may be waiting for that reader.
 */
export const noMmapLockUnderVmaLock = (world: World): Monitor => {
  const where = whereOf(world)
  return {
    id: "I-55",
    title: "DeadlockFree",
    on: commands(Rwsem.rwsem.downRead, Rwsem.rwsem.downWrite),
    initial: () => null,
    step(state, event) {
      const m = lookUp(where.mmapLock, event.actor.id)
      if (m < 0) return state
      for (const vma of world.mms[m]!.vmas) {
        if (vma.state.readers.includes(event.thread)) {
          event.violate(
            `${world.tasks[event.thread]!.name} waits for mmap_lock while it holds the read lock of ${vma.name}`,
            "mmap_lock"
          )
        }
      }
      return state
    }
  }
}
