/**
 * Userfaultfd contexts: the words of `struct userfaultfd_ctx` and its wait queues. fs/userfaultfd.c.
 * The queue locks are spinlocks, `map_changing_lock` a rwsem, `refile_seq` a seqcount, the counters `counterType`.
 */
import { ActorType } from "@mmrace/core"
import { Schema } from "effect"

/** Feature bits of UFFDIO_API in use. */
export interface Features {
  readonly eventFork: boolean
  readonly eventRemove: boolean
  readonly eventUnmap: boolean
  readonly pagefaultWp: boolean
  readonly sigbus: boolean
  readonly wpUnpopulated: boolean
}

export const noFeatures: Features = {
  eventFork: false,
  eventRemove: false,
  eventUnmap: false,
  pagefaultWp: false,
  sigbus: false,
  wpUnpopulated: false
}

export const FeaturesShape = Schema.Struct({
  eventFork: Schema.Boolean,
  eventRemove: Schema.Boolean,
  eventUnmap: Schema.Boolean,
  pagefaultWp: Schema.Boolean,
  sigbus: Schema.Boolean,
  wpUnpopulated: Schema.Boolean
})

export interface CtxState {
  /** undefined until UFFDIO_API (features without the INITIALIZED bit). */
  readonly features: Features | undefined
  readonly released: boolean
  readonly refcount: number
  /** The descriptor is in the file table. */
  readonly open: boolean
  /** References on the file: one of the descriptor, one of each operation in progress. The last one releases the context. */
  readonly file: number
  /** Number of the mm it acts on; -1 while unused (a context for a future fork). */
  readonly mm: number
}

const FEATURES = 0, RELEASED = 1, REFCOUNT = 2, MM = 3, FILE = 4

export const ctxType = new ActorType<CtxState>("userfaultfd_ctx", {
  fields: ["features", "released", "refcount", "mm", "file"]
})

export const ctx_features = ctxType.command<void, Features | undefined>("ctx_features", {
  access: "read",
  field: FEATURES,
  ordering: "acquire",
  decide: (ctx) => ctx.features,
  result: Schema.UndefinedOr(FeaturesShape),
  show: (_, features) => showFeatures(features)
})

const showFeatures = (features: Features | undefined): string => {
  if (features === undefined) return "no API yet"
  const words = Object.entries(features).flatMap(([word, on]) => on ? [word] : [])
  return words.length === 0 ? "none" : words.join(" ")
}

/** cmpxchg of the features from "not initialised"; false when they were set already (fix 22e5fe2a2a27). */
export const ctx_init_features = ctxType.command<Features, boolean>("ctx_init_features", {
  access: "write",
  field: FEATURES,
  ordering: "acq_rel",
  decide: (ctx) => ctx.features === undefined,
  evolve: (ctx, features, done) => done ? { ...ctx, features } : ctx,
  arg: FeaturesShape,
  result: Schema.Boolean
})

export const ctx_released = ctxType.command<void, boolean>("ctx_released", {
  access: "read",
  field: RELEASED,
  ordering: "acquire",
  decide: (ctx) => ctx.released,
  result: Schema.Boolean
})

export const ctx_set_released = ctxType.command("ctx_set_released", {
  access: "write",
  field: RELEASED,
  ordering: "release",
  evolve: (ctx) => ({ ...ctx, released: true })
})

/** +1 or -1; returns the count after. */
export const ctx_ref_add = ctxType.command<number, number>("ctx_ref_add", {
  access: "write",
  field: REFCOUNT,
  ordering: "acq_rel",
  decide: (ctx, n) => ctx.refcount + n,
  evolve: (ctx, _n, refcount) => ({ ...ctx, refcount }),
  arg: Schema.Int,
  result: Schema.Int
})

/** Number of the mm, -1 when the context is unused. */
export const ctx_mm = ctxType.command<void, number>("ctx_mm", {
  access: "read",
  field: MM,
  decide: (ctx) => ctx.mm,
  result: Schema.Int
})

/** Makes a context of the pool one of the child `mm`, with its parent's features (`dup_userfaultfd`). */
export interface InitCtx {
  readonly mm: number
  readonly features: Features
}
export const ctx_init = ctxType.command<InitCtx>("ctx_init", {
  access: "write",
  field: MM,
  also: { writes: "all" },
  ordering: "release",
  evolve: (_ctx, { features, mm }) => ({ features, released: false, refcount: 1, open: false, file: 0, mm }),
  arg: Schema.Struct({ mm: Schema.Int, features: FeaturesShape })
})

/** `anon_inode_getfd`: the context gets its descriptor. */
export const ctx_install_fd = ctxType.command("ctx_install_fd", {
  access: "write",
  field: FILE,
  ordering: "release",
  evolve: (ctx) => ({ ...ctx, open: true, file: 1 })
})

