/**
 * GUP-fast against fork and write faults (mm/gup.c, mm/memory.c; 57efa1fe5957): three anonymous pages in three page
 * tables. Fork shares a page with the child and write-protects it, unless it may be pinned. GUP-fast takes no lock; a
 * fault that finds a shared page copies it. While GUP-fast holds a pin, its page is where it was and no child has it.
 */
import type { Actor } from "@mmrace/core/Actor"
import type { Path } from "@mmrace/core/Ask"
import { settle } from "@mmrace/core/Settle"
import * as Rwsem from "@mmrace/core/primitives/Rwsem"
import * as Seqcount from "@mmrace/core/primitives/Seqcount"
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

const pages = 3
const writable = 1
const entryOf = (page: number): number => 2 * page + writable
const pageOf = (entry: number): number => entry >> 1
const isWritable = (entry: number): boolean => (entry & writable) !== 0

interface Mm {
  readonly pages: ReadonlyArray<number>
  readonly broken: boolean
  readonly mmapLock: Actor<Rwsem.RwsemState>
  readonly pte: ReadonlyArray<Word>
  readonly pteLock: ReadonlyArray<Lock>
  /** Of page v, which v maps at first, and page 3 + v, which a write fault at v puts there. */
  readonly refs: ReadonlyArray<Word>
  readonly pins: ReadonlyArray<Word>
  readonly exclusive: ReadonlyArray<Word>
  readonly writeProtectSeq: Word
  readonly hasPinned: Word
}

/** dup_mmap, copy_page_range. */
function* fork(mm: Mm): Path<void> {
  yield* Rwsem.downWrite(mm.mmapLock)
  settle("locked")
  yield* add(mm.writeProtectSeq, 1)
  for (const v of mm.pages) {
    settle(v)
    yield* lock(mm.pteLock[v]!)
    const page = pageOf(yield* load(mm.pte[v]!))
    const mayBePinned = (yield* load(mm.hasPinned)) === 1 && (yield* load(mm.pins[page]!)) > 0
    // A page that may be pinned is copied for the child at once.
    if (!mayBePinned) {
      settle(["share", v, page])
      yield* add(mm.refs[page]!, 1)
      yield* store(mm.exclusive[page]!, 0)
      yield* store(mm.pte[v]!, 2 * page)
    }
    settle(["unlock", v])
    yield* unlock(mm.pteLock[v]!)
  }
  yield* add(mm.writeProtectSeq, 1)
  yield* Rwsem.upWrite(mm.mmapLock)
}

/** A write to each page: do_wp_page. */
function* fault(mm: Mm): Path<void> {
  for (const v of mm.pages) {
    settle(v)
    yield* Rwsem.downRead(mm.mmapLock)
    settle(["locked", v])
    yield* lock(mm.pteLock[v]!)
    const entry = yield* load(mm.pte[v]!)
    if (!isWritable(entry)) yield* writeProtected(mm, v, entry)
    settle(["unlock", v])
    yield* unlock(mm.pteLock[v]!)
    yield* Rwsem.upRead(mm.mmapLock)
  }
}

function* writeProtected(mm: Mm, v: number, entry: number): Path<void> {
  const page = pageOf(entry)
  if ((yield* load(mm.exclusive[page]!)) === 1) return yield* store(mm.pte[v]!, entryOf(page))
  if ((yield* load(mm.refs[page]!)) === 1) {
    yield* store(mm.exclusive[page]!, 1)
    return yield* store(mm.pte[v]!, entryOf(page))
  }
  // wp_page_copy
  yield* unlock(mm.pteLock[v]!)
  yield* lock(mm.pteLock[v]!)
  if ((yield* load(mm.pte[v]!)) !== entry) return
  yield* store(mm.pte[v]!, entryOf(pages + v))
  yield* add(mm.refs[page]!, -1)
}

/** gup_fast with FOLL_PIN | FOLL_WRITE, the DMA, unpin_user_pages. */
function* pinAndWrite(mm: Mm): Path<void> {
  yield* store(mm.hasPinned, 1)
  const seq = mm.broken ? 0 : yield* load(mm.writeProtectSeq)
  if (Seqcount.isOdd(seq)) return
  const pinned: Array<number> = []
  for (const v of mm.pages) {
    settle([seq, pinned.slice()])
    const entry = yield* load(mm.pte[v]!)
    if (!isWritable(entry)) break
    yield* add(mm.pins[pageOf(entry)]!, 1)
    if ((yield* load(mm.pte[v]!)) !== entry) {
      yield* add(mm.pins[pageOf(entry)]!, -1)
      break
    }
    pinned.push(pageOf(entry))
  }
  settle(["again", seq, pinned])
  if (mm.broken || (yield* load(mm.writeProtectSeq)) === seq) {
    for (const [v, page] of pinned.entries()) {
      settle(["dma", v, pinned])
      assert((yield* load(mm.exclusive[page]!)) === 1, `page ${page} is pinned and a child has it`)
      assert(pageOf(yield* load(mm.pte[v]!)) === page, `page ${page} is pinned and no longer mapped at ${v}`)
    }
  }
  for (const [v, page] of pinned.entries()) {
    settle(["unpin", pinned.slice(v)])
    yield* add(mm.pins[page]!, -1)
  }
}

export const gupFast = programOf("gup-fast", {
  about: "fork, write faults and 2 x GUP-fast over 3 pages",
  without: "GUP-fast does not look at write_protect_seq"
}, (m, broken, small) => {
  const mm: Mm = {
    pages: small ? [0] : [0, 1, 2],
    broken,
    mmapLock: m.actor(Rwsem.rwsem.type, "mmap_lock", Rwsem.unlocked),
    pte: words(m, "pte", [0, 1, 2].map(entryOf)),
    pteLock: locks(m, "pte_lock", pages),
    refs: words(m, "refs", [1, 1, 1, 1, 1, 1]),
    pins: words(m, "pins", [0, 0, 0, 0, 0, 0]),
    exclusive: words(m, "exclusive", [1, 1, 1, 1, 1, 1]),
    writeProtectSeq: wordNamed(m, "write_protect_seq", 0),
    hasPinned: wordNamed(m, "has_pinned", 0)
  }
  m.thread("fork", () => fork(mm))
  m.thread("fault", () => fault(mm))
  for (const i of [0, 1]) m.thread(`gup ${i}`, () => pinAndWrite(mm))
})
