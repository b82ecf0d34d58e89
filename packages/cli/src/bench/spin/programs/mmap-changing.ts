/**
 * Filling pages against events that take them away (fs/userfaultfd.c, mm/userfaultfd.c; df2cc96e7701, 5e4c24a57b0c).
 * Whoever discards a page counts itself in mmap_changing, has the monitor read an event and only then zaps the page.
 * A fill under the per-VMA lock gives up when an event is on its way; map_changing_lock keeps events from starting
 * between its look and its last page. No page is filled while an event is on its way.
 */
import { type Actor, ActorType } from "@mmrace/core/Actor"
import { ask, type Path } from "@mmrace/core/Ask"
import { settle } from "@mmrace/core/Settle"
import * as Rwsem from "@mmrace/core/primitives/Rwsem"
import {
  add,
  assert,
  load,
  type Lock,
  lock,
  locks,
  programOf,
  store,
  unlock,
  type Word,
  wordNamed,
  words
} from "../Program.ts"

const pages = [0, 1, 2, 3]

/** Events that the monitor has not read, and of which pages it has read one. */
interface Events {
  readonly unread: ReadonlyArray<number>
  readonly wasRead: ReadonlyArray<number>
}
const eventsType = new ActorType<Events>("events")
const events = {
  post: eventsType.command<number>("post", {
    access: "write",
    evolve: ({ unread, wasRead }, page) => ({ unread: [...unread, page], wasRead })
  }),
  read: eventsType.command("read", {
    access: "write",
    waits: "user",
    blocked: ({ unread }) => unread.length === 0,
    evolve: ({ unread, wasRead }) => ({
      unread: unread.slice(1),
      wasRead: [...wasRead, unread[0]!].toSorted((a, b) => a - b)
    })
  }),
  awaitRead: eventsType.command<number>("await_read", {
    access: "read",
    blocked: ({ wasRead }, page) => !wasRead.includes(page)
  })
}

interface Context {
  readonly broken: boolean
  readonly filled: ReadonlyArray<Word>
  readonly pteLock: ReadonlyArray<Lock>
  readonly mmapChanging: Word
  readonly mapChangingLock: Actor<Rwsem.RwsemState>
  readonly events: Actor<Events>
}

/** madvise(MADV_DONTNEED): userfaultfd_remove, zap_page_range. */
function* discard(ctx: Context, discarded: ReadonlyArray<number>): Path<void> {
  for (const page of discarded) {
    settle(page)
    yield* Rwsem.downWrite(ctx.mapChangingLock)
    settle(["locked", page])
    yield* add(ctx.mmapChanging, 1)
    yield* Rwsem.upWrite(ctx.mapChangingLock)
    yield* ask(ctx.events, events.post, page)
    yield* ask(ctx.events, events.awaitRead, page)
    yield* add(ctx.mmapChanging, -1)
    yield* lock(ctx.pteLock[page]!)
    yield* store(ctx.filled[page]!, 0)
    yield* unlock(ctx.pteLock[page]!)
  }
}

/** UFFDIO_COPY of single pages: mfill_atomic. */
function* fill(ctx: Context, wanted: ReadonlyArray<number>): Path<void> {
  for (const page of wanted) {
    settle(page)
    if ((yield* load(ctx.mmapChanging)) !== 0) continue
    if (ctx.broken) yield* fillPage(ctx, page)
    else {
      yield* Rwsem.downRead(ctx.mapChangingLock)
      settle(["locked", page])
      if ((yield* load(ctx.mmapChanging)) === 0) yield* fillPage(ctx, page)
      settle(["up", page])
      yield* Rwsem.upRead(ctx.mapChangingLock)
    }
  }
}

function* fillPage(ctx: Context, page: number): Path<void> {
  yield* lock(ctx.pteLock[page]!)
  if ((yield* load(ctx.filled[page]!)) === 0) {
    yield* store(ctx.filled[page]!, 1)
    assert((yield* load(ctx.mmapChanging)) === 0, `page ${page} is filled while an event is on its way`)
  }
  settle(["unlock", page])
  yield* unlock(ctx.pteLock[page]!)
}

function* reader(ctx: Context): Path<void> {
  for (;;) {
    settle("read")
    yield* ask(ctx.events, events.read)
  }
}

export const mmapChanging = programOf("mmap-changing", {
  about: "2 threads that discard 2 pages each, 2 that fill 2 pages each, and the reader of events",
  without: "a fill does not take map_changing_lock"
}, (m, broken, small) => {
  const ctx: Context = {
    broken,
    filled: words(m, "filled", pages.map(() => 0)),
    pteLock: locks(m, "pte_lock", pages.length),
    mmapChanging: wordNamed(m, "mmap_changing", 0),
    mapChangingLock: m.actor(Rwsem.rwsem.type, "map_changing_lock", Rwsem.unlocked),
    events: m.actor(eventsType, "events", { unread: [], wasRead: [] })
  }
  m.thread("discard 0 1", () => discard(ctx, small ? [0] : [0, 1]))
  m.thread("discard 2 3", () => discard(ctx, small ? [2] : [2, 3]))
  m.thread("fill 0 2", () => fill(ctx, small ? [0] : [0, 2]))
  m.thread("fill 1 3", () => fill(ctx, small ? [3] : [1, 3]))
  m.thread("reader", () => reader(ctx), { daemon: true })
})
