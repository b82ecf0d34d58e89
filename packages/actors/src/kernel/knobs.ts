/** Knobs that more than one change sets: the rule in force on a kernel, by the newest change it has. */
import { feature, fix } from "./Change.ts"
import type { Kernel } from "./Kernel.ts"

/** When do_wp_page() may write in place. */
export type WpReuseRule = "mapcount" | "break-early" | "page-count" | "anon-exclusive"

/** `break-early` reuses like `mapcount`; there GUP for read breaks COW first. */
export const wpReuseRule = (kernel: Kernel): WpReuseRule =>
  kernel.has(fix["6c287605fd56"])
    ? "anon-exclusive"
    : kernel.has(fix["09854ba94c6a"])
    ? "page-count"
    : kernel.has(fix["17839856fd58"])
    ? "break-early"
    : "mapcount"

/** What do_swap_page() requires of the page it found and locked. */
export type SwapinIdentityCheck = "none" | "swapcache" | "entry"

export const swapinIdentityCheck = (kernel: Kernel): SwapinIdentityCheck =>
  kernel.has(fix["31c4a3d3a0f8"]) ? "entry" : kernel.has(fix["4969c1192d15"]) ? "swapcache" : "none"

/** How VMAs are locked apart from mmap_lock: not at all, by `vma->vm_lock` (an rwsem), or by `vm_refcnt`. */
export type VmaLockGeneration = "none" | "rwsem" | "refcnt"

export const vmaLockGeneration = (kernel: Kernel): VmaLockGeneration =>
  kernel.has(feature.vmRefcnt) ? "refcnt" : kernel.has(feature.perVmaLock) ? "rwsem" : "none"

/** How fills learn of an event in flight: not at all, from a flag, or from a counter. */
export type MmapChanging = "none" | "flag" | "counter"

export const mmapChanging = (kernel: Kernel): MmapChanging =>
  !kernel.has(fix["df2cc96e7701"]) ? "none" : kernel.has(fix["a759a909d42d"]) ? "counter" : "flag"

/** What handle_userfault() returns when the context was released under it. */
export type ReleasedResult = "sigbus" | "nopage" | "retry"

export const releasedResult = (kernel: Kernel): ReleasedResult =>
  kernel.has(fix["fe4cdc2c4e24"]) ? "retry" : kernel.has(fix["656710a60e36"]) ? "nopage" : "sigbus"

/** What a fill compares after a copy that slept with the locks dropped. */
export type RetryRevalidate = "none" | "type" | "state"

export const retryRevalidate = (kernel: Kernel): RetryRevalidate =>
  kernel.has(fix["85668fda932a"]) ? "state" : kernel.has(fix["292411fda25b"]) ? "type" : "none"
