export * from "./Final.ts"
export * from "./Layout.ts"
export * from "./Load.ts"
export * from "./reduce.ts"
