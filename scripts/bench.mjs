// `npm run bench`: the measurements of docs/measurements.md, from one run on this machine.
// `npm run bench -- sct`: the comparison of strategies of docs/strategies.md.
// `npm run bench -- spin`: the comparison with SPIN of docs/against-spin.md.
// `npm run bench -- explore`: the corpus explored, for docs/exploration.md.
const tables = ["sct", "spin", "explore"]
const table = process.argv[2]
await import(`../packages/cli/dist/bench/${tables.includes(table) ? `${table}/index.js` : "index.js"}`)
