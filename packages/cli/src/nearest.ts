/** The valid word nearest to one that is not. */
import { distance } from "fastest-levenshtein"

export const nearest = (word: string, words: Iterable<string>): string | undefined => {
  const limit = word.length < 4 ? 1 : Math.max(2, Math.floor(word.length / 3))
  let best: string | undefined = undefined
  let cost = limit + 1
  for (const candidate of words) {
    const d = distance(word.toLowerCase(), candidate.toLowerCase())
    if (d < cost) {
      best = candidate
      cost = d
    }
  }
  return best
}

/** `; did you mean B-05?`, or nothing when no word is near. */
export const didYouMean = (word: string, words: Iterable<string>): string => {
  const best = nearest(word, words)
  return best === undefined ? "" : `; did you mean ${best}?`
}
