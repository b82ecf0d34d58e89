/**
 * The fields that a command declares are those it touches: all reductions of exploration rest on it. A property of an
 * actor's state belongs to the fields whose commands write it; who looks at it must name one of them.
 */
import { type Actor, type ActorType, type Command, Executor, RandomWalk } from "@mmrace/core"
import { Kernel, loadProgram } from "@mmrace/actors"
import { readdirSync } from "node:fs"
import { expect, it } from "vitest"
import { kernelOf, readRace } from "../corpus/race.ts"

type AnyCommand = Command<unknown, unknown, unknown>
type Properties = Map<AnyCommand, Set<string>>

const corpus = new URL("../../corpus/", import.meta.url)
const executions = 15

const note = (properties: Properties, command: AnyCommand, property: string): void => {
  const known = properties.get(command)
  if (known === undefined) properties.set(command, new Set([property]))
  else known.add(property)
}

const isRecord = (state: unknown): state is Record<string, unknown> => typeof state === "object" && state !== null

/** Runs the steps of an execution again, outside of the engine, and notes what each command looks at and changes. */
const watch = (executor: Executor, actors: ReadonlyArray<Actor<unknown>>, reads: Properties, writes: Properties) => {
  const states = actors.map((actor) => actor.initial)
  const { asks, length, results, threads } = executor.log
  for (let i = 0; i < length; i++) {
    const { actor, arg, command } = asks[i]!
    const before = states[actor.id]
    if (actor.type.fields.length > 1 && isRecord(before)) {
      const seen = new Proxy(before, {
        get: (state, property: string) => {
          note(reads, command, property)
          return state[property]
        }
      })
      const ref = { id: threads[i]!, name: "", killed: false }
      command.blocked?.(seen, arg, ref)
      command.decide?.(seen, arg, ref)
    }
    const after = command.evolve === undefined ? before : command.evolve(before, arg, results[i], threads[i]!)
    states[actor.id] = after
    if (actor.type.fields.length < 2 || !isRecord(before) || !isRecord(after)) continue
    for (const property of new Set([...Object.keys(before), ...Object.keys(after)])) {
      if (!Object.is(before[property], after[property])) note(writes, command, property)
    }
  }
}

const declared = ({ alsoReads, alsoWrites, field, type }: AnyCommand): ReadonlyArray<number> => [
  ...(type.fields.length > 1 ? [field] : []),
  ...alsoReads,
  ...alsoWrites
]

it("every command declares the fields that it looks at and that it changes", () => {
  const reads: Properties = new Map()
  const writes: Properties = new Map()
  for (const file of readdirSync(corpus)) {
    const program = readRace(new URL(file, corpus))
    for (const kernel of [kernelOf(program), Kernel.complete()]) {
      const { model } = loadProgram(program, kernel)
      const executor = new Executor(model, { maxSteps: 2000 })
      for (let seed = 0; seed < executions; seed++) {
        executor.run(new RandomWalk(), seed)
        watch(executor, model.actors, reads, writes)
      }
    }
  }
  /** By type and property: the fields by which it is written; those of commands that write all fields are no owners. */
  const owners = new Map<ActorType<unknown>, Map<string, Set<number>>>()
  for (const [command, properties] of writes) {
    if (command.alsoWrites.length > 0) continue
    let byProperty = owners.get(command.type)
    if (byProperty === undefined) owners.set(command.type, byProperty = new Map())
    for (const property of properties) {
      byProperty.set(property, (byProperty.get(property) ?? new Set()).add(command.field))
    }
  }
  const wrong: Array<string> = []
  for (const [what, properties] of [["looks at", reads], ["changes", writes]] as const) {
    for (const [command, names] of properties) {
      for (const property of names) {
        const owning = owners.get(command.type)?.get(property)
        if (owning === undefined || declared(command).some((field) => owning.has(field))) continue
        const fields = [...owning].map((field) => command.type.fields[field])
        wrong.push(`${command.type.name}.${command.name} ${what} ${property}, which is ${fields.join(" and ")}`)
      }
    }
  }
  expect(reads.size).toBeGreaterThan(20)
  expect(wrong).toEqual([])
})
