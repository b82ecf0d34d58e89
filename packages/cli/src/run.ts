/** Runs the command line and turns whatever goes wrong into a message and an exit code. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { CliConfig, CliOutput, Command, GlobalFlag } from "effect/cli"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { mmrace } from "./cli.ts"
import { formatHelp, usageProblem } from "./help.ts"
import { complain } from "./screen.ts"
import { exitCodes, UserError } from "./UserError.ts"
import { version } from "./version.ts"

/** Help that was asked for goes to stdout; what is wrong with the command line, in short, to stderr. */
const presenter: CliOutput.Presenter = {
  present: (event) =>
    Effect.sync(() => {
      switch (event._tag) {
        case "Help":
          process.stdout.write(`${formatHelp(event.helpDoc)}\n`)
          return
        case "Version":
          process.stdout.write(`mmrace ${event.version}\n`)
          return
        case "InvalidInvocation":
          for (const error of event.errors) complain(usageProblem(error, event.helpDoc.usage))
          process.stderr.write(`Try: ${event.commandPath.join(" ")} --help\n`)
      }
    })
}

const services = Layer.mergeAll(
  NodeServices.layer,
  CliOutput.layerPresenter(presenter),
  CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] })
)

/** Sets `process.exitCode`. */
export const runMain = async (args: ReadonlyArray<string>): Promise<void> => {
  // A reader that has seen enough (`mmrace list | head`) is no error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") complain(`cannot write to stdout: ${error.message}`)
    process.exit(error.code === "EPIPE" ? process.exitCode ?? exitCodes.clean : exitCodes.usage)
  })
  const exit = await Effect.runPromiseExit(Effect.provide(Command.runWith(mmrace, { version })(args), services))
  if (Exit.isSuccess(exit)) return
  const error = Cause.squash(exit.cause)
  if (error instanceof UserError) complain(error.message)
  else if (isShowHelp(error)) {
    if (error.errors.length === 0) return
  } else {complain(
      `this is a defect of mmrace, please report it: ${error instanceof Error ? error.stack : String(error)}`
    )}
  process.exitCode = exitCodes.usage
}

const isShowHelp = (error: unknown): error is { readonly errors: ReadonlyArray<unknown> } =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "ShowHelp"
