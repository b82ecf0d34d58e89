import {
  type Actor,
  ask,
  Executor,
  killThread,
  makeModel,
  type Model,
  type Path,
  RandomWalk,
  Rwsem,
  type Thread
} from "@mmrace/core"
import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import { inOrder, lines } from "../engine/support.ts"

const { rwsem, unlocked } = Rwsem
type Sem = Actor<Rwsem.RwsemState>
type Body = (sem: Sem, threads: ReadonlyArray<Thread>) => Path<unknown>

/** Bodies of threads 0, 1, ... around one semaphore. */
const withSem = (...bodies: ReadonlyArray<Body>): { readonly model: Model; readonly sem: Sem } => {
  const made: Array<Sem> = []
  const model = makeModel("rwsem", (m) => {
    const sem = m.actor(rwsem.type, "sem", unlocked)
    made.push(sem)
    const threads: Array<Thread> = []
    for (const body of bodies) threads.push(m.thread(`T${threads.length}`, () => body(sem, threads)))
  })
  return { model, sem: made[0]! }
}

const play = (order: ReadonlyArray<number>, ...bodies: ReadonlyArray<Body>) => {
  const { model, sem } = withSem(...bodies)
  const executor = new Executor(model)
  const verdict = executor.run(inOrder(...order))
  return { verdict, lines: lines(executor), state: sem.state }
}

function* read(sem: Sem): Path<void> {
  yield* Rwsem.downRead(sem)
  yield* Rwsem.upRead(sem)
}
function* write(sem: Sem): Path<void> {
  yield* Rwsem.downWrite(sem)
  yield* Rwsem.upWrite(sem)
}
function* readTwice(sem: Sem): Path<void> {
  yield* Rwsem.downRead(sem)
  yield* read(sem)
  yield* Rwsem.upRead(sem)
}
function* downgrade(sem: Sem): Path<void> {
  yield* Rwsem.downWrite(sem)
  yield* Rwsem.downgradeWrite(sem)
  yield* Rwsem.upRead(sem)
}
function* tryBoth(sem: Sem): Path<void> {
  if (yield* Rwsem.downReadTrylock(sem)) yield* Rwsem.upRead(sem)
  if (yield* Rwsem.downWriteTrylock(sem)) yield* Rwsem.upWrite(sem)
}
function* writeKillable(sem: Sem): Path<void> {
  if (yield* Rwsem.downWriteKillable(sem)) yield* Rwsem.upWrite(sem)
}
function* readKillable(sem: Sem): Path<void> {
  if (yield* Rwsem.downReadKillable(sem)) yield* Rwsem.upRead(sem)
}
function* readAndKill(sem: Sem, threads: ReadonlyArray<Thread>): Path<void> {
  yield* Rwsem.downRead(sem)
  yield* ask(threads[1]!.actor, killThread)
  yield* Rwsem.upRead(sem)
}
function* upgrade(sem: Sem): Path<void> {
  yield* Rwsem.downRead(sem)
  yield* Rwsem.downWrite(sem)
}
function* look(sem: Sem): Path<void> {
  yield* Rwsem.isLocked(sem)
  yield* ask(sem, rwsem.isWriteLocked)
  yield* ask(sem, rwsem.isContended)
}
function* upUnheldRead(sem: Sem): Path<void> {
  yield* Rwsem.upRead(sem)
}
function* upUnheldWrite(sem: Sem): Path<void> {
  yield* Rwsem.downRead(sem)
  yield* Rwsem.upWrite(sem)
}

const effects = (order: ReadonlyArray<number>, ...bodies: ReadonlyArray<Body>) => {
  const executor = new Executor(withSem(...bodies).model)
  executor.run(inOrder(...order))
  const { asks, length, results, threads } = executor.log
  return Array.from({ length }, (_, i) => {
    const effect = asks[i]!.command.lock?.(results[i], asks[i]!.arg)
    return effect === undefined ? "" : `${threads[i]} ${effect.action} ${effect.mode}`
  }).filter((line) => line !== "")
}

