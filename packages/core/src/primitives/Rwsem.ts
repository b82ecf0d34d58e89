/**
 * A sleeping reader-writer lock that serves its queue first come, first served: a queued writer keeps new readers
 * out (kernel/locking/rwsem.c). The kernel also lets a writer steal the lock and wakes readers from behind a queued
 * writer; both only make threads luckier, so this stricter order is the one that shows deadlocks.
 *
 * Taking the lock is one step when it is free. When it is not, joining the queue is a step of its own ("queued"),
 * and the thread then waits in `await_read` / `await_write` until whoever releases the lock hands it over.
 */
import { type Actor, ActorType, type LockEffect, type ThreadRef } from "../Actor.ts"
import { ask, type Ask, type Path } from "../Ask.ts"
import { aBoolean, Late } from "../Shape.ts"

export type Mode = "read" | "write"

export interface Waiter {
  readonly thread: number
  readonly mode: Mode
}

export interface RwsemState {
  /** Thread id of the writer; -1 when there is none. */
  readonly writer: number
  /** Thread ids of the readers, ascending; a thread that holds it twice is listed twice. */
  readonly readers: ReadonlyArray<number>
  /** Waiters in the order they came. */
  readonly queue: ReadonlyArray<Waiter>
  /** Threads that were handed the lock (they are holders already) and have not yet noticed. */
  readonly granted: ReadonlyArray<number>
}

export const noWriter = -1

/** Nobody holds it, nobody waits. */
export const unlocked: RwsemState = { writer: noWriter, readers: [], queue: [], granted: [] }

const withReader = (readers: ReadonlyArray<number>, thread: number): ReadonlyArray<number> => {
  const at = readers.findIndex((reader) => reader > thread)
  return at < 0 ? [...readers, thread] : readers.toSpliced(at, 0, thread)
}

const withoutFirst = (list: ReadonlyArray<number>, thread: number): ReadonlyArray<number> =>
  list.toSpliced(list.indexOf(thread), 1)

/** Hands the lock over to the head of the queue: one writer when it is free, or all leading readers. */
const handOver = (state: RwsemState): RwsemState => {
  const { granted, queue, readers, writer } = state
  if (queue.length === 0 || writer !== noWriter) return state
  const firstWriter = queue.findIndex((waiter) => waiter.mode === "write")
  if (firstWriter === 0) {
    if (readers.length > 0) return state
    const next = queue[0]!.thread
    return { writer: next, readers, queue: queue.slice(1), granted: [...granted, next] }
  }
  const count = firstWriter < 0 ? queue.length : firstWriter
  const leading = queue.slice(0, count).map((waiter) => waiter.thread)
  return {
    writer,
    readers: [...readers, ...leading].toSorted((a, b) => a - b),
    queue: queue.slice(count),
    granted: [...granted, ...leading]
  }
}

const abandon = (state: RwsemState, thread: number): RwsemState =>
  handOver({ ...state, queue: state.queue.filter((waiter) => waiter.thread !== thread) })

const isFree = (state: RwsemState, mode: Mode): boolean =>
  state.writer === noWriter && state.queue.length === 0 && (mode === "read" || state.readers.length === 0)

const take = (state: RwsemState, mode: Mode, thread: number): RwsemState =>
  mode === "write" ? { ...state, writer: thread } : { ...state, readers: withReader(state.readers, thread) }

/** Holders in a conflicting mode and conflicting waiters ahead: `waiter` cannot move before all of them have. */
const waitsFor = (state: RwsemState, waiter: number): ReadonlyArray<number> => {
  const position = state.queue.findIndex((w) => w.thread === waiter)
  if (position < 0) return []
  const { mode } = state.queue[position]!
  const ahead = state.queue.slice(0, position).filter((w) => mode === "write" || w.mode === "write").map((w) =>
    w.thread
  )
  const holders = state.writer !== noWriter ? [state.writer] : mode === "write" ? state.readers : []
  return [...new Set([...holders, ...ahead])]
}

const show = (state: RwsemState): string => {
  const holders = state.writer !== noWriter
    ? `held for write by thread ${state.writer}`
    : state.readers.length > 0
    ? `held for read by ${state.readers.length === 1 ? "thread" : "threads"} ${state.readers.join(", ")}`
    : "free"
  if (state.queue.length === 0) return holders
  return `${holders}; queue: ${state.queue.map((w) => `thread ${w.thread} (${w.mode})`).join(", ")}`
}

const type = new ActorType<RwsemState>("rwsem", { waitsFor, show })

export type Down = "taken" | "queued"
const Down = new Late<Down>((schema) => schema.Literals(["taken", "queued"]))

const effect = (action: LockEffect["action"], mode: Mode): LockEffect => ({ action, mode })

const down = (mode: Mode) => {
  const acquired = effect("acquire", mode)
  const queued = effect("queue", mode)
  return type.command<void, Down>(`down_${mode}`, {
    access: "write",
    ordering: "acquire",
    decide: (state) => isFree(state, mode) ? "taken" : "queued",
    evolve: (state, _arg, outcome, thread) =>
      outcome === "taken" ? take(state, mode, thread) : { ...state, queue: [...state.queue, { thread, mode }] },
    lock: (outcome) => outcome === "taken" ? acquired : queued,
    result: Down
  })
}

const awaitGrant = (mode: Mode) => {
  const granted = effect("granted", mode)
  return type.command(`await_${mode}`, {
    access: "write",
    ordering: "acquire",
    blocked: (state, _arg, thread) => !state.granted.includes(thread.id),
    evolve: (state, _arg, _result, thread) => ({ ...state, granted: withoutFirst(state.granted, thread) }),
    lock: () => granted
  })
}

