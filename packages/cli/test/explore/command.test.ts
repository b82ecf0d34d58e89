/** `mmrace explore` as a user sees it. */
import * as Schema from "effect/Schema"
import { existsSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { ExploreDocument, ReplayDocument } from "mmrace/report/json"
import { interruptAt, makeFolder, mmrace } from "../mmrace.ts"

const folder = makeFolder()
const strict = { onExcessProperty: "error" } as const
const read = <S extends Schema.ConstraintDecoder<unknown>>(schema: S, text: string): S["Type"] =>
  Schema.decodeUnknownSync(schema, strict)(JSON.parse(text))

const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return name
}

const head = (name: string): string => `mmrace ${name}\nkernel 6.8\n\nmap A anon rw 1 = 1\n\n`
const litmus = (name: string, final: string): string =>
  file(`${name}.mmrace`, `${head(name)}thread a\n  store A 2\n\nthread b\n  r0 = load A\n\n${final}\n`)

describe("a small program", () => {
  const exists = litmus("litmus", "final exists (b:r0 = 2)")
  const { code, stdout } = mmrace(folder, "explore", exists)

  it("is explored completely, with the table of herd7", () => {
    expect(code).toBe(0)
    expect(stdout).toContain("COMPLETE: every schedule was explored")
    expect(stdout).toMatch(/States 2\n\d+ +:> b:r0=1;\n\d+ +\*> b:r0=2;\nOk\nWitnesses\n/)
    expect(stdout).toMatch(/Observation litmus Sometimes \d+ \d+/)
  })

  it("gives a schedule of each state, which run repeats to the letter", () => {
    const again = /again +mmrace (?<args>.*)/.exec(stdout)?.groups?.["args"] ?? ""
    const schedules = [...stdout.matchAll(/^(?<token>mm1\.\S+) {2}b:r0=(?<value>\d);$/gm)]
    expect(schedules.map((match) => match.groups!["value"])).toEqual(["1", "2"])
    for (const match of schedules) {
      const { token, value } = match.groups!
      const ran = mmrace(folder, ...again.replace("SCHEDULE", token!).split(" "), "--all")
      expect(ran.code).toBe(0)
      expect(ran.stdout).toContain(`exit(thread:b) = {r0:${value}}`)
      expect(ran.stderr).toBe("")
    }
  })

  it("--json says the same", () => {
    const document = read(ExploreDocument, mmrace(folder, "explore", exists, "--json").stdout)
    expect(document).toMatchObject({
      reduction: "stateful",
      verdict: "complete",
      exhaustive: true,
      failures: [],
      states: [],
      checkpoint: null
    })
    expect(document.distinctStates).toBeGreaterThan(document.executions)
    expect(document.final?.states.map(({ holds, state }) => [state, holds])).toEqual([["b:r0=1;", false], [
      "b:r0=2;",
      true
    ]])
  })

  it("without a condition its states are all registers and memory", () => {
    const name = litmus("whole", "")
    const document = read(ExploreDocument, mmrace(folder, "explore", name, "--json").stdout)
    expect(document.final).toBeNull()
    expect(document.states.map(({ state }) => state)).toEqual(["b:r0=1; [A]=2;", "b:r0=2; [A]=2;"])
  })

  it("a broken condition is a failure with a log, and the others are still counted", () => {
    const forall = litmus("forall", "final forall (b:r0 = 2)")
    const document = read(ExploreDocument, mmrace(folder, "explore", forall, "--json").stdout)
    expect(document).toMatchObject({ verdict: "violated", exhaustive: true })
    expect(document.failures.map(({ id }) => id)).toEqual(["final:final condition"])
    expect(document.final).toMatchObject({ ok: false, observation: "Sometimes" })
    for (const log of [document.failures[0]?.log, document.failures[0]?.minimal?.log]) {
      const replayed = mmrace(folder, "replay", log ?? "", "--json")
      expect(read(ReplayDocument, replayed.stdout)).toMatchObject({
        outcome: "identical",
        failureId: "final:final condition"
      })
    }
  })
})

describe("bounds", () => {
  it("--minimal finds a race with the fewest preemptions", () => {
    const { code, stdout } = mmrace(folder, "explore", "B-71", "--minimal", "--json", "--no-shrink")
    expect(code).toBe(1)
    expect(read(ExploreDocument, stdout)).toMatchObject({
      verdict: "violated",
      exhaustive: false,
      reasons: ["stopped at the first failure"],
      cost: "preemptions",
      fewestPreemptions: 1,
      failures: [{ id: "I-51:TLB entry" }]
    })
  })

  it("within a bound a program is complete that has a failure beyond it", () => {
    const { code, stdout } = mmrace(folder, "explore", "B-71", "--preemptions", "0")
    expect(code).toBe(0)
    expect(stdout).toContain("COMPLETE: every schedule of at most 0 preemptions was explored")
  })
})

