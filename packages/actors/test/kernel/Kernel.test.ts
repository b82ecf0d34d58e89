import * as fc from "fast-check"
import { Result, Schema } from "effect"
import { describe, expect, it } from "vitest"
import { type Change, changes, feature, fix, fixesOf, isIn } from "@mmrace/actors/kernel/Change"
import { findChange, Kernel } from "@mmrace/actors/kernel/Kernel"
import { KernelFromText } from "@mmrace/actors/kernel/KernelFromText"
import type { KernelError } from "@mmrace/actors/kernel/KernelError"
import {
  mmapChanging,
  releasedResult,
  retryRevalidate,
  swapinIdentityCheck,
  vmaLockGeneration,
  wpReuseRule
} from "@mmrace/actors/kernel/knobs"
import {
  latest,
  mainlines,
  ordinalOf,
  parseRelease,
  printRelease,
  type ReleaseName
} from "@mmrace/actors/kernel/Release"

const present = (kernel: Kernel): ReadonlyArray<Change> => changes.filter(kernel.has)

const difference = (a: Kernel, b: Kernel): ReadonlyArray<string> =>
  changes.filter((change) => a.has(change) !== b.has(change)).map(({ id }) => id)

const succeed = <A>(result: Result.Result<A, KernelError>): A => {
  if (Result.isFailure(result)) throw new Error(result.failure.message)
  return result.success
}

const failure = (result: Result.Result<unknown, KernelError>): KernelError => {
  if (Result.isSuccess(result)) throw new Error("expected an error")
  return result.failure
}

const anyRelease = fc.tuple(fc.constantFrom(...mainlines), fc.nat(40)).map(([mainline, point]): ReleaseName =>
  point === 0 ? mainline : `${mainline}.${point}`
)

const anyKernel = fc
  .tuple(anyRelease, fc.array(fc.tuple(fc.constantFrom(...changes), fc.boolean()), { maxLength: 5 }))
  .map(([release, moves]) =>
    moves.reduce(
      (kernel, [change, isAdded]) => isAdded ? kernel.with(change) : kernel.without(change),
      Kernel.at(release)
    )
  )

const hasForkLock = (release: ReleaseName): boolean => Kernel.at(release).has(fix["fb49c455323f"])

const from = (change: Change): string | undefined => mainlines.find((name) => Kernel.at(name).has(change))

const timeline = <A>(rule: (kernel: Kernel) => A): ReadonlyArray<readonly [string, A]> =>
  mainlines
    .map((name) => [name, rule(Kernel.at(name))] as const)
    .filter(([, value], i, all) => i === 0 || all[i - 1]?.[1] !== value)

describe("releases", () => {
  it("are in order, from the first with userfaultfd on", () => {
    const numbers = mainlines.map((name) => name.split(".").map(Number))
    for (const [i, [major = 0, minor = 0]] of numbers.entries()) {
      const [nextMajor, nextMinor] = numbers[i + 1] ?? [major, minor + 1]
      expect([[major, minor + 1], [major + 1, 0]]).toContainEqual([nextMajor, nextMinor])
    }
    expect([mainlines[0], mainlines.at(-1), ordinalOf("4.20") + 1]).toEqual(["4.3", latest, ordinalOf("5.0")])
  })

  it("round-trip through text", () => {
    fc.assert(fc.property(anyRelease, (name) => {
      const release = parseRelease(name)
      expect(release === undefined ? undefined : printRelease(release)).toBe(name)
    }))
    expect(parseRelease("6.4.0")).toEqual(parseRelease("6.4"))
  })

  it.each(["", "6", "4.2", "7.3", "6.04", "6.4.", "6.4.03", "6.4.1.2", "v6.4", " 6.4"])("are not %j", (text) => {
    expect(parseRelease(text)).toBeUndefined()
  })
})

