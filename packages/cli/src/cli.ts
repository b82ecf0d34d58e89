/** All commands. */
import { Command } from "effect/cli"
import { demo } from "./commands/demo.ts"
import { explain } from "./commands/explain.ts"
import { explore } from "./commands/explore.ts"
import { format } from "./commands/format.ts"
import { fuzz } from "./commands/fuzz.ts"
import { list } from "./commands/list.ts"
import { replay } from "./commands/replay.ts"
import { run } from "./commands/run.ts"
import { show } from "./commands/show.ts"
import { shrink } from "./commands/shrink.ts"

export const mmrace = Command.make("mmrace").pipe(
  Command.withDescription(
    "Finds, reproduces and explains races in Linux memory management. Exit codes: 0 clean, 1 a violation was found, " +
      "2 bad input or usage, 3 a replay diverged, 4 an exploration was not complete, 130 interrupted with nothing found."
  ),
  Command.withSubcommands([list, show, run, fuzz, explore, replay, shrink, explain, format, demo])
)