/** True: holds the lock. False: a fatal signal came first and the thread has left the queue. */
const awaitGrantKillable = (mode: Mode) => {
  const granted = effect("granted", mode)
  const abandoned = effect("abandon", mode)
  return type.command<void, boolean>(`await_${mode}_killable`, {
    access: "write",
    ordering: "acquire",
    blocked: (state, _arg, thread) => !thread.killed && !state.granted.includes(thread.id),
    decide: (state, _arg, thread) => state.granted.includes(thread.id),
    evolve: (state, _arg, holds, thread) =>
      holds ? { ...state, granted: withoutFirst(state.granted, thread) } : abandon(state, thread),
    lock: (holds) => holds ? granted : abandoned,
    result: aBoolean
  })
}

const downTrylock = (mode: Mode) => {
  const tried = effect("try", mode)
  return type.command<void, boolean>(`down_${mode}_trylock`, {
    access: "write",
    ordering: "acquire",
    decide: (state) => isFree(state, mode),
    evolve: (state, _arg, taken, thread) => taken ? take(state, mode, thread) : state,
    lock: (taken) => taken ? tried : undefined,
    result: aBoolean
  })
}

const mustHold = (state: RwsemState, mode: Mode, thread: ThreadRef, what: string): void => {
  const holds = mode === "write" ? state.writer === thread.id : state.readers.includes(thread.id)
  if (!holds) {
    throw new Error(
      `${thread.name} (thread ${thread.id}): ${what} of an rwsem it does not hold for ${mode}; it is ${show(state)}`
    )
  }
}

const releasedRead = effect("release", "read")
const releasedWrite = effect("release", "write")
const downgraded = effect("downgrade", "read")

/** The steps. Kernel paths use the functions below. */
export const rwsem = {
  type,
  downRead: down("read"),
  downWrite: down("write"),
  awaitRead: awaitGrant("read"),
  awaitWrite: awaitGrant("write"),
  awaitReadKillable: awaitGrantKillable("read"),
  awaitWriteKillable: awaitGrantKillable("write"),
  downReadTrylock: downTrylock("read"),
  downWriteTrylock: downTrylock("write"),
  upRead: type.command("up_read", {
    access: "write",
    ordering: "release",
    decide: (state, _arg, thread) => mustHold(state, "read", thread, "up_read"),
    evolve: (state, _arg, _result, thread) => handOver({ ...state, readers: withoutFirst(state.readers, thread) }),
    lock: () => releasedRead
  }),
  upWrite: type.command("up_write", {
    access: "write",
    ordering: "release",
    decide: (state, _arg, thread) => mustHold(state, "write", thread, "up_write"),
    evolve: (state) => handOver({ ...state, writer: noWriter }),
    lock: () => releasedWrite
  }),
  downgradeWrite: type.command("downgrade_write", {
    access: "write",
    ordering: "release",
    decide: (state, _arg, thread) => mustHold(state, "write", thread, "downgrade_write"),
    evolve: (state, _arg, _result, thread) => handOver({ ...state, writer: noWriter, readers: [thread] }),
    lock: () => downgraded
  }),
  isLocked: type.command<void, boolean>("is_locked", {
    access: "read",
    decide: (state) => state.writer !== noWriter || state.readers.length > 0,
    result: aBoolean
  }),
  isWriteLocked: type.command<void, boolean>("is_write_locked", {
    access: "read",
    decide: (state) => state.writer !== noWriter,
    result: aBoolean
  }),
  isContended: type.command<void, boolean>("is_contended", {
    access: "read",
    decide: (state) => state.queue.length > 0,
    result: aBoolean
  })
}

export function* downRead(sem: Actor<RwsemState>): Path<void> {
  if ((yield* ask(sem, rwsem.downRead)) === "queued") yield* ask(sem, rwsem.awaitRead)
}

export function* downWrite(sem: Actor<RwsemState>): Path<void> {
  if ((yield* ask(sem, rwsem.downWrite)) === "queued") yield* ask(sem, rwsem.awaitWrite)
}

/** False: a fatal signal ended the wait; the lock is not held. */
export function* downReadKillable(sem: Actor<RwsemState>): Path<boolean> {
  if ((yield* ask(sem, rwsem.downRead)) === "taken") return true
  return yield* ask(sem, rwsem.awaitReadKillable)
}

/** False: a fatal signal ended the wait; the lock is not held. */
export function* downWriteKillable(sem: Actor<RwsemState>): Path<boolean> {
  if ((yield* ask(sem, rwsem.downWrite)) === "taken") return true
  return yield* ask(sem, rwsem.awaitWriteKillable)
}

export const downReadTrylock = (sem: Actor<RwsemState>): Ask<boolean> => ask(sem, rwsem.downReadTrylock)
export const downWriteTrylock = (sem: Actor<RwsemState>): Ask<boolean> => ask(sem, rwsem.downWriteTrylock)
export const upRead = (sem: Actor<RwsemState>): Ask<void> => ask(sem, rwsem.upRead)
export const upWrite = (sem: Actor<RwsemState>): Ask<void> => ask(sem, rwsem.upWrite)
export const downgradeWrite = (sem: Actor<RwsemState>): Ask<void> => ask(sem, rwsem.downgradeWrite)
export const isLocked = (sem: Actor<RwsemState>): Ask<boolean> => ask(sem, rwsem.isLocked)

/** Whether `thread` holds it in `mode` (a writer also counts as holding it for read): for monitors and assertions. */
export const holds = (state: RwsemState, thread: number, mode: Mode): boolean =>
  state.writer === thread || (mode === "read" && state.readers.includes(thread))
