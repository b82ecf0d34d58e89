/** What a verifier that SPIN made (`pan`) says at its end. */

export interface PanReport {
  readonly verdict: "Complete" | "Violated"
  /** The first error, as pan words it. */
  readonly error: string | undefined
  readonly states: number
  readonly transitions: number
  readonly megabytes: number
}

const numberAfter = (text: string, pattern: RegExp, what: string): number => {
  const found = pattern.exec(text)
  if (found === null) throw new Error(`pan does not say ${what}; it printed:\n${text}`)
  return Number(found[1])
}

/** Throws when the search was cut: for its depth, for memory, or by a bitstate table. */
export const parsePan = (text: string): PanReport => {
  const cut = /max search depth too small|out of memory|Search not completed(?!, errors)|Bit statespace/u.exec(text)
  const errors = numberAfter(text, /errors: (\d+)/u, "how many errors there are")
  if (cut !== null && errors === 0) throw new Error(`pan did not search everything (${cut[0]}); it printed:\n${text}`)
  return {
    verdict: errors === 0 ? "Complete" : "Violated",
    error: /^pan:\d+: (.*?)(?: \(at depth \d+\))?$/mu.exec(text)?.[1],
    states: numberAfter(text, /^\s*([\d.e+]+) states, stored/mu, "how many states it stored"),
    transitions: numberAfter(text, /^\s*([\d.e+]+) transitions/mu, "how many transitions it took"),
    megabytes: numberAfter(text, /^\s*([\d.]+)\s+total actual memory usage/mu, "how much memory it used")
  }
}
