/** Help and usage errors, in 80 columns and in one line each. */
import { CliOutput } from "effect/cli"
import type * as CliError from "effect/cli/CliError"
import { wrapped } from "./report/wrap.ts"

const width = 80
const formatter = CliOutput.defaultFormatter({ colors: false, globalFlags: "summary" })

/** What the default formatter prints, with long descriptions wrapped under themselves. */
export const formatHelp = (doc: Parameters<typeof formatter.formatHelpDoc>[0]): string =>
  formatter.formatHelpDoc(doc)
    .replaceAll(/ +\(choices: [^)]*\)/g, "")
    .replaceAll("<bash|zsh|fish|powershell|sh|pwsh>", "SHELL".padEnd(34))
    // The global flags stand far apart for the sake of the list of shells.
    .replaceAll(/^( {2}--\S+(?:, -\w| SHELL)?) {30,}/gm, (_, flag: string) => flag.padEnd(25))
    .split("\n")
    .flatMap((line) => {
      if (line.length <= width) return [line]
      const { left, right } = /^(?<left> *\S.*? {2,})(?<right>\S.*)$/.exec(line)?.groups ??
        /^(?<left> *)(?<right>.*)$/.exec(line)!.groups!
      return wrapped(right!, width - left!.length).map((part, i) => (i === 0 ? left! : " ".repeat(left!.length)) + part)
    })
    .join("\n")

const suggestion = (words: ReadonlyArray<string>): string =>
  words.length === 0 ? "" : `; did you mean ${words.join(" or ")}?`

/** What is wrong with a command line. `usage` is that of the command. */
export const usageProblem = (error: CliError.NonShowHelpErrors, usage: string): string => {
  switch (error._tag) {
    case "UnrecognizedOption":
      return `there is no option ${error.option}${suggestion(error.suggestions)}`
    case "UnknownSubcommand":
      return `there is no command "${error.subcommand}"${suggestion(error.suggestions)}` +
        (/^B-?\d+$|[./]/i.test(error.subcommand) ? `\nTo look for failures: mmrace fuzz ${error.subcommand}` : "")
    case "InvalidValue":
      // Our own flags say all of it.
      return error.expected.startsWith("--") ? error.expected : error.message
    case "MissingArgument":
    case "UnexpectedArgument":
      return `${error.message}; usage: ${usage}`
    default:
      return error.message
  }
}
