#!/usr/bin/env node
// Committed, so that the package manager can link the command before anything is built.
import { existsSync } from "node:fs"

const main = new URL("../dist/main.js", import.meta.url)

if (existsSync(main)) {
  await import(main.href)
} else {
  console.error("mmrace is not built yet. In the root of the checkout run: npm run setup")
  process.exitCode = 2
}
