/** A livelock is found when there is one: held against the whole graph of states. */
import { Explore, type Model } from "@mmrace/core"
import * as fc from "fast-check"
import { expect, test } from "vitest"
import { Dependence } from "@mmrace/core/explore/Dependence"
import { Machine } from "@mmrace/core/explore/Machine"
import { Values } from "@mmrace/core/explore/Values"
import { Visited } from "@mmrace/core/explore/Visited"
import { loopers, loops } from "./loopers.ts"

const numRuns = Number(process.env["EXPLORE_RUNS"] ?? 300)

interface Vertex {
  readonly enabled: ReadonlyArray<number>
  /** Somebody who is no daemon has not ended. */
  readonly isLeft: boolean
  readonly edges: Array<{ readonly thread: number; readonly to: number }>
}

/** Undefined when there are more than `most` states. */
const graphOf = (model: Model, most: number): ReadonlyArray<Vertex> | undefined => {
  const machine = new Machine(model, new Values(), new Dependence(model), { intern: true })
  const visited = new Visited()
  const graph: Array<Vertex> = []
  const visit = (): number => {
    const known = visited.find(machine.vector!)
    if (known >= 0) return known
    const id = visited.add(machine.vector!)
    const enabled: Array<number> = []
    machine.enabled(enabled)
    const isLeft = model.threads.some(({ daemon, id: thread }) => !daemon && machine.pending(thread) !== undefined)
    const vertex: Vertex = { enabled, isLeft, edges: [] }
    graph[id] = vertex
    for (const thread of enabled) {
      if (graph.length > most) break
      const step = machine.step(thread)
      // Where it fails an execution ends.
      if (step.failure === undefined) vertex.edges.push({ thread, to: visit() })
      machine.undo(step)
    }
    return id
  }
  try {
    visit()
    return graph.length > most ? undefined : graph
  } finally {
    machine.close()
  }
}

/** Which states reach which: small graphs only. */
const componentsOf = (graph: ReadonlyArray<Vertex>): ReadonlyArray<ReadonlyArray<number>> => {
  const reach = graph.map((_, from) => {
    const seen = new Set<number>()
    const waiting = [from]
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      for (const { to } of graph[at]!.edges) {
        if (seen.has(to)) continue
        seen.add(to)
        waiting.push(to)
      }
    }
    return seen
  })
  const done = new Set<number>()
  return graph.flatMap((_, from) => {
    if (done.has(from) || !reach[from]!.has(from)) return []
    const component = [...reach[from]!].filter((to) => reach[to]!.has(from))
    for (const id of component) done.add(id)
    return [component]
  })
}

/** Going round all of a component: who could always move does move. */
const isFair = (graph: ReadonlyArray<Vertex>, component: ReadonlyArray<number>): boolean => {
  const within = new Set(component)
  const moved = new Set(
    component.flatMap((id) => graph[id]!.edges.filter(({ to }) => within.has(to)).map(({ thread }) => thread))
  )
  return graph[component[0]!]!.enabled.every((thread) =>
    moved.has(thread) || component.some((id) => !graph[id]!.enabled.includes(thread))
  )
}

const ways: ReadonlyArray<Explore.ExploreOptions> = [{}, { reduction: "states" }, { minimal: true }, { cost: "delays" }]

test("a livelock is found just where the graph of states has a fair way round", () => {
  const counts = { with: 0, without: 0 }
  fc.assert(
    fc.property(loops, (threads) => {
      const graph = graphOf(loopers(threads), 400)
      fc.pre(graph !== undefined)
      const fair = componentsOf(graph).some((component) => graph[component[0]!]!.isLeft && isFair(graph, component))
      counts[fair ? "with" : "without"]++
      for (const options of ways) {
        const { outcomes, verdict } = Explore.explore(loopers(threads), options)
        if (verdict._tag === "Violated" && !verdict.exhaustive) continue
        expect(outcomes.some(({ name }) => name === "livelock"), JSON.stringify(options)).toBe(fair)
      }
    }),
    { numRuns, ...(process.env["EXPLORE_SEED"] === undefined ? {} : { seed: Number(process.env["EXPLORE_SEED"]) }) }
  )
  expect(counts.with).toBeGreaterThan(numRuns / 10)
  expect(counts.without).toBeGreaterThan(numRuns / 10)
})

test("no search sees one where they are left to the default's, which is left out", () => {
  fc.assert(
    fc.property(loops, fc.constantFrom(...ways.slice(1)), (threads, options) => {
      const all = Explore.explore(loopers(threads), options)
      const { outcomes, verdict } = Explore.explore(loopers(threads), { ...options, livelocks: false })
      expect(outcomes.map(({ name }) => name)).not.toContain("livelock")
      if (all.outcomes.every(({ failed, name }) => !failed || name === "livelock")) {
        expect(verdict._tag).toBe("Complete")
      }
    }),
    { numRuns: 60 }
  )
})
