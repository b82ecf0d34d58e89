import type { Program } from "../Program.ts"
import { gupFast } from "./gup-fast.ts"
import { mmapChanging } from "./mmap-changing.ts"
import { rwsem } from "./rwsem.ts"
import { swapAba } from "./swap-aba.ts"
import { userfault } from "./userfault.ts"
import { vmaLock } from "./vma-lock.ts"

export const programs: ReadonlyArray<Program> = [gupFast, userfault, mmapChanging, swapAba, rwsem, vmaLock]

/** Throws a RangeError with the known names. */
export const programNamed = (name: string): Program => {
  const program = programs.find((p) => p.name === name)
  if (program === undefined) {
    throw new RangeError(`no program is called "${name}"; there are ${programs.map((p) => p.name).join(", ")}`)
  }
  return program
}