/** `fdget`: pins the file; false (-EBADF) when the descriptor is closed. */
export const ctx_fdget = ctxType.command<void, boolean>("ctx_fdget", {
  access: "write",
  field: FILE,
  ordering: "acq_rel",
  decide: (ctx) => ctx.open,
  evolve: (ctx, _arg, open) => open ? { ...ctx, file: ctx.file + 1 } : ctx,
  result: Schema.Boolean
})

/** `fput`: returns the references left; whoever drops the last one releases the context, and then the file is gone. */
export const ctx_fput = ctxType.command<void, number>("ctx_fput", {
  access: "write",
  field: FILE,
  ordering: "acq_rel",
  decide: (ctx) => ctx.file - 1,
  evolve: (ctx, _arg, left) => left === 0 ? ctx : { ...ctx, file: left },
  result: Schema.Int
})

/** `file_free`: the context was released. */
export const ctx_file_free = ctxType.command("ctx_file_free", {
  access: "write",
  field: FILE,
  ordering: "release",
  evolve: (ctx) => ({ ...ctx, file: 0 })
})

/** `close`: takes the descriptor out of the file table; false when it was closed before. The reference is still there. */
export const ctx_close_fd = ctxType.command<void, boolean>("ctx_close_fd", {
  access: "write",
  field: FILE,
  ordering: "acq_rel",
  decide: (ctx) => ctx.open,
  evolve: (ctx, _arg, open) => open ? { ...ctx, open: false } : ctx,
  result: Schema.Boolean
})

// Wait queues -------------------------------------------------------------------------------------------

/** A message as read() returns it. */
export interface Message {
  readonly event: "pagefault" | "fork" | "remove" | "unmap"
  /** Page number the message is about (first page of the range for remove and unmap); -1 for fork. */
  readonly page: number
  /** Pages of the range for remove and unmap, 1 for a page fault. */
  readonly pages: number
  readonly write: boolean
  readonly wp: boolean
  /** Number of the child's context for fork, else -1. */
  readonly ctx: number
}
export const MessageShape = Schema.Struct({
  event: Schema.Literals(["pagefault", "fork", "remove", "unmap"]),
  page: Schema.Int,
  pages: Schema.Int,
  write: Schema.Boolean,
  wp: Schema.Boolean,
  ctx: Schema.Int
})

/** `struct userfaultfd_wait_queue`: the thread that sleeps and its message. */
export interface Waiter {
  readonly thread: number
  readonly message: Message
  /** `uwq->waken`, or for an event: it was consumed (`msg.event == 0`). */
  readonly waken: boolean
}
const WaiterShape = Schema.Struct({ thread: Schema.Int, message: MessageShape, waken: Schema.Boolean })

export type QueueState = ReadonlyArray<Waiter>

/** One wait queue head's list, oldest first. Changed under the queue's spinlock; looked at without. */
export const queueType = new ActorType<QueueState>("wait_queue", {
  show: (q) => q.length === 0 ? "empty" : q.map((w) => `thread ${w.thread}`).join(", ")
})

const showMessage = (m: Message): string =>
  `${m.event}${m.page >= 0 ? ` page ${m.page}` : ""}${m.write ? " write" : ""}${m.wp ? " wp" : ""}`

export const queue_add = queueType.command<Waiter>("queue_add", {
  access: "write",
  ordering: "acq_rel",
  evolve: (queue, waiter) => [...queue, waiter],
  arg: WaiterShape,
  show: (w) => `thread ${w.thread}: ${showMessage(w.message)}`
})

/** Takes a thread's entry off; no effect when it is not there (list_del_init twice). */
export const queue_del = queueType.command<number>("queue_del", {
  access: "write",
  ordering: "acq_rel",
  evolve: (queue, thread) => queue.some((w) => w.thread === thread) ? queue.filter((w) => w.thread !== thread) : queue,
  arg: Schema.Int
})

/** Marks a thread's entry as woken (fault) or consumed (event). */
export const queue_mark_waken = queueType.command<number>("queue_mark_waken", {
  access: "write",
  ordering: "release",
  evolve: (queue, thread) => queue.map((w) => w.thread === thread ? { ...w, waken: true } : w),
  arg: Schema.Int
})

/** The whole list; also the lockless `waitqueue_active` and `list_empty_careful`. */
export const queue_read = queueType.command<void, QueueState>("queue_read", {
  access: "read",
  ordering: "acquire",
  decide: (queue) => queue,
  result: Schema.Array(WaiterShape),
  show: (_, q) => q.length === 0 ? "empty" : q.map((w) => `thread ${w.thread}`).join(", ")
})
