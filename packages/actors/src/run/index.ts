export * from "./Final.ts"
export * from "./Layout.ts"
export * from "./Load.ts"
