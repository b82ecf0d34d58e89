/** All commands. */
import { Command } from "effect/cli"
import { fuzz } from "./commands/fuzz.ts"

export const mmrace = Command.make("mmrace").pipe(
  Command.withDescription("Finds, reproduces and explains races in Linux memory management"),
  Command.withSubcommands([fuzz])
)
