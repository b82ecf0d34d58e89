/** Errors of kernel names: unknown release, architecture, commit or feature, and malformed text. */
import { Data } from "effect"
import { distance } from "fastest-levenshtein"

export class KernelError extends Data.TaggedError("KernelError")<{
  readonly reason: "syntax" | "unknown-release" | "unknown-arch" | "unknown-change" | "ambiguous-commit"
  /** One line for the reader: what is wrong and what to write instead. */
  readonly message: string
  /** Where the offending word starts in the text that was read, in characters from 0. */
  readonly offset: number
  readonly word: string
  /** Valid words nearest to the offending one, best first. */
  readonly suggestions: ReadonlyArray<string>
}> {}

/** Up to `limit` words nearest to `word` by edit distance, best first, ties in the order given. */
export const nearest = (word: string, words: ReadonlyArray<string>, limit = 3): ReadonlyArray<string> =>
  words
    .map((candidate) => ({ candidate, cost: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, cost }) => cost <= Math.max(2, Math.ceil(candidate.length / 2)))
    .sort((a, b) => a.cost - b.cost)
    .slice(0, limit)
    .map(({ candidate }) => candidate)

/** `; did you mean A, B or C?`, empty when there is nothing near. */
export const didYouMean = (suggestions: ReadonlyArray<string>): string => {
  if (suggestions.length === 0) return ""
  const last = suggestions.at(-1) ?? ""
  return `; did you mean ${suggestions.length === 1 ? last : `${suggestions.slice(0, -1).join(", ")} or ${last}`}?`
}
