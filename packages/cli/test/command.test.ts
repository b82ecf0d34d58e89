import { LogFooter } from "@mmrace/core"
import * as Schema from "effect/Schema"
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import {
  ExplainDocument,
  FuzzDocument,
  ListDocument,
  ReplayDocument,
  RunDocument,
  ShowDocument,
  ShrinkDocument
} from "mmrace/report/json"
import { interruptAt, main, makeFolder, mmrace } from "./mmrace.ts"

const folder = makeFolder()
const strict = { onExcessProperty: "error" } as const
const read = <S extends Schema.ConstraintDecoder<unknown>>(schema: S, text: string): S["Type"] =>
  Schema.decodeUnknownSync(schema, strict)(JSON.parse(text))

const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return name
}

const tiny = file("tiny.mmrace", "mmrace tiny\nkernel 6.8\n\nmap A anon rw 1 = 1\n\nthread a\n  store A 2\n")
const lines = (text: string): ReadonlyArray<string> => text.split("\n")

describe("what is wrong is said, with the nearest valid word, and the exit code is 2", () => {
  const cases: ReadonlyArray<readonly [ReadonlyArray<string>, string]> = [
    [["fuz", "B-05"], "there is no command \"fuz\"; did you mean fuzz?"],
    [["B-05"], "To look for failures: mmrace fuzz B-05"],
    [["fuzz"], "Missing required argument"],
    [["fuzz", "B-05", "B-06"], "Unexpected positional argument: \"B-06\""],
    [["fuzz", "B-05", "--run", "3"], "there is no option --run; did you mean --runs?"],
    [["fuzz", "B-05", "--runs", "0"], "--runs: expected a whole number from 1"],
    [["fuzz", "B-05", "--runs", "many"], "got \"many\""],
    [["fuzz", "B-05", "--seed", "-1"], "--seed"],
    [["fuzz", "B-05", "--time", "soon"], "--time: expected a time such as 30s, 5m or 2h, got \"soon\""],
    [["fuzz", "B-05", "--strategy", "pcs"], "no strategy is called \"pcs\"; did you mean pct?"],
    [["fuzz", "B-05", "--kernel", "6.88"], "--kernel: no release \"6.88\", the model knows 4.3 to"],
    [["fuzz", "B-05", "--kernel", "6.8,x86"], "no architecture \"x86\""],
    [["fuzz", "B-05", "--with", "57efa1fe5958"], "did you mean 57efa1fe5957?"],
    [["fuzz", "B-05", "--without", "perVmaLok"], "did you mean perVmaLock"],
    [["fuzz", "gupfast-vs-forc"], "did you mean gupfast-vs-fork?"],
    [["fuzz", "nothing-like-it.mmrace"], "there is no file and no shipped program"],
    [["fuzz", "."], ". is a directory; give a program file"],
    [["fuzz", tiny, "--fixed"], "--fixed: tiny names no fix"],
    [
      ["fuzz", tiny, "--out", "tiny.mmrace/logs"],
      "cannot write to tiny.mmrace/logs: a part of the path is not a directory"
    ],
    [["fuzz", tiny, "--out", "/proc/nowhere"], "cannot write to /proc/nowhere: there is no such file or directory"],
    [["run", tiny, "--schedule", "mm1.AAAAAB"], "the schedule token is damaged"],
    [["run", tiny, "--schedule", "schedule"], "expected a schedule token"],
    [
      ["run", tiny, "--out", "no/such/log.ndjson"],
      "cannot write no/such/log.ndjson: there is no such file or directory"
    ],
    [["replay", tiny], "is a program, not a log"],
    [["explain", tiny], "explain needs a log, or a schedule"],
    [["shrink", tiny], "shrink needs a log of a failure"],
    [["shrink", tiny, "--schedule", "mm1.AAAAAA"], "the execution does not fail, there is nothing to shrink"],
    [["list", "strateges"], "did you mean strategies?"]
  ]
  it.each(cases)("mmrace %j: %s", (args, expected) => {
    const { code, stderr, stdout } = mmrace(folder, ...args)
    expect(stderr).toContain(expected)
    expect(stderr).not.toMatch(/\n\s+at .*:\d+:\d+/)
    expect(stdout).not.toContain("FLAGS")
    expect(code).toBe(2)
  })

  it("names file, line and column of every mistake in a program", () => {
    const name = file(
      "bad.mmrace",
      "mmrace bad\nkernel 6.88\n\nmap A anon rw 1 = 1\n\nthread a\n  load B\n\nthread a\n  load A\n"
    )
    const { code, stderr } = mmrace(folder, "fuzz", name)
    expect(code).toBe(2)
    expect(stderr).toContain("bad.mmrace:2:8: no release \"6.88\"")
    expect(stderr).toContain("bad.mmrace:7:8: expected a mapped region, found 'B'; did you mean 'A'?")
    expect(stderr).toContain("bad.mmrace:9:8: expected a new name, found a second thread 'a'")
  })

  it("an empty program", () => {
    expect(mmrace(folder, "fuzz", file("empty.mmrace", "")).stderr).toContain("empty.mmrace:1:1: expected a program")
  })

  it("an empty log", () => {
    expect(mmrace(folder, "replay", file("empty.ndjson", "")).stderr).toContain(
      "empty.ndjson: line 1: the file is empty"
    )
  })
})

