/** Why a test of interleavings failed. Its stack leads to the line that declared the test, not into the search. */

/** Where a test was declared: the frames of a stack trace. */
export type Site = string

/** The frames above `entry`, the function that a test file calls. */
export const siteOf = (entry: (...args: Array<never>) => unknown): Site => {
  const here: { stack?: string } = {}
  Error.captureStackTrace(here, entry)
  return (here.stack ?? "").split("\n").slice(1).join("\n")
}

export class RaceError extends Error {
  constructor(message: string, site: Site) {
    super(message)
    this.stack = `${this.name}: ${message}\n${site}`
  }
}
// On the prototype: reporters print the members that an error itself has.
RaceError.prototype.name = "RaceError"
