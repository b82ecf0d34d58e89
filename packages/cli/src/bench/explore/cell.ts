/** One cell of the tables: a program of the corpus, before its fix or at it, explored in one way within a time. */
import { loadProgram, kernelWords, readProgram } from "@mmrace/actors"
import { Explore, type Model } from "@mmrace/core"
import { bruteForce } from "@mmrace/core/explore/BruteForce"
import { Dependence } from "@mmrace/core/explore/Dependence"
import { Machine } from "@mmrace/core/explore/Machine"
import { States } from "@mmrace/core/explore/States"
import { Values } from "@mmrace/core/explore/Values"
import { Visited } from "@mmrace/core/explore/Visited"
import * as Result from "effect/Result"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { corpusFolder } from "../../Corpus.ts"
import { endStates } from "../../explore/EndStates.ts"
import { asStated, kernelOf } from "../../kernelOf.ts"
import { sleepSets } from "./sleepSets.ts"

export interface Trial {
  /** Name of the file in the corpus. */
  readonly program: string
  readonly fixed: boolean
  readonly method: string
  /** At most. */
  readonly seconds: number
}

export interface Outcome {
  readonly trial: Trial
  /** Everything was explored that the method is about; false: the time was up, or the memory. */
  readonly complete: boolean
  /** Some execution fails. */
  readonly violated: boolean
  readonly executions: number
  /** 0 without state matching. */
  readonly states: number
  readonly seconds: number
  /** What was thrown instead of a result. */
  readonly error?: string
}

type Explored = Pick<Outcome, "complete" | "violated" | "executions" | "states">

interface Subject {
  readonly model: Model
  readonly ends: ReturnType<typeof endStates>
  /** The time is up. */
  readonly isUp: () => boolean
}

const every = ({ ends, isUp, model }: Subject): Explored => {
  let violated = false
  const { isFailure, outcomeOf } = ends
  const { complete, executions, outcomes } = bruteForce(model, {
    outcomeOf,
    maxExecutions: Number.MAX_SAFE_INTEGER,
    visit: (_, __, verdict) => {
      if (verdict._tag !== "Ok") violated = true
      return !isUp()
    }
  })
  violated ||= [...outcomes.keys()].some(isFailure)
  return { complete, violated, executions, states: 0 }
}

/** For the rows of states, so that none is given up for hashes in ten minutes. */
const fullBytes = 2 * 2 ** 30

const exploring =
  (options: Explore.ExploreOptions) => ({ ends: { isFailure, outcomeOf }, isUp, model }: Subject): Explored => {
    const { counts, verdict } = Explore.explore(model, {
      ...options,
      fullBytes,
      isFailure,
      outcomeOf,
      interrupt: () => isUp() ? "time" : undefined
    })
    const complete = verdict._tag === "Complete" || (verdict._tag === "Violated" && verdict.exhaustive)
    return { complete, violated: verdict._tag === "Violated", executions: counts.executions, states: counts.states }
  }

/** State matching, and nothing else but sleep sets: `Explore.explore` goes on to look for livelocks. */
const matching = (withSleepSets: boolean) => ({ isUp, model }: Subject): Explored => {
  const machine = new Machine(model, new Values(), new Dependence(model), { intern: true })
  try {
    let violated = false
    const search = new States(machine, new Visited(), {
      maxSteps: 10_000,
      partialDeadlocks: true,
      sleepSets: withSleepSets,
      goOnEvery: 256
    })
    const end = search.run({
      goOn: () => !isUp(),
      ended: (verdict) => {
        if (verdict !== "step-limit" && verdict._tag !== "Ok") violated = true
        return true
      }
    })
    const { ends, states } = search.counts
    return { complete: end === "complete", violated, executions: ends, states }
  } finally {
    machine.close()
  }
}

/** The ways to explore, from none of the reductions to all. */
export const methods: Readonly<Record<string, (subject: Subject) => Explored>> = {
  "every schedule": every,
  "sleep sets": ({ isUp, model }) => sleepSets(model, isUp),
  "source": exploring({ reduction: "source" }),
  "optimal": exploring({ reduction: "optimal" }),
  "states": matching(false),
  "states, sleep sets": matching(true),
  "stateful": exploring({ reduction: "stateful" }),
  "1 preemption": exploring({ cost: "preemptions", bound: 1 }),
  "2 preemptions": exploring({ cost: "preemptions", bound: 2 }),
  "3 preemptions": exploring({ cost: "preemptions", bound: 3 })
}

export const runTrial = (trial: Trial): Outcome => {
  const source = readFileSync(join(corpusFolder, trial.program), "utf8")
  const { program } = Result.getOrThrow(readProgram(source, { file: trial.program, ...kernelWords }))
  const kernel = Result.getOrThrow(kernelOf(program, { ...asStated, fixed: trial.fixed }))
  const ends = endStates(loadProgram(program, kernel))
  const began = performance.now()
  const isUp = (): boolean => performance.now() - began > trial.seconds * 1000
  const explored = methods[trial.method]!({ model: ends.model, ends, isUp })
  return { trial, ...explored, seconds: (performance.now() - began) / 1000 }
}
