/**
 * Timing inside one process, by the CPU time the process used (its garbage collector's threads included), so that other
 * work on the machine counts less. Absolute figures are noise on shared machines, ratios from one run are not.
 */

/** Median nanoseconds of CPU time per unit over `rounds` windows of at least `windowMs`, after one window of warm-up. */
export const measure = async (work: () => number | Promise<number>, windowMs = 250, rounds = 5): Promise<number> => {
  const samples: Array<number> = []
  for (let round = 0; round <= rounds; round++) {
    let units = 0
    let used = 0
    const start = process.cpuUsage()
    while (used < windowMs * 1000) {
      units += await work()
      const { system, user } = process.cpuUsage(start)
      used = system + user
    }
    if (round > 0) samples.push((used * 1000) / units)
  }
  return samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 2)]!
}
