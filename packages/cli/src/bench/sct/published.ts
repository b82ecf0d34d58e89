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
