/** `it.explore` and `it.fuzz` in a package that is not this one, as its owner sees them; and the command they print. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { commandIn, failuresOf, makeProject, type Project, type Ran, shell } from "./project.ts"

let project: Project
let all: Ran
beforeAll(async () => {
  project = makeProject()
  // As a script of the package, from the directory above it.
  all = await shell("npm --prefix somebody*package test -- --reporter=verbose", project.workspace)
})
afterAll(() => project.remove())

const messageOf = (name: string): string => failuresOf(all.output).get(name)?.message ?? `"${name}" did not fail`

/** All but the last lines, which name the schedule: what another run of the same schedule says, too. */
const storyOf = (message: string): string => message.slice(0, message.indexOf("\n\npreemptions"))

const odd = "it's a \"suite\" & $HOME `id` \\ 100% > a (very) [odd] name? *.* | ^$ {1} ~ é\n\tnext line"

describe("what fails and what passes", () => {
  test("just the tests that should fail do", () => {
    expect(all.exitCode).toBe(1)
    expect([...failuresOf(all.output).keys()]).toEqual([
      "a lost update",
      "a deadlock",
      "a spinning thread",
      "too many schedules for the time",
      "the least first",
      "other outcomes",
      "a known failure, mended",
      "a lost update, at random",
      odd,
      `${odd}, longer`,
      "a livelock"
    ])
    expect(all.output).toMatch(/Tests {2}11 failed \| 10 passed \| 1 expected fail \| 1 skipped \(23\)/)
  })

  test("a failure points to the line that declares the test", () => {
    const source = readFileSync(join(project.home, "test", "races.spec.ts"), "utf8").split("\n")
    expect(failuresOf(all.output).size).toBe(11)
    for (const [name, { line }] of failuresOf(all.output)) {
      expect(source[line - 1]).toMatch(/^ *it\.(?:explore|fuzz)\(/)
      expect(source[line - 1]).toContain(name.split("\n")[0]!.split(" > ").at(-1))
    }
  })

  test("a violated rule: what broke, the interleaving, how few preemptions, the schedule, the command", () => {
    expect(messageOf("a lost update")).toMatchInlineSnapshot(`
      "RaceError: sum:x broken: x is 1, not 2

         adder 0                                         adder 1
         -------                                         -------
      *0 x.load = 0
       1                                                 x.load = 0
      *2                                                 x.store(1)
       3                                                 thread:adder 1.exit
      *4 x.store(1)
      !5 thread:adder 0.exit

      Broken: sum nothing is lost (step 5)
      Here: x is 1, not 2

      preemptions 1 -> 1 (proved minimal: 2 schedules exhausted), switches 2 -> 2, steps 6 -> 6
      explored 2 executions, 7 steps, 6 states, up to the first failure
      schedule mm1.BQIbaKI
      (cd 'somebody'\\''s package' && MMRACE_SCHEDULE=mm1.BQIbaKI npx vitest run test/races.spec.ts -t '^a lost update$')"
    `)
  })

  test("a deadlock names who waits for whom", () => {
    expect(messageOf("a deadlock").split("\n")[0]).toBe(
      "RaceError: deadlock: B waits in a.lock for A; A waits in b.lock for B"
    )
  })

  test("a livelock is told until it has gone once round", () => {
    expect(messageOf("a livelock")).toMatch(/^RaceError: livelock: steps \d+ to \d+ repeat for ever/)
    expect(messageOf("a livelock").split("\n").length).toBeLessThan(40)
  })

  test("an incomplete exploration fails, and says which option would complete it", () => {
    expect(messageOf("a spinning thread")).toContain("Incomplete: executions of more than 20 steps were cut")
    expect(messageOf("a spinning thread")).toContain("`Cell.awaitValue`")
    expect(messageOf("too many schedules for the time")).toMatch(
      /Incomplete: the test's timeout of 0\.05 s was over\n\nNo failure in [\d,]+ executions?, [\d,]+ steps?, [\d,]+ states?, but there is more\.\n\nRaise the timeout of the test, or ask for less: with `bound: 2`/
    )
  })

  test("a table of outcomes, and an execution that ends in one that is not expected", () => {
    expect(messageOf("other outcomes")).toMatchInlineSnapshot(`
      "RaceError: Outcomes: x=2 not expected; x=0 never met

      Outcomes 2, by executions explored
        0  x=0  expected, never met
        1  x=1
        1  x=2  not expected
      explored 2 executions, 4 steps, 3 states, all there is

      An execution that ends in x=2:

         A                                               B
         -                                               -
      *0 x.store(1)
       1 thread:A.exit
      *2                                                 x.store(2)
       3                                                 thread:B.exit

      Nothing broke.

      schedule mm1.AAAAAA
      (cd 'somebody'\\''s package' && MMRACE_SCHEDULE=mm1.AAAAAA npx vitest run test/races.spec.ts -t '^other outcomes$')"
    `)
  })

  test("a failure that should be there and is not", () => {
    expect(messageOf("a known failure, mended")).toContain("Not violated: no schedule breaks sum:x.")
  })

  test("a campaign says which execution of which seed failed", () => {
    expect(messageOf("a lost update, at random")).toMatch(/found by execution \d+ of seed 3, strategy /)
  })

  test("tests that pass say for what", () => {
    for (
      const line of [
        "Complete: no schedule fails (2 executions, 4 steps, 3 states)",
        "Complete within 0 preemptions, not beyond: no schedule fails",
        "violated as it should be: sum:x broken: x is 1, not 2",
        "no failure in 50 executions of seed 0, strategy pct:2"
      ]
    ) {
      expect(all.output).toContain(`↳ ${line}`)
    }
    // The bounded one without asking for annotations.
    expect(all.output).toMatch(/^Complete within 0 preemptions/m)
  })
})

/** Runs a printed line as it is: the same test must fail in the same way, and no other test may run. */
const paste = async (command: string, directory: string, name: string, story: string): Promise<string> => {
  const { exitCode, output } = await shell(command, directory)
  const failures = failuresOf(output)
  expect([...failures.keys()]).toEqual([name])
  const { message } = failures.get(name)!
  expect(story).not.toBe("")
  expect(message).toContain(story)
  expect(message).toContain("only this schedule was run (MMRACE_SCHEDULE is set); it fits")
  expect(output).toMatch(/Tests {2}1 failed \| 22 skipped/)
  expect(exitCode).toBe(1)
  return commandIn(message)
}

describe("the printed command, pasted as it is, shows the same failure of the same test only", () => {
  test("where a script of the package ran vitest, and then in the package itself", async () => {
    const command = commandIn(messageOf(odd))
    const story = storyOf(messageOf(odd))
    expect(command).toMatch(/^\(cd 'somebody'\\''s package' && MMRACE_SCHEDULE=/)
    const inside = await paste(command, project.workspace, odd, story)
    expect(inside).toBe(command.slice(command.indexOf("MMRACE"), -1))
    expect(await paste(inside, project.home, odd, story)).toBe(inside)
  })

  test("of a livelock, which a schedule that is not fair would leave", async () => {
    const message = messageOf("a livelock")
    await paste(commandIn(message), project.workspace, "a livelock", storyOf(message))
  })

  test("above the root of the project", async () => {
    const name = "a lost update, at random"
    const { output } = await shell(`npx vitest run --root somebody*package -t '^${name}$'`, project.workspace)
    const { message } = failuresOf(output).get(name)!
    const command = commandIn(message)
    expect(command).toContain(
      "npx vitest run --root 'somebody'\\''s package' 'somebody'\\''s package/test/races.spec.ts'"
    )
    expect(await paste(command, project.workspace, name, storyOf(message))).toBe(command)
  })
})
