/** Swap type numbers, the same on every architecture with all options on (include/linux/swap.h, 5 bits). */
export const swapType = {
  /** Types below are swap devices (`MAX_SWAPFILES`). */
  devices: 24,
  hwpoison: 24,
  migrationRead: 25,
  migrationReadExclusive: 26,
  migrationWrite: 27,
  deviceWrite: 28,
  deviceRead: 29,
  deviceExclusive: 30,
  marker: 31
} as const

/** Offset bits of a marker (`PTE_MARKER_*`). */
export const markerBit = { uffdWp: 1n, poisoned: 2n, guard: 4n } as const
