// `npm run bench`: the measurements of docs/measurements.md, from one run on this machine.
// `npm run bench -- sct`: the comparison of strategies of docs/strategies.md.
await import(
  process.argv[2] === "sct" ? "../packages/cli/dist/bench/sct/index.js" : "../packages/cli/dist/bench/index.js"
)
