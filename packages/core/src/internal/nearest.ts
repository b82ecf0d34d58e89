/** The nearest valid word, for error messages. */

/** Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`. */
const editDistance = (a: string, b: string): number => {
  const width = b.length + 1
  const table = new Uint32Array((a.length + 1) * width)
  const at = (i: number, j: number): number => table[i * width + j]!
  for (let i = 0; i <= a.length; i++) {
    for (let j = 0; j <= b.length; j++) {
      let best = i === 0
        ? j
        : j === 0
        ? i
        : Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, at(i - 2, j - 2) + 1)
      table[i * width + j] = best
    }
  }
  return at(a.length, b.length)
}

/** The candidate closest to `word`, or undefined when none is close enough to be meant (first one wins a tie). */
export const nearest = (word: string, candidates: Iterable<string>): string | undefined => {
  let found: string | undefined
  let least = Math.floor(Math.max(3, word.length) / 3) + 1
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= least || candidate.length > 200) continue
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance < least) {
      least = distance
      found = candidate
    }
  }
  return found
}

const shown = 8

/** "expected one of a, b, c (and 12 more); did you mean b?" */
export const expectedOneOf = (
  word: string,
  candidates: ReadonlyArray<string>
): { readonly expected: string; readonly meant: string | undefined } => ({
  expected: candidates.length === 0
    ? "nothing"
    : candidates.length === 1
    ? JSON.stringify(candidates[0])
    : `one of ${candidates.slice(0, shown).join(", ")}${
      candidates.length > shown ? ` (and ${candidates.length - shown} more)` : ""
    }`,
  meant: nearest(word, candidates)
})
