/**
 * The kernel an execution runs on: a release, an architecture, and the changes moved by hand.
 * `Kernel.at("6.8")` carries every change of releases up to 6.8 and none after it; `with` and
 * `without` move single ones. Presence is resolved once, so that `has` is one array read.
 */
import { type ArchName, archNames } from "@mmrace/arch"
import { Result } from "effect"
import { type Change, changes, type Commit, feature, type FeatureName, fix, fixesOf, isIn } from "./Change.ts"
import { didYouMean, KernelError, nearest } from "./KernelError.ts"
import {
  earliest,
  latest,
  mainlines,
  ordinalOf,
  parseRelease,
  printRelease,
  type Release,
  type ReleaseName
} from "./Release.ts"

export type ChangeId = Commit | FeatureName

export interface Kernel {
  readonly release: Release
  readonly arch: ArchName
  /** Whether the change is in this kernel. One array read. */
  readonly has: (change: Change) => boolean
  /** This kernel with the change added; itself when it already has it. */
  readonly with: (change: Change | ChangeId) => Kernel
  /** This kernel with the change removed; itself when it does not have it. */
  readonly without: (change: Change | ChangeId) => Kernel
  /** Canonical text; `Kernel.parse` reads it back to an equal kernel. */
  readonly toString: () => string
}

const defaultArch: ArchName = "x86-64"

const isFeatureName = (id: ChangeId): id is FeatureName => Object.hasOwn(feature, id)

const toChange = (change: Change | ChangeId): Change =>
  typeof change !== "string" ? change : isFeatureName(change) ? feature[change] : fix[change]

/** One class, so that every kernel has the same shape and `has` stays monomorphic. */
class Resolved implements Kernel {
  readonly release: Release
  readonly arch: ArchName
  readonly #present: Uint8Array

  constructor(release: Release, arch: ArchName, present: Uint8Array) {
    this.release = release
    this.arch = arch
    this.#present = present
  }

  readonly has = (change: Change): boolean => this.#present[change.index] === 1

  readonly with = (change: Change | ChangeId): Kernel => this.#move(toChange(change), 1)

  readonly without = (change: Change | ChangeId): Kernel => this.#move(toChange(change), 0)

  #move(change: Change, value: 0 | 1): Kernel {
    if (this.#present[change.index] === value) return this
    const present = this.#present.slice()
    present[change.index] = value
    return new Resolved(this.release, this.arch, present)
  }

  toString(): string {
    let text = `${printRelease(this.release)},${this.arch}`
    for (const change of changes) {
      const has = this.has(change)
      if (has !== isIn(change, this.release)) text += ` ${has ? "with" : "without"} ${change.id}`
    }
    return text
  }

  toJSON(): string {
    return this.toString()
  }
}

/** Whether a value is a kernel made here. */
export const isKernel = (value: unknown): value is Kernel => value instanceof Resolved

const resolve = (release: Release, arch: ArchName): Kernel =>
  new Resolved(release, arch, Uint8Array.from(changes, (change) => isIn(change, release) ? 1 : 0))

const mustParse = (name: string): Release => {
  const release = parseRelease(name)
  if (release === undefined) throw new RangeError(`no such release: ${name}; the model knows ${earliest} to ${latest}`)
  return release
}

/**
 * The kernel of a release as it was shipped. For names known when the code is written; text from
 * outside goes through `Kernel.parse`, which does not throw.
 */
const at = (release: ReleaseName, arch: ArchName = defaultArch): Kernel => resolve(mustParse(release), arch)

/** The newest release with every change, those newer than it too: the kernel no corpus program may break. */
const complete = (arch: ArchName = defaultArch): Kernel =>
  changes.reduce((kernel, change) => kernel.with(change), at(latest, arch))

/**
 * The newest mainline release that has the defect but not the fix. A defect that came and went within
 * one release gives that release with the fix taken out (`4.3 without 2c5b7e1be74f`).
 */
const before = (change: Change | ChangeId, arch: ArchName = defaultArch): Kernel => {
  const target = toChange(change)
  if (target.release === undefined) return at(latest, arch).without(target)
  const ordinal = ordinalOf(target.release) - 1
  const previous = mainlines[ordinal]
  const first = target.introduced === undefined ? 0 : ordinalOf(target.introduced)
  return previous === undefined || ordinal < first ? at(target.release, arch).without(target) : at(previous, arch)
}

/** {@link before} with the fix applied, and nothing else changed. */
const atFix = (change: Change | ChangeId, arch: ArchName = defaultArch): Kernel => before(change, arch).with(change)

/** The release in which the fix first appeared, with everything else of that release. */
const atFixRelease = (change: Change | ChangeId, arch: ArchName = defaultArch): Kernel =>
  at(toChange(change).release ?? latest, arch).with(change)

/** The kernel before a corpus bug (`B-06`) was fixed: before the first of its commits, and without the others. */
const beforeBug = (bug: string, arch: ArchName = defaultArch): Kernel | undefined => {
  const [first, ...rest] = fixesOf(bug)
  return first === undefined ? undefined : rest.reduce((kernel, other) => kernel.without(other), before(first, arch))
}

/** {@link beforeBug} with all commits of the bug applied. */
const atBugFix = (bug: string, arch: ArchName = defaultArch): Kernel | undefined => {
  const kernel = beforeBug(bug, arch)
  return kernel === undefined ? undefined : fixesOf(bug).reduce((fixed, change) => fixed.with(change), kernel)
}

