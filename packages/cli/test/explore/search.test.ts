/** An exploration gives the same result whatever the workers, and wherever it was interrupted. */
import { Kernel, loadProgram, type LoadedProgram, readProgram } from "@mmrace/actors"
import * as fc from "fast-check"
import * as Result from "effect/Result"
import { describe, expect, test } from "vitest"
import type { Plan } from "mmrace/explore/protocol"
import { type Part, Search, type Searched, type Workers } from "mmrace/explore/search"
import { exploreTask } from "mmrace/explore/work"

const load = (text: string): LoadedProgram =>
  loadProgram(Result.getOrThrow(readProgram(text)).program, Result.getOrThrow(Kernel.parse("6.8")))

const text = (final: string): string =>
  `mmrace small\nkernel 6.8\n\nmap A anon rw 2 = 1\n\nthread a\n  r0 = load A\n  store A[1] 3\n\nthread b\n  store A 2\n  r0 = load A[1]\n\n${final}\n`

const exists = text("final exists (a:r0 = 2 /\\ b:r0 = 3)")
const forall = text("final forall b:r0 = 1")

const plan: Plan = { reduction: "optimal", cost: undefined, bound: undefined, untilFailure: false, maxSteps: 1000 }

/** Workers on this thread; they stop by themselves after being asked `patience` times whether they should. */
const workersOn = (program: string, size: number, patience: number, dieAt = Infinity): Workers => {
  let asked = 0
  let calls = 0
  let stopped = false
  const isStopped = (): boolean => stopped ||= asked++ >= patience
  const models = Array.from({ length: size + 1 }, () => load(program))
  return {
    size,
    events: {},
    get isStopped() {
      return stopped
    },
    stop() {
      stopped = true
    },
    async run(worker, task) {
      await Promise.resolve()
      if (++calls === dieAt) throw new Error("out of memory")
      if (task._tag !== "Explore") throw new Error(`these workers only explore, they cannot ${task._tag}`)
      const done = exploreTask(models[worker]!, task, {
        stopped: isStopped,
        twin: () => models[size]!,
        send: (message) => {
          if (message._tag === "Found") this.events.onFound?.(message.name, message.choices)
          if (message._tag === "Saved") this.events.onSaved?.(worker, structuredClone(message.checkpoint))
        }
      })
      return JSON.parse(JSON.stringify(done)) as typeof done
    }
  }
}

interface Run {
  readonly size: number
  readonly patience?: number
  readonly parts?: ReadonlyArray<Part> | undefined
  readonly plan?: Plan
}

const search = (program: string, { parts, patience = Infinity, plan: wanted = plan, size }: Run): Promise<Searched> =>
  new Search(workersOn(program, size, patience), {
    plan: wanted,
    budget: 10,
    memory: 2 ** 30,
    pause: 1000,
    parts,
    onFound: () => {},
    onProgress: () => {},
    onCheckpoint: () => {}
  }).run()

const result = ({ explored: { counts, outcomes, verdict } }: Searched): unknown =>
  JSON.parse(JSON.stringify({ outcomes, verdict, counts: { ...counts, fibers: 0, fed: 0 } }))

describe("a tree that is split", () => {
  test("is the tree", async () => {
    const { explored } = await search(exists, { size: 1 })
    const { explored: unsplit } = await new Search(workersOn(exists, 1, Infinity), {
      plan,
      memory: 2 ** 30,
      pause: 1000,
      parts: undefined,
      onFound: () => {},
      onProgress: () => {},
      onCheckpoint: () => {}
    }).run()
    expect(explored.counts.executions).toBeGreaterThan(20)
    expect(explored.counts.executions).toBe(unsplit.counts.executions)
    expect(explored.outcomes.map(({ count, name }) => [name, count]).toSorted()).toEqual(
      unsplit.outcomes.map(({ count, name }) => [name, count]).toSorted()
    )
    expect(explored.verdict._tag).toBe("Complete")
  })

  test.each(
    [["complete", exists, false], ["violated", forall, false], ["violated, the first failure", forall, true]] as const
  )(
    "%s: any number of workers, interrupted anywhere, gives one result",
    async (_, program, untilFailure) => {
      const wanted = { ...plan, untilFailure }
      const whole = result(await search(program, { size: 1, plan: wanted }))
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.record({ size: fc.integer({ min: 1, max: 4 }), patience: fc.integer({ min: 1, max: 300 }) }), {
            maxLength: 3
          }),
          fc.integer({ min: 1, max: 4 }),
          async (interruptions, size) => {
            let parts: ReadonlyArray<Part> | undefined
            for (const interruption of interruptions) {
              // oxlint-disable-next-line no-await-in-loop -- each goes on where the one before was interrupted
              const { left } = await search(program, { ...interruption, parts, plan: wanted })
              if (left === undefined) break
              parts = JSON.parse(JSON.stringify(left)) as ReadonlyArray<Part>
            }
            expect(result(await search(program, { size, parts, plan: wanted }))).toEqual(whole)
          }
        ),
        { numRuns: 3 }
      )
    }
  )
})

test("a checkpoint on the way is as good as one at an end", async () => {
  const saved: Array<string> = []
  await new Search(workersOn(forall, 2, Infinity), {
    plan,
    budget: 10,
    memory: 2 ** 30,
    pause: 0,
    parts: undefined,
    onFound: () => {},
    onProgress: () => {},
    onCheckpoint: (parts) => saved.push(JSON.stringify(parts))
  }).run()
  expect(saved.length).toBeGreaterThan(20)
  const whole = result(await search(forall, { size: 1 }))
  for (const at of [3, Math.floor(saved.length / 2), saved.length - 1]) {
    const parts = JSON.parse(saved[at]!) as ReadonlyArray<Part>
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect(result(await search(forall, { size: 2, parts }))).toEqual(whole)
  }
})

test("a worker that dies ends the exploration, and what is left can be gone on with", async () => {
  const searched = await new Search(workersOn(exists, 2, Infinity, 5), {
    plan,
    budget: 10,
    memory: 2 ** 30,
    pause: 1000,
    parts: undefined,
    onFound: () => {},
    onProgress: () => {},
    onCheckpoint: () => {}
  }).run()
  expect(searched).toMatchObject({ ending: "broken", broken: "out of memory" })
  expect(result(await search(exists, { size: 1, parts: searched.left }))).toEqual(
    result(await search(exists, { size: 1 }))
  )
})

test("with state matching the budget is states, and nothing is split", async () => {
  const matched = { ...plan, reduction: "states" } as const
  const large = exists.replace("thread a\n", "thread a\n  r0 = load A\n  r1 = load A\n")
  const { explored, ...searched } = await search(large, { size: 2, plan: matched })
  expect(searched).toMatchObject({ ending: "spent", left: undefined })
  expect(explored.verdict._tag).toBe("Incomplete")
})
