/**
 * Swap-in that goes past the swap cache, against reclaim (mm/memory.c: do_swap_page; 13ddaf26be32). Between reading a
 * slot and looking at the entry again under the page-table lock, the page can be mapped by another fault, written and
 * swapped out to the same slot. SWAP_HAS_CACHE, held from before the read until after the lock, keeps the slot.
 * What was written last is what is read.
 */
import { type Actor, ActorType } from "@mmrace/core/Actor"
import { ask, type Path } from "@mmrace/core/Ask"
import { settle } from "@mmrace/core/Settle"
import { assert, load, type Lock, lock, locks, programOf, store, unlock, type Word, words } from "../Program.ts"

/** An entry below `swap` is a mapped page with this content, `swap + e` a page in slot e. */
const swap = 16
const inMemory = (entry: number): boolean => entry < swap

const entryType = new ActorType<number>("entry")
const entryOps = {
  load: entryType.command<void, number>("load", { access: "read", decide: (entry) => entry }),
  store: entryType.command<number>("store", { access: "write", evolve: (_, entry) => entry }),
  /** A store of user space: gives the entry that it found; does nothing when the page is not mapped. */
  write: entryType.command<number, number>("write", {
    access: "write",
    decide: (entry) => entry,
    evolve: (entry, content) => inMemory(entry) ? content : entry
  }),
  /** Gives the entry before. */
  exchange: entryType.command<number, number>("exchange", {
    access: "write",
    decide: (entry) => entry,
    evolve: (_, entry) => entry
  })
}

/** How often an entry refers to the slot, twice; plus one while the slot is in the swap cache. */
const slotType = new ActorType<number>("slot")
const hasCache = 1
const count = 2
const isCached = (slot: number): boolean => (slot & hasCache) !== 0
const slotOps = {
  /** False: not free. */
  allocate: slotType.command<void, boolean>("allocate", {
    access: "write",
    decide: (slot) => slot === 0,
    evolve: (slot, _arg, free) => free ? hasCache : slot
  }),
  /** Waits until it is in no swap cache; false: it has been freed. */
  prepare: slotType.command<void, boolean>("prepare", {
    access: "write",
    blocked: isCached,
    decide: (slot) => slot > 0,
    evolve: (slot, _arg, used) => used ? slot + hasCache : slot
  }),
  awaitUncached: slotType.command("await_uncached", { access: "read", blocked: isCached }),
  add: slotType.command<number>("add", { access: "write", evolve: (slot, delta) => slot + delta })
}

interface Mm {
  readonly broken: boolean
  readonly pte: ReadonlyArray<Actor<number>>
  readonly pteLock: ReadonlyArray<Lock>
  readonly slot: ReadonlyArray<Actor<number>>
  readonly disk: ReadonlyArray<Word>
}

/** do_swap_page of a synchronous device. Returns when the fault is to be tried again. */
function* swapIn(mm: Mm, v: number, entry: number, access: string): Path<void> {
  settle([access, entry])
  const slot = mm.slot[entry - swap]!
  if (mm.broken) yield* ask(slot, slotOps.awaitUncached)
  else if (!(yield* ask(slot, slotOps.prepare))) return
  const content = yield* load(mm.disk[entry - swap]!)
  yield* lock(mm.pteLock[v]!)
  if ((yield* ask(mm.pte[v]!, entryOps.load)) === entry) {
    yield* ask(slot, slotOps.add, -count)
    yield* ask(mm.pte[v]!, entryOps.store, content)
  }
  settle([access, "unlock", entry])
  yield* unlock(mm.pteLock[v]!)
  if (!mm.broken) yield* ask(slot, slotOps.add, -hasCache)
}

function* read(mm: Mm, v: number, access: string): Path<number> {
  for (;;) {
    settle(access)
    const entry = yield* ask(mm.pte[v]!, entryOps.load)
    if (inMemory(entry)) return entry
    yield* swapIn(mm, v, entry, access)
  }
}

function* write(mm: Mm, v: number, content: number, access: string): Path<void> {
  for (;;) {
    settle(access)
    const entry = yield* ask(mm.pte[v]!, entryOps.write, content)
    if (inMemory(entry)) return
    yield* swapIn(mm, v, entry, access)
  }
}

/** shrink_folio_list: the page stays in the swap cache until it is written. */
function* swapOut(mm: Mm, v: number, turn: number): Path<void> {
  settle(turn)
  const e = (yield* ask(mm.slot[0]!, slotOps.allocate)) ? 0 : (yield* ask(mm.slot[1]!, slotOps.allocate)) ? 1 : -1
  settle([turn, e])
  if (e < 0) return
  yield* lock(mm.pteLock[v]!)
  if (inMemory(yield* ask(mm.pte[v]!, entryOps.load))) {
    yield* ask(mm.slot[e]!, slotOps.add, count)
    const content = yield* ask(mm.pte[v]!, entryOps.exchange, swap + e)
    yield* unlock(mm.pteLock[v]!)
    yield* store(mm.disk[e]!, content)
  } else yield* unlock(mm.pteLock[v]!)
  settle([turn, "written", e])
  yield* ask(mm.slot[e]!, slotOps.add, -hasCache)
}

function* writer(mm: Mm, contents: ReadonlyArray<number>): Path<void> {
  for (const content of contents) {
    yield* write(mm, 0, content, `write ${content}`)
    assert((yield* read(mm, 0, `read ${content}`)) === content, `${content} was written last to page 0 and is lost`)
  }
}

function* reader(mm: Mm): Path<void> {
  yield* read(mm, 0, "read 0")
  assert((yield* read(mm, 1, "read 1")) === 0, "nobody wrote page 1")
}

function* reclaim(mm: Mm, pages: ReadonlyArray<number>): Path<void> {
  for (const [turn, v] of pages.entries()) yield* swapOut(mm, v, turn)
}

export const swapAba = programOf("swap-aba", {
  about: "a writer, a reader and 2 x reclaim over 2 pages and 2 swap slots",
  without: "a swap-in does not reserve its slot"
}, (m, broken, small) => {
  const mm: Mm = {
    broken,
    pte: [0, 1].map((v) => m.actor(entryType, `pte[${v}]`, 0)),
    pteLock: locks(m, "pte_lock", 2),
    slot: [0, 1].map((e) => m.actor(slotType, `slot[${e}]`, 0)),
    disk: words(m, "disk", [0, 0])
  }
  m.thread("writer", () => writer(mm, small ? [1] : [1, 2]))
  m.thread("reader", () => reader(mm))
  m.thread("reclaim 0 1 0", () => reclaim(mm, [0, 1, 0]))
  if (!small) m.thread("reclaim 0", () => reclaim(mm, [0]))
})
