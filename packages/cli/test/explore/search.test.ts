/** An exploration gives the same result whatever the workers, and wherever it was interrupted. */
import { Kernel, loadProgram, type LoadedProgram, readProgram } from "@mmrace/actors"
import { Explore } from "@mmrace/core"
import { endStates } from "mmrace/explore/EndStates"
import * as fc from "fast-check"
import * as Result from "effect/Result"
import { describe, expect, test } from "vitest"
import { PairSearch } from "mmrace/explore/PairSearch"
import type { Plan } from "mmrace/explore/protocol"
import { Rounds } from "mmrace/explore/Rounds"
import { type Part, Search, type Searched, type Workers } from "mmrace/explore/search"
import { exploreTask, type Surroundings } from "mmrace/explore/work"

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
  const rounds: Array<Rounds | undefined> = []
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
      const around: Surroundings = {
        stopped: isStopped,
        twin: () => models[size]!,
        send: (message) => {
          if (message._tag === "Found") this.events.onFound?.(message.name, message.choices)
          if (message._tag === "Saved") this.events.onSaved?.(worker, structuredClone(message.checkpoint))
        }
      }
      if (task._tag === "Round") {
        const own = rounds[worker] ??= new Rounds(() => load(program), around)
        return structuredClone(own.run(structuredClone(task)))
      }
      if (task._tag !== "Explore") throw new Error(`these workers only explore, they cannot ${task._tag}`)
      const done = exploreTask(models[worker]!, task, around)
      return JSON.parse(JSON.stringify(done)) as typeof done
    }
  }
}

