/**
 * Mean executions to the first failure as published, for the programs that were published. undefined: not run there;
 * 0: not found by any trial.
 *
 * SURW: artifact of Zhao et al., ASPLOS 2025, 20 trials, limit 10^4; the C programs, main creates the threads.
 * `few` marks means over some of the trials only.
 */
export interface Published {
  readonly surw?: number
  readonly "pct:3"?: number
  readonly pos?: number
  readonly random?: number
  readonly urw?: number
  /** Strategies that did not find it in all trials. */
  readonly few?: ReadonlyArray<string>
}

const row = (surw: number, pct3: number, pos: number, random: number, few: ReadonlyArray<string> = []): Published => ({
  surw,
  "pct:3": pct3,
  pos,
  random,
  few
})

export const published: ReadonlyMap<string, Published> = new Map([
  ["twostage", row(8, 13, 15, 464)],
  ["twostage_20", row(6, 159, 156, 0)],
  ["twostage_50", row(20, 1676, 1637, 0)],
  ["twostage_100", row(454, 7466, 6674, 0, ["pct:3", "pos"])],
  ["reorder_3", row(7, 185, 86, 0)],
  ["reorder_4", row(7, 554, 533, 0)],
  ["reorder_5", row(10, 647, 2169, 0)],
  ["reorder_10", row(17, 3225, 0, 0, ["pct:3"])],
  ["reorder_20", row(6, 3005, 0, 0)],
  ["reorder_50", row(13, 3304, 0, 0, ["pct:3"])],
  ["reorder_100", row(194, 0, 0, 0)],
  ["stack", row(5, 3, 2, 176)],
  ["token_ring", row(8, 8, 9, 13)],
  ["lazy01", row(2, 5, 5, 21)],
  ["deadlock01", row(2, 13, 4, 3)],
  ["bluetooth_driver", row(70, 112, 36, 215)],
  ["account", row(6, 4, 4, 18)],
  ["wronglock", row(7, 51, 10, 36)],
  ["wronglock_3", row(9, 58, 11, 36)],
  ["stringbuffer", row(8, 281, 23, 2243, ["random"])],
  ["wsq", { surw: 6, "pct:3": 48, pos: 12 }]
])

const flat = (
  random: number,
  pct3: number,
  pos: number,
  urw: number,
  surw: number,
  few: ReadonlyArray<string> = []
): Published => ({ random, "pct:3": pct3, pos, urw, surw, few })

/**
 * Means of another implementation of the same algorithms on the flat programs, one profiling run each: 50 seeds (20 for
 * the _20 and _50 sizes, 5 for _100 and safestack), limit 10^4.
 */
export const elsewhere: ReadonlyMap<string, Published> = new Map([
  ["lost_update", flat(2, 2, 2.7, 2, 1.8)],
  ["account", flat(2.7, 2.9, 3.1, 2.7, 3)],
  ["arithmetic_prog", flat(1, 1, 1, 1, 1)],
  ["bluetooth_driver", flat(22.3, 18.7, 15.9, 56.6, 22.2)],
  ["carter01", flat(1.8, 2, 2, 1.7, 1.8)],
  ["circular_buffer", flat(1.1, 2.2, 1.1, 1.1, 1.1)],
  ["deadlock01", flat(2.2, 2.5, 2.8, 2, 2.4)],
  ["din_phil3", flat(3.1, 8.1, 4.8, 2.7, 3.3)],
  ["din_phil4", flat(4.8, 38.2, 8.4, 3.7, 5.2)],
  ["din_phil5", flat(8, 163, 14.1, 5.1, 8.2)],
  ["lazy01", flat(2.9, 3.1, 2.6, 2.9, 3.3)],
  ["phase01", flat(1, 1, 1, 1, 1)],
  ["queue", flat(1, 2.1, 1, 1, 1)],
  ["reorder_3", flat(22.3, 14.4, 10.5, 12.5, 6.7)],
  ["reorder_4", flat(18.2, 18.9, 12, 17.5, 10.7)],
  ["reorder_5", flat(28.9, 26.2, 13.6, 16.9, 8.5)],
  ["reorder_10", flat(87.1, 116, 37.3, 42.3, 29.2)],
  ["reorder_20", flat(10, 48.7, 6.2, 5.7, 2.9)],
  ["reorder_50", flat(720, 2561, 197, 394, 89.1)],
  ["reorder_100", flat(1143, 4653, 348, 702, 193, ["pct:3"])],
  ["stack", flat(1.7, 2.5, 1.4, 1.6, 1.6)],
  ["sync01", flat(1, 1, 1, 1, 1)],
  ["sync02", flat(1, 1, 1, 1, 1)],
  ["token_ring", flat(6.6, 5.3, 5.4, 6.6, 5.2)],
  ["twostage", flat(14.8, 13.1, 6.6, 12.6, 11.5)],
  ["twostage_20", flat(57.2, 1007, 34.1, 82.5, 128)],
  ["twostage_50", flat(122, 3501, 125, 101, 89, ["pct:3"])],
  ["twostage_100", flat(419, 3215, 150, 197, 144, ["pct:3"])],
  ["wronglock_3", flat(2.7, 5.6, 2.6, 3.1, 3.4)],
  ["wronglock", flat(2.2, 8.9, 2.4, 2.7, 2.2)],
  ["stringbuffer", flat(15.6, 29.9, 11.9, 8.3, 7.4)],
  ["wsq", flat(87.3, 12.6, 60.3, 6.4, 7.1)],
  ["safestack", flat(0, 0, 0, 0, 0)],
  ["bad_flags", flat(5.4, 22.7, 9.3, 6.4, 9.1)],
  ["aba_toctou", flat(2.8, 3.1, 3.4, 2, 3)],
  ["double_fetch", flat(2.3, 2.8, 3.1, 2.3, 1.9)],
  ["rwsem_recursive_read", flat(3.7, 4.3, 4.6, 3.4, 4)],
  ["lostwakeup", flat(4.8, 3.8, 4.7, 5.3, 3.9)],
  ["boundedbuf", flat(3.1, 3.8, 3.4, 2.6, 3.3)],
  ["cve_2009_3547", flat(2, 2.2, 2.3, 2, 1.8)],
  ["cve_2011_2183", flat(1.9, 2.6, 2.6, 2.1, 2.2)],
  ["cve_2013_1792", flat(18.2, 17.7, 20.4, 244, 29.6, ["surw"])],
  ["cve_2015_7550", flat(2.1, 2.4, 2.9, 2.1, 2.2)],
  ["cve_2016_7911", flat(4.7, 4, 4.8, 3.4, 2.8)],
  ["cve_2016_9806", flat(3.7, 4.4, 2.7, 2.4, 2.9)],
  ["cve_2016_1972", flat(4, 6.2, 4.3, 5.4, 4.1)],
  ["cve_2016_1973", flat(4.7, 6.2, 2.5, 4.9, 3.3)],
  ["cve_2017_15265", flat(326, 3.9, 16.8, 40.8, 110)],
  ["cve_2017_6346", flat(9.5, 0, 20, 19.7, 6.6, ["surw"])]
])

