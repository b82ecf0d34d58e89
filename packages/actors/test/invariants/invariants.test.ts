import { marker, migration, present, swap } from "@mmrace/arch"
import { ask, Mutex, Rwsem, Seqcount } from "@mmrace/core"
import { describe, expect, it } from "vitest"
import { type InvariantId, invariantIds, invariantsFor, inWords } from "@mmrace/actors/invariants/index"
import { Kernel } from "@mmrace/actors/kernel/index"
import * as O from "@mmrace/actors/objects/index"
import { outcome, play, program, type Step } from "./play.ts"
import {
  c0,
  clear,
  counter,
  ctx,
  dma,
  dmaLoad,
  empty,
  enter,
  fill,
  flush,
  folio,
  forked,
  get,
  leave,
  load,
  lock,
  locksVma,
  mark,
  message,
  mmapWrite,
  pin,
  released,
  ro,
  rw,
  section,
  set,
  setFields,
  sleeps,
  slot,
  store,
  swapped,
  t0,
  t1,
  taken,
  unlock,
  vma,
  type W,
  waits,
  withUffd
} from "./steps.ts"

interface Case {
  readonly why: string
  readonly program?: ReturnType<typeof program>
  readonly kernel?: Kernel
  /** Index of the step that breaks it; "end" when it shows at the end; absent when the steps are legal. */
  readonly breaks?: number | "last" | "end"
  readonly steps: (w: W) => ReadonlyArray<Step>
}

