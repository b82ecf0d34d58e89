// `npm run bench`: the measurements of docs/measurements.md, from one run on this machine.
// `npm run bench -- sct`: the comparison of strategies of docs/strategies.md.
// `npm run bench -- spin`: the comparison with SPIN of docs/against-spin.md.
const part = { sct: "sct/", spin: "spin/" }[process.argv[2]] ?? ""
await import(`../packages/cli/dist/bench/${part}index.js`)
