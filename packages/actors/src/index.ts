export * from "./kernel/index.ts"
export * from "./program/index.ts"
export * from "./run/index.ts"