describe("help", () => {
  const commands = [[], ["list"], ["show"], ["run"], ["fuzz"], ["explore"], ["replay"], ["shrink"], ["explain"], [
    "format"
  ], [
    "demo"
  ]]
  it.each(commands)("mmrace %s --help fits 80 columns", (...command) => {
    const { code, stdout } = mmrace(folder, ...command, "--help")
    expect(code).toBe(0)
    expect(stdout).toContain("USAGE")
    expect(lines(stdout).filter((line) => line.length > 80)).toEqual([])
  })
})

describe("fuzz", () => {
  it("finds, keeps and minimises a race; workers do not change the result", () => {
    const one = mmrace(folder, "fuzz", "B-71", "--json", "--workers", "1", "--keep-going", "--runs", "700")
    const two = mmrace(folder, "fuzz", "B-71", "--json", "--workers", "2", "--keep-going", "--runs", "700")
    expect(one.code).toBe(1)
    expect(two.code).toBe(1)
    expect(two.stdout).toBe(one.stdout)
    const document = read(FuzzDocument, one.stdout)
    expect(document.executions).toBe(700)
    expect(document.ended).toBe("runs")
    expect(document.claims).toBeNull()
    const [failure] = document.failures
    expect(failure?.id).toBe("I-51:TLB entry")
    expect(failure?.count).toBeGreaterThan(1)
    expect(failure?.minimal?.preemptionsMinimal).toBe(true)
    for (const log of [failure?.log, failure?.minimal?.log]) {
      const replayed = mmrace(folder, "replay", log ?? "", "--json")
      expect(replayed.code).toBe(1)
      expect(read(ReplayDocument, replayed.stdout)).toMatchObject({ outcome: "identical", failureId: failure?.id })
    }
  })

  it("stops at the first failure, at the same one with any number of workers", () => {
    const one = read(FuzzDocument, mmrace(folder, "fuzz", "B-06", "--json", "--workers", "1", "--no-shrink").stdout)
    const three = read(FuzzDocument, mmrace(folder, "fuzz", "B-06", "--json", "--workers", "3", "--no-shrink").stdout)
    expect(one.ended).toBe("failure")
    expect(one.failures).toHaveLength(1)
    expect(three).toEqual(one)
  })

  it("tells what may be claimed on the kernel with the fix, and exits with 0", () => {
    const { code, stdout } = mmrace(folder, "fuzz", "B-05", "--fixed", "--strategy", "portfolio", "--runs", "300")
    expect(code).toBe(0)
    expect(stdout).toContain("300 executions, no failure")
    expect(stdout).toContain("CAPPED at 300 executions")
    expect(stdout).toContain("95% confidence")
    const json = read(
      FuzzDocument,
      mmrace(folder, "fuzz", "B-05", "--fixed", "--strategy", "portfolio", "--runs", "300", "--json").stdout
    )
    expect(json.claims?.exhausted).toBe(false)
    expect(json.claims?.failureRateBound).toBeCloseTo(1 - 0.05 ** (1 / 300), 10)
  })

  it("calls a program with one execution exhausted", () => {
    const { code, stdout } = mmrace(folder, "fuzz", tiny, "--runs", "20")
    expect(code).toBe(0)
    expect(stdout).toContain("EXHAUSTED: every schedule of this program was executed")
    expect(stdout).not.toContain("CAPPED")
  })

  it("counts final states in the manner of herd7", () => {
    const name = file(
      "final.mmrace",
      "mmrace final\nkernel 6.8\n\nmap A anon rw 1 = 1\n\nthread a\n  store A 2\n\nthread b\n  r0 = load A\n\nfinal exists (b:r0 = 2)\n"
    )
    const { code, stdout } = mmrace(folder, "fuzz", name, "--runs", "200")
    expect(code).toBe(0)
    expect(stdout).toMatch(/States 2\n\d+ +:> b:r0=1;\n\d+ +\*> b:r0=2;\nOk\nWitnesses\n/)
    expect(stdout).toMatch(/Observation final Sometimes \d+ \d+/)
    const broken = file("forall.mmrace", readFileSync(join(folder, name), "utf8").replace("exists", "forall"))
    const second = mmrace(folder, "fuzz", broken, "--runs", "200", "--keep-going", "--json")
    expect(second.code).toBe(1)
    const document = read(FuzzDocument, second.stdout)
    expect(document.failures.map((f) => f.id)).toEqual(["final:final condition"])
    expect(document.final).toMatchObject({ ok: false, observation: "Sometimes" })
    expect((document.final?.positive ?? 0) + (document.final?.negative ?? 0)).toBe(200)
  })

  it("reports a program whose every schedule deadlocks", () => {
    const name = file(
      "dead.mmrace",
      "mmrace dead\nkernel 6.8\n\nmap A anon rw 1 = 1\n\nthread a\n  join b\n\nthread b\n  join a\n"
    )
    const { code, stdout } = mmrace(folder, "fuzz", name)
    expect(code).toBe(1)
    expect(stdout).toContain("FAILURE deadlock:a@thread:b.join,b@thread:a.join")
  })

  it("says when executions were cut off", () => {
    const { code, stdout } = mmrace(folder, "fuzz", tiny, "--runs", "10", "--max-steps", "2")
    expect(code).toBe(0)
    expect(stdout).toContain("10 executions ended at the step limit")
  })

  it("checks determinism", () => {
    const { code, stderr } = mmrace(folder, "fuzz", tiny, "--runs", "10", "--check-determinism")
    expect(code).toBe(0)
    expect(stderr).toContain("deterministic: 100 schedules gave the same steps twice")
  })

  it("keeps what it found when it is interrupted, and when it is killed", async () => {
    const args = ["fuzz", "B-71", "--keep-going", "--runs", "100000000", "--out"]
    const asked = await interruptAt(folder, "found I-51", "SIGINT", ...args, "asked")
    expect(asked.code).toBe(1)
    expect(asked.stderr).toContain("ending with what was found so far")
    expect(asked.stdout).toContain("FAILURE I-51:TLB entry")
    await interruptAt(folder, "found I-51", "SIGKILL", ...args, "killed")
    for (const out of ["asked", "killed"]) {
      const log = readdirSync(join(folder, out)).find((name) => name.endsWith(".ndjson"))
      expect(mmrace(folder, "replay", join(out, log!)).stdout).toContain("identical, every event and the verdict")
    }
  })

  it("ends with 130 when it is interrupted and nothing was found", async () => {
    const { code } = await interruptAt(
      folder,
      "gupfast-vs-fork",
      "SIGINT",
      "fuzz",
      "B-05",
      "--fixed",
      "--runs",
      "100000000"
    )
    expect(code).toBe(130)
  })

  it("goes on when a log cannot be written, and prints what leads to the failure", () => {
    const command = `ulimit -f 1; "${process.execPath}" "${main}" fuzz B-71 --out full`
    const { status, stderr, stdout } = spawnSync("bash", ["-c", command], { cwd: folder, encoding: "utf8" })
    expect(status).toBe(1)
    expect(stderr).toMatch(/cannot write full\/.*: the file would be larger than allowed/)
    expect(readdirSync(join(folder, "full"))).toEqual([])
    const again = /again +mmrace (?<args>run .*)/.exec(stdout)?.groups?.["args"]?.split(" ") ?? []
    const second = mmrace(folder, ...again)
    expect(second.code).toBe(1)
    expect(second.stdout).toContain("Broken: I-51")
  })
})