const cases: Record<InvariantId, ReadonlyArray<Case>> = {
  "I-01": [
    {
      why: "flag cleared, entry left writable",
      breaks: "last",
      steps: (w) => section(w, t0, [ask(folio(w, 1), O.ClearPageAnonExclusive)])
    },
    {
      why: "flag cleared outside any section",
      breaks: "last",
      steps: (w) => [[t0, ask(folio(w, 1), O.ClearPageAnonExclusive)]]
    },
    {
      why: "flag cleared and write-protected before the lock is dropped",
      steps: (w) =>
        section(w, t0, [ask(folio(w, 1), O.ClearPageAnonExclusive), ask(w.mms[0]!.ptes[0]!, O.ptep_set_wrprotect)])
    }
  ],
  "I-02": [
    { why: "two processes map an exclusive page", breaks: "last", steps: (w) => section(w, t0, [set(w, ro(1), 1)], 1) },
    {
      why: "mapped by a migration entry too",
      breaks: "last",
      steps: (w) => section(w, t0, [set(w, migration(1, "writable"), 1)], 1)
    },
    {
      why: "shared, flag cleared",
      steps: (w) => [[t0, ask(folio(w, 1), O.ClearPageAnonExclusive)], ...section(w, t0, [set(w, ro(1), 1)], 1)]
    },
    { why: "the last mapping goes, the flag stays", steps: (w) => section(w, t0, [clear(w)]) }
  ],
  "I-03": [
    {
      why: "shared and writable in one",
      breaks: "last",
      steps: (w) => [[t0, ask(folio(w, 1), O.ClearPageAnonExclusive)], ...section(w, t0, [set(w, ro(1), 1)], 1)]
    },
    {
      why: "shared and read-only",
      steps: (
        w
      ) => [
        [t0, ask(folio(w, 1), O.ClearPageAnonExclusive)],
        ...section(w, t0, [set(w, ro(1))]),
        ...section(w, t0, [set(w, ro(1), 1)], 1)
      ]
    }
  ],
  "I-04": [
    {
      why: "COW moves a pinned page away",
      breaks: "last",
      steps: (w) => [taken(w, t0), ...section(w, t1, [clear(w), set(w, rw(2))])]
    },
    { why: "swapped out", breaks: "last", steps: (w) => [taken(w, t0), ...section(w, t1, [set(w, swap(0, 0))])] },
    {
      why: "shared while pinned",
      breaks: 1,
      steps: (w) => [taken(w, t0), [t1, ask(folio(w, 1), O.ClearPageAnonExclusive)]]
    },
    {
      why: "gone before GUP said so",
      breaks: "last",
      steps: (w) => [...section(w, t1, [set(w, rw(2))]), taken(w, t0)]
    },
    { why: "FOLL_GET promises nothing", steps: (w) => [taken(w, t0, get), ...section(w, t1, [set(w, rw(2))])] },
    { why: "unpinned before", steps: (w) => [taken(w, t0), released(w, t0), ...section(w, t1, [set(w, rw(2))])] },
    {
      why: "the process discards the page",
      steps: (
        w
      ) => [
        taken(w, t0),
        enter(w, t1, "madvise_dontneed"),
        ...section(w, t1, [clear(w)]),
        leave(w, t1, "madvise_dontneed")
      ]
    },
    {
      why: "discarded while GUP was at work",
      steps: (w) => [
        enter(w, t0, "pin", { mode: 1 }),
        enter(w, t1, "munmap"),
        ...section(w, t1, [clear(w)]),
        leave(w, t1, "munmap"),
        taken(w, t0),
        leave(w, t0, "pin")
      ]
    },
    {
      why: "a pin for reading on a kernel that does not unshare",
      kernel: Kernel.at("5.18"),
      steps: (w) => [taken(w, t0, { ...pin, write: false }), ...section(w, t1, [set(w, rw(2))])]
    }
  ],
  "I-05": [
    {
      why: "the device's store is not what the process reads",
      breaks: "last",
      steps: (w) => [taken(w, t0), ...dma(w, t0, 1, 7), ...load(w, t1, 2).slice(0, 2)]
    },
    {
      why: "the device reads an old value",
      breaks: 5,
      steps: (w) => [taken(w, t0), ...store(w, t1, 2, 7), ...dmaLoad(w, t0, 1)]
    },
    {
      why: "same page",
      steps: (w) => [taken(w, t0), ...dma(w, t0, 1, 7), ...load(w, t1, 1), ...store(w, t1, 1, 8), ...dmaLoad(w, t0, 1)]
    },
    {
      why: "the process discarded it",
      steps: (
        w
      ) => [
        taken(w, t0),
        enter(w, t1, "madvise_dontneed"),
        leave(w, t1, "madvise_dontneed"),
        ...dma(w, t0, 1, 7),
        ...load(w, t1, 2)
      ]
    }
  ],
  "I-06": [
    {
      why: "exclusive, cached, and a swap entry refers to it",
      breaks: "last",
      steps: (w) => [
        [t0, ask(folio(w, 1), O.folio_set_swap_entry, 0)],
        [t0, ask(slot(w), O.swap_cache_set, 1)],
        ...section(w, t0, [set(w, swap(0, 0))])
      ]
    },
    {
      why: "in the swap cache, no swap entry yet",
      steps: (w) => [
        [t0, ask(folio(w, 1), O.folio_set_swap_entry, 0)],
        [t0, ask(slot(w), O.swap_cache_set, 1)],
        ...section(w, t0, [])
      ]
    }
  ],
  "I-07": [
    {
      why: "two exclusive entries for one slot",
      breaks: "last",
      steps: (
        w
      ) => [
        [t0, ask(slot(w), O.swap_duplicate)],
        ...section(w, t0, [set(w, swap(0, 0, { exclusive: true }))]),
        ...section(w, t0, [set(w, swap(0, 0), 1)], 1),
        ...section(w, t0, [])
      ]
    },
    {
      why: "its count is not 1",
      breaks: "last",
      steps: (w) => section(w, t0, [set(w, swap(0, 0, { exclusive: true }))])
    },
    {
      why: "one entry, count 1",
      steps: (w) => section(w, t0, [ask(slot(w), O.swap_duplicate), set(w, swap(0, 0, { exclusive: true }))])
    }
  ],
  "I-08": [
    {
      why: "the child sees the parent's later store",
      breaks: "last",
      steps: (
        w
      ) => [
        [t0, ask(mark(w, t0), O.fork_begin, 1)],
        [t0, ask(mark(w, t0), O.fork_copied, 1)],
        ...store(w, t1, 1, 5),
        ...load(w, c0, 1).slice(0, 2)
      ]
    },
    {
      why: "the parent sees the child's store, copied by the kernel",
      breaks: "last",
      steps: (w) => [
        [t0, ask(mark(w, t0), O.fork_begin, 1)],
        [t0, ask(mark(w, t0), O.fork_copied, 1)],
        ...store(w, c0, 1, 5),
        [t1, ask(w.folios[1]!.page, O.page_read)],
        [t1, ask(w.folios[2]!.page, O.page_write, 5)],
        ...load(w, t0, 2).slice(0, 2)
      ]
    },
    {
      why: "the child sees what a device stores through the parent's pin",
      breaks: "last",
      steps: (w) => [taken(w, t1), ...forked(w), ...dma(w, t1, 1, 7), ...load(w, c0, 1).slice(0, 2)]
    },
    {
      why: "the child sees what a device stores through a page that the parent got before",
      steps: (w) => [taken(w, t1, get), ...forked(w), ...dma(w, t1, 1, 7), ...load(w, c0, 1)]
    },
    {
      why: "a store before dup_mmap is done is in the snapshot",
      steps: (
        w
      ) => [
        [t0, ask(mark(w, t0), O.fork_begin, 1)],
        ...store(w, t1, 1, 5),
        [t0, ask(mark(w, t0), O.fork_copied, 1)],
        ...load(w, c0, 1)
      ]
    }
  ],
  "I-09": [
    { why: "an old value", breaks: "last", steps: (w) => [...store(w, t0, 1, 5), ...load(w, t1, 2).slice(0, 2)] },
    {
      why: "an old value by a translation that was stale before the load began",
      breaks: "last",
      steps: (w) => [...load(w, t0, 1), ...store(w, t1, 2, 5), ...load(w, t0, 1).slice(0, 2)]
    },
    {
      why: "an old value, by a load that was in flight when the store came",
      steps: (w) => {
        const [translate, ...rest] = load(w, t0, 1)
        return [translate!, ...store(w, t1, 2, 5), ...rest]
      }
    },
    {
      why: "a value that came and went while the load was in flight",
      steps: (w) => {
        const [translate, ...rest] = load(w, t0, 1)
        return [translate!, ...store(w, t1, 1, 5), ...store(w, c0, 2, 6), ...rest]
      },
      program: program({ threads: ["t0", "t1", "c0"].map((name) => ({ name, process: "main", body: [] })) })
    },
    {
      why: "an old value again, after the load in flight",
      breaks: "last",
      steps: (w) => {
        const [translate, ...rest] = load(w, t0, 1)
        return [translate!, ...store(w, t1, 2, 5), ...rest, ...load(w, t0, 1).slice(0, 2)]
      }
    },
    {
      why: "zeroes after MADV_FREE and a store",
      breaks: "last",
      steps: (
        w
      ) => [
        enter(w, t0, "madvise_free"),
        leave(w, t0, "madvise_free"),
        ...store(w, t0, 1, 5),
        ...load(w, t0, 2).slice(0, 2)
      ]
    },
    {
      why: "discarded data comes back",
      breaks: "last",
      steps: (w) => [enter(w, t0, "madvise_dontneed"), leave(w, t0, "madvise_dontneed"), ...load(w, t0, 1).slice(0, 2)]
    },
    {
      why: "a store through FOLL_GET is lost",
      breaks: "last",
      steps: (w) => [taken(w, t0, get), ...dma(w, t0, 1, 7), ...load(w, t1, 2).slice(0, 2)]
    },
    {
      why: "the last store, moved by a copy",
      steps: (w) => [...store(w, t0, 1, 5), [t1, ask(w.folios[2]!.page, O.page_write, 5)], ...load(w, t1, 2)]
    },
    {
      why: "zeroes after DONTNEED",
      steps: (
        w
      ) => [
        ...store(w, t0, 1, 5),
        enter(w, t0, "madvise_dontneed"),
        leave(w, t0, "madvise_dontneed"),
        ...load(w, t1, 2)
      ]
    },
    {
      why: "a store during DONTNEED may stay or go",
      steps: (
        w
      ) => [
        enter(w, t0, "madvise_dontneed"),
        ...store(w, t1, 1, 5),
        leave(w, t0, "madvise_dontneed"),
        ...load(w, t1, 1)
      ]
    },
    {
      why: "zeroes after MADV_FREE",
      steps: (w) => [enter(w, t0, "madvise_free"), leave(w, t0, "madvise_free"), ...load(w, t0, 1), ...load(w, t0, 2)]
    },
    {
      why: "a store during MADV_FREE may stay or go",
      steps: (w) => [
        enter(w, t0, "madvise_free"),
        ...store(w, t1, 1, 5),
        leave(w, t0, "madvise_free"),
        ...load(w, t1, 1),
        ...load(w, t1, 2)
      ]
    },
    {
      why: "what was there before a store during MADV_FREE",
      breaks: "last",
      steps: (w) => [
        enter(w, t0, "madvise_free"),
        ...store(w, t1, 2, 5),
        leave(w, t0, "madvise_free"),
        ...load(w, t1, 1).slice(0, 2)
      ]
    },
    {
      why: "a device's store with no promise, through a translation whose flush is owed",
      steps: (w) => [
        taken(w, t0),
        fill(w, t0, 1, false),
        enter(w, t1, "munmap"),
        ...section(w, t1, [clear(w)]),
        ...dma(w, t0, 1, 7),
        ...load(w, t0, 1)
      ]
    },
    {
      why: "a device's store with no promise, to a page that was mapped while a discard was under way",
      steps: (w) => [
        taken(w, t0),
        enter(w, t1, "mmap"),
        ...dma(w, t0, 1, 7),
        leave(w, t1, "mmap"),
        ...load(w, t0, 1)
      ]
    },
    {
      why: "a device's store with no promise, to a page that reclaim takes out and puts back",
      steps: (w) => [
        taken(w, t0),
        enter(w, t1, "mmap"),
        [c0, lock(w)],
        [c0, clear(w)],
        ...dma(w, t0, 1, 7),
        [c0, set(w, rw(1))],
        [c0, unlock(w)],
        ...load(w, t0, 1)
      ]
    },
    {
      why: "a device's store with no promise, to a page that is not mapped there any more",
      breaks: "last",
      steps: (w) => [
        taken(w, t0),
        enter(w, t1, "mmap"),
        ...section(w, c0, [clear(w)]),
        ...dma(w, t0, 1, 7),
        ...load(w, t0, 1).slice(0, 2)
      ]
    },
    {
      why: "a device's store through FOLL_GET after fork need not be seen",
      steps: (
        w
      ) => [taken(w, t0, get), enter(w, t1, "fork"), leave(w, t1, "fork"), ...dma(w, t0, 1, 7), ...load(w, t1, 1)]
    },
    {
      why: "the child may see what the parent stored while it was forked",
      steps: (w) => [
        [t0, ask(mark(w, t0), O.fork_begin, 1)],
        ...section(w, t0, [set(w, ro(1), 1)], 1),
        ...store(w, t1, 1, 5),
        [t0, ask(mark(w, t0), O.fork_copied, 1)],
        ...load(w, c0, 1)
      ]
    },
    {
      why: "zeroes in the child, where DONTNEED under the VMA lock was faster than the fork that had begun",
      steps: (w) => [
        [t0, ask(mark(w, t0), O.fork_begin, 1)],
        enter(w, t1, "madvise_dontneed"),
        ...section(w, t1, [clear(w)]),
        leave(w, t1, "madvise_dontneed"),
        [t0, ask(mark(w, t0), O.fork_copied, 1)],
        ...load(w, c0, 2)
      ]
    },
    {
      why: "the old data in the child, although DONTNEED was faster",
      breaks: "last",
      steps: (w) => [
        [t0, ask(mark(w, t0), O.fork_begin, 1)],
        enter(w, t1, "madvise_dontneed"),
        ...section(w, t1, [clear(w)]),
        leave(w, t1, "madvise_dontneed"),
        [t0, ask(mark(w, t0), O.fork_copied, 1)],
        ...load(w, c0, 1).slice(0, 2)
      ]
    },
    {
      why: "zeroes in the child, whose page was copied before DONTNEED",
      breaks: "last",
      steps: (w) => [
        [t0, ask(mark(w, t0), O.fork_begin, 1)],
        ...section(w, t0, [set(w, ro(1), 1)], 1),
        enter(w, t1, "madvise_dontneed"),
        ...section(w, t1, [clear(w)]),
        leave(w, t1, "madvise_dontneed"),
        [t0, ask(mark(w, t0), O.fork_copied, 1)],
        ...load(w, c0, 2).slice(0, 2)
      ]
    }
  ],
  "I-13": [
    { why: "a reference too few", breaks: "last", steps: (w) => [[t0, ask(folio(w, 1), O.folio_ref_sub, 1)]] },
    { why: "a pin without its references", breaks: "last", steps: (w) => [taken(w, t0)] },
    { why: "resurrected", breaks: "last", steps: (w) => [[t0, ask(folio(w, 3), O.folio_ref_add, 1)]] },
    {
      why: "references first, frozen while it leaves the swap cache",
      steps: (w) => [
        [t0, ask(folio(w, 1), O.folio_ref_add, O.GUP_PIN_COUNTING_BIAS)],
        taken(w, t0),
        released(w, t0),
        [t0, ask(folio(w, 1), O.folio_ref_sub, O.GUP_PIN_COUNTING_BIAS)],
        [t0, ask(folio(w, 1), O.folio_ref_add, 1)],
        [t0, ask(folio(w, 1), O.folio_set_swap_entry, 0)],
        [t0, ask(folio(w, 1), O.folio_ref_freeze, 2)],
        [t0, ask(folio(w, 1), O.folio_set_swap_entry, -1)],
        [t0, ask(folio(w, 1), O.folio_ref_unfreeze, 1)]
      ]
    }
  ],
  "I-14": [
    { why: "a mapping that is not counted", breaks: "last", steps: (w) => section(w, t0, [set(w, ro(1), 1)], 1) },
    {
      why: "counted outside the section",
      breaks: "last",
      steps: (w) => [[t0, ask(folio(w, 1), O.folio_add_mapcount, 1)]]
    },
    { why: "a count that is left behind", breaks: "last", steps: (w) => section(w, t0, [clear(w)]) },
    {
      why: "two locks: looked at when the second is dropped",
      steps: (
        w
      ) => [[t0, lock(w)], [t0, lock(w, 1)], [t0, ask(folio(w, 1), O.folio_add_mapcount, 1)], [t0, unlock(w)], [
        t0,
        set(w, ro(1), 1)
      ], [t0, unlock(w, 1)]]
    }
  ],
  "I-15": [
    {
      why: "copied while another CPU can write, then installed",
      breaks: "last",
      steps: (w) => [
        fill(w, t1, 1, true),
        [t0, ask(mark(w, t0), O.copy_begin, { pfn: 1, mm: 0, page: 0, forChild: false })],
        [t0, ask(w.folios[1]!.page, O.page_read)],
        flush(w, t1),
        [t0, set(w, rw(2))]
      ]
    },
    {
      why: "flushed before it is read",
      steps: (w) => [
        fill(w, t1, 1, true),
        [t0, ask(mark(w, t0), O.copy_begin, { pfn: 1, mm: 0, page: 0, forChild: false })],
        flush(w, t1),
        [t0, ask(w.folios[1]!.page, O.page_read)],
        [t0, set(w, rw(2))],
        [t0, ask(mark(w, t0), O.copy_end)]
      ]
    },
    {
      why: "given up",
      steps: (w) => [
        [t0, ask(mark(w, t0), O.copy_begin, { pfn: 1, mm: 0, page: 0, forChild: false })],
        [t0, ask(w.folios[1]!.page, O.page_read)],
        fill(w, t1, 1, true),
        [t0, ask(mark(w, t0), O.copy_end)]
      ]
    },
    {
      why: "for the child in fork",
      steps: (w) => [
        fill(w, t1, 1, true),
        [t0, ask(mark(w, t0), O.copy_begin, { pfn: 1, mm: 0, page: 0, forChild: true })],
        [t0, ask(w.folios[1]!.page, O.page_read)],
        [t0, set(w, rw(2), 1)],
        [t0, ask(mark(w, t0), O.copy_end)]
      ]
    }
  ],
  "I-16": [
    {
      why: "the last reference goes, an entry maps it",
      breaks: "last",
      steps: (w) => [[t0, ask(folio(w, 1), O.folio_ref_sub, 1)]]
    },
    {
      why: "freed with a pin",
      breaks: "last",
      steps: (w) => [taken(w, t0), [t0, clear(w)], [t0, ask(w.buddy, O.free_unref_page, 1)]]
    },
    {
      why: "freed while in the swap cache",
      breaks: "last",
      steps: (w) => [[t0, ask(slot(w), O.swap_cache_set, 3)], [t0, ask(w.buddy, O.free_unref_page, 3)]]
    },
    {
      why: "freed with a mapcount",
      breaks: "last",
      steps: (w) => [[t0, clear(w)], [t0, ask(folio(w, 1), O.folio_ref_sub, 1)]]
    },
    {
      why: "unmapped, then freed",
      steps: (
        w
      ) => [[t0, clear(w)], [t0, ask(folio(w, 1), O.folio_add_mapcount, -1)], [
        t0,
        ask(folio(w, 1), O.folio_ref_sub, 1)
      ], [t0, ask(w.buddy, O.free_unref_page, 1)]]
    }
  ],
  "I-18": [
    { why: "an entry that is not counted", breaks: "last", steps: (w) => section(w, t0, [set(w, swap(0, 0))]) },
    { why: "a count without an entry", breaks: "last", steps: (w) => [[t0, ask(slot(w), O.swap_duplicate)]] },
    {
      why: "counted in the same section",
      steps: (w) => section(w, t0, [ask(slot(w), O.swap_duplicate), clear(w), set(w, swap(0, 0))])
    },
    { why: "swapped in", program: swapped, steps: (w) => section(w, t0, [ask(slot(w), O.swap_free), set(w, rw(2))]) }
  ],
  "I-19": [
    { why: "a folio without the flag", breaks: "last", steps: (w) => [[t0, ask(slot(w), O.swap_cache_set, 1)]] },
    {
      why: "the flag goes before the folio",
      breaks: "last",
      steps: (
        w
      ) => [[t0, ask(slot(w), O.slot_try_alloc)], [t0, ask(slot(w), O.swap_cache_set, 1)], [
        t0,
        ask(slot(w), O.swapcache_clear)
      ]]
    },
    {
      why: "another task adds",
      breaks: "last",
      steps: (w) => [[t0, ask(slot(w), O.slot_try_alloc)], [t1, ask(slot(w), O.swap_cache_set, 1)]]
    },
    { why: "the flag is left behind", breaks: "end", steps: (w) => [[t0, ask(slot(w), O.slot_try_alloc)]] },
    {
      why: "added and removed",
      steps: (w) => [
        [t0, ask(slot(w), O.slot_try_alloc)],
        [t0, ask(slot(w), O.swap_cache_set, 1)],
        [t1, ask(slot(w), O.swap_cache_set, -1)],
        [t1, ask(slot(w), O.swapcache_clear)]
      ]
    },
    {
      why: "the swap cache is skipped",
      program: swapped,
      steps: (w) => [[t0, ask(slot(w), O.swapcache_prepare)], [t0, ask(slot(w), O.swapcache_clear)]]
    }
  ],
  "I-20": [
    {
      why: "the folio names another slot",
      breaks: "last",
      steps: (
        w
      ) => [[t0, ask(slot(w), O.swap_cache_set, 1)], [t0, ask(folio(w, 1), O.folio_set_swap_entry, 1)], [
        t1,
        ask(w.folios[1]!.lock, Mutex.mutex.lock)
      ]]
    },
    {
      why: "mapped without being that slot's page when it was locked",
      program: swapped,
      breaks: "last",
      steps: (w) => [[t0, ask(w.folios[2]!.lock, Mutex.mutex.lock)], [t0, set(w, rw(2))]]
    },
    {
      why: "found, locked, mapped",
      program: swapped,
      steps: (w) => [
        [t0, ask(folio(w, 2), O.folio_set_swap_entry, 0)],
        [t0, ask(slot(w), O.swap_cache_set, 2)],
        [t0, ask(w.folios[2]!.lock, Mutex.mutex.lock)],
        [t0, set(w, rw(2))]
      ]
    },
    {
      why: "found, locked by somebody who may be killed, mapped",
      program: swapped,
      steps: (w) => [
        [t0, ask(folio(w, 2), O.folio_set_swap_entry, 0)],
        [t0, ask(slot(w), O.swap_cache_set, 2)],
        [t0, ask(w.folios[2]!.lock, Mutex.mutex.lockKillable)],
        [t0, set(w, rw(2))]
      ]
    },
    {
      why: "a page of its own, the swap cache skipped",
      program: swapped,
      steps: (
        w
      ) => [[t0, ask(folio(w, 2), O.prep_new_page)], [t0, ask(w.folios[2]!.lock, Mutex.mutex.lock)], [
        t0,
        set(w, rw(2))
      ]]
    }
  ],
  "I-21": [
    {
      why: "read for an earlier owner",
      program: swapped,
      breaks: "last",
      steps: (w) => [
        [t0, ask(slot(w), O.swap_read_data)],
        [t0, ask(w.folios[2]!.page, O.page_write, 1)],
        [t1, ask(slot(w), O.swap_free)],
        [t1, ask(slot(w), O.slot_try_alloc)],
        [t1, ask(slot(w), O.swap_duplicate)],
        [t0, ask(slot(w), O.swap_free)],
        [t0, set(w, rw(2))]
      ]
    },
    {
      why: "the device dropped the data first",
      program: swapped,
      breaks: "last",
      steps: (w) => [
        [t1, ask(slot(w), O.swap_write_data, 0)],
        [t0, ask(slot(w), O.swap_read_data)],
        [t0, ask(w.folios[2]!.page, O.page_write, 0)],
        [t0, ask(slot(w), O.swap_free)],
        [t0, set(w, rw(2))]
      ]
    },
    {
      why: "the entry is dropped after the page is mapped, and the slot is used again",
      program: swapped,
      steps: (w) => [
        [t0, ask(slot(w), O.swap_read_data)],
        [t0, ask(w.folios[2]!.page, O.page_write, 1)],
        ...section(w, t0, [set(w, rw(2)), ask(slot(w), O.swap_free)]),
        [t1, ask(slot(w), O.slot_try_alloc)],
        [t1, ask(slot(w), O.swap_cache_set, 2)],
        ...section(w, t1, [ask(slot(w), O.swap_duplicate), set(w, swap(0, 0))]),
        ...section(w, t0, [set(w, rw(2)), ask(slot(w), O.swap_free)])
      ]
    },
    {
      why: "read and mapped",
      program: swapped,
      steps: (w) => [
        [t0, ask(slot(w), O.swap_read_data)],
        [t0, ask(w.folios[2]!.page, O.page_write, 1)],
        [t0, ask(slot(w), O.swap_free)],
        [t0, set(w, rw(2))]
      ]
    }
  ],
  "I-24": [
    {
      why: "freed with the only data",
      breaks: "last",
      steps: (w) => [...store(w, t0, 1, 5), ...section(w, t1, [clear(w)]), [t1, ask(w.buddy, O.free_unref_page, 1)]]
    },
    {
      why: "a fresh page takes its place",
      breaks: "last",
      steps: (w) => [...store(w, t0, 1, 5), ...section(w, t1, [clear(w)]), ...section(w, t0, [set(w, rw(2))])]
    },
    {
      why: "a device stored after the page was dropped",
      breaks: "last",
      steps: (w) => [
        enter(w, t0, "madvise_free"),
        leave(w, t0, "madvise_free"),
        taken(w, t0, get),
        ...section(w, t1, [clear(w)]),
        ...dma(w, t0, 1, 7),
        [t0, ask(w.buddy, O.free_unref_page, 1)]
      ]
    },
    {
      why: "written to swap first",
      steps: (w) => [
        ...store(w, t0, 1, 5),
        ...section(w, t1, [clear(w), set(w, swap(0, 0))]),
        [t1, ask(slot(w), O.swap_write_data, 5)],
        [t1, ask(w.buddy, O.free_unref_page, 1)]
      ]
    },
    {
      why: "swapped in with other data before the page-table lock is dropped",
      breaks: "last",
      steps: (w) => [
        ...store(w, t0, 1, 5),
        ...section(w, t1, [clear(w), set(w, swap(0, 0))]),
        ...section(w, t0, [set(w, rw(2))]).slice(0, 2),
        [t1, ask(w.buddy, O.free_unref_page, 1)]
      ]
    },
    {
      why: "swapped in again, the page-table lock not dropped yet",
      steps: (w) => [
        ...store(w, t0, 1, 5),
        ...section(w, t1, [clear(w), set(w, swap(0, 0))]),
        [t1, ask(slot(w), O.swap_write_data, 5)],
        [t0, ask(w.folios[2]!.page, O.page_write, 5)],
        [t0, lock(w)],
        [t0, set(w, rw(2))],
        [t1, ask(w.buddy, O.free_unref_page, 1)],
        [t0, unlock(w)]
      ]
    },
    {
      why: "replaced by a copy",
      steps: (
        w
      ) => [...store(w, t0, 1, 5), ...section(w, t1, [clear(w), set(w, rw(2))]), [
        t1,
        ask(w.buddy, O.free_unref_page, 1)
      ]]
    },
    {
      why: "MADV_FREE came after the store",
      steps: (
        w
      ) => [
        ...store(w, t0, 1, 5),
        enter(w, t0, "madvise_free"),
        leave(w, t0, "madvise_free"),
        ...section(w, t1, [clear(w)]),
        [t1, ask(w.buddy, O.free_unref_page, 1)]
      ]
    },
    {
      why: "discarded by the process",
      steps: (
        w
      ) => [
        enter(w, t0, "munmap"),
        ...section(w, t0, [clear(w)]),
        [t0, ask(w.buddy, O.free_unref_page, 1)],
        leave(w, t0, "munmap")
      ]
    }
  ],
  "I-26": [
    {
      why: "protected and writable",
      breaks: "last",
      steps: (w) => section(w, t0, [set(w, present(1, { write: true, uffdWp: true }))])
    },
    {
      why: "for a moment, within the section",
      steps: (w) =>
        section(w, t0, [set(w, present(1, { write: true, uffdWp: true })), set(w, present(1, { uffdWp: true }))])
    }
  ],
  "I-27": [
    {
      why: "a store after UFFDIO_WRITEPROTECT returned",
      program: withUffd,
      breaks: "last",
      steps: (w) => [
        enter(w, t0, "writeprotect", { mode: 1, ctx: 0 }),
        ...section(w, t0, [set(w, present(1, { uffdWp: true }))]),
        leave(w, t0, "writeprotect"),
        ...store(w, t1, 1, 5).slice(0, 2)
      ]
    },
    {
      why: "a store while it is under way",
      program: withUffd,
      steps: (w) => [
        enter(w, t0, "writeprotect", { mode: 1, ctx: 0 }),
        ...section(w, t0, [set(w, present(1, { uffdWp: true }))]),
        ...store(w, t1, 1, 5),
        leave(w, t0, "writeprotect")
      ]
    },
    {
      why: "a store after the resolution began",
      program: withUffd,
      steps: (w) => [
        enter(w, t0, "writeprotect", { mode: 1, ctx: 0 }),
        ...section(w, t0, [set(w, present(1, { uffdWp: true }))]),
        leave(w, t0, "writeprotect"),
        enter(w, t0, "writeprotect", { ctx: 0 }),
        ...store(w, t1, 1, 5)
      ]
    },
    {
      why: "an empty page is not protected (no WP_UNPOPULATED)",
      program: empty,
      steps: (
        w
      ) => [enter(w, t0, "writeprotect", { mode: 1, ctx: 0 }), leave(w, t0, "writeprotect"), ...store(w, t1, 2, 5)]
    }
  ],
  "I-34": [
    {
      why: "COPY over a page",
      program: withUffd,
      breaks: "last",
      steps: (w) => [enter(w, t0, "copy", { ctx: 0 }), [t0, set(w, rw(2))]]
    },
    {
      why: "COPY into a marker",
      program: empty,
      steps: (w) => [[t0, set(w, marker({ uffdWp: true }))], enter(w, t0, "copy", { ctx: 0 }), [t0, set(w, rw(2))]]
    }
  ],
  "I-37": [
    {
      why: "woken by nobody, although COPY began later",
      program: empty,
      breaks: "end",
      steps: (
        w
      ) => [
        ...waits(w, t1),
        enter(w, t0, "copy", { ctx: 0 }),
        [t0, set(w, rw(2))],
        leave(w, t0, "copy", 1),
        sleeps(w, t1)
      ]
    },
    {
      why: "sleeps for a page that is there",
      program: empty,
      breaks: "end",
      steps: (
        w
      ) => [
        enter(w, t0, "copy", { ctx: 0 }),
        ...waits(w, t1),
        [t0, set(w, rw(2))],
        leave(w, t0, "copy", 1),
        sleeps(w, t1)
      ]
    },
    {
      why: "on no queue",
      program: empty,
      breaks: "end",
      steps: (w) => [...waits(w, t1), [t0, ask(ctx(w).pending, O.queue_del, t1)], sleeps(w, t1)]
    },
    { why: "nobody has answered", program: empty, steps: (w) => [...waits(w, t1), sleeps(w, t1)] },
    {
      why: "DONTWAKE",
      program: empty,
      steps: (
        w
      ) => [
        ...waits(w, t1),
        enter(w, t0, "copy", { ctx: 0, dontwake: true }),
        [t0, set(w, rw(2))],
        leave(w, t0, "copy", 1),
        sleeps(w, t1)
      ]
    },
    {
      why: "woken",
      program: empty,
      steps: (w) => [
        ...waits(w, t1),
        enter(w, t0, "copy", { ctx: 0 }),
        [t0, set(w, rw(2))],
        [t0, ask(w.tasks[t1]!.task, O.try_to_wake_up)],
        [t0, ask(ctx(w).pending, O.queue_del, t1)],
        leave(w, t0, "copy", 1),
        sleeps(w, t1)
      ]
    }
  ],
  "I-38": [
    {
      why: "in neither queue when the lock is dropped",
      program: empty,
      breaks: "last",
      steps: (w) => [
        ...waits(w, t1),
        [t0, ask(ctx(w).pending_lock, Mutex.spinlock.lock)],
        [t0, ask(ctx(w).pending, O.queue_del, t1)],
        [t0, ask(ctx(w).pending_lock, Mutex.spinlock.unlock)]
      ]
    },
    {
      why: "refiled under the lock, then woken",
      program: empty,
      steps: (w) => [
        ...waits(w, t1),
        [t0, ask(ctx(w).pending_lock, Mutex.spinlock.lock)],
        [t0, ask(ctx(w).pending, O.queue_del, t1)],
        [t0, ask(ctx(w).fault, O.queue_add, { thread: t1, message: message(false), waken: false })],
        [t0, ask(ctx(w).pending_lock, Mutex.spinlock.unlock)],
        [t0, ask(ctx(w).pending_lock, Mutex.spinlock.lock)],
        [t0, ask(w.tasks[t1]!.task, O.try_to_wake_up)],
        [t0, ask(ctx(w).fault, O.queue_del, t1)],
        [t0, ask(ctx(w).pending_lock, Mutex.spinlock.unlock)]
      ]
    }
  ],
  "I-39": [
    {
      why: "a VMA still refers to it",
      program: withUffd,
      breaks: "last",
      steps: (w) => [enter(w, t0, "close", { page: -1, pages: 0, ctx: 0 }), leave(w, t0, "close")]
    },
    {
      why: "a thread still sleeps",
      program: empty,
      breaks: "end",
      steps: (w) => [...waits(w, t1), [t0, ask(ctx(w).ctx, O.ctx_set_released)], sleeps(w, t1)]
    },
    {
      why: "SIGBUS because of it",
      program: withUffd,
      breaks: "last",
      steps: (
        w
      ) => [[t0, ask(ctx(w).ctx, O.ctx_set_released)], [
        t1,
        ask(mark(w, t1), O.fault_signal, { page: 0, signal: "SIGBUS" as const })
      ]]
    },
    {
      why: "VMA reset, nobody sleeps",
      program: withUffd,
      steps: (w) => [
        enter(w, t0, "close", { page: -1, pages: 0, ctx: 0 }),
        [t0, ask(ctx(w).ctx, O.ctx_set_released)],
        setFields(w, t0, { uffd: -1, uffdMissing: false, uffdWp: false }),
        leave(w, t0, "close"),
        [t1, ask(mark(w, t1), O.fault_signal, { page: 0, signal: "SIGSEGV" as const })]
      ]
    }
  ],
  "I-40": [
    {
      why: "below zero",
      program: withUffd,
      breaks: "last",
      steps: (w) => [[t0, ask(ctx(w).mmap_changing, O.atomic_add_return, -1)]]
    },
    {
      why: "a flag that the first of two events takes back",
      program: withUffd,
      kernel: Kernel.before("a759a909d42d"),
      breaks: "last",
      steps: (w) => [
        [t0, ask(ctx(w).mmap_changing, O.atomic_set, 1)],
        [t1, ask(ctx(w).mmap_changing, O.atomic_set, 1)],
        [t0, ask(ctx(w).mmap_changing, O.atomic_set, 0)]
      ]
    },
    {
      why: "a flag that stands for two events",
      program: withUffd,
      kernel: Kernel.before("a759a909d42d"),
      steps: (w) => [[t0, ask(ctx(w).mmap_changing, O.atomic_set, 1)], [t1, ask(ctx(w).mmap_changing, O.atomic_set, 1)]]
    },
    {
      why: "a counter set to one for two events",
      program: withUffd,
      breaks: "last",
      steps: (w) => [[t0, ask(ctx(w).mmap_changing, O.atomic_set, 1)], [t1, ask(ctx(w).mmap_changing, O.atomic_set, 1)]]
    },
    {
      why: "not taken back",
      program: withUffd,
      breaks: "last",
      steps: (
        w
      ) => [
        enter(w, t0, "madvise_dontneed"),
        [t0, ask(ctx(w).mmap_changing, O.atomic_add_return, 1)],
        leave(w, t0, "madvise_dontneed")
      ]
    },
    {
      why: "two events, counted",
      program: withUffd,
      steps: (w) => [
        [t0, ask(ctx(w).mmap_changing, O.atomic_add_return, 1)],
        [t1, ask(ctx(w).mmap_changing, O.atomic_add_return, 1)],
        [t0, ask(ctx(w).mmap_changing, O.atomic_add_return, -1)],
        [t1, ask(ctx(w).mmap_changing, O.atomic_add_return, -1)]
      ]
    }
  ],
  "I-41": [
    {
      why: "a fill while an event is in flight",
      program: empty,
      breaks: "last",
      steps: (
        w
      ) => [enter(w, t0, "copy", { ctx: 0 }), [t1, ask(ctx(w).mmap_changing, O.atomic_add_return, 1)], [
        t0,
        set(w, rw(2))
      ]]
    },
    {
      why: "the same, told by marks",
      program: empty,
      breaks: "last",
      steps: (w) => [[t1, ask(mark(w, t1), O.event_begin, 0)], enter(w, t0, "copy", { ctx: 0 }), [t0, set(w, rw(2))]]
    },
    {
      why: "before and after",
      program: empty,
      steps: (w) => [
        enter(w, t0, "copy", { ctx: 0 }),
        [t0, set(w, rw(2))],
        [t1, ask(ctx(w).mmap_changing, O.atomic_add_return, 1)],
        [t1, clear(w)],
        [t1, ask(ctx(w).mmap_changing, O.atomic_add_return, -1)],
        [t0, set(w, rw(2))]
      ]
    }
  ],
  "I-42": [
    {
      why: "a context without a mode",
      program: withUffd,
      breaks: "last",
      steps: (w) => [setFields(w, t0, { uffdMissing: false, uffdWp: false })]
    },
    {
      why: "reset by an operation of nobody",
      program: withUffd,
      breaks: "last",
      steps: (w) => [setFields(w, t0, { uffd: -1, uffdMissing: false, uffdWp: false })]
    },
    {
      why: "another address space's context",
      program: withUffd,
      breaks: "last",
      steps: (w) => [
        enter(w, t0, "fork"),
        [t0, ask(w.mms[1]!.vmas[0]!, O.vma_set_fields, vma(w).initial.fields)],
        [t0, ask(w.mms[1]!.mt, O.mas_store, { start: 0, end: 1, vma: 0 })]
      ]
    },
    {
      why: "unregistered by its owner",
      program: withUffd,
      steps: (
        w
      ) => [
        enter(w, t0, "unregister", { ctx: 0 }),
        setFields(w, t0, { uffd: -1, uffdMissing: false, uffdWp: false }),
        leave(w, t0, "unregister")
      ]
    }
  ],
  "I-43": [
    {
      why: "a fault fills a registered page by itself",
      program: empty,
      breaks: "last",
      steps: (w) => section(w, t0, [set(w, rw(2))])
    },
    {
      why: "COPY fills it",
      program: empty,
      steps: (w) => [enter(w, t0, "copy", { ctx: 0 }), ...section(w, t0, [set(w, rw(2))]), leave(w, t0, "copy", 1)]
    },
    { why: "COW of a page that is there", program: withUffd, steps: (w) => section(w, t0, [clear(w), set(w, rw(2))]) }
  ],
  "I-45": [
    {
      why: "changed while read-locked",
      breaks: "last",
      steps: (
        w
      ) => [...locksVma(w, t1), mmapWrite(w, t0), [t0, ask(w.mms[0]!.mm_lock_seq, O.mm_lock_seq_inc)], [
        t0,
        ask(vma(w), O.vma_set_lock_seq, 1)
      ], setFields(w, t0, { prot: "r" })]
    },
    { why: "changed without mmap_lock", breaks: "last", steps: (w) => [setFields(w, t0, { prot: "r" })] },
    {
      why: "changed without being write-locked",
      breaks: "last",
      steps: (w) => [mmapWrite(w, t0), setFields(w, t0, { prot: "r" })]
    },
    {
      why: "a reader that has yet to look at the sequence will back out",
      steps: (w) => [
        mmapWrite(w, t0),
        [t0, ask(w.mms[0]!.mm_lock_seq, O.mm_lock_seq_inc)],
        [t0, ask(vma(w), O.vma_set_lock_seq, 1)],
        [t1, ask(vma(w), O.vma_refcount_inc)],
        setFields(w, t0, { prot: "r" }),
        [t1, ask(w.mms[0]!.mm_lock_seq, O.mm_lock_seq_read)],
        setFields(w, t0, { prot: "rw" }),
        [t1, ask(vma(w), O.vma_refcount_put)]
      ]
    }
  ],
  "I-51": [
    {
      why: "write-protected, not flushed",
      breaks: "last",
      steps: (w) => [fill(w, t1, 1, true), ...section(w, t0, [ask(w.mms[0]!.ptes[0]!, O.ptep_set_wrprotect)])]
    },
    {
      why: "the gather ends without a flush",
      breaks: "last",
      steps: (w) => [
        fill(w, t1, 1, true),
        [t0, ask(counter({ mm: "tlb_flush_pending" }, w), O.atomic_add_return, 1)],
        ...section(w, t0, [ask(w.mms[0]!.ptes[0]!, O.ptep_set_wrprotect)]),
        [t0, ask(counter({ mm: "tlb_flush_pending" }, w), O.atomic_add_return, -1)]
      ]
    },
    {
      why: "mprotect returns, reclaim owes the flush",
      breaks: "last",
      steps: (w) => [
        fill(w, t0, 1, true),
        [t1, ask(counter({ mm: "batched_pending" }, w), O.atomic_add_return, 1)],
        ...section(w, t1, [set(w, swap(0, 0))]),
        enter(w, t0, "mprotect", { mode: 1 }),
        setFields(w, t0, { prot: "r" }),
        leave(w, t0, "mprotect")
      ]
    },
    {
      why: "reclaim ends without its flush",
      breaks: "last",
      steps: (w) => [
        fill(w, t0, 1, true),
        enter(w, t1, "reclaim"),
        [t1, ask(counter({ mm: "batched_pending" }, w), O.atomic_add_return, 1)],
        ...section(w, t1, [set(w, swap(0, 0))]),
        leave(w, t1, "reclaim")
      ]
    },
    {
      why: "written to swap while a CPU has a dirty entry",
      breaks: "last",
      steps: (w) => [
        fill(w, t0, 1, true),
        [t1, ask(counter({ mm: "batched_pending" }, w), O.atomic_add_return, 1)],
        ...section(w, t1, [set(w, swap(0, 0))]),
        [t1, ask(slot(w), O.swap_write_data, 1)]
      ]
    },
    {
      why: "flushed before the lock is dropped",
      steps: (w) => [fill(w, t1, 1, true), [t0, lock(w)], [t0, clear(w)], flush(w, t1), [t0, unlock(w)]]
    },
    {
      why: "gather, flush, end",
      steps: (w) => [
        fill(w, t1, 1, true),
        [t0, ask(counter({ mm: "tlb_flush_pending" }, w), O.atomic_add_return, 1)],
        ...section(w, t0, [ask(w.mms[0]!.ptes[0]!, O.ptep_set_wrprotect)]),
        flush(w, t1),
        [t0, ask(counter({ mm: "tlb_flush_pending" }, w), O.atomic_add_return, -1)]
      ]
    },
    {
      why: "fork flushes at its end",
      steps: (w) => [
        fill(w, t1, 1, true),
        [t0, ask(mark(w, t0), O.fork_begin, 1)],
        ...section(w, t0, [ask(w.mms[0]!.ptes[0]!, O.ptep_set_wrprotect)]),
        flush(w, t1),
        [t0, ask(mark(w, t0), O.fork_copied, 1)]
      ]
    },
    { why: "a TLB entry that allows less", steps: (w) => [fill(w, t1, 1, false), ...section(w, t0, [])] }
  ],
  "I-52": [
    {
      why: "a TLB entry is left",
      breaks: "last",
      steps: (w) => [fill(w, t1, 1, false), [t0, ask(w.buddy, O.free_unref_page, 1)]]
    },
    {
      why: "flushed before",
      steps: (w) => [fill(w, t1, 1, false), flush(w, t1), [t0, ask(w.buddy, O.free_unref_page, 1)]]
    }
  ],
  "I-53": [
    {
      why: "below zero",
      breaks: "last",
      steps: (w) => [[t0, ask(counter({ mm: "tlb_flush_pending" }, w), O.atomic_add_return, -1)]]
    },
    {
      why: "a gather is left open",
      breaks: "last",
      steps: (
        w
      ) => [
        enter(w, t0, "munmap"),
        [t0, ask(counter({ mm: "tlb_flush_pending" }, w), O.atomic_add_return, 1)],
        leave(w, t0, "munmap")
      ]
    },
    {
      why: "flushed ahead of pending",
      breaks: "last",
      steps: (w) => [[t0, ask(counter({ mm: "batched_flushed" }, w), O.atomic_set, 1)]]
    },
    {
      why: "begun and finished",
      steps: (w) => [
        enter(w, t0, "munmap"),
        [t0, ask(counter({ mm: "tlb_flush_pending" }, w), O.atomic_add_return, 1)],
        [t0, ask(counter({ mm: "tlb_flush_pending" }, w), O.atomic_add_return, -1)],
        leave(w, t0, "munmap"),
        [t0, ask(counter({ mm: "batched_pending" }, w), O.atomic_add_return, 1)],
        [t0, ask(counter({ mm: "batched_flushed" }, w), O.atomic_set, 1)]
      ]
    }
  ],
  "I-54": [
    {
      why: "odd without mmap_lock",
      breaks: "last",
      steps: (w) => [[t0, ask(w.mms[0]!.write_protect_seq, Seqcount.seqcount.writeBegin)]]
    },
    {
      why: "mmap_lock dropped while odd",
      breaks: "last",
      steps: (
        w
      ) => [mmapWrite(w, t0), [t0, ask(w.mms[0]!.write_protect_seq, Seqcount.seqcount.writeBegin)], [
        t0,
        ask(w.mms[0]!.mmap_lock, Rwsem.rwsem.upWrite)
      ]]
    },
    {
      why: "even again before",
      steps: (w) => [
        mmapWrite(w, t0),
        [t0, ask(w.mms[0]!.write_protect_seq, Seqcount.seqcount.writeBegin)],
        [t0, ask(w.mms[0]!.write_protect_seq, Seqcount.seqcount.writeEnd)],
        [t0, ask(w.mms[0]!.mmap_lock, Rwsem.rwsem.upWrite)]
      ]
    }
  ],
  "I-55": [
    {
      why: "waits for mmap_lock with a VMA locked",
      breaks: "last",
      steps: (w) => [...locksVma(w, t1), [t1, ask(w.mms[0]!.mmap_lock, Rwsem.rwsem.downRead)]]
    },
    {
      why: "tries it",
      steps: (w) => [...locksVma(w, t1), [t1, ask(w.mms[0]!.mmap_lock, Rwsem.rwsem.downReadTrylock)]]
    },
    {
      why: "after letting the VMA go",
      steps: (
        w
      ) => [...locksVma(w, t1), [t1, ask(vma(w), O.vma_refcount_put)], [
        t1,
        ask(w.mms[0]!.mmap_lock, Rwsem.rwsem.downRead)
      ]]
    }
  ]
}

