/**
 * The fixes of the bug corpus: one row per upstream commit, keyed by its first 12 digits. Titles are the commits'
 * own subject lines; the knob says in a few words what the fix switches, before -> after.
 *
 * `introduced` is the mainline release that brought the defect (undefined: older than 4.3, or not known);
 * `release` the first mainline release with the fix (undefined: newer than every release of the model).
 * Records often give the last affected release where a fix went to stable trees too; rows whose commit
 * is dated after that release carry the release it was merged for, and the stable point where known.
 */
import type { Mainline, ReleaseName } from "./Release.ts"

export interface ChangeRow {
  readonly bug: string | undefined
  readonly title: string
  readonly knob: string
  readonly introduced: Mainline | undefined
  readonly release: Mainline | undefined
  readonly stable?: ReadonlyArray<ReleaseName>
  /** Id and title seen (V, the default), title seen and id from memory (T), from memory (M). */
  readonly mark?: "V" | "T" | "M"
}

type Range = readonly [introduced: Mainline | undefined, release: Mainline | undefined]

const row = (
  bug: string,
  [introduced, release]: Range,
  title: string,
  knob: string,
  more: Pick<ChangeRow, "stable" | "mark"> = {}
): ChangeRow => ({ bug, title, knob, introduced, release, ...more })

export const fixRows = {
  "17839856fd58": row("B-03", [undefined, "5.8"], "gup: document and work around 'COW can break either way' issue",
    "wp.reuseRule: sole mapping reuses -> GUP for read breaks COW early"),
  "09854ba94c6a": row("B-03", [undefined, "5.9"], "mm: do_wp_page() simplification",
    "wp.reuseRule: GUP breaks COW early -> reuse only when the page has one reference"),
  "70e806e4e645": row("B-04", [undefined, "5.9"], "mm: Do early cow for pinned pages during fork() for ptes",
    "fork.pinnedPages: share a pinned page -> copy it for the child"),
  "57efa1fe5957": row("B-05", ["5.9", "5.11"], "mm/gup: prevent gup_fast from racing with COW during fork",
    "gupFast.writeProtectSeq: none -> fork makes the sequence odd, pinning GUP-fast gives up on odd or changed"),
  "6c287605fd56": row("B-06", ["5.9", "5.19"], "mm: remember exclusively mapped anonymous pages with PG_anon_exclusive",
    "wp.reuseRule: one reference -> exclusive flag first, then one reference under the folio lock"),
  "1493a1913e34": row("B-06", ["5.9", "5.19"], "mm/swap: remember PG_anon_exclusive via a swp pte bit",
    "swap.exclusiveBit: swap-in decides by references -> the swap entry remembers exclusive"),
  "c89357e27f20": row("B-08", [undefined, "5.19"], "mm: support GUP-triggered unsharing of anonymous pages",
    "fault.unshare: no such fault -> a fault may replace a shared page by an exclusive copy"),
  "a7f226604170": row("B-08", [undefined, "5.19"],
    "mm/gup: trigger FAULT_FLAG_UNSHARE when R/O-pinning a possibly shared anonymous page",
    "gup.unshare: pin the shared page -> unshare first, pin the exclusive copy"),
  "6c8e2a256915": row("B-12", ["4.5", "5.18"], "mm: fix race between MADV_FREE reclaim and blkdev direct IO read",
    "lazyfree.refCheck: dirty only -> clear entry, barrier, references, barrier, dirty"),
  "df2cc96e7701": row("B-14", ["4.11", "4.18"], "userfaultfd: prevent non-cooperative events vs mcopy_atomic races",
    "uffd.mmapChanging: fills ignore events in flight -> fills fail with EAGAIN meanwhile"),
  "5e4c24a57b0c": row("B-15", ["6.9", "6.9"], "userfaultfd: protect mmap_changing with rw_sem in userfaulfd_ctx",
    "uffd.mapChangingLock: plain check -> semaphore held for read across a fill, for write around the change"),
  "a759a909d42d": row("B-18", ["4.18", "5.15"], "userfaultfd: change mmap_changing to atomic",
    "uffd.changingType: flag -> counter"),
  "13ddaf26be32": row("B-20", ["4.15", "6.8"], "mm/swap: fix race when skipping swapcache",
    "swapin.bypassPin: none -> the bypass reserves the slot until the entry is installed"),
  "e914d8f00391": row("B-21", ["4.15", "5.18"], "mm: fix unexpected zeroed page mapping with zram swap",
    "zram.freeOnRead: read completion frees the slot -> only swap_free does"),
  "4969c1192d15": row("B-23", [undefined, "4.3"], "mm: fix swapin race condition",
    "swapin.identityCheck: none -> the locked page must still be in the swap cache"),
  "31c4a3d3a0f8": row("B-23", [undefined, "4.3"], "mm: further fix swapin race condition",
    "swapin.identityCheck: in the swap cache -> in the swap cache under this entry", { mark: "T" }),
  "fb49c455323f": row("B-32", ["6.4", "6.5"], "fork: lock VMAs of the parent process when forking",
    "fork.vmaStartWrite: mmap_lock only -> each parent VMA is write-locked", { stable: ["6.4.3"] }),
  "2c5b7e1be74f": row("B-54", ["4.3", "4.3"], "userfaultfd: avoid missing wakeups during refile in userfaultfd_read",
    "wake.refileSeq: none -> the wake-up check is repeated when the reader moved an entry meanwhile", { mark: "T" }),
  "8d2afd96c203": row("B-56", ["4.3", "4.3"], "userfaultfd: solve the race between UFFDIO_COPY|ZEROPAGE and read",
    "handleUserfault.mustWaitRecheck: none -> the page table is looked at again once queued"),
  "6ce64428d620": row("B-58", ["5.7", "5.12"], "mm/userfaultfd: fix memory corruption due to writeprotect",
    "wpPage.flushIfPending: copy at once -> flush the page first when the VMA is write-protect-registered and a flush is pending"),
  "3ea277194daa": row("B-71", ["4.3", "4.13"],
    "mm, mprotect: flush TLB if potentially racing with a parallel reclaim leaving stale TLB entries",
    "ptl.flushBatchedPending: none -> users of the page-table lock flush what reclaim deferred")
} as const satisfies Record<string, ChangeRow>

export type Commit = keyof typeof fixRows
