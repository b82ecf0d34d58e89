/** A package of somebody else's with the tests of `fixture`, and commands in it as its owner would type them. */
import { spawn } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const here = fileURLToPath(new URL(".", import.meta.url))
const core = join(here, "..", "..")

export interface Project {
  /** The directory above the package: a workspace, from which vitest can be run, too. */
  readonly workspace: string
  readonly home: string
  remove(): void
}

/** What a path may have in it. */
const homeName = "somebody's package"

export const makeProject = (): Project => {
  const workspace = realpathSync(mkdtempSync(join(tmpdir(), "mmrace-vitest-")))
  const home = join(workspace, homeName)
  cpSync(join(here, "fixture"), home, { recursive: true, filter: (path) => !path.endsWith("node_modules") })
  writeFileSync(
    join(home, "package.json"),
    JSON.stringify({ name: "somebody", type: "module", scripts: { test: "vitest run" } })
  )
  const modules = join(workspace, "node_modules")
  mkdirSync(join(modules, "@mmrace"), { recursive: true })
  symlinkSync(core, join(modules, "@mmrace", "core"))
  for (const name of ["vitest", ".bin"]) symlinkSync(join(core, "node_modules", name), join(modules, name))
  symlinkSync(realpathSync(join(core, "..", "..", "node_modules", "vite")), join(modules, "vite"))
  symlinkSync(modules, join(home, "node_modules"))
  return { workspace, home, remove: () => rmSync(workspace, { recursive: true, force: true }) }
}

/** Settings of this test run, which the owner of the package does not have. */
const ours =
  /^(?:npm_.*|INIT_CWD|MMRACE_.*|VITEST.*|NODE_ENV|NODE_OPTIONS|FORCE_COLOR|GITHUB_ACTIONS|CI|TEST|DEV|PROD|MODE|SSR|BASE_URL)$/u

export interface Ran {
  readonly output: string
  readonly exitCode: number
}

/** Runs a line in a shell. */
export const shell = async (line: string, cwd: string): Promise<Ran> => {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)))
  const child = spawn("sh", ["-c", `exec 2>&1; ${line}`], {
    cwd,
    env: { ...env, NO_COLOR: "1", npm_config_offline: "true" },
    stdio: ["ignore", "pipe", "inherit"]
  })
  let output = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text
  })
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.on("error", reject).on("close", (code) => resolve(code ?? -1))
  })
  return { output, exitCode }
}

/** The failures that vitest lists at the end, by the full name of the test: the message, and where it points to. */
export const failuresOf = (output: string): ReadonlyMap<string, { readonly message: string; readonly line: number }> =>
  new Map(
    [...output.matchAll(
      /^ FAIL {2}\S+ > (?<name>.*?)\n(?<message>[A-Z]\w*Error: .*?)\n ❯ \S+?:(?<line>\d+):\d+$/gmsu
    )].map(({ groups }) => [groups!["name"]!, { message: groups!["message"]!, line: Number(groups!["line"]) }])
  )

/** The line to paste: the last one of a message. */
export const commandIn = (message: string): string => message.split("\n").at(-1)!
