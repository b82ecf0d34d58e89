import { Executor, Explore, FromChoices, runCampaign, shrink } from "@mmrace/core"
import { Result } from "effect"
import { expect, test } from "vitest"
import { treiberStack } from "../../examples/treiber-stack.ts"

test("ABA in the untagged stack needs one preemption, during which the recycler does all its work", () => {
  const model = treiberStack(false)
  const { report } = runCampaign(model, { runs: 500, untilFailure: true })
  const { after, choices, proof } = Result.getOrThrow(shrink(model, report.failures[0]!))
  expect(after).toMatchObject({ preemptions: 1, switches: 2 })
  expect(proof.preemptionsMinimal).toBe(true)
  const executor = new Executor(model)
  expect(executor.run(new FromChoices(choices))).toMatchObject({ _tag: "Violation", monitor: "owned" })
  const { asks, length, threads } = executor.log
  // The recycler pops nodes 0 and 1 and pushes 0 again while the popper holds the old head and what was under it.
  expect(Array.from({ length }, (_, i) => threads[i])).toEqual([0, 0, ...Array.from({ length: 10 }, () => 1), 0])
  expect(asks[length - 1]!.command.name).toBe("pop")
})

test("a tagged head is safe, in every schedule", () => {
  expect(runCampaign(treiberStack(true), { runs: 2000 }).report.failures).toEqual([])
  expect(Explore.explore(treiberStack(true)).verdict).toMatchObject({ _tag: "Complete", within: undefined })
  expect(Explore.explore(treiberStack(false)).verdict).toMatchObject({ _tag: "Violated" })
})
