/** Timing inside one process: absolute times are noise on shared machines, ratios from one run are not. */

/** Median nanoseconds per unit over `rounds` windows of at least `windowMs`, after one window of warm-up. */
export const measure = async (work: () => number | Promise<number>, windowMs = 250, rounds = 5): Promise<number> => {
  const samples: Array<number> = []
  for (let round = 0; round <= rounds; round++) {
    let units = 0
    const start = process.hrtime.bigint()
    const end = start + BigInt(windowMs) * 1_000_000n
    let now = start
    while (now < end) {
      units += await work()
      now = process.hrtime.bigint()
    }
    if (round > 0) samples.push(Number(now - start) / units)
  }
  return samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 2)]!
}