describe.each(invariantIds)("%s", (id) => {
  it.each(cases[id].map((c) => [c.breaks === undefined ? `legal: ${c.why}` : c.why, c] as const))("%s", (_why, c) => {
    const played = play(c.steps, [id], {
      ...(c.program && { program: c.program }),
      ...(c.kernel && { kernel: c.kernel })
    })
    if (c.breaks === undefined) expect(outcome(played)).toBe("Ok")
    else if (c.breaks === "end") expect(played.verdict).toMatchObject({ _tag: "Violation", monitor: id })
    else expect(outcome(played)).toBe(`${id} at ${c.breaks === "last" ? played.steps - 1 : c.breaks}`)
  })

  it("has words, and cases of both kinds", () => {
    expect(inWords(id)).toMatch(/^[A-Za-z_].*\.$/u)
    expect(cases[id].some((c) => c.breaks === undefined)).toBe(true)
    expect(cases[id].some((c) => c.breaks !== undefined)).toBe(true)
  })
})

/** Numbers of the invariants that apply. */
const ids = (kernel: Kernel, p: ReturnType<typeof program>): ReadonlyArray<string> => {
  let found: ReadonlyArray<string> = []
  play(
    (w) => {
      found = invariantsFor(w).map((m) => m.id)
      return []
    },
    [],
    { kernel, program: p }
  )
  return found
}

describe("invariantsFor", () => {
  it("leaves out what the kernel does not have", () => {
    const old = ids(Kernel.at("5.8"), program())
    expect(old).not.toContain("I-01")
    expect(old).not.toContain("I-07")
    expect(old).not.toContain("I-54")
    expect(old).toContain("I-09")
  })
  it("leaves out what the program cannot touch", () => {
    const alone = ids(
      Kernel.complete(),
      program({ threads: [{ name: "t0", process: "main", body: [] }], swap: { slots: 0, device: "disk" } })
    )
    for (const id of ["I-03", "I-04", "I-08", "I-18", "I-27"]) expect(alone).not.toContain(id)
  })
  it("has all of them otherwise", () => {
    expect(ids(Kernel.complete(), withUffd)).toEqual(invariantIds)
  })
  it("does not know an invariant that is not there", () => {
    expect(inWords("I-99")).toBeUndefined()
    expect(inWords("toString")).toBeUndefined()
  })
})