describe("logs", () => {
  const logOf = (name: string): string => {
    mmrace(folder, "fuzz", "B-71", "--no-shrink", "--out", name, "--quiet")
    const [log] = readdirSync(join(folder, name))
    return join(name, log!)
  }
  const log = logOf("logs")
  const text = readFileSync(join(folder, log), "utf8")

  it("replay shows the first difference with its surroundings and exits with 3", () => {
    const changed = [...lines(text)]
    const at = changed.findIndex((line) => line.includes("\"i\":20,"))
    changed[at] = changed[at]!.replace(/"t":"(\w+)"/, (_, t: string) => `"t":"${t === "cpu0" ? "app" : "cpu0"}"`)
    const { code, stderr, stdout } = mmrace(folder, "replay", file("edited.ndjson", changed.join("\n")))
    expect(code).toBe(3)
    expect(stderr).toContain("the log was changed after it was written")
    expect(stdout).toContain("replay differs from the log at step 20")
    expect(stdout).toMatch(/expected +20/)
    const json = read(ReplayDocument, mmrace(folder, "replay", "edited.ndjson", "--json").stdout)
    expect(json).toMatchObject({ outcome: "diverged", divergedAt: 20, integrity: "Edited" })
  })

  it("a truncated log is replayed as far as it goes", () => {
    const { code, stderr, stdout } = mmrace(folder, "replay", file("cut.ndjson", text.slice(0, text.length / 2)))
    expect(code).toBe(0)
    expect(stderr).toContain("the log is truncated")
    expect(stdout).toContain("identical as far as the log goes")
  })

  it("damage is told with line and reason", () => {
    const cases: ReadonlyArray<readonly [string, string]> = [
      [text.replace("\"version\":1", "\"version\":2"), "written by a newer tool"],
      [lines(text).filter((_, i) => i !== 5).join("\n"), "lines are missing"],
      [text.replace("{\"i\":3,", "{\"i\":3;"), "line 5"],
      [text.replace("kernel 4.12", "kernel 4.1x"), "4.1x"],
      ["{\"a\":1}\n", "this is not an mmrace log"]
    ]
    for (const [damaged, expected] of cases) {
      const { code, stderr } = mmrace(folder, "replay", file("damaged.ndjson", damaged))
      expect(stderr).toContain(expected)
      expect(stderr).toContain("damaged.ndjson")
      expect(code).toBe(2)
    }
  })

  it("the schedule alone is followed on another kernel", () => {
    const { code, stdout } = mmrace(folder, "replay", log, "--fixed")
    expect(code).toBe(0)
    expect(stdout).toMatch(/followed the schedule: \d+ of \d+ steps/)
    const same = read(ReplayDocument, mmrace(folder, "replay", log, "--tolerant", "--json").stdout)
    expect(same).toMatchObject({ outcome: "followed", divergedAt: null, failureId: "I-51:TLB entry" })
  })

  it("explain shows columns, marks and the broken invariant", () => {
    const { code, stdout } = mmrace(folder, "explain", log)
    expect(code).toBe(0)
    expect(stdout).toContain("Broken: I-51")
    expect(stdout).toMatch(/^!\d+/m)
    expect(read(ExplainDocument, mmrace(folder, "explain", log, "--json").stdout).failureId).toBe("I-51:TLB entry")
  })

  it("shrink keeps the failure, makes schedule and program smaller, and its log replays", () => {
    const found = mmrace(folder, "fuzz", "B-05", "--no-shrink", "--json", "--out", "shrink")
    const [failure] = read(FuzzDocument, found.stdout).failures
    const { code, stdout } = mmrace(folder, "shrink", failure?.log ?? "", "--json")
    expect(code).toBe(1)
    const document = read(ShrinkDocument, stdout)
    expect(document.failureId).toBe(failure?.id)
    expect(document.after.preemptions).toBeLessThan(document.before.preemptions)
    expect(document.smallest).not.toContain("dma_store")
    expect(document.programsAccepted).toBeGreaterThan(0)
    const replayed = read(ReplayDocument, mmrace(folder, "replay", document.log ?? "", "--json").stdout)
    expect(replayed).toMatchObject({ outcome: "identical", failureId: failure?.id })
  })

  it("run writes a log that replays, and repeats a schedule", () => {
    const first = read(
      RunDocument,
      mmrace(folder, "run", "B-05", "--seed", "5", "--out", "run.ndjson", "--json").stdout
    )
    expect(first.log).toBe("run.ndjson")
    const second = read(RunDocument, mmrace(folder, "run", "B-05", "--schedule", first.schedule, "--json").stdout)
    expect(second.explanation).toEqual(first.explanation)
    expect(mmrace(folder, "replay", "run.ndjson").stdout).toContain("identical")
    const footer = lines(readFileSync(join(folder, "run.ndjson"), "utf8").trimEnd()).at(-1) ?? ""
    expect(Schema.decodeUnknownSync(LogFooter)(JSON.parse(footer)).steps).toBe(first.steps)
  })

  it("an older log of another program is not overwritten", () => {
    const name = log.split("/")[1]!
    file("kept.ndjson", "")
    mmrace(folder, "run", tiny, "--out", join("logs", name))
    mmrace(folder, "fuzz", "B-71", "--no-shrink", "--out", "logs", "--quiet")
    expect(existsSync(join(folder, "logs", name.replace(".ndjson", "-2.ndjson")))).toBe(true)
    expect(mmrace(folder, "show", join("logs", name)).stdout).toContain("tiny")
  })
})