/**
 * Schedules up to the first that fails, of another implementation on the flat programs: by preemptions and by delays, each
 * with the bound at which it was found, and depth first (limit 10^5, but for the last). 0: not found.
 */
export interface FoundElsewhere {
  readonly preemptions: readonly [schedules: number, bound: number] | 0
  readonly delays: readonly [schedules: number, bound: number] | 0
  readonly "depth first": number
}

const search = (
  preemptions: FoundElsewhere["preemptions"],
  delays: FoundElsewhere["delays"],
  depthFirst: number
): FoundElsewhere => ({ preemptions, delays, "depth first": depthFirst })

export const searchedElsewhere: ReadonlyMap<string, FoundElsewhere> = new Map([
  ["lost_update", search([3, 1], [2, 1], 2)],
  ["account", search([4, 0], [3, 1], 4)],
  ["arithmetic_prog", search([1, 0], [1, 0], 1)],
  ["bluetooth_driver", search([5, 1], [4, 1], 41)],
  ["carter01", search([3, 1], [2, 1], 2)],
  ["circular_buffer", search([9, 1], [10, 2], 2)],
  ["deadlock01", search([4, 1], [3, 1], 3)],
  ["din_phil3", search([23, 1], [24, 2], 50)],
  ["din_phil4", search([146, 1], [263, 3], 12454)],
  ["din_phil5", search([1060, 1], [3157, 4], 0)],
  ["lazy01", search([1, 0], [1, 0], 1)],
  ["phase01", search([1, 0], [1, 0], 1)],
  ["queue", search([22, 1], [22, 2], 3)],
  ["reorder_3", search([12, 1], [13, 2], 29)],
  ["reorder_4", search([61, 1], [69, 3], 445)],
  ["reorder_5", search([373, 1], [435, 4], 12997)],
  ["reorder_10", search(0, 0, 0)],
  ["reorder_20", search(0, 0, 0)],
  ["reorder_50", search(0, 0, 0)],
  ["reorder_100", search(0, 0, 0)],
  ["stack", search([3, 1], [2, 1], 11)],
  ["sync01", search([1, 0], [1, 0], 1)],
  ["sync02", search([1, 0], [1, 0], 1)],
  ["token_ring", search([7, 0], [7, 2], 7)],
  ["twostage", search([4, 1], [3, 1], 7)],
  ["twostage_20", search(0, 0, 0)],
  ["twostage_50", search(0, 0, 0)],
  ["twostage_100", search(0, 0, 0)],
  ["wronglock_3", search([43, 1], [5, 1], 125)],
  ["wronglock", search([75601, 1], [9, 1], 185761)],
  ["stringbuffer", search([12, 2], [9, 2], 6)],
  ["wsq", search([27, 1], [119, 2], 288928)],
  ["safestack", search(0, 0, 0)],
  ["bad_flags", search([12, 2], [8, 2], 14)],
  ["aba_toctou", search([3, 1], [2, 1], 3)],
  ["double_fetch", search([4, 1], [3, 1], 3)],
  ["rwsem_recursive_read", search([5, 1], [4, 1], 4)],
  ["lostwakeup", search([3, 1], [2, 1], 3)],
  ["boundedbuf", search([20, 0], [17, 2], 61)],
  ["cve_2009_3547", search([2, 0], [2, 1], 2)],
  ["cve_2011_2183", search([4, 1], [3, 1], 5)],
  ["cve_2013_1792", search([11, 1], [14, 2], 25)],
  ["cve_2015_7550", search([3, 1], [2, 1], 2)],
  ["cve_2016_7911", search([3, 1], [2, 1], 3)],
  ["cve_2016_9806", search([4, 1], [3, 1], 12)],
  ["cve_2016_1972", search([12, 1], [11, 1], 7)],
  ["cve_2016_1973", search([8, 1], [7, 1], 25)],
  ["cve_2017_15265", search([3, 1], [2, 1], 8)],
  ["cve_2017_6346", search([27, 3], [22, 3], 15)]
])
