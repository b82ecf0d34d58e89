/**
 * A schedule as data: where an execution departs from the default continuation.
 *
 * Every entry of the choice stream is a *point*: two or more threads could move, or a thread asked for a number.
 * At most points the default is taken (the running thread goes on, else the first enabled one; number 0), so a
 * schedule lists only the points where it is not. A run of a thousand steps without a switch costs nothing.
 *
 * The token `mm1.<base64url>` is that list with a checksum: short enough to paste in a mail. Its bytes are, for each
 * deviation, the number 4 * gap + min(choice, 3), where gap counts the points since the deviation before, followed by
 * the number choice - 3 when choice is 3 or more; at the end the CRC-32 of these bytes, least significant byte first.
 * Numbers are in groups of seven bits, the least significant first, the high bit set on all but the last (LEB128).
 */
import * as Data from "effect/Data"
import * as Result from "effect/Result"

/** At point `point` of the choice stream (from 0) the choice is `choice`, not the default. */
export interface Deviation {
  readonly point: number
  readonly choice: number
}

/** Deviations in ascending order of their points. Everything not listed is the default. */
export type Schedule = ReadonlyArray<Deviation>

/** The schedule that never departs from the default: no preemption at all. */
export const noDeviation: Schedule = []

/** The schedule of a choice stream, given the default choice at each of its points. */
export const scheduleOf = (
  choices: ArrayLike<number>,
  defaults: ArrayLike<number>,
  length = choices.length
): Schedule => {
  const deviations: Array<Deviation> = []
  for (let point = 0; point < length; point++) {
    if (choices[point] !== defaults[point]) deviations.push({ point, choice: choices[point]! })
  }
  return deviations
}

export class ScheduleError extends Data.TaggedError("ScheduleError")<{
  /** `form`: not a token at all; `newer`: written by a later version; `damaged`: characters lost or changed. */
  readonly reason: "form" | "newer" | "damaged"
  /** One line for the reader: what is wrong and what to do. */
  readonly message: string
}> {}

const version = 1
/** Choices below this are stored in one number together with the gap before them. */
const inlineChoices = 3

/** Writes a schedule as a token. Throws a RangeError when the points are not ascending: a mistake of the caller. */
export const encodeSchedule = (schedule: Schedule): string => {
  const bytes: Array<number> = []
  let next = 0
  for (const { choice, point } of schedule) {
    if (point < next || choice < 0) {
      throw new RangeError(`a schedule's points ascend and its choices are not negative (point ${point})`)
    }
    const code = Math.min(choice, inlineChoices)
    pushVarint(bytes, (point - next) * (inlineChoices + 1) + code)
    if (code === inlineChoices) pushVarint(bytes, choice - inlineChoices)
    next = point + 1
  }
  const sum = crc32(bytes)
  bytes.push(sum & 0xff, (sum >>> 8) & 0xff, (sum >>> 16) & 0xff, sum >>> 24)
  return `mm${version}.${Buffer.from(bytes).toString("base64url")}`
}

/** Reads a token. White space that a mail program put into it does not matter; anything else must be exact. */
export const decodeSchedule = (text: string): Result.Result<Schedule, ScheduleError> => {
  const token = text.replaceAll(/\s+/gu, "")
  const parts = /^mm(?<version>[1-9][0-9]{0,8})\.(?<body>.*)$/u.exec(token)
  if (parts === null) {
    return fail(
      "form",
      `expected a schedule token, mm${version}. followed by letters, digits, - and _; got "${excerpt(token)}"`
    )
  }
  const found = Number(parts.groups?.["version"])
  if (found > version) {
    return fail(
      "newer",
      `the schedule token has format ${found}, this mmrace reads up to ${version}: use the mmrace that wrote it, or a newer one`
    )
  }
  const body = parts.groups?.["body"] ?? ""
  const stranger = /[^A-Za-z0-9_-]/u.exec(body)
  if (stranger !== null) {
    return fail(
      "damaged",
      `the schedule token is damaged: "${stranger[0]}" at character ${
        stranger.index + token.length - body.length + 1
      } cannot be part of it; copy it again`
    )
  }
  const bytes = Buffer.from(body, "base64url")
  const schedule = readDeviations(bytes, bytes.length - 4)
  // Writing it again checks all at once: the checksum, spare bits of the last character, over-long numbers.
  if (schedule === undefined || encodeSchedule(schedule) !== token) {
    return fail(
      "damaged",
      "the schedule token is damaged: its checksum does not match; some characters were lost or changed, copy it again"
    )
  }
  return Result.succeed(schedule)
}

const readDeviations = (bytes: Uint8Array, length: number): Schedule | undefined => {
  const numbers = readVarints(bytes, length)
  const deviations: Array<Deviation> = []
  let next = 0
  for (let i = 0; i < numbers.length; i++) {
    const code = numbers[i]! % (inlineChoices + 1)
    const point = next + Math.floor(numbers[i]! / (inlineChoices + 1))
    const choice = code === inlineChoices ? (numbers[++i] ?? Number.NaN) + inlineChoices : code
    if (!Number.isSafeInteger(point) || !Number.isSafeInteger(choice)) return undefined
    deviations.push({ point, choice })
    next = point + 1
  }
  return deviations
}

/** Little-endian groups of seven bits; a last number without an end is left out. */
const readVarints = (bytes: Uint8Array, length: number): ReadonlyArray<number> => {
  const numbers: Array<number> = []
  let value = 0
  let scale = 1
  for (let i = 0; i < length; i++) {
    value += (bytes[i]! & 0x7f) * scale
    scale *= 0x80
    if (bytes[i]! < 0x80) {
      numbers.push(value)
      value = 0
      scale = 1
    }
  }
  return numbers
}

const pushVarint = (bytes: Array<number>, value: number): void => {
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80)
    rest = Math.floor(rest / 0x80)
  }
  bytes.push(rest)
}

/** CRC-32 (IEEE 802.3), bit by bit: tokens are a few bytes. zlib.crc32 exists from Node 22.2 on only. */
const crc32 = (bytes: ArrayLike<number>): number => {
  let crc = 0xffffffff
  for (let i = 0; i < bytes.length; i++) {
    crc ^= bytes[i]!
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return ~crc >>> 0
}

const excerpt = (text: string): string => text.length > 24 ? `${text.slice(0, 24)}...` : text

const fail = (reason: ScheduleError["reason"], message: string): Result.Result<never, ScheduleError> =>
  Result.fail(new ScheduleError({ reason, message }))
