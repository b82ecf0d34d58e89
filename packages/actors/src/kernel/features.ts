/**
 * Mechanisms by the release that brought them. A feature whose commit is also a fix of the corpus
 * is an alias of that fix (`sameAs`), so that there is one switch and not two.
 */
import type { ChangeRow, Commit } from "./fixes.ts"
import type { Mainline } from "./Release.ts"

export interface FeatureRow extends Omit<ChangeRow, "bug"> {
  readonly commit?: string
  readonly sameAs?: Commit
}

const at = (release: Mainline, title: string, knob: string, more: Partial<FeatureRow> = {}): FeatureRow => ({
  release,
  title,
  knob,
  introduced: undefined,
  ...more
})

const alias = (sameAs: Commit): FeatureRow => ({
  sameAs,
  release: undefined,
  title: "",
  knob: "",
  introduced: undefined
})

export const featureRows = {
  userfaultfd: at("4.3", "userfaultfd: missing faults, COPY and ZEROPAGE", "the system call exists"),
  madvFree: at("4.5", "MADV_FREE: lazily freed anonymous pages", "clean lazyfree pages are dropped by reclaim", {
    mark: "M"
  }),
  uffdEvents: at(
    "4.11",
    "userfaultfd: fork, remap, remove and unmap events",
    "producers queue events and wait for the reader"
  ),
  uffdShmemHugetlb: at("4.11", "userfaultfd for shmem and hugetlb", "VMAs of these types can register"),
  uffdWpAnon: at(
    "5.7",
    "userfaultfd write-protection for anonymous memory",
    "UFFDIO_WRITEPROTECT and VM_UFFD_WP exist"
  ),
  faultMultiRetry: at("5.7", "mm: allow VM_FAULT_RETRY for multiple times", "a fault may be retried more than once", {
    mark: "M"
  }),
  refcountCowReuse: alias("09854ba94c6a"),
  writeProtectSeq: alias("57efa1fe5957"),
  uffdUserModeOnly: at("5.11", "UFFD_USER_MODE_ONLY", "a context can refuse faults from kernel mode"),
  uffdMinorHugetlb: at("5.13", "userfaultfd minor faults and CONTINUE for hugetlb", "UFFDIO_CONTINUE exists"),
  uffdMinorShmem: at("5.14", "userfaultfd minor faults for shmem", "UFFDIO_CONTINUE accepts shmem"),
  anonExclusive: alias("6c287605fd56"),
  swapExclusive: alias("1493a1913e34"),
  pteMarkers: at("5.19", "PTE markers", "state can be kept in an unmapped entry"),
  uffdWpShmemHugetlb: at(
    "5.19",
    "userfaultfd write-protection for shmem and hugetlb",
    "markers carry write-protection"
  ),
  mapleTree: at("6.1", "VMAs in a maple tree", "VMA look-up works under RCU", { mark: "M" }),
  perVmaLock: at("6.4", "per-VMA locks, first generation", "faults take vma->vm_lock and mmap_lock is the fallback"),
  uffdWpUnpopulated: at(
    "6.4",
    "UFFD_FEATURE_WP_UNPOPULATED",
    "write-protecting an empty anonymous entry leaves a marker"
  ),
  uffdPoison: at("6.6", "UFFDIO_POISON", "poison markers can be installed", { commit: "fc71884a5f59" }),
  uffdFaultUnderVmaLock: at(
    "6.6",
    "userfaultfd faults under the VMA lock",
    "before: handle_userfault needs mmap_lock",
    {
      commit: "29a22b9e08d7"
    }
  ),
  swapFaultUnderVmaLock: at(
    "6.6",
    "swap-in faults under the VMA lock",
    "before: do_swap_page falls back to mmap_lock",
    {
      commit: "1235ccd05b6d"
    }
  ),
  pteMapCanFail: at("6.6", "pte_offset_map can fail; page tables retracted without mmap_lock", "callers retry on NULL"),
  uffdWpAsync: at("6.7", "UFFD_FEATURE_WP_ASYNC", "the kernel resolves write-protect faults itself", {
    commit: "d61ea1cb0095"
  }),
  pagemapScan: at("6.7", "PAGEMAP_SCAN", "the ioctl exists", { commit: "52526ca7fdb9" }),
  uffdMove: at("6.8", "UFFDIO_MOVE", "the ioctl exists", { commit: "adef440691ba" }),
  uffdOpsUnderVmaLock: at("6.9", "userfaultfd operations under the VMA lock", "before: fills take mmap_lock for read", {
    commit: "867a43a34ff8"
  }),
  mapChangingLock: alias("5e4c24a57b0c"),
  mapDroppable: at("6.11", "MAP_DROPPABLE", "the mapping type exists", { commit: "9651fcedf7b9" }),
  mmLockSeqcount: at("6.13", "mm_lock_seq becomes a seqcount: speculation on mmap_lock", "readers can detect a writer"),
  guardMarkers: at("6.13", "guard regions", "MADV_GUARD_INSTALL leaves guard markers"),
  ptReclaim: at("6.14", "page-table reclaim in MADV_DONTNEED", "an emptied PTE page is freed"),
  vmRefcnt: at("6.15", "per-VMA locks, second generation: vm_refcnt", "vm_lock rwsem replaced by a reference count"),
  vmaTypesafeByRcu: at("6.15", "VMAs from a SLAB_TYPESAFE_BY_RCU cache", "a looked-up VMA may be recycled at once"),
  uffdMoveBatched: at("6.17", "UFFDIO_MOVE in batches", "several entries per lock section"),
  dontneedUnderVmaLock: at("6.17", "MADV_DONTNEED under the VMA lock", "before: mmap_lock for read"),
  swapTable: at("6.18", "swap table", "swap cache is an array per cluster"),
  uffdMoveNoAnonVmaLock: at("6.19", "UFFDIO_MOVE without the anon_vma lock", "folio lock alone orders rmap walkers"),
  uffdMarkerOnlyOverwrite: at("6.19", "fills overwrite userfaultfd markers only", "before: any marker, guard too"),
  riscvUffdWp: at("6.19", "userfaultfd write-protection on riscv with Svrsw60t59b", "riscv gains the bits"),
  vmaStartWriteKillable: at("7.0", "vma_start_write_killable", "VMA writers can be killed while waiting", {
    mark: "T"
  }),
  vmUffdOps: at("7.1", "vm_uffd_ops", "memory types bring their own fill callbacks", { commit: "0f48947c4232" }),
  mfillState: at("7.1", "mfill_state", "sleeping copy retried inside the COPY step", { commit: "db0062d2c035" }),
  mfillRetryInCopy: at(
    "7.1",
    "userfaultfd: mfill_atomic(): remove retry logic",
    "outer retry loop -> retry inside COPY",
    {
      commit: "6ab703034f14"
    }
  ),
  uffdRwp: at("7.2", "userfaultfd read-write protection", "UFFDIO_RWPROTECT exists")
} as const satisfies Record<string, FeatureRow>

export type FeatureName = keyof typeof featureRows
