/** The invariants of the mm model as monitors, under their numbers. */
import type { Monitor } from "@mmrace/core"
import { feature } from "../kernel/index.ts"
import type { World } from "../objects/index.ts"
import { noWriterDuringCopy } from "./copy.ts"
import { mapcountExact, swapCount } from "./counts.ts"
import { dirtyNotLost } from "./dirty.ts"
import {
  exclusiveImpliesSoleMapping,
  shareImpliesReadOnly,
  swapcacheNotExclusive,
  swapExclusiveSole,
  uffdWpNotWritable,
  writableImpliesExclusive
} from "./exclusive.ts"
import { noLostStore, pinCoherence } from "./ghost.ts"
import { noMmapLockUnderVmaLock, vmaReadExclusion, wpSeqParity } from "./locking.ts"
import { pinStability } from "./pin.ts"
import { programPins } from "./pinned.ts"
import { freedUnreachable, noTlbToFreed, refcountLowerBound } from "./refcount.ts"
import { forkSnapshot } from "./snapshot.ts"
import { hasCache, noStaleSwapin, swapcacheIdentity } from "./swapCache.ts"
import { tlbContract, tlbPendingBalance } from "./tlb.ts"
import { mmapChangingCount, oneOwner } from "./uffdContext.ts"
import { eventOrdering, noOverwrite, registerVisibility, wpTrap } from "./uffdPages.ts"
import { noLostWakeup, queueMembership, releaseDrains } from "./uffdWaits.ts"

interface Invariant {
  /** What it says, in one plain sentence. */
  readonly words: string
  /** Whether it means anything on the world's kernel and program; default always. */
  readonly applies?: (world: World) => boolean
  readonly monitor: (world: World) => Monitor
}

const erase = <S>(make: (world: World) => Monitor<S>): (world: World) => Monitor => (world) =>
  make(world) as Monitor<unknown> as Monitor

const hasExclusive = (world: World): boolean => world.kernel.has(feature.anonExclusive)
const hasSwap = (world: World): boolean => world.slots.length > 0
const hasUffd = (world: World): boolean => world.ctxs.length > 0
const hasFork = (world: World): boolean => world.mms.length > 1

