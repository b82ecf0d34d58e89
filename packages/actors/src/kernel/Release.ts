/**
 * Linux releases the model knows: the mainline versions from the one that brought userfaultfd, and
 * point releases of their stable branches (`6.4.3`).
 */

/** Mainline versions, oldest first. */
export const mainlines = [
  ...["4.3", "4.4", "4.5", "4.6", "4.7", "4.8", "4.9", "4.10", "4.11", "4.12", "4.13", "4.14", "4.15"] as const,
  ...["4.16", "4.17", "4.18", "4.19", "4.20", "5.0", "5.1", "5.2", "5.3", "5.4", "5.5", "5.6", "5.7"] as const,
  ...["5.8", "5.9", "5.10", "5.11", "5.12", "5.13", "5.14", "5.15", "5.16", "5.17", "5.18", "5.19"] as const,
  ...["6.0", "6.1", "6.2", "6.3", "6.4", "6.5", "6.6", "6.7", "6.8", "6.9", "6.10", "6.11", "6.12"] as const,
  ...["6.13", "6.14", "6.15", "6.16", "6.17", "6.18", "6.19", "7.0", "7.1", "7.2"] as const
] as const

export type Mainline = (typeof mainlines)[number]

/** The name of a release: `6.4`, or `6.4.3` for a stable point release. */
export type ReleaseName = Mainline | `${Mainline}.${number}`

export const earliest = mainlines[0]
export const latest: Mainline = "7.2"

/** A release, split: position of the mainline version in {@link mainlines}, and the stable point (0 for the mainline release itself). */
export interface Release {
  readonly mainline: Mainline
  readonly ordinal: number
  readonly point: number
}

const ordinals: ReadonlyMap<string, number> = new Map(mainlines.map((name, ordinal) => [name, ordinal]))

/** Position of a mainline version in {@link mainlines}. */
export const ordinalOf = (mainline: Mainline): number => ordinals.get(mainline) ?? -1

const pattern = /^(\d+\.\d+)(?:\.(0|[1-9]\d{0,3}))?$/

/** Reads `6.4` or `6.4.3`; undefined for anything else. `6.4.0` is `6.4`. */
export const parseRelease = (text: string): Release | undefined => {
  const match = pattern.exec(text)
  const ordinal = match === null ? undefined : ordinals.get(match[1] ?? "")
  const mainline = ordinal === undefined ? undefined : mainlines[ordinal]
  if (match === null || ordinal === undefined || mainline === undefined) return undefined
  return { mainline, ordinal, point: Number(match[2] ?? "0") }
}

/** Prints what {@link parseRelease} reads. */
export const printRelease = (release: Release): ReleaseName =>
  release.point === 0 ? release.mainline : `${release.mainline}.${release.point}`
