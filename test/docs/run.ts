/** Runs the commands that the documentation shows, as a reader would in a terminal. */
import { spawn } from "node:child_process"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("../..", import.meta.url))

/** Where the pages say the checkout is. */
const shownRoot = "/path/to/mmrace/"

/**
 * Lines that depend on the machine: what long work writes to a pipe every ten seconds, what another worker happened to
 * see behind the first failure, and what `npm start` says when the dependencies have changed since the last time.
 */
const progress =
  /^(?:[\d,]+(?:\/[\d,]+)? executions, [\d,]+\/s, .*|minimising .* tried|also seen behind the first failure: .*|mmrace: installing dependencies .*)\n/gmu

export interface Ran {
  /** stdout and stderr in the order they were written. */
  readonly output: string
  readonly exitCode: number
}

/** These are for the root of the checkout, the others for a directory of the reader's own. */
const isForRoot = (command: string): boolean => /^(?:npm|npx|node) /u.test(command)

/** Runs one command line; `$?` is `previous`, so that `echo $?` shows what the command before gave. */
export const runCommand = async (command: string, directory: string, previous: number): Promise<Ran> => {
  const real = command.replaceAll(shownRoot, root)
  const ran = await spawnShell(`(exit ${previous}); ${real}`, isForRoot(command) ? root : directory)
  return {
    ...ran,
    output: ran.output.replaceAll(directory, "/path/to/here").replaceAll(root, shownRoot).replaceAll(progress, "")
  }
}

/** Settings of this test run, which a reader does not have. */
const ours = /^(?:npm_.*|VITEST.*|NODE_ENV|NODE_OPTIONS|FORCE_COLOR|COLUMNS|CI|TEST|DEV|PROD|MODE|SSR|BASE_URL)$/u

const spawnShell = async (script: string, cwd: string): Promise<Ran> => {
  const path = [join(root, "node_modules", ".bin"), process.env["PATH"] ?? ""].join(delimiter)
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)))
  const child = spawn("sh", ["-c", `exec 2>&1 </dev/null; ${script}`], {
    cwd,
    // Warnings of Node itself differ between its versions.
    env: { ...env, NO_COLOR: "1", NODE_NO_WARNINGS: "1", PATH: path },
    stdio: ["ignore", "pipe", "inherit"]
  })
  let output = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text
  })
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.on("error", reject).on("close", (code) => resolve(code ?? -1))
  })
  return { output, exitCode }
}

/**
 * All that may differ between two runs of one command: how long something took, and how fast it went. Everything else
 * (seeds, counts, schedules, steps) is the same on every machine.
 */
const varying: ReadonlyArray<readonly [RegExp, string]> = [
  [/\d[\d,.]*(?= (?:executions|schedules|steps)(?:\/s| a second))/gu, "N"],
  [/\b\d[\d,.]* ?(?:ms|s|min)\b/gu, "T"]
]

const withoutTimes = (text: string): string =>
  varying.reduce((rest, [pattern, replacement]) => rest.replaceAll(pattern, replacement), text)

export const sameButTimes = (a: string, b: string): boolean => withoutTimes(a) === withoutTimes(b)
