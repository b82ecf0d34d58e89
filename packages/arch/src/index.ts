export * from "./Arch.ts"
export * from "./Pte.ts"
