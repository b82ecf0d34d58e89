/** The shapes of what the command prints with --json, for programs that read it. */
export * from "./report/json.ts"
