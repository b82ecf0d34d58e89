/**
 * Hashes in two independent 32-bit lanes: block and final steps of MurmurHash3 (Austin Appleby); the second lane uses
 * constants of its 128-bit variant.
 */
export const absorbA = (h: number, word: number): number => {
  let k = Math.imul(word, 0xcc9e2d51)
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593) ^ h
  return (Math.imul((k << 13) | (k >>> 19), 5) + 0xe6546b64) | 0
}

export const absorbB = (h: number, word: number): number => {
  let k = Math.imul(word, 0x239b961b)
  k = Math.imul((k << 16) | (k >>> 16), 0xab0e9789) ^ h
  return (Math.imul((k << 19) | (k >>> 13), 5) + 0x561ccd1b) | 0
}

export const finish = (hash: number): number => {
  let h = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