describe("the registry", () => {
  it("covers every bug of the corpus", () => {
    const bugs = Array.from({ length: 99 }, (_, i) => `B-${String(i + 1).padStart(2, "0")}`)
    expect([...new Set(changes.flatMap(({ bug }) => bug === undefined ? [] : [bug]))].toSorted()).toEqual(bugs)
  })

  it("indexes changes densely and names each once", () => {
    expect(changes.map(({ index }) => index)).toEqual(changes.map((_, i) => i))
    expect(new Set(changes.map(({ id }) => id)).size).toBe(changes.length)
    const commits = changes.flatMap(({ commit }) => commit === undefined ? [] : [commit])
    expect(new Set(commits).size).toBe(commits.length)
    for (const commit of commits) expect(commit).toMatch(/^[0-9a-f]{12}$/)
  })

  it("never fixes a bug before it came", () => {
    const wrong = changes.filter(({ introduced, release }) =>
      introduced !== undefined && release !== undefined && ordinalOf(introduced) > ordinalOf(release)
    )
    expect(wrong.map(({ id }) => id)).toEqual([])
  })

  it("gives every change a title and a knob, and stable points that are releases", () => {
    for (const { id, title, knob, stable } of changes) {
      expect(title.length > 0 && knob.length > 0, id).toBe(true)
      expect(stable.every((name) => parseRelease(name) !== undefined), id).toBe(true)
    }
  })
})

describe("Kernel.at", () => {
  it("is monotonic: what a release has, every later mainline release has", () => {
    for (const [i, name] of mainlines.entries()) {
      const earlier = Kernel.at(name)
      for (const later of mainlines.slice(i + 1)) {
        const kernel = Kernel.at(later)
        expect(present(earlier).filter((change) => !kernel.has(change)).map(({ id }) => id)).toEqual([])
      }
    }
  })

  it("is monotonic within a stable branch", () => {
    fc.assert(fc.property(fc.constantFrom(...mainlines), fc.nat(20), fc.nat(20), (mainline, a, b) => {
      const kernel = Kernel.at(`${mainline}.${Math.max(a, b)}`)
      expect(present(Kernel.at(`${mainline}.${Math.min(a, b)}`)).every(kernel.has)).toBe(true)
    }))
  })

  it("has a fix from its release on, and from its stable point on", () => {
    expect((["6.3", "6.4", "6.4.2", "6.4.3", "6.4.9", "6.5", "7.2"] as const).map(hasForkLock)).toEqual(
      [false, false, false, true, true, true, true]
    )
    expect(Kernel.at("5.10").has(fix["57efa1fe5957"])).toBe(false)
    expect(Kernel.at("5.11").has(fix["57efa1fe5957"])).toBe(true)
  })

  it("has features by release, and a feature that is a fix is that fix", () => {
    expect({
      userfaultfd: from(feature.userfaultfd),
      events: from(feature.uffdEvents),
      wp: from(feature.uffdWpAnon),
      perVmaLock: from(feature.perVmaLock),
      faults: from(feature.uffdFaultUnderVmaLock),
      ops: from(feature.uffdOpsUnderVmaLock),
      vmRefcnt: from(feature.vmRefcnt),
      dontneed: from(feature.dontneedUnderVmaLock)
    }).toEqual({
      userfaultfd: "4.3",
      events: "4.11",
      wp: "5.7",
      perVmaLock: "6.4",
      faults: "6.6",
      ops: "6.9",
      vmRefcnt: "6.15",
      dontneed: "6.17"
    })
    expect(feature.writeProtectSeq).toBe(fix["57efa1fe5957"])
    expect(feature.anonExclusive).toBe(fix["6c287605fd56"])
  })

  it("is not told a fix whose release is not known; complete is", () => {
    const unknown = fix["b6ac0b3f6013"]
    expect(Kernel.at(latest).has(unknown)).toBe(false)
    expect(present(Kernel.complete())).toEqual(changes)
  })
})

