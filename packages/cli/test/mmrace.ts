/** Drives the built command as a user does. `npm test` builds it first. */
import { spawn, spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll } from "vitest"

export const main = fileURLToPath(new URL("../dist/main.js", import.meta.url))

if (!existsSync(main)) throw new Error("the command is not built: run npm run setup")

const { FORCE_COLOR: _force, ...rest } = process.env
const env = { ...rest, NO_COLOR: "1" }

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A folder of its own for a test file, taken away afterwards. */
export const makeFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "mmrace-test-"))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export const mmrace = (cwd: string, ...args: ReadonlyArray<string>): Ran => {
  const { status, stderr, stdout } = spawnSync(process.execPath, [main, ...args], {
    cwd,
    env,
    encoding: "utf8",
    maxBuffer: 1 << 28
  })
  return { code: status, stdout, stderr }
}

/** Starts the command, does something once its output (both streams) contains `text`, and waits for its end. */
export const interruptAt = (
  cwd: string,
  text: string,
  signal: NodeJS.Signals,
  ...args: ReadonlyArray<string>
): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...args], { cwd, env })
    let stdout = ""
    let stderr = ""
    let sent = false
    const look = (): void => {
      if (sent || !`${stdout}${stderr}`.includes(text)) return
      sent = true
      child.kill(signal)
    }
    child.stdout.on("data", (data) => {
      stdout += String(data)
      look()
    })
    child.stderr.on("data", (data) => {
      stderr += String(data)
      look()
    })
    child.on("error", reject)
    child.on("close", (code) => resolve({ code, stdout, stderr }))
  })
