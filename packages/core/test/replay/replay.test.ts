import {
  Executor,
  Fold,
  deriveVerdict,
  failureId,
  firstImpossible,
  follow,
  followChoices,
  type Log,
  makeHeader,
  namesOf,
  RandomWalk,
  readLog,
  recordingOf,
  replay,
  writeLog
} from "@mmrace/core"
import * as Equal from "effect/Equal"
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { expect, test } from "vitest"
import { headerFields, modelOf, randomProgram, type RandomProgram } from "./randomModel.ts"

const maxSteps = 16

/** Records a program under a seed. */
const record = (program: RandomProgram, seed: number) => {
  const model = modelOf(program)
  const executor = new Executor(model, { maxSteps })
  const recording = recordingOf(executor, executor.run(new RandomWalk(), seed))
  return { model, recording }
}

const seeds = fc.integer({ min: 0, max: 2 ** 31 })

test("replay of a recording is the recording, in memory and through a log", () => {
  const kinds = new Map<string, number>()
  fc.assert(
    fc.property(randomProgram, seeds, (program, seed) => {
      const { model, recording } = record(program, seed)
      kinds.set(recording.verdict._tag, (kinds.get(recording.verdict._tag) ?? 0) + 1)
      const again = replay(modelOf(program), recording, { maxSteps })
      expect(Result.isSuccess(again) ? again.success : again.failure.message).toEqual({
        steps: recording.log.length,
        verdict: recording.verdict
      })
      const text = writeLog(model, makeHeader(model, headerFields(seed, recording.choices)), recording)
      const loaded = readLog(text, () => modelOf(program))
      expect(loaded.integrity._tag).toBe("Whole")
      const fromDisk = replay(loaded.model, { log: loaded.log, verdict: loaded.footer?.verdict }, {
        maxSteps: loaded.header.maxSteps
      })
      expect(Result.isSuccess(fromDisk) ? fromDisk.success.steps : fromDisk.failure.message).toBe(recording.log.length)
    }),
    { numRuns: 400, seed: 1 }
  )
  // The property is worth something only if executions of all kinds went through it.
  expect([...kinds.keys()].toSorted()).toEqual(["Crash", "Deadlock", "Ok", "StepLimit", "Violation"])
})

test("fold equals live, state by state", () => {
  fc.assert(
    fc.property(randomProgram, seeds, fc.integer({ min: 1, max: 9 }), (program, seed, every) => {
      const model = modelOf(program)
      const live: Array<ReadonlyArray<unknown>> = []
      const look = () => live.push(model.actors.map((actor) => actor.state))
      const executor = new Executor(model, { maxSteps, observers: [{ begin: look, step: look, end() {} }] })
      const recording = recordingOf(executor, executor.run(new RandomWalk(), seed))
      const loaded = readLog(
        writeLog(model, makeHeader(model, headerFields(seed, recording.choices)), recording),
        () => modelOf(program)
      )
      const fold = new Fold(loaded.model, loaded.log, { every })
      expect(live.length).toBe(fold.length + 1)
      const order = fc.sample(fc.integer({ min: 0, max: fold.length }), { numRuns: 20, seed })
      for (const step of [...live.keys(), ...order, ...[...live.keys()].toReversed()]) {
        const states = fold.stateAt(step)
        expect(Equal.equals(states.all, live[step])).toBe(true)
      }
      expect([...fold.walk()].map((states) => states.step)).toEqual([...live.keys()])
    }),
    { numRuns: 200, seed: 2 }
  )
})

test("a verdict can be derived from the log alone", () => {
  const derived = new Map<string, number>()
  fc.assert(
    fc.property(randomProgram, seeds, (program, seed) => {
      const { model, recording } = record(program, seed)
      const loaded = readLog(
        writeLog(model, makeHeader(model, headerFields(seed, recording.choices)), recording),
        () => modelOf(program)
      )
      const verdict = deriveVerdict(loaded.model, loaded, loaded.header.maxSteps)
      const what = recording.verdict
      if (what._tag === "Crash") expect(verdict).toBeUndefined()
      else {
        expect(verdict?._tag).toBe(what._tag)
        expect(verdict && failureId(verdict)).toBe(failureId(what))
        if (what._tag === "Violation") expect(verdict).toEqual(what)
        derived.set(what._tag, (derived.get(what._tag) ?? 0) + 1)
      }
      expect(firstImpossible(loaded.model, loaded.log)).toBeUndefined()
    }),
    { numRuns: 400, seed: 3 }
  )
  expect([...derived.keys()].toSorted()).toEqual(["Deadlock", "Ok", "StepLimit", "Violation"])
})

test("following a log or its choices on the same model gives the same log", () => {
  fc.assert(
    fc.property(randomProgram, seeds, (program, seed) => {
      const { model, recording } = record(program, seed)
      // A crashing step is not in the log, so the thread it belongs to is not either.
      fc.pre(recording.verdict._tag !== "Crash")
      const followed = follow(modelOf(program), namesOf(model, recording.log), { maxSteps })
      expect({ ...followed, log: textOf(followed.log) }).toEqual({
        verdict: recording.verdict,
        log: textOf(recording.log),
        choices: recording.choices,
        fitted: followed.fitted,
        misfits: 0,
        extra: 0,
        unused: 0,
        firstDifference: undefined
      })
      const byChoice = followChoices(modelOf(program), recording.choices, { maxSteps })
      expect(textOf(byChoice.log)).toEqual(textOf(recording.log))
      expect([byChoice.fitted, byChoice.misfits, byChoice.unused]).toEqual([recording.choices.length, 0, 0])
    }),
    { numRuns: 200, seed: 4 }
  )
})

const textOf = (log: Log): ReadonlyArray<string> =>
  Array.from(
    { length: log.length },
    (_, i) => `${log.threads[i]} ${log.asks[i]!.actor.name}.${log.asks[i]!.command.name} ${String(log.results[i])}`
  )
