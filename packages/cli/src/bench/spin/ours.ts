/** One exploration in a process of its own: `node ours.js PROGRAM VARIANT REDUCTION`, one line of JSON. */
import { explore, type Reduction } from "@mmrace/core/explore/Explore"
import type { Variant } from "./Program.ts"
import { programNamed } from "./programs/index.ts"
import { options } from "./options.ts"

export interface OursReport {
  readonly verdict: "Complete" | "Violated" | "Incomplete"
  readonly executions: number
  readonly steps: number
  readonly states: number
  readonly megabytes: number
}

const [name, variant, reduction] = process.argv.slice(2)
const { counts, verdict } = explore(programNamed(name!).build(variant as Variant), {
  ...options,
  // As SPIN's search for errors of safety, which is a search of its own there, too.
  livelocks: false,
  reduction: reduction as Reduction
})
const report: OursReport = {
  verdict: verdict._tag,
  executions: counts.executions,
  steps: counts.steps,
  states: counts.states,
  megabytes: process.resourceUsage().maxRSS / 1024
}
process.stdout.write(JSON.stringify(report) + "\n")
