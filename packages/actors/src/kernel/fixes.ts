/**
 * The fixes of the bug corpus: one row per upstream commit, keyed by its first 12 digits. Titles are the commits'
 * own subject lines; the knob says in a few words what the fix switches, before -> after.
 *
 * `introduced` is the mainline release that brought the defect (undefined: older than 4.3, or not known);
 * `release` the first mainline release with the fix (undefined: newer than every release of the model, or not known;
 * such a fix is in no release and comes with `with` only). Records often give the last affected release as the end of
 * the range; a row whose commit is dated after that release carries the release it was merged for, and the
 * stable point where known. A fix whose mainline commit is not known goes by its slug.
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
  // Copy-on-write, GUP, fork
  "19be0eaffa3a": row(
    "B-01",
    [undefined, "4.9"],
    "mm: remove gup_flags FOLL_WRITE games from __get_user_pages()",
    "gup.follForceRetry: drop the write flag once COW was done -> keep it, accept only a dirty read-only entry",
    { stable: ["4.8.3"] }
  ),
  "a8f97366452e": row(
    "B-02",
    [undefined, "4.15"],
    "mm, thp: Do not make page table dirty unconditionally in touch_p[mu]d()",
    "gup.touchMarksDirty: always -> for writes only"
  ),
  "17839856fd58": row(
    "B-03",
    [undefined, "5.8"],
    "gup: document and work around 'COW can break either way' issue",
    "wp.reuseRule: sole mapping reuses -> GUP for read breaks COW early"
  ),
  "09854ba94c6a": row(
    "B-03",
    [undefined, "5.9"],
    "mm: do_wp_page() simplification",
    "wp.reuseRule: GUP breaks COW early -> reuse only when the page has one reference"
  ),
  "70e806e4e645": row(
    "B-04",
    [undefined, "5.9"],
    "mm: Do early cow for pinned pages during fork() for ptes",
    "fork.pinnedPages: share a pinned page -> copy it for the child"
  ),
  "57efa1fe5957": row(
    "B-05",
    ["5.9", "5.11"],
    "mm/gup: prevent gup_fast from racing with COW during fork",
    "gupFast.writeProtectSeq: none -> fork makes the sequence odd, pinning GUP-fast gives up on odd or changed"
  ),
  "6c287605fd56": row(
    "B-06",
    ["5.9", "5.19"],
    "mm: remember exclusively mapped anonymous pages with PG_anon_exclusive",
    "wp.reuseRule: one reference -> exclusive flag first, then one reference under the folio lock"
  ),
  "1493a1913e34": row(
    "B-06",
    ["5.9", "5.19"],
    "mm/swap: remember PG_anon_exclusive via a swp pte bit",
    "swap.exclusiveBit: swap-in decides by references -> the swap entry remembers exclusive"
  ),
  "9348b73c2e1b": row(
    "B-07",
    [undefined, "5.11"],
    "mm: don't play games with pinned pages in clear_page_refs",
    "softdirty.skipPinned: protect pinned pages too -> leave them"
  ),
  "c89357e27f20": row(
    "B-08",
    [undefined, "5.19"],
    "mm: support GUP-triggered unsharing of anonymous pages",
    "fault.unshare: no such fault -> a fault may replace a shared page by an exclusive copy"
  ),
  "a7f226604170": row(
    "B-08",
    [undefined, "5.19"],
    "mm/gup: trigger FAULT_FLAG_UNSHARE when R/O-pinning a possibly shared anonymous page",
    "gup.unshare: pin the shared page -> unshare first, pin the exclusive copy"
  ),
  "088b8aa537c2": row(
    "B-09",
    [undefined, "6.1"],
    "mm: fix PageAnonExclusive clearing racing with concurrent RCU GUP-fast",
    "share.barriers: none -> clear entry, barrier, pin check; GUP-fast orders its re-read before the flag"
  ),
  "5535be309971": row(
    "B-10",
    ["5.16", "6.0"],
    "mm/gup: fix FOLL_FORCE COW security issue and remove FOLL_COW",
    "gup.followForceWrite: a dirty read-only entry -> an exclusive anonymous page",
    { stable: ["5.19.6"] }
  ),
  "80d47f5de5e3": row(
    "B-11",
    ["5.9", "5.17"],
    "mm: don't try to NUMA-migrate COW pages that have other uses",
    "numa.skipRule: mapped more than once -> referenced more than once"
  ),
  "6c8e2a256915": row(
    "B-12",
    ["4.5", "5.18"],
    "mm: fix race between MADV_FREE reclaim and blkdev direct IO read",
    "lazyfree.refCheck: dirty only -> clear entry, barrier, references, barrier, dirty"
  ),
  "29a951dfb3c3": row(
    "B-13",
    [undefined, "5.11"],
    "mm: fix clear_refs_write locking",
    "softdirty.lock: mmap_lock for read -> for write"
  ),

  // userfaultfd events and the mmap_changing counter
  "df2cc96e7701": row(
    "B-14",
    ["4.11", "4.18"],
    "userfaultfd: prevent non-cooperative events vs mcopy_atomic races",
    "uffd.mmapChanging: fills ignore events in flight -> fills fail with EAGAIN meanwhile"
  ),
  "5e4c24a57b0c": row(
    "B-15",
    ["6.9", "6.9"],
    "userfaultfd: protect mmap_changing with rw_sem in userfaulfd_ctx",
    "uffd.mapChangingLock: plain check -> semaphore held for read across a fill, for write around the change"
  ),
  // Subject paraphrased: id and effect are known.
  "0496a59745b0": row(
    "B-16",
    ["4.11", undefined],
    "mremap_userfaultfd_fail: undo mmap_changing when mremap fails",
    "mremap.failDec: counter stays raised -> counter lowered on failure"
  ),
  "384632e67e08": row(
    "B-17",
    ["4.11", "4.14"],
    "userfaultfd: non-cooperative: fix fork use after free",
    "uffdRead.forkRef: none -> the reader holds the new context and looks at the list again",
    { stable: ["4.13.6"] }
  ),
  "a759a909d42d": row(
    "B-18",
    ["4.18", "5.15"],
    "userfaultfd: change mmap_changing to atomic",
    "uffd.changingType: flag -> counter"
  ),
  "67695f18d559": row(
    "B-19",
    ["4.18", "6.8"],
    "userfaultfd: fix mmap_changing checking in mfill_atomic_hugetlb",
    "mfillHugetlb.recheckChanging: checked once -> checked again after each sleeping copy"
  ),

  // Swap
  "13ddaf26be32": row(
    "B-20",
    ["4.15", "6.8"],
    "mm/swap: fix race when skipping swapcache",
    "swapin.bypassPin: none -> the bypass reserves the slot until the entry is installed"
  ),
  "e914d8f00391": row(
    "B-21",
    ["4.15", "5.18"],
    "mm: fix unexpected zeroed page mapping with zram swap",
    "zram.freeOnRead: read completion frees the slot -> only swap_free does"
  ),
  "04fc7816089c": row(
    "B-22",
    [undefined, "6.4"],
    "mm: fix zswap writeback race condition",
    "zswap.treeRecheck: none -> compare the entry with the tree once the swap cache is owned"
  ),
  "4969c1192d15": row(
    "B-23",
    [undefined, "4.3"],
    "mm: fix swapin race condition",
    "swapin.identityCheck: none -> the locked page must still be in the swap cache"
  ),
  "31c4a3d3a0f8": row(
    "B-23",
    [undefined, "4.3"],
    "mm: further fix swapin race condition",
    "swapin.identityCheck: in the swap cache -> in the swap cache under this entry",
    { mark: "T" }
  ),
  "82b1c07a0af6": row(
    "B-24",
    ["4.11", "6.9"],
    "mm: swap: fix race between free_swap_and_cache() and swapoff()",
    "freeSwap.getDevice: no reference -> device held while its map is read"
  ),
  "1367da7eb875": row(
    "B-25",
    ["6.8", "6.17"],
    "mm: swap: check for stable address space before operating on the VMA",
    "swapoff.stableCheck: walk any mm -> skip one whose fork failed"
  ),
  "058313515d5a": row(
    "B-26",
    ["6.12", "6.14"],
    "mm: shmem: fix potential data corruption during shmem swapin",
    "shmem.splitOnOrderMismatch: trust the folio found -> split the entry when orders differ"
  ),
  "c50f8e6053b0": row(
    "B-27",
    ["6.8", "6.14"],
    "mm: fix kernel BUG when userfaultfd_move encounters swapcache",
    "move.swapFixesFolio: entry only -> lock the cached folio and move its rmap too"
  ),
  "0ea148a79919": row(
    "B-28",
    ["6.8", "6.16"],
    "mm: userfaultfd: fix race of userfaultfd_move and swap cache",
    "move.swapRecheck: none -> folio must still be cached under the entry, and none may have appeared"
  ),
  "8a1968bd997f": row(
    "B-29",
    ["6.12", "6.19"],
    "mm/shmem, swap: fix race of truncate and swap entry split",
    "shmem.orderUnderLock: order read without the lock -> under it"
  ),
  "1c2a936edd71": row(
    "B-30",
    ["6.15", "6.18"],
    "mm, swap: fix potential UAF issue for VMA readahead",
    "readahead.getDevice: only the faulting device held -> each neighbour's too"
  ),

  // Per-VMA lock
  "b1f02b95758d": row(
    "B-31",
    ["6.4", "6.5"],
    "mm: fix memory ordering for mm_lock_seq and vm_lock_seq",
    "vmaLock.releaseAcquire: relaxed -> release on bump, acquire on check"
  ),
  "fb49c455323f": row(
    "B-32",
    ["6.4", "6.5"],
    "fork: lock VMAs of the parent process when forking",
    "fork.vmaStartWrite: mmap_lock only -> each parent VMA is write-locked",
    { stable: ["6.4.3"] }
  ),
  "c137381f71ae": row(
    "B-33",
    ["6.4", "6.5"],
    "mm: lock a vma before stack expansion",
    "stack.expandLock: no VMA lock -> VMA write lock",
    { stable: ["6.4.3"] }
  ),
  "8d7071af8907": row(
    "B-33",
    ["6.1", "6.5"],
    "mm: always expand the stack with the mmap write lock held",
    "stack.expandLock: mmap_lock for read -> for write",
    { stable: ["6.4.1"] }
  ),
  "c2508ec5a58d": row(
    "B-33",
    ["6.1", "6.5"],
    "mm: introduce new 'lock_mm_and_find_vma()' page fault helper",
    "stack.expandLock: each fault handler expands -> one helper that may upgrade the lock",
    { stable: ["6.4.1"], mark: "T" }
  ),
  "657b5146955e": row(
    "B-34",
    ["6.4", "6.5"],
    "mm: lock_vma_under_rcu() must check vma->anon_vma under vma lock",
    "vmaLock.anonCheckOrder: before the lock -> under it"
  ),
  "d8ab9f7b644a": row(
    "B-35",
    ["6.4", "6.5"],
    "mm: lock VMA in dup_anon_vma() before setting ->anon_vma",
    "merge.lockBeforeAnonVma: set first -> lock first"
  ),
  "49b0638502da": row(
    "B-36",
    ["6.4", "6.5"],
    "mm: enable page walking API to lock vmas during the walk",
    "walk.vmaLockMode: mmap_lock only -> walkers state whether VMAs are write-locked"
  ),
  "6c21e066f925": row(
    "B-36",
    ["6.4", "6.5"],
    "mm/mempolicy: Take VMA lock before replacing policy",
    "mempolicy.vmaLock: replaced unlocked -> under the VMA write lock"
  ),
  "9bbffee67ffd": row(
    "B-37",
    ["6.15", "6.17"],
    "mm: fix a UAF when vma->mm is freed after vma->vm_refcnt got dropped",
    "vmaLock.mmCheckAndGrab: mm checked late -> right after the count, mm held across the put"
  ),
  "98b74bb4d7e9": row(
    "B-38",
    ["6.9", "6.12"],
    "mm/hugetlb.c: fix UAF of vma in hugetlb fault pathway",
    "anonPrepare.whoUnlocks: the helper drops the VMA lock -> the caller does, last"
  ),
  "33313a747e81": row(
    "B-39",
    ["6.4", "6.5"],
    "mm: lock newly mapped VMA which can be modified after it becomes visible",
    "mmap.vmaStartWriteBeforeLink: linked unlocked -> write-locked first",
    { stable: ["6.4.3"] }
  ),

  // Page-table structure
  "71c186efc1b2": row(
    "B-40",
    ["4.3", "6.11"],
    "userfaultfd: fix checks for huge PMDs",
    "mfill.pmdCheck: racy huge test and BUG_ON -> one lockless read after the allocation, EEXIST unless a table"
  ),
  "4828d207dc51": row(
    "B-41",
    ["6.6", "6.11"],
    "userfaultfd: don't BUG_ON() if khugepaged yanks our page table",
    "mfill.tableGone: BUG -> EAGAIN"
  ),
  "6fa1066fc5d0": row(
    "B-42",
    ["6.6", "6.12"],
    "mm/mremap: fix move_normal_pmd/retract_page_tables race",
    "mremap.pmdRecheck: decided before the locks -> looked at again under them"
  ),
  "366a4532d96f": row(
    "B-43",
    ["6.17", "6.17"],
    "mm: fix the race between collapse and PT_RECLAIM under per-vma lock",
    "collapse.checkAfterVmaLock: PMD checked before the VMA lock -> after it"
  ),
  "292411fda25b": row(
    "B-44",
    ["7.1", "7.1"],
    "mm/userfaultfd: detect VMA type change after copy retry in mfill_copy_folio_retry()",
    "mfill.retryRevalidate: none -> memory type"
  ),
  "85668fda932a": row(
    "B-44",
    ["7.1", "7.1"],
    "userfaultfd: verify VMA state across UFFDIO_COPY retry",
    "mfill.retryRevalidate: memory type -> full VMA state"
  ),
  "70cbc3cc78a9": row(
    "B-45",
    [undefined, "6.1"],
    "mm: gup: fix the fast GUP race against THP collapse",
    "gupFast.pmdRecheck: entry re-read only -> PMD re-read too"
  ),
  "2ba99c5e0881": row(
    "B-45",
    [undefined, "6.1"],
    "mm/khugepaged: fix GUP-fast interaction by sending IPI",
    "collapse.syncIpi: none -> table users are waited for"
  ),
  "8d3c106e19e8": row(
    "B-46",
    ["4.8", "6.1"],
    "mm/khugepaged: take the right locks for page table retraction",
    "retract.locks: none -> mmap and anon_vma locks"
  ),
  "023f47a8250c": row(
    "B-46",
    ["4.8", "6.2"],
    "mm/khugepaged: fix ->anon_vma race",
    "retract.anonVmaRecheck: checked before the lock -> again under it"
  ),
  "59d9094df3d7": row(
    "B-47",
    [undefined, "6.13"],
    "mm: hugetlb: independent PMD page table shared count",
    "unshare.countSource: folio references -> a count of its own"
  ),
  "1013af4f585f": row(
    "B-47",
    [undefined, "6.16"],
    "mm/hugetlb: fix huge_pmd_unshare() vs GUP-fast race",
    "unshare.syncIpi: none -> GUP-fast is waited for"
  ),
  "081056dc00a2": row(
    "B-47",
    [undefined, "6.16"],
    "mm/hugetlb: unshare page tables during VMA split, not before",
    "unshare.when: before the locks -> under them"
  ),

  // UFFDIO_MOVE
  "move-wait-stack-pmd": row(
    "B-48",
    ["6.8", undefined],
    "userfaultfd: wait on source PMD during UFFDIO_MOVE",
    "moveHuge.waitTarget: a local copy of the PMD -> the PMD",
    { mark: "T" }
  ),
  "move-err-not-reset": row(
    "B-49",
    ["6.17", undefined],
    "userfaultfd: reset err to be 0 when move_pages_ptes succeeded",
    "move.errReset: an old EAGAIN survives success -> cleared",
    { mark: "T" }
  ),
  "d7a08838ab74": row(
    "B-50",
    ["6.8", "6.8"],
    "mm: userfaultfd: fix unexpected change to src_folio when UFFDIO_MOVE fails",
    "move.orderRmapAfterPinCheck: rmap first -> pin check first"
  ),
  "c0205eaf3af9": row(
    "B-50",
    ["6.8", "6.9"],
    "userfaultfd: change src_folio after ensuring it's unpinned in UFFDIO_MOVE",
    "moveHuge.orderRmapAfterPinCheck: rmap first -> pin check first"
  ),
  "37b338eed105": row(
    "B-51",
    ["6.8", "6.14"],
    "userfaultfd: do not block on locking a large folio with raised refcount",
    "move.lockLarge: wait holding a reference -> try, and drop it before EAGAIN"
  ),

  // Fault delivery, wake-ups, write-protection
  "8e80af52db65": row(
    "B-52",
    ["4.11", "7.1"],
    "userfaultfd: gate must_wait writability check on pte_present()",
    "mustWait.presentGate: write bit read from any entry -> from present ones"
  ),
  "2c7ad9a590d1": row(
    "B-53",
    ["6.7", "6.9"],
    "fs/proc/task_mmu: fix uffd-wp confusion in pagemap_scan_pmd_entry()",
    "scan.accessorGate: one accessor -> by entry format"
  ),
  "2c5b7e1be74f": row(
    "B-54",
    ["4.3", "4.3"],
    "userfaultfd: avoid missing wakeups during refile in userfaultfd_read",
    "wake.refileSeq: none -> the wake-up check is repeated when the reader moved an entry meanwhile",
    { mark: "T" }
  ),
  "15a77c6fe494": row(
    "B-55",
    ["4.3", "4.10"],
    "userfaultfd: fix SIGBUS resulting from false rwsem wakeups",
    "handleUserfault.loopUntilWaken: any wake-up ends the wait -> only a real one",
    { mark: "T" }
  ),
  "8d2afd96c203": row(
    "B-56",
    ["4.3", "4.3"],
    "userfaultfd: solve the race between UFFDIO_COPY|ZEROPAGE and read",
    "handleUserfault.mustWaitRecheck: none -> the page table is looked at again once queued"
  ),
  "656710a60e36": row(
    "B-57",
    ["4.11", "4.14"],
    "userfaultfd: non-cooperative: closing the uffd without triggering SIGBUS",
    "handleUserfault.releasedResult: SIGBUS -> no page, lock kept"
  ),
  "fe4cdc2c4e24": row(
    "B-57",
    ["4.11", "6.14"],
    "mm/userfaultfd: fix release hang over concurrent GUP",
    "handleUserfault.releasedResult: no page, lock kept -> retry, lock dropped"
  ),
  "6ce64428d620": row(
    "B-58",
    ["5.7", "5.12"],
    "mm/userfaultfd: fix memory corruption due to writeprotect",
    "wpPage.flushIfPending: copy at once -> flush the page first when the VMA is write-protect-registered and a flush is pending"
  ),
  "958f32ce832b": row(
    "B-59",
    ["4.11", "6.1"],
    "mm: hugetlb: fix UAF in hugetlb_handle_userfault",
    "hugetlbUffd.relock: the VMA's lock is retaken -> nothing is touched after the wait"
  ),
  "cb185d5f1ebf": row(
    "B-60",
    ["5.7", "5.15"],
    "userfaultfd: fix a race between writeprotect and exit_mmap()",
    "wp.mmgetNotZero: mm may be exiting -> users held, ESRCH when none"
  ),
  "22e5fe2a2a27": row(
    "B-61",
    ["4.3", "5.15"],
    "userfaultfd: prevent concurrent API initialization",
    "api.cmpxchg: check then set -> one atomic step"
  ),
  "a365ac09d334": row(
    "B-62",
    ["4.14", "4.15"],
    "mm, userfaultfd, THP: avoid waiting when PMD under THP migration",
    "mustWait.pmdNoneOnly: wait unless present -> wait only when none"
  ),
  "hugetlb-fork-swp-accessor": row(
    "B-63",
    ["5.19", undefined],
    "mm/hugetlb: fix swap entry corruption when clearing uffd-wp at fork()",
    "hugetlbFork.accessor: present-format helper on any entry -> by entry format",
    { mark: "T" }
  ),
  "c70dce4982ce": row(
    "B-64",
    ["6.7", "6.9"],
    "fs/proc/task_mmu: fix loss of young/dirty bits during pagemap scan",
    "scan.useStartValue: commit the value read first -> the value taken out"
  ),
  "04718f7c9290": row(
    "B-64",
    ["6.7", undefined],
    "fs/proc/task_mmu: fix make_uffd_wp_huge_pte() prot-update race",
    "scanHugetlb.useStartValue: commit the value read first -> the value taken out"
  ),
  "deb4c93a9871": row(
    "B-65",
    [undefined, "5.19"],
    "mm/khugepaged: don't recycle vma pgtable if uffd-wp registered",
    "retract.skipWpVma: table freed -> kept for its markers"
  ),
  "dd47ac428c3f": row(
    "B-65",
    ["5.7", "6.3"],
    "mm/khugepaged: check again on anon uffd-wp during isolation",
    "collapse.recheckWp: seen in the scan only -> looked at again under the lock"
  ),
  "24bf08c4376b": row(
    "B-66",
    ["5.7", "6.3"],
    "mm/userfaultfd: fix uffd-wp handling for THP migration entries",
    "wp.pmdMigration: writable migration entries only -> the bit on all"
  ),
  "0cef0bb836e3": row(
    "B-67",
    ["5.7", "6.13"],
    "mm: clear uffd-wp PTE/PMD state on mremap()",
    "mremap.clearWp: bits move without their VMA flag -> cleared"
  ),
  "772e5b4a5e83": row(
    "B-67",
    ["6.13", "6.17"],
    "mm/mremap: fix WARN with uffd that has remap events disabled",
    "mremap.clearWpWarn: warns on the old VMA -> does not",
    { mark: "T" }
  ),
  "49d6d7fb6313": row(
    "B-68",
    ["5.19", "6.2"],
    "mm/uffd: fix pte marker when fork() without fork event",
    "fork.markerRule: copied -> dropped when the child is not write-protect-registered"
  ),
  "c88033efe9a3": row(
    "B-68",
    ["5.7", "6.9"],
    "mm/userfaultfd: reset ptes when close() for wr-protected ones",
    "release.clearWp: VMA flags only -> entries too"
  ),
  "04f5866e41fb": row(
    "B-69",
    [undefined, "5.1"],
    "coredump: fix race condition between mmget_not_zero()/get_task_mm() and core dumping",
    "coredump.lock: none -> others check for a dump in progress"
  ),
  "59ea6d06cfa9": row(
    "B-69",
    [undefined, "5.2"],
    "coredump: fix race condition between collapse_huge_page() and core dumping",
    "coredump.lockCollapse: none -> collapse checks too"
  ),
  "46d0b24c5ee1": row(
    "B-69",
    ["5.1", "5.3"],
    "userfaultfd_release: always remove uffd flags and clear vm_userfaultfd_ctx",
    "release.duringDump: skipped -> always cleared"
  ),
  "aba6faec0103": row(
    "B-70",
    ["6.8", "6.17"],
    "userfaultfd: fix a crash in UFFDIO_MOVE when PMD is a migration entry",
    "movePmd.presentCheck: none -> only a present PMD is taken for a folio"
  ),

  // TLB
  "3ea277194daa": row(
    "B-71",
    ["4.3", "4.13"],
    "mm, mprotect: flush TLB if potentially racing with a parallel reclaim leaving stale TLB entries",
    "ptl.flushBatchedPending: none -> users of the page-table lock flush what reclaim deferred"
  ),
  "383c4613c67c": row(
    "B-72",
    [undefined, "6.16"],
    "mm: close theoretical race where stale TLB entries could linger",
    "madvise.reflushOnRelock: once -> after each taking of the lock"
  ),
  "4b634918384c": row(
    "B-72",
    [undefined, "6.16"],
    "arm64/mm: Close theoretical race where stale TLB entry remains valid",
    "arm64.batchBarrier: none -> the batch orders its invalidations"
  ),
  "56236a59556c": row(
    "B-73",
    [undefined, "4.13"],
    "mm: refactor TLB gathering API",
    "gather.nestedForce: part of 99baac21e458",
    { mark: "M" }
  ),
  "99baac21e458": row(
    "B-73",
    [undefined, "4.13"],
    "mm: fix MADV_[FREE|DONTNEED] TLB flush miss problem",
    "gather.nestedForce: each gather flushes its own -> overlapping gathers flush the whole mm"
  ),
  "b3a81d0841a9": row(
    "B-73",
    [undefined, "4.13"],
    "mm: fix KSM data corruption",
    "ksm.checkFlushPending: skip when clean and read-only -> flush when one is pending"
  ),
  "eb66ae030829": row(
    "B-74",
    [undefined, "4.19"],
    "mremap: properly flush TLB before releasing the page",
    "mremap.flushBeforeUnlock: after the locks -> under them"
  ),
  "a4a118f2eead": row(
    "B-75",
    [undefined, "5.16"],
    "hugetlbfs: flush TLBs correctly after huge_pmd_unshare",
    "unshare.tlbRange: range not noted -> gather covers the table"
  ),
  "fea4e317f9e7": row(
    "B-76",
    ["6.14", "6.15"],
    "x86/mm: Eliminate window where TLB flushes may be inadvertently skipped",
    "switchMm.window: mm named after the switch -> before it"
  ),
  "83b0177a6c48": row(
    "B-76",
    ["6.14", "6.18"],
    "x86/mm: Fix SMP ordering in switch_mm_irqs_off()",
    "switchMm.barrier: none -> full barrier before the generation is read"
  ),
  "ced108037c2a": row(
    "B-77",
    [undefined, "4.11"],
    "thp: fix MADV_DONTNEED vs. numa balancing race",
    "pmd.modifyInPlace (NUMA): clear then set -> in place"
  ),
  "58ceeb6bec86": row(
    "B-77",
    [undefined, "4.11"],
    "thp: fix MADV_DONTNEED vs. MADV_FREE race",
    "pmd.modifyInPlace (MADV_FREE): clear then set -> in place"
  ),
  "5b7abeae3af8": row(
    "B-77",
    [undefined, "4.11"],
    "thp: fix MADV_DONTNEED vs clear soft dirty race",
    "pmd.modifyInPlace (soft-dirty): clear then set -> in place"
  ),

  // Migration, rmap, structure
  "a8bef8ff6ea1": row(
    "B-78",
    [undefined, "4.3"],
    "mm: migration: avoid race between shift_arg_pages() and rmap_walk() during migration by not migrating temporary stacks",
    "exec.tempStackSkip: migrated -> skipped"
  ),
  "24d7275ce279": row(
    "B-79",
    [undefined, "5.17"],
    "fs/proc: task_mmu.c: don't read mapcount for migration entry",
    "proc.migrationMapcount: read -> not read"
  ),
  "45d19b4b6c2d": row(
    "B-79",
    [undefined, "6.17"],
    "mm/smaps: fix race between smaps_hugetlb_range and migration",
    "proc.holdPtl: read unlocked -> under the page-table lock"
  ),
  // Subject not known: a sibling of the two above.
  "aa5a10b07069": row(
    "B-79",
    [undefined, undefined],
    "migration entry read without the page-table lock (sibling)",
    "proc.holdPtl (sibling)",
    { mark: "M" }
  ),
  "4c5e7f0fcd59": row(
    "B-80",
    ["4.5", undefined],
    "mm/huge_memory: fix folio isn't locked in softleaf_to_folio()",
    "migration.splitRmb: none -> read barrier between entry and folio flags"
  ),
  "be6e843fc51a": row(
    "B-81",
    ["4.14", "6.15"],
    "mm/huge_memory: fix dereferencing invalid pmd migration entry",
    "splitPmd.presentCheck: folio of any PMD -> of present ones"
  ),
  "35e351780fa9": row(
    "B-82",
    ["6.1", "6.9"],
    "fork: defer linking file vma until vma is fully initialized",
    "fork.linkOrder: linked first -> initialised first"
  ),
  "f64e67e5d3a4": row(
    "B-83",
    ["6.8", "6.12"],
    "fork: do not invoke uffd on fork if error occurs",
    "fork.completeOnlyOnSuccess (userfaultfd): event after a failed copy -> none"
  ),
  "985da552a98e": row(
    "B-83",
    ["6.8", "6.12"],
    "fork: only invoke khugepaged, ksm hooks if no error",
    "fork.completeOnlyOnSuccess (khugepaged, ksm): always -> on success"
  ),
  "64c37e134b12": row(
    "B-83",
    ["6.8", "6.14"],
    "kernel: be more careful about dup_mmap() failures and uprobe registering",
    "fork.completeOnlyOnSuccess (uprobes): broken mm walked -> marked unstable"
  ),
  "0217c7fb4de4": row(
    "B-84",
    ["6.7", "7.0"],
    "mm/userfaultfd: fix hugetlb fault mutex hash calculation",
    "mfillHugetlb.hashUnit: base pages -> huge pages"
  ),
  "e92d92bbafb2": row(
    "B-85",
    ["6.7", undefined],
    "fs/proc/task_mmu: fix hugetlb self-deadlock in pagemap_scan_pte_hole()",
    "scanHole.inlineMarker: takes the VMA lock again -> writes the marker itself"
  ),
  "f268f6cf875f": row(
    "B-86",
    ["4.8", "6.1"],
    "mm/khugepaged: invoke MMU notifiers in shmem/file collapse paths",
    "collapse.notifier: none -> secondary MMUs told"
  ),
  "c444eb564fb1": row(
    "B-87",
    [undefined, "5.7"],
    "mm: thp: make the THP mapcount atomic against __split_huge_pmd_locked()",
    "splitPmd.mapcountOrder: counted while it changes -> under the page-table lock"
  ),
  "6287b7dae809": row(
    "B-87",
    [undefined, "6.2"],
    "mm,thp,rmap: fix races between updates of subpages_mapcount",
    "splitPmd.subpagesMapcount: separate updates -> one locked update"
  ),
  "246c320a8cfe": row(
    "B-88",
    ["4.20", "5.8"],
    "mm/mmap.c: close race between munmap() and expand_upwards()/downwards()",
    "munmap.downgradeIfNeighborGrows: downgrade -> keep the write lock beside a stack"
  ),
  "6db504ce55bd": row(
    "B-89",
    ["6.1", "6.3"],
    "mm/ksm: fix race with VMA iteration and mm_struct teardown",
    "ksm.testExitUnderLock: tested before the lock -> under it"
  ),
  "29f40594a281": row(
    "B-90",
    ["6.15", "6.19"],
    "mm/rmap: fix incorrect pte restoration for lazyfree folios",
    "unmapBatch.respectWrite: batch takes the first entry's bits -> entries of one permission"
  ),
  "b6ac0b3f6013": row(
    "B-91",
    [undefined, undefined],
    "mm/rmap: fix missing barrier between anon_vma init and vma->anon_vma publish",
    "anonVma.publishRelease: plain store -> release"
  ),
  "29ec90660d68": row(
    "B-92",
    ["4.11", "4.20"],
    "userfaultfd: shmem/hugetlbfs: only allow to register VM_MAYWRITE vmas",
    "register.mayWrite: any mapping -> one that may be written"
  ),
  "51d3d5eb74ff": row(
    "B-93",
    ["5.19", "6.2"],
    "mm/userfaultfd: enable writenotify while userfaultfd-wp is enabled for a VMA",
    "vma.pageProtForWp: writable by default -> write-protected by default"
  ),
  "9658d698a8a8": row(
    "B-94",
    ["6.12", "6.17"],
    "mm/rmap: fix soft-dirty and uffd-wp bit loss when remapping zero-filled mTHP subpage to shared zeropage",
    "split.zeroKeepsBits: fresh entry -> bits carried over"
  ),
  "f7e2c21bd1f5": row(
    "B-95",
    ["6.19", "7.1"],
    "mm/huge_memory: preserve pmd_swp_uffd_wp on device-private PMD downgrade",
    "mprotect.devicePrivateWp: bit dropped -> kept"
  ),
  "be9581ea8c05": row(
    "B-96",
    [undefined, "6.10"],
    "mm: fix crashes from deferred split racing folio migration",
    "migrate.unqueueFrozen: any time -> while references are frozen"
  ),
  "3bac01168982": row(
    "B-96",
    [undefined, undefined],
    "mm: fix deferred split queue races during migration",
    "migrate.unqueueLock: list changed under the wrong lock -> under the queue's"
  ),
  "5f75cfbd6bb0": row(
    "B-97",
    [undefined, "6.11"],
    "mm/hugetlb: fix hugetlb vs. core-mm PT locking",
    "hugetlb.ptlKind: mm lock -> the lock the core uses"
  ),
  "fac35ba763ed": row(
    "B-97",
    [undefined, "6.1"],
    "mm/hugetlb: fix races when looking up a CONT-PTE/PMD size hugetlb page",
    "hugetlb.followLock: split lock -> huge page lock"
  ),
  "3b89863c3fa4": row(
    "B-98",
    ["6.12", undefined],
    "mm/pagewalk: fix race between concurrent split and refault",
    "walk.recheckPud: once -> again after the split"
  ),

  // Smaller ones, kept together as B-99; titles say the effect where the subject line is not at hand.
  "0e678153f5be": row(
    "B-99",
    ["5.19", "6.2"],
    "hugetlb: a cleared marker came back as a garbage entry in change_protection",
    "hugetlbProtect.reread: stale local value -> read again"
  ),
  "95567729173e": row(
    "B-99",
    [undefined, undefined],
    "userfaultfd fills: output field not set on an early EAGAIN",
    "mfill.outputOnEagain: left as it was -> set"
  ),
  "edb5d0cf5525": row(
    "B-99",
    [undefined, "6.2"],
    "MADV_COLLAPSE: PMD classified none, huge or table by separate reads",
    "collapse.pmdClassify: several reads -> one"
  ),
  "6fe7d6b99211": row(
    "B-99",
    [undefined, "6.3"],
    "swapoff: device put back on the list of available ones meanwhile",
    "swapoff.availList: re-added -> kept off"
  ),
  "4cccb6221cae": row(
    "B-99",
    ["6.7", "6.8"],
    "PAGEMAP_SCAN: notifier range outside mmap_lock",
    "scan.notifierRange: outside -> inside"
  ),
  "a05dd8ae5cbb": row(
    "B-99",
    [undefined, "6.16"],
    "shmem swap-in: endless EEXIST when orders differ",
    "shmemSwapin.orderLoop: retries for ever -> makes progress"
  ),
  "b570f37a2ce4": row(
    "B-99",
    [undefined, undefined],
    "hmm: spins on a folio lock it could wait for",
    "hmm.lock: spin -> wait"
  ),
  "3c58f641e813": row(
    "B-99",
    [undefined, undefined],
    "userfaultfd: shadow stacks and special mappings could be registered",
    "register.special: allowed -> refused"
  ),
  "eb085574a752": row(
    "B-99",
    [undefined, "5.3"],
    "swapoff against swap operations: get_swap_device()",
    "swap.getDevice: none -> operations hold the device"
  ),
  "41e6ddcaa0f1": row(
    "B-99",
    [undefined, "6.15"],
    "userfaultfd release: failed VMA merge taken for a VMA",
    "release.mergeOom: error used as pointer -> VMA kept"
  ),
  "d1adb25df711": row(
    "B-99",
    [undefined, "6.8"],
    "migration: anon_vma parked in the new folio's mapping where walkers see it",
    "migrate.parkPlace: mapping -> private"
  ),
  "61f67c230a5e": row(
    "B-99",
    [undefined, "6.19"],
    "mremap: merge of faulted and unfaulted VMA lost its anon_vma",
    "mremap.mergeAnonVma: lost -> kept"
  ),
  "scan-unpopulated": row(
    "B-99",
    ["6.7", undefined],
    "fix PAGEMAP_SCAN written state for unpopulated ptes",
    "scan.unpopulated: fast and generic path disagree on none -> agree",
    { mark: "T" }
  ),
  "scan-mm-pin": row(
    "B-99",
    ["6.7", undefined],
    "pin mm_users in do_pagemap_scan()",
    "scan.mmPin: mm may exit -> users held",
    { mark: "T" }
  ),
  "hugetlb-mfill-uaf": row(
    "B-99",
    [undefined, undefined],
    "fix use-after-free in hugetlb_mfill_atomic_pte()",
    "mfillHugetlb.retryFolio: used after put -> held",
    { mark: "T" }
  )
} as const satisfies Record<string, ChangeRow>

/** Key of a fix: its commit's first 12 digits, or its slug where the mainline commit is not known. */
export type Commit = keyof typeof fixRows