describe("other ends", () => {
  it("a circle of waiters", () => {
    const name = file("dead.mmrace", `${head("dead")}thread a\n  join b\n\nthread b\n  join a\n`)
    const { code, stdout } = mmrace(folder, "explore", name)
    expect(code).toBe(1)
    expect(stdout).toContain("FAILURE deadlock:a@thread:b.join,b@thread:a.join")
  })

  describe("a livelock", () => {
    const program = `mmrace hang
kernel 6.12
without fe4cdc2c4e24

map A anon rw 1
uffd U
register U A missing

# with mmap_lock held, again and again, as long as the context is released and the page missing
thread gup
  p = get_fast A read

# released, and waits for mmap_lock
thread closer
  close U
`
    const name = file("hang.mmrace", program)

    it.each([["--reduction", "states"], ["--minimal"]])("is found with %s, too", (...options) => {
      const { code, stdout } = mmrace(folder, "explore", name, "--no-shrink", ...options)
      expect(code).toBe(1)
      expect(stdout).toContain("VIOLATED in 1 way")
      expect(stdout).toContain("FAILURE livelock")
      // It is reported whatever it costs.
      expect(stdout).not.toContain("no schedule of fewer")
    })

    it("is told once round, and found in a complete exploration", () => {
      const { code, stdout } = mmrace(folder, "explore", name)
      expect(code).toBe(1)
      expect(stdout).toContain("every schedule was explored, up to equivalence")
      expect(stdout).toMatch(/Livelock: steps \d+ to \d+ repeat for ever and nobody makes progress/)
      expect(stdout.split("\n").length).toBeLessThan(60)
      const log = /again +mmrace (?<args>replay .*)/.exec(stdout)!.groups!["args"]!
      const replayed = mmrace(folder, ...log.split(" "))
      expect(replayed.code).toBe(1)
      expect(replayed.stdout).toMatch(/replayed \d+ steps: identical, every event and the verdict\nlivelock/)
      const ran = mmrace(
        folder,
        "run",
        name,
        "--schedule",
        /schedule +(?<token>mm1\.\S+)/.exec(stdout)!.groups!["token"]!
      )
      expect(ran.code).toBe(1)
      expect(ran.stdout).toContain("Livelock: steps")
      expect(ran.stdout.split("\n").length).toBeLessThan(60)
    })

    it("is none with the fix", () => {
      const { code, stdout } = mmrace(folder, "explore", name, "--with", "fe4cdc2c4e24")
      expect(code).toBe(0)
      expect(stdout).toContain("COMPLETE: every schedule was explored")
    })
  })

  it("executions that were only cut leave it incomplete", () => {
    const { code, stdout } = mmrace(folder, "explore", litmus("cut", ""), "--max-steps", "5")
    expect(code).toBe(4)
    expect(stdout).toContain("INCOMPLETE: executions of more than 5 steps were cut")
  })
})

it("is interrupted, writes a checkpoint, and another one goes on with any number of workers", async () => {
  const name = file(
    "long.mmrace",
    `${head("long")}thread a\n  store A 2\n  r0 = load A\n\nthread b\n  madvise A dontneed\n\nfinal forall (a:r0 = 2)\n`
  )
  const args = ["explore", name, "--reduction", "optimal", "--no-shrink", "--out", "long", "--json"]
  const whole = mmrace(folder, ...args)
  const { code, stderr, stdout } = await interruptAt(folder, "found final", "SIGINT", ...args, "--workers", "1")
  expect(code).toBe(1)
  expect(stderr).toContain("ending with what was found so far")
  const part = read(ExploreDocument, stdout)
  expect(part).toMatchObject({ verdict: "violated", exhaustive: false, reasons: ["interrupted"] })
  expect(readdirSync(join(folder, "long")).filter((entry) => entry.endsWith(".tmp"))).toEqual([])
  const rest = mmrace(folder, ...args, "--resume", part.checkpoint ?? "")
  expect(rest.stdout).toBe(whole.stdout)
  expect(existsSync(join(folder, part.checkpoint ?? ""))).toBe(false)
})

describe("what is wrong is said", () => {
  const other = litmus("other", "")
  file("text.json", "{}")
  const cases: ReadonlyArray<readonly [ReadonlyArray<string>, string]> = [
    [["--preemptions", "1", "--delays", "2"], "--preemptions and --delays are two bounds"],
    [["--preemptions", "1", "--reduction", "source"], "--reduction source has no bounds"],
    [["--reduction", "sauce"], "--reduction: expected one of auto, stateful, optimal, source, states, got \"sauce\""],
    [["--memory", "12"], "--memory: expected a size such as 512m or 2g"],
    [["--resume", "text.json"], "text.json is no checkpoint of this mmrace"]
  ]
  it.each(cases)("%j: %s", (args, expected) => {
    const { code, stderr } = mmrace(folder, "explore", other, ...args)
    expect(stderr).toContain(expected)
    expect(code).toBe(2)
  })
})
