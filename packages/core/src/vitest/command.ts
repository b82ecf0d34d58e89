/** The line to paste in a shell that runs one schedule in one test. */
import { isAbsolute, relative } from "node:path"
import { quoted } from "../explain/shell.ts"

/** What a test is and where it ran. */
export interface Place {
  /** Names of the suites around the test and its own, from the outermost in. */
  readonly names: ReadonlyArray<string>
  /** The test's file; absolute. */
  readonly file: string
  /** Root of the vitest project; undefined where the project is one of several and finds its root by itself. */
  readonly root: string | undefined
  /** Where vitest runs, and where its user is: a script of package.json runs in the package, wherever npm was called. */
  readonly cwd: string
  readonly userCwd: string
}

/** The variable that holds the only schedule to run. */
export const scheduleVariable = "MMRACE_SCHEDULE"

const controls: ReadonlyMap<string, string> = new Map([["\n", "\\n"], ["\r", "\\r"], ["\t", "\\t"]])

/** A regular expression of one line for just this text. */
export const patternOf = (text: string): string =>
  text.replaceAll(/[\\^$.*+?()[\]{}|]/gu, String.raw`\$&`).replaceAll(
    // oxlint-disable-next-line no-control-regex -- a name may have them, a line of a shell may not
    /[\u0000-\u001f\u007f\u0085\u2028\u2029]/gu,
    (control) => controls.get(control) ?? String.raw`\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`
  )

/** A path as seen from a directory, and never taken for an option. */
const from = (directory: string, path: string): string => {
  const seen = relative(directory, path)
  return seen.startsWith("-") ? `./${seen}` : seen === "" ? "." : seen
}

export const replayCommand = (token: string, { cwd, file, names, root, userCwd }: Place): string => {
  const elsewhere = userCwd !== cwd && isAbsolute(userCwd)
  const words = [
    `${scheduleVariable}=${quoted(token)}`,
    "npx vitest run",
    ...(root === undefined || root === cwd ? [] : ["--root", quoted(from(cwd, root))]),
    quoted(from(cwd, file)),
    // Vitest matches the names of suites and test with spaces between them.
    "-t",
    quoted(`^${patternOf(names.join(" "))}$`)
  ]
  const line = words.join(" ")
  return elsewhere ? `(cd ${quoted(from(userCwd, cwd))} && ${line})` : line
}
