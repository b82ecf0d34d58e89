/**
 * `npm run bench -- spin`: explorations of the same programs by SPIN and by mmrace, into docs/against-spin.md.
 *
 *     npm run bench -- spin [--only PROGRAM]... [--runs N] [--reduction R]     (another one: to the terminal only)
 */
import { readFileSync, writeFileSync } from "node:fs"
import { cpus } from "node:os"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { replaceBetween } from "../sct/table.ts"
import { type Measured, measure } from "./measure.ts"
import { options } from "./options.ts"
import { variants } from "./Program.ts"
import { programNamed, programs } from "./programs/index.ts"
import { compilerVersion, spinVersion, whatIsMissing } from "./spin.ts"
import { ratioOf, tableOf } from "./table.ts"

const usualRuns = 5

const compare = (): void => {
  const { values } = parseArgs({
    args: process.argv.slice(3),
    options: { only: { type: "string", multiple: true }, runs: { type: "string" }, reduction: { type: "string" } }
  })
  const chosen = values.only?.map(programNamed) ?? programs
  const runs = Number(values.runs ?? usualRuns)
  const reduction = values.reduction ?? options.reduction!
  const measured: Array<Measured> = []
  for (const { name } of chosen) {
    for (const variant of variants) {
      const one = measure(name, variant, runs, reduction)
      measured.push(one)
      process.stderr.write(`${name}, ${variant}: ${one.ours.verdict}, ${ratioOf(one.spin.total, one.ours.total)}\n`)
    }
  }
  const table = tableOf(measured)
  if (values.only !== undefined || values.reduction !== undefined) {
    process.stdout.write(`${table}\n`)
    return
  }
  const [cpu] = cpus()
  const setting = `${spinVersion()}; ${compilerVersion()}; Node ${process.version.slice(1)}; ${cpus().length} CPUs (${
    cpu?.model.trim() ?? "unknown"
  }); medians of ${runs} runs.`
  const document = fileURLToPath(new URL("../../../../../docs/against-spin.md", import.meta.url))
  writeFileSync(document, replaceBetween(readFileSync(document, "utf8"), "against-spin", `${setting}\n\n${table}`))
  process.stdout.write(`${setting}\n\n${table}\n\ndocs/against-spin.md is up to date\n`)
}

const missing = whatIsMissing()
if (missing === undefined) compare()
else {
  process.stderr.write(`${missing}\n`)
  process.exitCode = 2
}
