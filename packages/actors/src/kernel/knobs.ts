/** Knobs that more than one change sets: the rule in force on a kernel, by the newest change it has. */
import { fix } from "./Change.ts"
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
