/** The entry of the command `mmrace`. */
import { runMain } from "./run.ts"

await runMain(process.argv.slice(2))
