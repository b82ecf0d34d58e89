import {
  decodeSchedule,
  encodeSchedule,
  Executor,
  FromChoices,
  FromSchedule,
  type Log,
  noDeviation,
  RandomWalk,
  Recording,
  type Schedule,
  Sequential
} from "@mmrace/core"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { bluetooth, straightLines } from "./models.ts"

const schedules: fc.Arbitrary<Schedule> = fc
  .array(fc.record({ gap: fc.oneof(fc.nat(5), fc.nat(100_000)), choice: fc.oneof(fc.nat(4), fc.nat(70_000)) }), {
    maxLength: 60
  })
  .map((entries) => {
    let point = -1
    return entries.map(({ choice, gap }) => ({ point: point += gap + 1, choice }))
  })

const decoded = (token: string): Schedule => Result.getOrThrow(decodeSchedule(token))

const errorOf = (token: string): { readonly reason: string; readonly message: string } => {
  const result = decodeSchedule(token)
  if (Result.isSuccess(result)) throw new Error(`accepted ${token}`)
  return result.failure
}

describe("schedule tokens", () => {
  test("decode inverts encode, and no two schedules share a token", () => {
    fc.assert(fc.property(schedules, (schedule) => {
      expect(decoded(encodeSchedule(schedule))).toEqual(schedule)
    }))
  })

  test("whatever decodes is exactly what encode writes", () => {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    fc.assert(fc.property(schedules, fc.nat(), fc.nat(63), (schedule, position, letter) => {
      const token = encodeSchedule(schedule)
      const at = 4 + (position % (token.length - 4))
      const changed = token.slice(0, at) + alphabet[letter]! + token.slice(at + 1)
      const result = decodeSchedule(changed)
      if (changed === token) expect(Result.isSuccess(result)).toBe(true)
      else expect(errorOf(changed).reason).toBe("damaged")
    }))
  })

  test("a truncated token is never accepted", () => {
    fc.assert(fc.property(schedules, fc.nat(), (schedule, cut) => {
      const token = encodeSchedule(schedule)
      expect(Result.isFailure(decodeSchedule(token.slice(0, cut % token.length)))).toBe(true)
    }))
  })

  test("white space of a mail program does not matter", () => {
    const token = encodeSchedule([{ point: 3, choice: 1 }, { point: 900, choice: 2 }])
    expect(decoded(` ${token.slice(0, 7)}\r\n  ${token.slice(7)}\n`)).toEqual([{ point: 3, choice: 1 }, {
      point: 900,
      choice: 2
    }])
  })

  test("the token of a known schedule never changes: it is in mails", () => {
    expect(encodeSchedule(noDeviation)).toBe("mm1.AAAAAA")
    expect(encodeSchedule([{ point: 0, choice: 1 }, { point: 40, choice: 5 }])).toMatchInlineSnapshot(
      `"mm1.AZ8BAtkXopg"`
    )
  })

  test("errors say what is wrong and what to do", () => {
    expect(errorOf("hello")).toMatchObject({ reason: "form", message: expect.stringContaining("got \"hello\"") })
    expect(errorOf("mm2.AAAA")).toMatchObject({ reason: "newer", message: expect.stringContaining("format 2") })
    expect(errorOf("mm1.AA*A")).toMatchObject({
      reason: "damaged",
      message: expect.stringContaining("\"*\" at character 7")
    })
    expect(errorOf("mm1.")).toMatchObject({ reason: "damaged", message: expect.stringContaining("copy it again") })
  })
})

/** Asks are iterables: compared as text. */
const plain = (log: Log): ReadonlyArray<ReadonlyArray<unknown>> =>
  Array.from({ length: log.length }, (_, i) => {
    const { actor, arg, command } = log.asks[i]!
    return [log.threads[i], actor.name, command.name, arg, log.results[i]]
  })

describe("a schedule against the choice stream", () => {
  test("following the recorded deviations repeats the execution exactly", () => {
    for (const model of [bluetooth(), straightLines([4, 3, 5])]) {
      const executor = new Executor(model)
      const recording = new Recording(new RandomWalk())
      for (let seed = 0; seed < 200; seed++) {
        const verdict = executor.run(recording, seed)
        const choices = executor.copyChoices()
        const log = plain(executor.log)
        expect(recording.choices).toEqual(choices)
        const follow = new FromSchedule(decoded(encodeSchedule(recording.schedule)))
        expect(executor.run(follow, 0)).toEqual(verdict)
        expect(executor.copyChoices()).toEqual(choices)
        expect(plain(executor.log)).toEqual(log)
        expect([follow.misfits, follow.unused]).toEqual([0, 0])
      }
    }
  })

  test("a run without preemption costs nothing, however long", () => {
    const executor = new Executor(straightLines([300, 300]))
    const recording = new Recording(new Sequential())
    executor.run(recording)
    expect(executor.contested).toBe(300)
    expect(recording.schedule).toEqual(noDeviation)
    expect(recording.preemptions).toEqual([])
    expect(recording.switches).toBe(1)
  })

  test("a preemption is a switch away from a thread that could have continued", () => {
    const executor = new Executor(straightLines([2, 2]))
    const recording = new Recording(new FromChoices([0, 1, 1]))
    executor.run(recording)
    // T0, T1 (preempts T0), T1 ends, T0 (no preemption: T1 could not go on).
    expect(recording.threads).toEqual([0, 1, 1, 0])
    expect(recording.preemptions).toEqual([1])
    expect(recording.switches).toBe(2)
    expect(recording.schedule).toEqual([{ point: 1, choice: 1 }])
  })

  test("switching away from a thread that has ended is no preemption, whoever comes next", () => {
    const executor = new Executor(straightLines([1, 1, 1]))
    const recording = new Recording(new FromChoices([0, 1]))
    executor.run(recording)
    expect(recording.threads).toEqual([0, 2, 1])
    expect([recording.preemptions, recording.switches]).toEqual([[], 2])
  })

  test("a follower can be used again", () => {
    const executor = new Executor(straightLines([2, 2]))
    const follow = new FromSchedule([{ point: 1, choice: 1 }])
    for (let i = 0; i < 3; i++) {
      executor.run(follow)
      expect(executor.copyChoices()).toEqual([0, 1, 1])
    }
  })

  test("what does not fit is counted and the default is taken", () => {
    const executor = new Executor(straightLines([2, 2]))
    const follow = new FromSchedule([{ point: 1, choice: 7 }, { point: 90, choice: 1 }])
    expect(executor.run(follow)).toEqual({ _tag: "Ok" })
    expect(executor.copyChoices()).toEqual([0, 0])
    expect([follow.misfits, follow.unused]).toEqual([1, 1])
  })
})