describe("rwsem", () => {
  test("a queued writer keeps new readers out; release hands over in order, leading readers together", () => {
    const played = play([0, 1, 2, 3, 0, 1, 1, 3, 2, 2, 3], read, write, read, read)
    expect(played.verdict).toEqual({ _tag: "Ok" })
    expect(played.state).toEqual(unlocked)
    expect(played.lines).toEqual([
      "0 down_read taken",
      "1 down_write queued",
      "2 down_read queued",
      "3 down_read queued",
      "0 up_read",
      "1 await_write",
      "1 up_write",
      "3 await_read",
      "2 await_read",
      "2 up_read",
      "3 up_read"
    ])
  })

  test("readers share without waiting, and a writer waits for the last of them", () => {
    expect(play([0, 1, 2, 0, 1, 2], read, read, write).lines).toEqual([
      "0 down_read taken",
      "1 down_read taken",
      "2 down_write queued",
      "0 up_read",
      "1 up_read",
      "2 await_write",
      "2 up_write"
    ])
  })

  test("a trylock fails where it would wait, also behind a queued writer", () => {
    expect(play([0, 1, 2, 2], read, write, tryBoth).lines.slice(2, 4)).toEqual([
      "2 down_read_trylock false",
      "2 down_write_trylock false"
    ])
    expect(play([0, 1, 1, 1], read, tryBoth).lines.slice(1, 4)).toEqual([
      "1 down_read_trylock true",
      "1 up_read",
      "1 down_write_trylock false"
    ])
    expect(play([0, 0, 0, 0], tryBoth).lines).toEqual([
      "0 down_read_trylock true",
      "0 up_read",
      "0 down_write_trylock true",
      "0 up_write"
    ])
  })

  test("a downgrade lets the leading readers in, and no writer", () => {
    const played = play([0, 1, 2, 3, 0, 1], downgrade, read, write, read)
    expect(played.lines.slice(0, 6)).toEqual([
      "0 down_write taken",
      "1 down_read queued",
      "2 down_write queued",
      "3 down_read queued",
      "0 downgrade_write",
      "1 await_read"
    ])
    expect(played.verdict).toEqual({ _tag: "Ok" })
    expect(withOnly(played.lines, "await_write")).toEqual(["2 await_write"])
  })

  test("a killed waiter leaves the queue, and those it kept out come in", () => {
    const played = play([0, 1, 2, 0, 1, 2], readAndKill, writeKillable, read)
    expect(played.lines.slice(0, 6)).toEqual([
      "0 down_read taken",
      "1 down_write queued",
      "2 down_read queued",
      "0 kill",
      "1 await_write_killable false",
      "2 await_read"
    ])
    expect(played.verdict).toEqual({ _tag: "Ok" })
    expect(played.state).toEqual(unlocked)
  })

  test("a grant wins over a signal that comes later", () => {
    expect(withOnly(play([0, 1, 0, 0, 1], readAndKill, writeKillable).lines, "killable")).toEqual([
      "1 await_write_killable true"
    ])
    expect(withOnly(play([0, 1], write, readKillable).lines, "killable")).toEqual(["1 await_read_killable true"])
  })

  test("a reader may hold it twice, but not with a writer queued in between", () => {
    expect(play([0, 0, 0, 0], readTwice).verdict).toEqual({ _tag: "Ok" })
    expect(play([0, 1, 0], readTwice, write).verdict).toEqual({
      _tag: "Deadlock",
      step: 3,
      waits: [
        { thread: "T0", actor: "sem", command: "await_read", waitsFor: ["T1"] },
        { thread: "T1", actor: "sem", command: "await_write", waitsFor: ["T0"] }
      ]
    })
  })

  test("an upgrade waits for itself", () => {
    expect(play([0, 0], upgrade).verdict).toMatchObject({
      _tag: "Deadlock",
      waits: [{ thread: "T0", waitsFor: ["T0"] }]
    })
  })

  test("says whether it is held", () => {
    expect(play([1, 0, 0, 0], look, write).lines.slice(1, 4)).toEqual([
      "0 is_locked true",
      "0 is_write_locked true",
      "0 is_contended false"
    ])
    expect(play([0, 0, 0, 1], look, write).lines[0]).toBe("0 is_locked false")
  })

  test("an unlock by a thread that does not hold it throws", () => {
    expect(play([], upUnheldRead).verdict).toMatchObject({
      _tag: "Crash",
      where: "rwsem.up_read",
      error: expect.stringContaining("T0 (thread 0): up_read of an rwsem it does not hold for read; it is free")
    })
    expect(play([], upUnheldWrite).verdict).toMatchObject({
      _tag: "Crash",
      where: "rwsem.up_write",
      error: expect.stringContaining("held for read by thread 0")
    })
  })

  test("tells what each step did to the lock", () => {
    expect(effects([0, 1, 2, 0, 0, 1, 1, 2, 2], downgrade, readKillable, write)).toEqual([
      "0 acquire write",
      "1 queue read",
      "2 queue write",
      "0 downgrade read",
      "0 release read",
      "1 granted read",
      "1 release read",
      "2 granted write",
      "2 release write"
    ])
    expect(effects([0, 1, 0, 1], readAndKill, writeKillable)).toEqual([
      "0 acquire read",
      "1 queue write",
      "1 abandon write",
      "0 release read"
    ])
    expect(effects([0, 0, 0, 0], tryBoth)).toEqual(["0 try read", "0 release read", "0 try write", "0 release write"])
  })

  const body = fc.constantFrom<Body>(
    read,
    write,
    readTwice,
    downgrade,
    tryBoth,
    writeKillable,
    readKillable,
    readAndKill
  )

  test("whatever threads do: never a writer beside others, nobody queued on a free lock, nothing left over", () => {
    fc.assert(
      fc.property(fc.array(body, { minLength: 2, maxLength: 5 }), fc.nat(), (bodies, seed) => {
        const { model, sem } = withSem(...bodies)
        const seen: Array<Rwsem.RwsemState> = []
        const executor = new Executor(model, {
          observers: [{ begin() {}, end() {}, step: () => void seen.push(sem.state) }]
        })
        const verdict = executor.run(new RandomWalk(), seed)
        for (const { granted, queue, readers, writer } of seen) {
          expect(writer === Rwsem.noWriter || readers.length === 0).toBe(true)
          if (queue.length > 0) {
            const heldAgainstHead = writer !== Rwsem.noWriter || (queue[0]!.mode === "write" && readers.length > 0)
            expect(heldAgainstHead).toBe(true)
          }
          for (const thread of granted) expect(writer === thread || readers.includes(thread)).toBe(true)
          expect(readers).toEqual(readers.toSorted((a, b) => a - b))
        }
        // Only a recursive reader can deadlock.
        if (bodies.includes(readTwice)) expect(["Ok", "Deadlock"]).toContain(verdict._tag)
        else expect(verdict).toEqual({ _tag: "Ok" })
        if (verdict._tag === "Ok") expect(sem.state).toEqual(unlocked)
      }),
      { seed: 7, numRuns: 500 }
    )
  })
})

const withOnly = (all: ReadonlyArray<string>, word: string): ReadonlyArray<string> =>
  all.filter((line) => line.includes(word))