/** With room enough, from the beginning, and nobody to hear of what is found. */
const silent = {
  memory: 2 ** 30,
  pause: 1000,
  parts: undefined,
  onFound: () => {},
  onProgress: () => {},
  onCheckpoint: () => {}
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
      ...silent
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
    ...silent
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

test("by levels it is said up to which everything was explored", async () => {
  const levels: Plan = { ...plan, reduction: "states", cost: "preemptions", bound: 1 }
  const { explored: whole } = await new Search(workersOn(exists, 1, Infinity), {
    plan: levels,
    ...silent
  }).run()
  expect(whole.verdict).toEqual({ _tag: "Complete", within: "1 preemption", omission: 0 })
  // The budget ends it.
  const { explored: cut } = await search(exists, { size: 1, plan: levels })
  expect(cut.verdict).toMatchObject({ _tag: "Incomplete", covered: "0 preemptions" })
})

const shared: Plan = { ...plan, reduction: "stateful" }

interface PairRun extends Run {
  readonly program?: string
  readonly dieAt?: number
  readonly memory?: number
  readonly budget?: number
}

const pair = (
  { budget, dieAt, memory = 2 ** 30, parts, patience = Infinity, plan: wanted = shared, program = large, size }: PairRun
) =>
  new PairSearch(
    workersOn(program, size, patience, dieAt),
    {
      plan: wanted,
      memory,
      pause: 1000,
      parts,
      onFound: () => {},
      onProgress: () => {},
      onCheckpoint: () => {},
      ...(budget === undefined ? {} : { budget })
    },
    { alone: 60, round: 40 }
  ).run()

/** The same as `exists` and `forall`, with more to do. */
const more = (program: string): string =>
  `${
    program.replace("thread a\n", "thread a\n  r1 = load A[1]\n  store A 4\n").replace(
      "\nfinal",
      "\nthread c\n  store A 5\n  store A[1] 6\n\nfinal"
    )
  }`
const large = more(exists)
const failing = more(forall)

const endsOf = ({ explored }: Searched): ReadonlyArray<string> => explored.outcomes.map(({ name }) => name).toSorted()

/** What is asked of workers until their memory is full. */
const attempt = (resumes: string) => [
  `leader of ${2 ** 29}${resumes}`,
  "helper ends",
  `leader of ${2 ** 30}`,
  "leader ends"
]

describe("two that share states", () => {
  test("find what one finds, in about as many states, and the same whatever the number of workers", async () => {
    const alone = Explore.explore(endStates(load(large)).model, { ...endStates(load(large)), maxSteps: 1000 })
    const one = await pair({ size: 1 })
    expect(one.explored.verdict).toMatchObject({ _tag: "Complete" })
    expect(endsOf(one)).toEqual(alone.outcomes.map(({ name }) => name).toSorted())
    expect(one.explored.counts.steps).toBeGreaterThan(500)
    expect(one.explored.counts.states).toBeLessThan(1.5 * alone.counts.states)
    expect(result(await pair({ size: 2 }))).toEqual(result(one))
    expect(result(await pair({ size: 3 }))).toEqual(result(one))
  })

  test("say how likely it is that a state was taken for another one", async () => {
    const { explored: { verdict } } = await pair({ size: 2 })
    expect(verdict._tag === "Complete" && verdict.omission).toBeGreaterThan(0)
  })

  test.each([["with all failures", false], ["until the first", true]] as const)(
    "%s: the same whatever the number of workers",
    async (_, untilFailure) => {
      const wanted = { ...shared, untilFailure }
      const one = await pair({ size: 1, program: failing, plan: wanted })
      expect(one.explored.verdict).toMatchObject({ _tag: "Violated", exhaustive: !untilFailure })
      expect(one).toMatchObject({ ending: "done", left: undefined })
      expect(result(await pair({ size: 2, program: failing, plan: wanted }))).toEqual(result(one))
    }
  )

  test("interrupted anywhere, they find the same ends", async () => {
    const whole = endsOf(await pair({ size: 2 }))
    for (const patience of [1, 2, 3, 5]) {
      // oxlint-disable-next-line no-await-in-loop -- each goes on where the one before was interrupted
      const { ending, left } = await pair({ size: 2, patience })
      expect(ending).toBe("stopped")
      const parts = JSON.parse(JSON.stringify(left)) as ReadonlyArray<Part>
      // oxlint-disable-next-line no-await-in-loop
      const resumed = await pair({ size: 1, parts })
      expect(resumed.explored.verdict._tag).toBe("Complete")
      expect(endsOf(resumed)).toEqual(whole)
    }
  })

  test("without memory for two one explores alone", async () => {
    const small = await pair({ size: 2, memory: 200 * 2 ** 20 })
    expect(endsOf(small)).toEqual(endsOf(await pair({ size: 2 })))
    expect(small.explored.verdict).toMatchObject({ _tag: "Complete", omission: 0 })
  })

  test("when the helper's worker dies the leader goes on alone, and it is said", async () => {
    // Calls: the leader alone, then the leader and the helper in turns.
    const searched = await pair({ size: 2, dieAt: 5 })
    expect(searched).toMatchObject({ ending: "done", broken: "out of memory", left: undefined })
    expect(endsOf(searched)).toEqual(endsOf(await pair({ size: 2 })))
  })

  test("when the leader's dies what is left can be gone on with", async () => {
    const { left, ...searched } = await pair({ size: 2, dieAt: 4 })
    expect(searched).toMatchObject({ ending: "broken", broken: "out of memory" })
    expect(endsOf(await pair({ size: 2, parts: left }))).toEqual(endsOf(await pair({ size: 2 })))
  })

  test("no more states than the budget has", async () => {
    const { ending, explored } = await pair({ size: 2, budget: 200 })
    expect(ending).toBe("spent")
    expect(explored.counts.states).toBeLessThan(400)
  })

  test("when memory runs short first the helper goes, then what was remembered, and then the exploration ends", async () => {
    const { explored } = await pair({ size: 1 })
    const checkpoint = { version: 1 } as Explore.Checkpoint
    // Executions that were done each time that the memory was full.
    const executions = [150, 260, 300]
    const log: Array<string> = []
    let fullFor = 0
    const workers: Workers = {
      size: 2,
      events: {},
      isStopped: false,
      stop: () => {},
      run: async (_, task) => {
        await Promise.resolve()
        if (task._tag !== "Round") throw new Error(task._tag)
        const { memory, resume, role, steps } = task
        log.push(`${role} ${steps === undefined ? "ends" : `of ${memory}`}${resume === undefined ? "" : " resumes"}`)
        if (role === "leader" && steps === undefined) {
          const counts = { ...explored.counts, executions: executions[fullFor++]!, blocked: 0 }
          return { _tag: "Explored", explored: { ...explored, counts, checkpoint }, ending: "done" }
        }
        return { _tag: "Rounded", ending: role === "leader" ? "memory" : "spent", states: 1, news: undefined }
      }
    }
    const searched = await new PairSearch(workers, {
      plan: shared,
      ...silent
    }).run()
    expect(log).toEqual([...attempt(""), ...attempt(" resumes"), ...attempt(" resumes")])
    expect(searched).toMatchObject({ ending: "memory", left: [{ saved: checkpoint }] })
  })

  test("what a helper told one leader is not told to the next one", async () => {
    const { explored } = await pair({ size: 1 })
    const checkpoint = { version: 1 } as Explore.Checkpoint
    const told: Array<string> = []
    let leaders = 0
    let rounds = 0
    const workers: Workers = {
      size: 2,
      events: {},
      isStopped: false,
      stop: () => {},
      run: async (_, task) => {
        await Promise.resolve()
        if (task._tag !== "Round") throw new Error(task._tag)
        const { news, role, steps } = task
        if (role === "helper") {
          return { _tag: "Rounded", ending: "memory", states: 1, news: { of: leaders } as unknown as Explore.News }
        }
        if (news !== undefined) told.push(`to leader ${leaders}: ${JSON.stringify(news)}`)
        if (steps === undefined) {
          const counts = { ...explored.counts, executions: 200 * ++leaders, blocked: 0 }
          rounds = 0
          return { _tag: "Explored", explored: { ...explored, counts, checkpoint }, ending: "done" }
        }
        const ending = leaders === 2 ? "done" : rounds++ === 0 ? "spent" : "memory"
        return { _tag: "Rounded", ending, states: 1, news: undefined }
      }
    }
    await new PairSearch(workers, { ...silent, plan: shared }).run()
    expect(told).toEqual(["to leader 0: {\"of\":0}", "to leader 1: {\"of\":1}"])
  })
})