const table = {
  "I-01": {
    words: "A page that a process may write through its page table is marked as belonging to that process alone.",
    applies: hasExclusive,
    monitor: erase(writableImpliesExclusive)
  },
  "I-02": {
    words: "A page marked as belonging to one process alone is mapped only once.",
    applies: hasExclusive,
    monitor: erase(exclusiveImpliesSoleMapping)
  },
  "I-03": {
    words: "A page that several processes share is read-only in all of them.",
    applies: hasFork,
    monitor: erase(shareImpliesReadOnly)
  },
  "I-04": {
    words:
      "A page pinned for a device stays mapped where it was pinned until it is unpinned or the process itself gives it up.",
    applies: programPins,
    monitor: erase(pinStability)
  },
  "I-05": {
    words: "What a device stores through a pin is what the process reads there, and the other way round.",
    applies: programPins,
    monitor: erase(pinCoherence)
  },
  "I-06": {
    words: "A page in the swap cache that a swap entry refers to is not marked as belonging to one process alone.",
    applies: (world) => hasExclusive(world) && hasSwap(world),
    monitor: erase(swapcacheNotExclusive)
  },
  "I-07": {
    words: "A swap entry marked exclusive is the only one for its slot.",
    applies: (world) => world.kernel.has(feature.swapExclusive) && hasSwap(world),
    monitor: erase(swapExclusiveSole)
  },
  "I-08": {
    words: "After fork, parent and child do not see each other's stores.",
    applies: hasFork,
    monitor: erase(forkSnapshot)
  },
  "I-09": {
    words: "A load returns the last store to that address.",
    monitor: erase(noLostStore)
  },
  "I-13": {
    words:
      "A page has at least as many references as it has mappings, pins and a place in the swap cache, and none is taken once it has none.",
    monitor: erase(refcountLowerBound)
  },
  "I-14": {
    words: "The mapcount of a page is the number of page-table entries that map it.",
    monitor: erase(mapcountExact)
  },
  "I-15": {
    words: "While a page is being copied to take its place, no CPU can still write the old page.",
    monitor: erase(noWriterDuringCopy)
  },
  "I-16": {
    words: "Nothing refers to a page that has been freed.",
    monitor: erase(freedUnreachable)
  },
  "I-18": {
    words: "The count of a swap slot is the number of swap entries that refer to it.",
    applies: hasSwap,
    monitor: erase(swapCount)
  },
  "I-19": {
    words:
      "A swap slot says that it is cached exactly when a page is in the swap cache for it, or one task is putting it there or taking it out.",
    applies: hasSwap,
    monitor: erase(hasCache)
  },
  "I-20": {
    words: "A locked page in the swap cache names the slot under which it is found, and is mapped for no other slot.",
    applies: hasSwap,
    monitor: erase(swapcacheIdentity)
  },
  "I-21": {
    words: "A page that is swapped in holds the data that the present owner of the slot wrote.",
    applies: hasSwap,
    monitor: erase(noStaleSwapin)
  },
  "I-24": {
    words: "A page is dropped only when what was stored to it is in memory or in swap.",
    monitor: erase(dirtyNotLost)
  },
  "I-26": {
    words: "A page that userfaultfd write-protects is not writable.",
    applies: hasUffd,
    monitor: erase(uffdWpNotWritable)
  },
  "I-27": {
    words:
      "Once UFFDIO_WRITEPROTECT has returned, no store to the page takes effect before the protection is resolved.",
    applies: hasUffd,
    monitor: erase(wpTrap)
  },
  "I-34": {
    words: "UFFDIO_COPY and UFFDIO_ZEROPAGE never replace a page that is there.",
    applies: hasUffd,
    monitor: erase(noOverwrite)
  },
  "I-37": {
    words: "A thread that waits for a userfaultfd page is woken when the page is resolved and waiters are woken.",
    applies: hasUffd,
    monitor: erase(noLostWakeup)
  },
  "I-38": {
    words: "A thread that waits for a userfaultfd page is on exactly one wait queue until it is woken.",
    applies: hasUffd,
    monitor: erase(queueMembership)
  },
  "I-39": {
    words:
      "After a userfaultfd is closed nothing refers to it, nobody sleeps on it, and nobody was killed by the closing.",
    applies: hasUffd,
    monitor: erase(releaseDrains)
  },
  "I-40": {
    words: "mmap_changing is the number of userfaultfd events in flight.",
    applies: hasUffd,
    monitor: erase(mmapChangingCount)
  },
  "I-41": {
    words: "No userfaultfd operation changes a page while an event that affects the address space is in flight.",
    applies: hasUffd,
    monitor: erase(eventOrdering)
  },
  "I-42": {
    words: "A VMA is registered with one userfaultfd of its own address space, and only that one changes it.",
    applies: hasUffd,
    monitor: erase(oneOwner)
  },
  "I-43": {
    words: "A fault that begins after UFFDIO_REGISTER sees the registration.",
    applies: hasUffd,
    monitor: erase(registerVisibility)
  },
  "I-45": {
    words: "A VMA does not change while somebody has it locked for reading.",
    monitor: erase(vmaReadExclusion)
  },
  "I-51": {
    words:
      "What a CPU has cached of the page table is in the page table, or somebody still owes the flush and nobody has relied on it.",
    monitor: erase(tlbContract)
  },
  "I-52": {
    words: "No CPU can still reach a page that goes back to the allocator.",
    monitor: erase(noTlbToFreed)
  },
  "I-53": {
    words: "tlb_flush_pending is the number of flushes in the making, and every one is brought to its end.",
    monitor: erase(tlbPendingBalance)
  },
  "I-54": {
    words: "write_protect_seq is odd only while fork holds mmap_lock for writing.",
    applies: (world) => world.kernel.has(feature.writeProtectSeq),
    monitor: erase(wpSeqParity)
  },
  "I-55": {
    words: "Threads never wait for each other's locks in a circle.",
    applies: (world) => world.kernel.has(feature.perVmaLock),
    monitor: erase(noMmapLockUnderVmaLock)
  }
} as const satisfies Record<string, Invariant>

export type InvariantId = keyof typeof table

/** Numbers of all invariants, ascending. */
export const invariantIds = Object.keys(table) as ReadonlyArray<InvariantId>

/** What an invariant says, in one plain sentence; undefined for an unknown number. */
export const inWords = (id: string): string | undefined =>
  Object.hasOwn(table, id) ? table[id as InvariantId].words : undefined

/** One invariant's monitor, whether it means anything in this world or not. */
export const invariant = (id: InvariantId, world: World): Monitor => table[id].monitor(world)

/** The monitors of the invariants that mean something on the world's kernel and for its program. */
export const invariantsFor = (world: World): ReadonlyArray<Monitor> =>
  invariantIds.flatMap((id) => {
    const { applies, monitor }: Invariant = table[id]
    return applies === undefined || applies(world) ? [monitor(world)] : []
  })
