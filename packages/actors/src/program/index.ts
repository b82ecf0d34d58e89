export * from "./constants.ts"
export * from "./Program.ts"