describe("with and without", () => {
  it("move exactly the one change, and leave the kernel they were asked on alone", () => {
    fc.assert(fc.property(anyKernel, fc.constantFrom(...changes), (kernel, change) => {
      const had = kernel.has(change)
      expect(difference(kernel, kernel.with(change))).toEqual(had ? [] : [change.id])
      expect(difference(kernel, kernel.without(change))).toEqual(had ? [change.id] : [])
      expect(kernel.has(change)).toBe(had)
    }))
  })

  it("take commits and feature names", () => {
    expect(Kernel.at("6.8").without("57efa1fe5957").has(fix["57efa1fe5957"])).toBe(false)
    expect(Kernel.at("6.3").with("perVmaLock").has(feature.perVmaLock)).toBe(true)
  })
})

describe("before and at the fix", () => {
  it("differ in exactly the fix", () => {
    for (const change of changes) {
      expect(Kernel.before(change).has(change), change.id).toBe(false)
      expect(difference(Kernel.before(change), Kernel.atFix(change))).toEqual([change.id])
    }
  })

  it("before is the newest mainline release that still has the defect", () => {
    for (const change of changes) {
      const { release } = Kernel.before(change)
      const newer = mainlines.slice(release.ordinal + 1).find((name) =>
        !isIn(change, { mainline: name, ordinal: ordinalOf(name), point: 0 })
      )
      expect(newer, change.id).toBeUndefined()
      expect(release.ordinal, change.id).toBeGreaterThanOrEqual(
        change.introduced === undefined ? 0 : ordinalOf(change.introduced)
      )
    }
  })

  it.each([
    ["B-03", "5.7,x86-64"],
    ["B-04", "5.8,x86-64"],
    ["B-05", "5.10,x86-64"],
    ["B-06", "5.18,x86-64"],
    ["B-08", "5.18,x86-64"],
    ["B-12", "5.17,x86-64"],
    ["B-14", "4.17,x86-64"],
    ["B-15", "6.9,x86-64 without 5e4c24a57b0c"],
    ["B-18", "5.14,x86-64"],
    ["B-20", "6.7,x86-64"],
    ["B-21", "5.17,x86-64"],
    ["B-23", "4.3,x86-64 without 4969c1192d15 without 31c4a3d3a0f8"],
    ["B-32", "6.4,x86-64"],
    ["B-54", "4.3,x86-64 without 2c5b7e1be74f"],
    ["B-56", "4.3,x86-64 without 8d2afd96c203"],
    ["B-58", "5.11,x86-64"],
    ["B-71", "4.12,x86-64"]
  ])("%s is open at %s, and closed by its own commits", (bug, text) => {
    const open = Kernel.beforeBug(bug)
    const closed = Kernel.atBugFix(bug)
    expect(String(open)).toBe(text)
    if (open === undefined || closed === undefined) throw new Error(`no bug ${bug}`)
    expect(difference(open, closed)).toEqual(fixesOf(bug).map(({ id }) => id))
  })

  it("atFixRelease is the release that shipped it", () => {
    expect(String(Kernel.atFixRelease("57efa1fe5957"))).toBe("5.11,x86-64")
    expect(String(Kernel.atFixRelease("b6ac0b3f6013"))).toBe("7.2,x86-64 with b6ac0b3f6013")
    expect(Kernel.beforeBug("B-00")).toBeUndefined()
  })
})

describe("findChange", () => {
  it("finds every commit by each of its prefixes of 7 digits and more, in either case", () => {
    for (const change of changes) {
      if (change.commit === undefined) continue
      for (let digits = 7; digits <= 12; digits++) {
        expect(succeed(findChange(change.commit.slice(0, digits)))).toBe(change)
      }
      expect(succeed(findChange(change.commit.toUpperCase()))).toBe(change)
      expect(succeed(findChange(`${change.commit}${"0".repeat(28)}`))).toBe(change)
    }
  })

  it("finds features and fixes without a commit by name", () => {
    expect(succeed(findChange("perVmaLock"))).toBe(feature.perVmaLock)
    expect(succeed(findChange("writeProtectSeq"))).toBe(fix["57efa1fe5957"])
    expect(succeed(findChange("move-err-not-reset"))).toBe(fix["move-err-not-reset"])
  })

  it("says what is near when there is none", () => {
    expect(failure(findChange("57efa1fe5958"))).toMatchObject({
      reason: "unknown-change",
      suggestions: ["57efa1fe5957"]
    })
    expect(failure(findChange("57efa1"))).toMatchObject({ reason: "unknown-change", suggestions: ["57efa1fe5957"] })
    expect(failure(findChange("perVmLock")).suggestions[0]).toBe("perVmaLock")
    expect(failure(findChange("move-err-reset")).suggestions[0]).toBe("move-err-not-reset")
    expect(failure(findChange("constructor")).reason).toBe("unknown-change")
  })
})

