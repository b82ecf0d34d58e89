/**
 * Timing inside one process, by the CPU time the process used (its garbage collector's threads included), so that other
 * work on the machine counts less. Absolute figures are noise on shared machines, ratios from one run are not.
 */

export interface Windows {
  /** CPU milliseconds of one window; default 250. */
  readonly window?: number
  /** Windows of which the median is taken; default 5. */
  readonly rounds?: number
  /** CPU milliseconds before the first window, until the code is compiled; default 250. */
  readonly warmUp?: number
}

/** Median nanoseconds of CPU time per unit of work; `work` returns the units it did. */
export const measure = async (
  work: () => number | Promise<number>,
  { rounds = 5, warmUp = 250, window = 250 }: Windows = {}
): Promise<number> => {
  const samples: Array<number> = []
  for (let round = 0; round <= rounds; round++) {
    const budget = (round === 0 ? warmUp : window) * 1000
    let units = 0
    let used = 0
    const start = process.cpuUsage()
    while (used < budget) {
      units += await work()
      const { system, user } = process.cpuUsage(start)
      used = system + user
    }
    if (round > 0) samples.push((used * 1000) / units)
  }
  return samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 2)]!
}
