// `npm start -- ARGS` is `mmrace ARGS`; without ARGS it shows the main job on a shipped program.
if (process.argv.length === 2) process.argv.push("demo")
await import("../packages/cli/bin/mmrace.mjs")
