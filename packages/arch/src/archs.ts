/** The architectures there are. Adding one is its file and a line here. */
import type { Arch } from "./Arch.ts"
import { x86_64 } from "./X86_64.ts"

/** Names of the architectures whose encodings exist. */
export const archNames = ["x86-64"] as const

export type ArchName = (typeof archNames)[number]

export const archs: { readonly [Name in ArchName]: Arch<Name> } = { "x86-64": x86_64 }
