/** Names of the architectures whose encodings exist. */
export const archNames = ["x86-64"] as const

export type ArchName = (typeof archNames)[number]
