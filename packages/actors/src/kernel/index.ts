/** Kernels: releases, the changes they carry, and text for both. */
export * from "./Change.ts"
export * from "./Kernel.ts"
export * from "./KernelError.ts"
export * from "./KernelFromText.ts"
export * from "./knobs.ts"
export * from "./Release.ts"
