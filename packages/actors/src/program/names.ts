/** What the parts of a program are called, gathered once for the checks. */
import type * as P from "./Program.ts"
import { MAIN } from "./Program.ts"

/** A process besides `main`, and what makes it. */
export type Origin =
  | { readonly _tag: "shared"; readonly region: P.Region }
  | { readonly _tag: "fork"; readonly thread: P.Thread; readonly statement: P.Statement }

export interface Names {
  readonly regions: ReadonlyMap<string, P.Region>
  readonly uffds: ReadonlyMap<string, P.Uffd>
  readonly threads: ReadonlyMap<string, P.Thread>
  /** First origin of every process but `main`. */
  readonly processes: ReadonlyMap<string, Origin>
  /** Regions that some thread may have mapped in a process. */
  readonly mapped: ReadonlyMap<string, ReadonlySet<string>>
}

/** Visits statements in textual order, those of blocks after their head; `repeated` inside any `repeat`. */
export const eachStatement = (
  body: ReadonlyArray<P.Statement>,
  visit: (statement: P.Statement, repeated: boolean) => void,
  repeated = false
): void => {
  for (const statement of body) {
    visit(statement, repeated)
    if (statement._tag === "repeat") eachStatement(statement.body, visit, true)
    if (statement._tag === "if") {
      eachStatement(statement.then, visit, repeated)
      eachStatement(statement.else ?? [], visit, repeated)
    }
  }
}

/** Whether any thread sends a signal. */
export const kills = (program: P.Program): boolean => {
  let found = false
  for (const { body } of program.threads) eachStatement(body, ({ _tag }) => (found ||= _tag === "kill"))
  return found
}

const firstByName = <T extends { readonly name: string }>(items: ReadonlyArray<T>): Map<string, T> => {
  const map = new Map<string, T>()
  for (const item of items) if (!map.has(item.name)) map.set(item.name, item)
  return map
}

const processesOf = (program: P.Program): Map<string, Origin> => {
  const processes = new Map<string, Origin>()
  for (const region of program.regions) {
    const { sharedWith } = region
    if (sharedWith !== undefined && !processes.has(sharedWith)) processes.set(sharedWith, { _tag: "shared", region })
  }
  for (const thread of program.threads) {
    eachStatement(thread.body, (statement) => {
      if (statement._tag !== "fork" || processes.has(statement.result)) return
      processes.set(statement.result, { _tag: "fork", thread, statement })
    })
  }
  return processes
}

/** A child has what its parent has; `mmap` in one of its threads adds to that. Iterates until nothing is added. */
const mappedRegions = (
  program: P.Program,
  processes: ReadonlyMap<string, Origin>
): ReadonlyMap<string, ReadonlySet<string>> => {
  const mapped = new Map<string, Set<string>>([[MAIN, new Set(program.regions.map(({ name }) => name))]])
  for (const name of processes.keys()) mapped.set(name, new Set())
  for (const { name, sharedWith } of program.regions) if (sharedWith !== undefined) mapped.get(sharedWith)?.add(name)
  for (const { process, body } of program.threads) {
    eachStatement(body, (statement) => {
      if (statement._tag === "mmap") mapped.get(process)?.add(statement.region)
    })
  }
  for (let changed = true; changed;) {
    changed = false
    for (const [name, origin] of processes) {
      const own = mapped.get(name)
      if (origin._tag !== "fork" || own === undefined) continue
      for (const region of mapped.get(origin.thread.process) ?? []) {
        if (!own.has(region)) {
          own.add(region)
          changed = true
        }
      }
    }
  }
  return mapped
}

export const namesOf = (program: P.Program): Names => {
  const processes = processesOf(program)
  return {
    regions: firstByName(program.regions),
    uffds: firstByName(program.uffds),
    threads: firstByName(program.threads),
    processes,
    mapped: mappedRegions(program, processes)
  }
}
