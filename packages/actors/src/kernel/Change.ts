/**
 * A change to the kernel: a fix (one upstream commit) or a feature (a mechanism that appears with a
 * release). Both are looked up the same way, `kernel.has(change)`, by a dense index.
 */
import { type ChangeRow, type Commit, fixRows } from "./fixes.ts"
import { type FeatureName, featureRows } from "./features.ts"
import { type Mainline, ordinalOf, parseRelease, type Release, type ReleaseName } from "./Release.ts"

export type { Commit } from "./fixes.ts"
export type { FeatureName } from "./features.ts"

/** How well id and title are known: both seen, title seen and id from memory, or from memory only. */
export type Verification = "V" | "T" | "M"

export interface Change {
  /** Dense position, the key of presence tables. */
  readonly index: number
  /** Printed and parsed name: the 12-digit commit, or the feature's name when it has no commit of its own. */
  readonly id: Commit | FeatureName
  readonly commit: string | undefined
  readonly feature: FeatureName | undefined
  /** Corpus id such as `B-05`; undefined for a feature. */
  readonly bug: string | undefined
  readonly title: string
  /** What the change switches: before and after. */
  readonly knob: string
  /** Release that brought the defect; undefined when older than the model's first release or not known. */
  readonly introduced: Mainline | undefined
  /** First mainline release with the change; undefined when newer than every release of the model, or not known. */
  readonly release: Mainline | undefined
  /** Stable point releases that carry it before, or besides, its mainline release. */
  readonly stable: ReadonlyArray<ReleaseName>
  readonly verification: Verification
}

const makeChange = (
  index: number,
  id: Commit | FeatureName,
  commit: string | undefined,
  feature: FeatureName | undefined,
  row: ChangeRow
): Change => ({
  index,
  id,
  commit,
  feature,
  bug: row.bug,
  title: row.title,
  knob: row.knob,
  introduced: row.introduced,
  release: row.release,
  stable: row.stable ?? [],
  verification: row.mark ?? "V"
})

const typedKeys = <K extends string>(record: Readonly<Record<K, unknown>>): ReadonlyArray<K> =>
  Object.keys(record).filter((key): key is K => Object.hasOwn(record, key))

const isCommit = (key: string): boolean => /^[0-9a-f]{12}$/.test(key)

const fixChanges = new Map<Commit, Change>()
for (const commit of typedKeys(fixRows)) {
  fixChanges.set(
    commit,
    makeChange(fixChanges.size, commit, isCommit(commit) ? commit : undefined, undefined, fixRows[commit])
  )
}

const featureChanges = new Map<FeatureName, Change>()
const standalone: Array<Change> = []
for (const name of typedKeys(featureRows)) {
  const row = featureRows[name]
  // A feature that is also a fix of the corpus is that fix under a second name.
  const alias = row.sameAs === undefined ? undefined : fixChanges.get(row.sameAs)
  if (alias !== undefined) {
    featureChanges.set(name, alias)
  } else {
    const index = fixChanges.size + standalone.length
    const change = makeChange(index, name, row.commit, name, { ...row, bug: undefined })
    featureChanges.set(name, change)
    standalone.push(change)
  }
}

/** Every change once, in index order. */
export const changes: ReadonlyArray<Change> = [...fixChanges.values(), ...standalone]

const asRecord = <K extends string>(map: ReadonlyMap<K, Change>): Readonly<Record<K, Change>> =>
  // fromEntries loses the key type; the map is filled from exactly the keys of K above.
  Object.freeze(Object.fromEntries(map)) as Readonly<Record<K, Change>>

/** Fixes by 12-digit commit: `fix["57efa1fe5957"]`. */
export const fix: Readonly<Record<Commit, Change>> = asRecord(fixChanges)

/** Features by name: `feature.perVmaLock`. */
export const feature: Readonly<Record<FeatureName, Change>> = asRecord(featureChanges)

/** The fixes of one bug, in corpus order. */
export const fixesOf = (bug: string): ReadonlyArray<Change> => changes.filter((change) => change.bug === bug)

/** Whether a release as shipped carries the change. */
export const isIn = (change: Change, release: Release): boolean =>
  (change.release !== undefined && release.ordinal >= ordinalOf(change.release)) ||
  change.stable.some((name) => {
    const point = parseRelease(name)
    return point !== undefined && point.ordinal === release.ordinal && release.point >= point.point
  })
