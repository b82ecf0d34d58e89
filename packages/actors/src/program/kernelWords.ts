/** The words of programs that the kernel registry knows, for `check` and `readProgram`. */
import { Result } from "effect"
import { findArch, findChange, findRelease } from "../kernel/Kernel.ts"
import type { KernelError } from "../kernel/KernelError.ts"
import type { CheckOptions, Validate } from "./check.ts"

const validate = (find: (word: string, offset: number) => Result.Result<unknown, KernelError>): Validate => (word) => {
  const found = find(word, 0)
  return Result.isFailure(found) ? found.failure.message : undefined
}

/** `readProgram(source, { file, ...kernelWords })` refuses releases, architectures and changes the model does not have. */
export const kernelWords: Pick<CheckOptions, "release" | "arch" | "change"> = {
  release: validate(findRelease),
  arch: validate(findArch),
  change: validate(findChange)
}