const commitPrefix = /^[0-9a-f]{7,40}$/i

/** Finds a change by feature name, or by a commit prefix of at least 7 hexadecimal digits. `offset` places the error. */
export const findChange = (word: string, offset = 0): Result.Result<Change, KernelError> => {
  const name = changes.find((change) => change.id === word) ??
    Object.entries(feature).find(([key]) => key === word)?.[1]
  if (name !== undefined) return Result.succeed(name)
  if (commitPrefix.test(word)) {
    const wanted = word.toLowerCase()
    const found = changes.filter(({ commit }) =>
      commit !== undefined && (commit.startsWith(wanted) || wanted.startsWith(commit))
    )
    const [only] = found
    if (only !== undefined && found.length === 1) return Result.succeed(only)
    if (only !== undefined) {
      const suggestions = found.map(({ commit }) => commit ?? "")
      return Result.fail(
        new KernelError({
          reason: "ambiguous-commit",
          word,
          offset,
          suggestions,
          message: `commit ${word} is ambiguous: ${suggestions.join(", ")}; write more digits`
        })
      )
    }
  }
  const hex = /^[0-9a-f]+$/i.test(word)
  const tooShort = hex && word.length < 7
  const candidates = hex
    ? changes.flatMap(({ commit }) => commit === undefined ? [] : [commit])
    : [...Object.keys(feature), ...changes.flatMap(({ commit, id }) => commit === undefined ? [id] : [])]
  const suggestions = tooShort
    ? candidates.filter((commit) => commit.startsWith(word.toLowerCase())).slice(0, 3)
    : nearest(hex ? word.slice(0, 12) : word, candidates)
  return Result.fail(
    new KernelError({
      reason: "unknown-change",
      word,
      offset,
      suggestions,
      message: tooShort
        ? `commit ${word} is too short, write at least 7 hexadecimal digits${didYouMean(suggestions)}`
        : `the model has no fix or feature ${JSON.stringify(word)}${didYouMean(suggestions)}`
    })
  )
}

/** Finds a release by name. `offset` places the error. */
export const findRelease = (word: string, offset: number): Result.Result<Release, KernelError> => {
  const release = parseRelease(word)
  if (release !== undefined) return Result.succeed(release)
  const suggestions = nearest(word, mainlines)
  return Result.fail(
    new KernelError({
      reason: "unknown-release",
      word,
      offset,
      suggestions,
      message: `no release ${JSON.stringify(word)}, the model knows ${earliest} to ${latest}${didYouMean(suggestions)}`
    })
  )
}

/** Finds an architecture by name. `offset` places the error. */
export const findArch = (word: string, offset: number): Result.Result<ArchName, KernelError> => {
  const arch = archNames.find((name) => name === word)
  if (arch !== undefined) return Result.succeed(arch)
  const suggestions = nearest(word, archNames)
  return Result.fail(
    new KernelError({
      reason: "unknown-arch",
      word,
      offset,
      suggestions,
      message: `no architecture ${JSON.stringify(word)}, expected one of ${archNames.join(", ")}${
        didYouMean(suggestions)
      }`
    })
  )
}

/** Reads `RELEASE[,ARCH]{ with CHANGE| without CHANGE}`, for example `6.8,x86-64 without 13ddaf26be32`. Does not throw. */
const parse = (text: string): Result.Result<Kernel, KernelError> => {
  const words = [...text.matchAll(/\S+/g)].map((match) => ({ word: match[0], offset: match.index }))
  const head = words[0]
  if (head === undefined) {
    return Result.fail(
      new KernelError({
        reason: "syntax",
        word: "",
        offset: 0,
        suggestions: [],
        message: "expected a kernel such as 6.8 or 6.8,x86-64"
      })
    )
  }
  const comma = head.word.indexOf(",")
  const releaseWord = comma < 0 ? head.word : head.word.slice(0, comma)
  const release = findRelease(releaseWord, head.offset)
  if (Result.isFailure(release)) return Result.fail(release.failure)
  const arch = comma < 0
    ? Result.succeed(defaultArch)
    : findArch(head.word.slice(comma + 1), head.offset + comma + 1)
  if (Result.isFailure(arch)) return Result.fail(arch.failure)
  let kernel = resolve(release.success, arch.success)
  for (let i = 1; i < words.length; i += 2) {
    const keyword = words[i]
    const operand = words[i + 1]
    if (keyword === undefined || (keyword.word !== "with" && keyword.word !== "without")) {
      const word = keyword?.word ?? ""
      return Result.fail(
        new KernelError({
          reason: "syntax",
          word,
          offset: keyword?.offset ?? text.length,
          suggestions: ["with", "without"],
          message: `expected "with COMMIT" or "without COMMIT", got ${JSON.stringify(word)}`
        })
      )
    }
    if (operand === undefined) {
      return Result.fail(
        new KernelError({
          reason: "syntax",
          word: keyword.word,
          offset: text.length,
          suggestions: [],
          message: `expected a commit or a feature after "${keyword.word}"`
        })
      )
    }
    const change = findChange(operand.word, operand.offset)
    if (Result.isFailure(change)) return Result.fail(change.failure)
    kernel = keyword.word === "with" ? kernel.with(change.success) : kernel.without(change.success)
  }
  return Result.succeed(kernel)
}

/** Makes kernels. The type of the same name is what it makes. */
export const Kernel = { at, complete, before, atFix, atFixRelease, beforeBug, atBugFix, parse } as const
