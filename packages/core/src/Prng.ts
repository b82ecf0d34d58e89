/**
 * The only source of randomness in the project: sfc32 (Chris Doty-Humphrey, PractRand), 32-bit integer
 * operations only, so that a seed gives the same numbers on any machine and any Node version.
 */

/** Mixes two 32-bit numbers into one (the finaliser of MurmurHash3, applied twice). */
export const mix32 = (a: number, b: number): number => {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ b
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

export class Prng {
  private a = 0
  private b = 0
  private c = 0
  private d = 0

  constructor(seed = 0) {
    this.seed(seed)
  }

  seed(seed: number): void {
    this.a = mix32(seed, 1)
    this.b = mix32(seed, 2)
    this.c = mix32(seed, 3)
    this.d = 1
    for (let i = 0; i < 4; i++) this.next()
  }

  /** Uniform in 0 .. 2^32 - 1. */
  next(): number {
    const t = (((this.a + this.b) | 0) + this.d) | 0
    this.d = (this.d + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = (this.c << 21) | (this.c >>> 11)
    this.c = (this.c + t) | 0
    return t >>> 0
  }

  /** Uniform in 0 .. n-1 for 1 <= n <= 2^16 (bias below 2^-16). */
  below(n: number): number {
    return ((this.next() >>> 16) * n) >>> 16
  }

  /** Uniform in [0, 1) with 32 bits. */
  unit(): number {
    return this.next() / 0x1_0000_0000
  }
}