describe("list, show, format", () => {
  it("list has every shipped program", () => {
    const document = read(ListDocument, mmrace(folder, "list", "--json").stdout)
    expect(document.items.map((item) => item["id"])).toContain("B-05")
    const { stdout } = mmrace(folder, "list")
    expect(lines(stdout).filter((line) => line.length > 80)).toEqual([])
    for (const item of document.items) expect(stdout).toContain(item["name"])
  })

  it("show explains a program, by number or name", () => {
    const { code, stdout } = mmrace(folder, "show", "b05")
    expect(code).toBe(0)
    expect(stdout).toContain("mm/gup: prevent gup_fast from racing with COW during fork")
    expect(mmrace(folder, "show", "gupfast-vs-fork").stdout).toBe(stdout)
    expect(read(ShowDocument, mmrace(folder, "show", "B-05", "--json").stdout).bug).toBe("B-05")
  })

  it("format prints what it reads back", () => {
    const { stdout } = mmrace(folder, "format", tiny)
    expect(mmrace(folder, "format", file("again.mmrace", stdout)).stdout).toBe(stdout)
    mmrace(folder, "format", tiny, "--out", "formatted.mmrace")
    expect(readFileSync(join(folder, "formatted.mmrace"), "utf8")).toBe(stdout)
  })
})

it("the demonstration finds, minimises, replays and survives", () => {
  const { code, stdout } = mmrace(folder, "demo", "--out", "demo")
  expect(code).toBe(0)
  expect(stdout).toContain("FAILURE I-04:pinned page")
  expect(stdout).toContain("proved minimal")
  expect(stdout).toContain("identical, every event and the verdict")
  expect(stdout).toContain("the kernel with the fix survives")
})
