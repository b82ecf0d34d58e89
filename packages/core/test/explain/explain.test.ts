import {
  ask,
  Cell,
  Executor,
  explainExecution,
  FromSchedule,
  type Log,
  makeModel,
  type Model,
  Mutex,
  type Schedule,
  type Verdict
} from "@mmrace/core"
import { stepsThatMatter } from "@mmrace/core/explain/matters"
import { quoted } from "@mmrace/core/explain/shell"
import { execFileSync } from "node:child_process"
import * as fc from "fast-check"
import { expect, test } from "vitest"

/** Threads that lose updates, each holding a lock of its own meanwhile. */
const counter = (threads: ReadonlyArray<string>): Model =>
  makeModel("counter", (m) => {
    const x = m.actor(Cell.cellType, "x", 0)
    threads.forEach((name, i) => {
      const own = m.actor(Mutex.mutex.type, `own ${i}`, Mutex.free)
      m.thread(name, function*() {
        yield* ask(own, Mutex.mutex.lock)
        const value = yield* ask(x, Cell.load)
        yield* ask(x, Cell.store, value + 1)
        yield* ask(own, Mutex.mutex.unlock)
      })
    })
    m.monitor<null>({
      id: "sum",
      title: "every thread counts",
      on: [],
      initial: () => null,
      step: (state) => state,
      end: (_, quiescence) => {
        if (x.state !== threads.length) quiescence.violate(`x is ${x.state}`)
      }
    })
  })

const run = (model: Model, schedule: Schedule): { readonly log: Log; readonly verdict: Verdict } => {
  const executor = new Executor(model)
  const verdict = executor.run(new FromSchedule(schedule))
  return { log: executor.copyLog(), verdict }
}

/** The second thread comes between the first one's load and store. */
const lost: Schedule = [{ point: 2, choice: 1 }, { point: 6, choice: 0 }]

test("a column for each thread: what matters is marked, locks that are kept are named", () => {
  const model = counter(["A", "B"])
  expect(explainExecution(model, run(model, lost))).toMatchInlineSnapshot(`
    "   A                                     B
       -                                     -
       ... 1 step
    *1 x.load = 0
       (holds own 0)
                                             ... 2 steps
    *4                                       x.store(1)
                                             ... 2 steps
    *7 x.store(1)
       ... 1 step
    !9 thread:A.exit

    Broken: sum every thread counts (step 9)
    Here: x is 1
    "
  `)
})

test("with `all` every step is there", () => {
  const model = counter(["A", "B"])
  const { log, verdict } = run(model, lost)
  const told = explainExecution(model, { log, verdict }, { all: true })
  for (let step = 0; step < log.length; step++) expect(told).toMatch(new RegExp(`^[ *!]${step} `, "m"))
})

test("where columns would be too narrow, threads are one below the other, by name", () => {
  const model = counter(["first", "second"])
  expect(explainExecution(model, run(model, []), { width: 40 })).toMatchInlineSnapshot(`
    "   first   ... 2 steps
    *2         x.store(1)
               ... 2 steps

       second  ... 1 step
    *6         x.load = 1
    *7         x.store(2)
               ... 2 steps

    Nothing broke.
    "
  `)
})

test("the steps that matter are next to another thread's at their location, and one of the two writes", () => {
  const model = counter(["A", "B"])
  const { log } = run(model, lost)
  const matters = stepsThatMatter(log, () => false)
  const names = Array.from({ length: log.length }, (_, i) => i).filter((i) => matters[i])
    .map((i) => `${log.threads[i]} ${log.asks[i]!.command.name}`)
  expect(names).toEqual(["0 load", "1 store", "0 store"])
})

test("a quoted word is one argument of a shell, whatever is in it", () => {
  const word = fc.string({ unit: "grapheme", minLength: 1 })
  const words = fc.sample(word, { numRuns: 300, seed: 1 })
  const printed = execFileSync("sh", ["-c", `printf '%s\\0' ${words.map(quoted).join(" ")}`], { encoding: "utf8" })
  expect(printed.split("\0").slice(0, -1)).toEqual(words)
})
