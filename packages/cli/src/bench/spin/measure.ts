/** Several runs of both on one program, in turn. */
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { OursReport } from "./ours.ts"
import type { Variant } from "./Program.ts"
import { runSpin, type SpinRun, type SpinTimes } from "./spin.ts"

export interface Measured {
  readonly program: string
  readonly variant: Variant
  readonly spin: SpinTimes & Pick<SpinRun, "report"> & { readonly total: number }
  readonly ours: OursReport & { readonly total: number }
}

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/**
 * What SPIN's verifier is compiled with. -O2 takes nearly twice as long to compile, and the search of programs of this
 * size gains less than that.
 */
const optimise = "-O1"

const child = fileURLToPath(new URL("./ours.js", import.meta.url))

const runOurs = (
  program: string,
  variant: Variant,
  reduction: string
): { readonly ms: number; readonly report: OursReport } => {
  const start = performance.now()
  const { status, stderr, stdout } = spawnSync(process.execPath, [child, program, variant, reduction], {
    encoding: "utf8"
  })
  const ms = performance.now() - start
  if (status !== 0) {
    throw new Error(`the exploration of ${program}, ${variant} ended with exit code ${status}:\n${stderr}`)
  }
  return { ms, report: JSON.parse(stdout) as OursReport }
}

const totalOf = ({ compile, generate, run }: SpinTimes): number => generate + compile + run

const summarise = (runs: ReadonlyArray<SpinRun>): Measured["spin"] => ({
  report: runs[0]!.report,
  generate: median(runs.map((r) => r.generate)),
  compile: median(runs.map((r) => r.compile)),
  run: median(runs.map((r) => r.run)),
  total: median(runs.map(totalOf))
})

/** Throws when the verdicts differ. */
export const measure = (program: string, variant: Variant, runs: number, reduction: string): Measured => {
  const theirs: Array<SpinRun> = []
  const own: Array<ReturnType<typeof runOurs>> = []
  for (let run = 0; run < runs; run++) {
    theirs.push(runSpin(program, variant, optimise))
    own.push(runOurs(program, variant, reduction))
  }
  const spin = summarise(theirs)
  const ours = {
    ...own[0]!.report,
    total: median(own.map(({ ms }) => ms)),
    megabytes: Math.max(...own.map(({ report }) => report.megabytes))
  }
  if (spin.report.verdict !== ours.verdict) {
    throw new Error(
      `${program}, ${variant}: SPIN says ${spin.report.verdict}${
        spin.report.error === undefined ? "" : ` (${spin.report.error})`
      }, ours says ${ours.verdict}: the two programs are not the same, or one of the tools is wrong`
    )
  }
  return { program, variant, spin, ours }
}
