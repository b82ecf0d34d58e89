/**
 * Races as tests of vitest.
 *
 *     import { it } from "@mmrace/core/vitest"
 *
 *     it.explore("a tagged head is safe", () => treiberStack(true))     // every schedule
 *     it.fuzz("so are a thousand random ones", () => treiberStack(true), { runs: 1000, seed: 7 })
 *
 * A test of a model that fails shows the least interleaving in thread columns, and the command that runs it again.
 */
import { it as plain, type TestAPI, type TestContext } from "vitest"
import type { Model } from "./Model.ts"
import { type Place, scheduleVariable } from "./vitest/command.ts"
import { exploreTest, type ExploreTestOptions } from "./vitest/exploreTest.ts"
import { fuzzTest, type FuzzTestOptions } from "./vitest/fuzzTest.ts"
import { type Site, siteOf } from "./vitest/RaceError.ts"
import type { Trial } from "./vitest/trial.ts"

export type { ExploreTestOptions } from "./vitest/exploreTest.ts"
export type { FuzzTestOptions } from "./vitest/fuzzTest.ts"

/** A model, or what builds one when the test runs. */
export type ModelSource = Model | (() => Model)

export interface ModelTest<O> {
  (name: string, model: ModelSource, options?: O): void
}

/** With the modifiers of vitest. */
export interface ModelTests<O> extends ModelTest<O> {
  readonly skip: ModelTest<O>
  readonly only: ModelTest<O>
  readonly fails: ModelTest<O>
  readonly skipIf: (condition: unknown) => ModelTest<O>
  readonly runIf: (condition: unknown) => ModelTest<O>
  /** One test for each case; `%s`, `$member` and the like in the name stand for it. */
  readonly for: <T>(
    cases: ReadonlyArray<T>
  ) => (name: string, model: (testCase: T) => Model, options?: O) => void
}

/** `it` of vitest, and tests of models. */
export interface RaceTestAPI extends TestAPI {
  /** Passes when no schedule fails, and says so only when all have been explored. */
  readonly explore: ModelTests<ExploreTestOptions>
  /** Passes when none of many pseudo-random schedules fails. */
  readonly fuzz: ModelTests<FuzzTestOptions>
}

type Check<O> = (model: Model, options: O, trial: Trial) => string

const placeOf = ({ task }: TestContext): Place => {
  const names: Array<string> = []
  for (let at: { readonly name: string; readonly suite?: typeof at } | undefined = task; at; at = at.suite) {
    names.unshift(at.name)
  }
  const { filepath, name, projectName } = task.file
  const cwd = process.cwd()
  return {
    names,
    file: filepath,
    root: (projectName ?? "") === "" && filepath.endsWith(`/${name}`) ? filepath.slice(0, -name.length - 1) : undefined,
    cwd,
    userCwd: process.env["INIT_CWD"] ?? cwd
  }
}

const run = async <O>(
  check: Check<O>,
  model: Model,
  options: O,
  context: TestContext,
  site: Site
): Promise<void> => {
  const { timeout } = context.task
  const token = process.env[scheduleVariable]
  await context.annotate(check(model, options, { place: placeOf(context), site, timeout, token }))
}

const testsOf = <O extends { readonly timeout?: number }>(check: Check<O>): ModelTests<O> => {
  const limit = (options: O) => options.timeout === undefined ? {} : { timeout: options.timeout }
  const by = (test: TestAPI["skip"]): ModelTest<O> => {
    const declare: ModelTest<O> = (name, source, options = {} as O) => {
      const site = siteOf(declare)
      test(
        name,
        limit(options),
        (context) => run(check, typeof source === "function" ? source() : source, options, context, site)
      )
    }
    return declare
  }
  return Object.assign(by(plain), {
    skip: by(plain.skip),
    only: by(plain.only),
    fails: by(plain.fails),
    skipIf: (condition: unknown) => by(plain.skipIf(condition)),
    runIf: (condition: unknown) => by(plain.runIf(condition)),
    for: <T>(cases: ReadonlyArray<T>) => {
      const declare = (name: string, model: (testCase: T) => Model, options: O = {} as O): void => {
        const site = siteOf(declare)
        plain.for(cases)(
          name,
          limit(options),
          (testCase, context) => run(check, model(testCase), options, context, site)
        )
      }
      return declare
    }
  })
}

export const it: RaceTestAPI = Object.assign(plain.extend({}), {
  explore: testsOf(exploreTest),
  fuzz: testsOf(fuzzTest)
})
