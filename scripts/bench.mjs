// `pnpm bench`: the measurements of docs/measurements.md, from one run on this machine.
await import("../packages/cli/dist/bench/index.js")
