/**
 * Outcomes that are known already, one JSON line each, so that an interrupted run goes on where it was. A line counts
 * only for the build that wrote it.
 */
import { createHash } from "node:crypto"
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs"
import { dirname, join } from "node:path"

/** Digest of files and of the compiled files below directories. */
export const digestOf = (paths: ReadonlyArray<string>): string => {
  const hash = createHash("sha256")
  for (const path of paths) {
    const names = statSync(path).isDirectory()
      ? readdirSync(path, { recursive: true, encoding: "utf8" }).filter((n) => /\.(?:js|mmrace)$/u.test(n)).toSorted()
      : [""]
    for (const name of names) hash.update(name).update(readFileSync(join(path, name)))
  }
  return hash.digest("hex").slice(0, 16)
}

export class Results<Outcome> {
  private readonly file: string
  private readonly buildOf: (outcome: Outcome) => string
  private readonly keyOf: (outcome: Outcome) => string
  private readonly known = new Map<string, Outcome>()

  /** `keyOf`: equal for outcomes of the same trial. */
  constructor(file: string, buildOf: (outcome: Outcome) => string, keyOf: (outcome: Outcome) => string) {
    this.file = file
    this.buildOf = buildOf
    this.keyOf = keyOf
    mkdirSync(dirname(file), { recursive: true })
    if (!existsSync(file)) return
    for (const line of readFileSync(file, "utf8").split("\n")) {
      // The last line of a run that was killed may be cut.
      if (!line.endsWith("}")) continue
      const entry = JSON.parse(line) as { readonly build: string; readonly outcome: Outcome }
      if (entry.build === buildOf(entry.outcome)) this.known.set(keyOf(entry.outcome), entry.outcome)
    }
  }

  find(key: string): Outcome | undefined {
    return this.known.get(key)
  }

  add(outcome: Outcome): void {
    this.known.set(this.keyOf(outcome), outcome)
    appendFileSync(this.file, JSON.stringify({ build: this.buildOf(outcome), outcome }) + "\n")
  }
}
