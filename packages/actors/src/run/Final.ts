/**
 * Final conditions, with the meaning they have in herd7: evaluated on the state every execution ends in. A broken
 * `forall` or `~exists` is a violation of the execution; `exists` is a question about all of them, answered from the
 * table of outcomes.
 */
import { commands, type Event, exitThread, type Monitor, type Quiescence } from "@mmrace/core"
import { processNames, type World } from "../objects/World.ts"
import {
  type Condition,
  formatValue,
  MAIN,
  type MemoryTerm,
  printCondition,
  printTest,
  type RegisterTerm
} from "../program/index.ts"
import { compare } from "./compare.ts"
import { literalOf } from "./Interpret.ts"
import type { Layout } from "./Layout.ts"

/** What a process would load from a page at the end: the page, its data in swap, or 0 for an empty entry. */
export const memoryAt = (world: World, mm: number, page: number): number => {
  const pte = world.mms[mm]!.ptes[page]!.state
  if (pte._tag === "present") return world.folios[pte.pfn]!.page.state
  if (pte._tag !== "swap") return 0
  const slot = world.slots[pte.offset]!.actor.state
  return slot.cache >= 0 ? world.folios[slot.cache]!.page.state : slot.data
}

/** Registers of the threads that have ended, by thread id. */
export type Registers = Readonly<Record<number, Readonly<Record<string, number>>>>

interface Observed {
  readonly registers: Registers
}

const registerTerm = (layout: Layout, registers: Registers, { test, thread }: RegisterTerm): number | undefined =>
  registers[layout.thread(thread)]?.[test.field === undefined ? test.register : `${test.register}.${test.field}`]

/** A register of a thread that has not ended equals nothing. */
const evaluate = (layout: Layout, registers: Registers, condition: Condition): boolean => {
  switch (condition._tag) {
    case "and":
      return condition.terms.every((term) => evaluate(layout, registers, term))
    case "or":
      return condition.terms.some((term) => evaluate(layout, registers, term))
    case "not":
      return !evaluate(layout, registers, condition.term)
    case "register": {
      const value = registerTerm(layout, registers, condition)
      return value !== undefined && compare(value, condition.test.compare, literalOf(layout, condition.test.value))
    }
    case "memory": {
      const value = memoryAt(layout.world, layout.process(condition.process), layout.page(condition.page))
      return compare(value, condition.compare, condition.value)
    }
  }
}

const terms = (condition: Condition): ReadonlyArray<RegisterTerm | MemoryTerm> => {
  switch (condition._tag) {
    case "and":
    case "or":
      return condition.terms.flatMap(terms)
    case "not":
      return terms(condition.term)
    case "register":
    case "memory":
      return [condition]
  }
}

/** `dma:r0=7; [A]=2;`: the observed values of everything the condition names. */
const outcomeText = (layout: Layout, registers: Registers, condition: Condition): string => {
  const seen = new Set<string>()
  for (const term of terms(condition)) {
    if (term._tag === "register") {
      const value = registerTerm(layout, registers, term)
      const name = `${term.thread}:${printTest({ ...term.test, compare: "=", value: 0 }).replace(/ *= *0$/, "")}`
      seen.add(`${name}=${value === undefined ? "?" : formatValue(value)};`)
    } else {
      const process = term.process === "main" ? "" : `${term.process}:`
      const page = layout.region(term.page.region).pages === 1
        ? term.page.region
        : `${term.page.region}[${term.page.page}]`
      seen.add(
        `[${process}${page}]=${
          formatValue(memoryAt(layout.world, layout.process(term.process), layout.page(term.page)))
        };`
      )
    }
  }
  return [...seen].join(" ")
}

/** Where a program names no condition: all registers of its threads and all memory, in the program's order. */
export const wholeState = (layout: Layout, registers: Registers): string => {
  const { program, regions } = layout.world
  const seen = program.threads.flatMap((thread, id) =>
    Object.entries(registers[id] ?? {}).toSorted(([a], [b]) => a < b ? -1 : 1)
      .map(([name, value]) => `${thread.name}:${name}=${formatValue(value)};`)
  )
  const memory = processNames(program).flatMap((name, mm) => {
    const isEmpty = layout.world.mms[mm]!.ptes.every((pte) => pte.state._tag === "none")
    if (isEmpty && name !== MAIN) return []
    return regions.flatMap((region) =>
      Array.from({ length: region.pages }, (_, page) => {
        const place = `${name === MAIN ? "" : `${name}:`}${region.name}${region.pages === 1 ? "" : `[${page}]`}`
        return `[${place}]=${formatValue(memoryAt(layout.world, mm, region.first + page))};`
      })
    )
  })
  return [...seen, ...memory].join(" ")
}

export interface FinalCheck {
  readonly monitor: Monitor<Observed>
  /** After an execution that ended Ok or broke the condition: what it ended in, and whether the condition held. */
  readonly outcome: (state: unknown) => { readonly text: string; readonly holds: boolean }
}

const nothing: Observed = { registers: {} }

/** The check of a program's final condition; undefined when it has none. */
export const finalCheck = (layout: Layout): FinalCheck | undefined => {
  const { final } = layout.world.program
  if (final === undefined) return undefined
  const { condition, quantifier } = final
  const monitor: Monitor<Observed> = {
    id: "final",
    title: `${quantifier} (${printCondition(condition)})`,
    on: commands(exitThread),
    initial: () => nothing,
    step: (state: Observed, event: Event) => ({
      registers: { ...state.registers, [event.thread]: event.result as Record<string, number> }
    }),
    end: (state: Observed, quiescence: Quiescence) => {
      const holds = evaluate(layout, state.registers, condition)
      if (quantifier !== "exists" && holds !== (quantifier === "forall")) {
        quiescence.violate(
          `${quantifier} (${printCondition(condition)}) fails: ${outcomeText(layout, state.registers, condition)}`,
          "final condition"
        )
      }
    }
  }
  return {
    monitor,
    outcome: (state) => {
      const { registers } = state as Observed
      return { text: outcomeText(layout, registers, condition), holds: evaluate(layout, registers, condition) }
    }
  }
}
