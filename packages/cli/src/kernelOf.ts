/** Which kernel to run on: what the program states, changed by the options. */
import { Kernel, latest, type Program } from "@mmrace/actors"
import * as Result from "effect/Result"
import { type UserError, userError } from "./UserError.ts"

export interface KernelOptions {
  /** In place of everything the program states. */
  readonly kernel: string | undefined
  readonly with: ReadonlyArray<string>
  readonly without: ReadonlyArray<string>
  /** Add the fixes that the program names. */
  readonly fixed: boolean
}

export const asStated: KernelOptions = { kernel: undefined, with: [], without: [], fixed: false }

/** The program's own words: release, architecture, `with` and `without` lines. */
const stated = ({ kernel, with: added, without }: Program): string => {
  const head = `${kernel.release ?? latest}${kernel.arch === undefined ? "" : `,${kernel.arch}`}`
  return [head, ...added.map((c) => `with ${c}`), ...without.map((c) => `without ${c}`)].join(" ")
}

const parse = (text: string, option: string): Result.Result<Kernel, UserError> =>
  Result.mapError(Kernel.parse(text), (error) => userError(`${option}: ${error.message}`))

export const kernelOf = (program: Program, options: KernelOptions): Result.Result<Kernel, UserError> => {
  let kernel = options.kernel === undefined ? parse(stated(program), "kernel") : parse(options.kernel, "--kernel")
  const move = (word: "with" | "without", change: string, option: string): void => {
    kernel = Result.flatMap(kernel, (k) => parse(`${k.toString()} ${word} ${change}`, option))
  }
  if (options.fixed) {
    if (program.fixes.length === 0) {
      return Result.fail(
        userError(`--fixed: ${program.name} names no fix; add a line "fix COMMIT" to it, or use --with COMMIT`)
      )
    }
    for (const change of program.fixes) move("with", change, "--fixed")
  }
  for (const change of options.with) move("with", change, `--with ${change}`)
  for (const change of options.without) move("without", change, `--without ${change}`)
  return kernel
}
