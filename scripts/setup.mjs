// Makes a checkout ready to run on a machine that has only Node and npm: installs the dependencies when the last
// install was for other ones, then builds what is out of date. Says nothing when there is nothing to do.
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const PNPM = "pnpm@10.34.9"
const NODE_OLDEST = [20, 19]

const root = fileURLToPath(new URL("..", import.meta.url))
/** What the last successful install was for: a digest of everything that decides its outcome. */
const installStamp = join(root, "node_modules", ".mmrace-install")

const say = (text) => process.stderr.write(`${text}\n`)
const fail = (...lines) => {
  say(["", ...lines].join("\n"))
  process.exit(1)
}
/** Output goes to stderr: the stdout of `npm start` belongs to the command. */
function run(command, args, env = process.env) {
  const shell = process.platform === "win32" && command === "npx"
  const result = spawnSync(command, args, { cwd: root, env, stdio: ["ignore", 2, 2], shell })
  if (result.signal) process.exit(130)
  return result
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number)
  if (major > NODE_OLDEST[0] || (major === NODE_OLDEST[0] && minor >= NODE_OLDEST[1])) return
  fail(
    `mmrace needs Node ${NODE_OLDEST.join(".")} or newer; this is Node ${process.versions.node} (${process.execPath}).`
  )
}

function installDigest() {
  const packages = readdirSync(join(root, "packages")).map((name) => join("packages", name, "package.json"))
  const inputs = ["package.json", "pnpm-workspace.yaml", "pnpm-lock.yaml", ...packages.toSorted()]
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}`)
  for (const path of inputs) {
    const file = join(root, path)
    hash.update(`\n${path}\n`).update(existsSync(file) ? readFileSync(file) : "")
  }
  return hash.digest("hex")
}

function install() {
  if (existsSync(installStamp) && readFileSync(installStamp, "utf8") === installDigest()) return
  say(`mmrace: installing dependencies (npx ${PNPM} install)`)
  // Without a network npm would say nothing for 70 seconds; these waits between its tries are still patient enough.
  const env = { npm_config_fetch_retry_mintimeout: "1000", npm_config_fetch_retry_maxtimeout: "5000", ...process.env }
  const { status, error } = run("npx", ["--yes", PNPM, "install"], env)
  if (error) fail(`mmrace: cannot run npx: ${error.message}. npx comes with npm; is npm on the PATH?`)
  if (status !== 0) {
    fail(
      `mmrace: the install failed (exit ${status}); its own messages are above.`,
      "If they speak of the network (ENOTFOUND, ECONNREFUSED, ETIMEDOUT, EAI_AGAIN): the first run needs the npm registry.",
      "Try `npm ping`; behind a proxy set HTTPS_PROXY, with a mirror `npm config set registry URL`. Then run this again."
    )
  }
  // The install may itself have updated the lockfile, hence the digest of now.
  writeFileSync(installStamp, installDigest())
}

function build() {
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc")
  const { status, error } = run(process.execPath, [tsc, "-b", "packages/cli", "packages/core/examples"])
  if (error || status !== 0) {
    fail(`mmrace: the build failed${error ? `: ${error.message}` : "; the compiler's messages are above"}.`)
  }
}

checkNode()
install()
build()