describe("kernel text", () => {
  it("round-trips every kernel", () => {
    fc.assert(fc.property(anyKernel, (kernel) => {
      const read = succeed(Kernel.parse(String(kernel)))
      expect(difference(read, kernel)).toEqual([])
      expect([read.release, read.arch, String(read)]).toEqual([kernel.release, kernel.arch, String(kernel)])
    }))
  })

  it("prints one form, whatever way a kernel was reached", () => {
    expect(String(succeed(Kernel.parse("  6.8   without 57efa1f with 57efa1fe5957 ")))).toBe("6.8,x86-64")
    expect(JSON.stringify({ kernel: Kernel.at("6.8") })).toBe(`{"kernel":"6.8,x86-64"}`)
  })

  it.each([
    ["", "syntax", 0],
    ["6.88", "unknown-release", 0],
    ["6.8,x86_64", "unknown-arch", 4],
    ["6.8 wihout 57efa1fe5957", "syntax", 4],
    ["6.8 without", "syntax", 11],
    ["6.8 without 57efa1fe5950", "unknown-change", 12]
  ])("refuses %j: %s at %i", (text, reason, offset) => {
    expect(failure(Kernel.parse(text))).toMatchObject({ reason, offset })
  })

  it("has a schema that reads and prints it", () => {
    const kernel = Schema.decodeSync(KernelFromText)("6.8 without 57efa1f")
    expect(Schema.encodeSync(KernelFromText)(kernel)).toBe("6.8,x86-64 without 57efa1fe5957")
    expect(() => Schema.decodeSync(KernelFromText)("6.88")).toThrow(/no release "6.88"/)
  })

  it("suggests the nearest release and architecture", () => {
    expect(failure(Kernel.parse("6.88")).message).toContain("6.8")
    expect(failure(Kernel.parse("6.8,x86_64")).suggestions).toEqual(["x86-64"])
  })
})

describe("knobs set by several fixes", () => {
  it("change at the releases that changed them", () => {
    expect(timeline(wpReuseRule)).toEqual([["4.3", "mapcount"], ["5.8", "break-early"], ["5.9", "page-count"], [
      "5.19",
      "anon-exclusive"
    ]])
    expect(timeline(vmaLockGeneration)).toEqual([["4.3", "none"], ["6.4", "rwsem"], ["6.15", "refcnt"]])
    expect(timeline(mmapChanging)).toEqual([["4.3", "none"], ["4.18", "flag"], ["5.15", "counter"]])
    expect(timeline(releasedResult)).toEqual([["4.3", "sigbus"], ["4.14", "nopage"], ["6.14", "retry"]])
    expect(timeline(retryRevalidate)).toEqual([["4.3", "none"], ["7.1", "state"]])
    expect(timeline(swapinIdentityCheck)).toEqual([["4.3", "entry"]])
  })

  it("fall back to the older rule when the newer fix is taken out", () => {
    expect(swapinIdentityCheck(Kernel.before("31c4a3d3a0f8"))).toBe("swapcache")
    expect(swapinIdentityCheck(Kernel.before("31c4a3d3a0f8").without("4969c1192d15"))).toBe("none")
    expect(wpReuseRule(Kernel.at("6.8").without("6c287605fd56"))).toBe("page-count")
    expect(retryRevalidate(Kernel.before("85668fda932a"))).toBe("type")
  })
})
