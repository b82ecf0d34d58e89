// `npm run bench`: the measurements of docs/measurements.md, from one run on this machine.
// `npm run bench -- sct`: the comparison of strategies of docs/strategies.md.
// `npm run bench -- explore`: the corpus explored, for docs/exploration.md.
const tables = { sct: "sct/index.js", explore: "explore/index.js" }
await import(`../packages/cli/dist/bench/${tables[process.argv[2]] ?? "index.js"}`)
