/** Runs SPIN on a Promela program, each stage timed: generate a verifier, compile it, run it. */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type PanReport, parsePan } from "./pan.ts"
import type { Size, Variant } from "./Program.ts"

/** Milliseconds of one run. */
export interface SpinTimes {
  readonly generate: number
  readonly compile: number
  readonly run: number
}

export interface SpinRun extends SpinTimes {
  readonly report: PanReport
}

/** Partial order reduction is on unless one says -DNOREDUCE. -w20: a hash table of the size that is needed. */
export const compilerOptions = ["-DSAFETY", "-DNOBOUNDCHECK", "-w"]
export const panOptions = ["-w20"]

const packages: ReadonlyArray<readonly [tool: string, probe: string, from: string]> = [
  ["spin", "-V", "SPIN 6.5 (Debian and Ubuntu: apt-get install spin)"],
  ["cc", "--version", "a C compiler (Debian and Ubuntu: apt-get install gcc libc6-dev)"]
]

const runs = (tool: string, probe: string): boolean => spawnSync(tool, [probe], { stdio: "ignore" }).status === 0

/** One line that says what to install; undefined when everything is there. */
export const whatIsMissing = (present: (tool: string, probe: string) => boolean = runs): string | undefined => {
  const missing = packages.filter(([tool, probe]) => !present(tool, probe))
  if (missing.length === 0) return undefined
  const tools = missing.map(([tool]) => tool).join(" and ")
  return `the comparison with SPIN needs ${tools}: install ${missing.map(([, , from]) => from).join(" and ")}`
}

const timed = (tool: string, args: ReadonlyArray<string>, cwd: string): { ms: number; stdout: string } => {
  const start = performance.now()
  const { signal, status, stderr, stdout } = spawnSync(tool, args, { cwd, encoding: "utf8", maxBuffer: 2 ** 26 })
  const ms = performance.now() - start
  if (status !== 0) {
    throw new Error(`${tool} ${args.join(" ")} ended with ${signal ?? `exit code ${status}`}:\n${stdout}${stderr}`)
  }
  return { ms, stdout }
}

/** The Promela sources are not compiled: they stay in `src`. */
const sources = fileURLToPath(new URL("../../../src/bench/spin/programs", import.meta.url))

export const runSpin = (program: string, variant: Variant, optimise: string, size: Size = "full"): SpinRun => {
  const directory = mkdtempSync(join(tmpdir(), "mmrace-spin-"))
  try {
    const define = [...(variant === "broken" ? ["-DBROKEN"] : []), ...(size === "small" ? ["-DSMALL"] : [])]
    const generate = timed("spin", [...define, "-a", join(sources, `${program}.pml`)], directory)
    const compile = timed("cc", [optimise, ...compilerOptions, "-o", "pan", "pan.c"], directory)
    const run = timed("./pan", panOptions, directory)
    return { generate: generate.ms, compile: compile.ms, run: run.ms, report: parsePan(run.stdout) }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

export const spinVersion = (): string => spawnSync("spin", ["-V"], { encoding: "utf8" }).stdout.trim()
export const compilerVersion = (): string =>
  spawnSync("cc", ["--version"], { encoding: "utf8" }).stdout.split("\n")[0]!.trim()
