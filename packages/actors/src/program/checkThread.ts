/** Checks of what threads do: registers are set before they are read, and every name means something. */
import { didYouMean } from "./Issue.ts"
import { eachStatement, type Names } from "./names.ts"
import type * as P from "./Program.ts"

/** Reports one thing that is wrong with a node, at one of its fields if given. */
export type Report = (message: string, node: object, field?: string) => void

/** The statements that have set a register so far, by register. */
type Setters = Map<string, Set<P.Statement["_tag"]>>

const GUP = ["pin", "pin_fast", "get", "get_fast"] as const

const unknown = (what: string, name: string, known: Iterable<string>): string =>
  `expected ${what}, found '${name}'${didYouMean(name, known)}`

export const checkRegion = (names: Names, report: Report, region: string, node: object): P.Region | undefined => {
  const found = names.regions.get(region)
  if (found === undefined) {
    const near = didYouMean(region, names.regions.keys())
    report(
      `expected a mapped region, found '${region}'${
        near || `; '${region}' is never mapped: add 'map ${region} anon rw 1'`
      }`,
      node,
      "region"
    )
  }
  return found
}

export const checkPage = (names: Names, report: Report, page: P.Page): P.Region | undefined => {
  const region = checkRegion(names, report, page.region, page)
  if (region !== undefined && page.page >= region.pages) {
    report(`expected a page of '${region.name}' (0 to ${region.pages - 1}), found ${page.page}`, page)
  }
  return region
}

export const checkRange = (names: Names, report: Report, range: P.Range): P.Region | undefined => {
  const region = checkRegion(names, report, range.region, range)
  const { pages } = range
  if (pages !== undefined && pages.first > pages.last) {
    report(`expected a range with its first page before its last, found ${pages.first}..${pages.last}`, range)
  } else if (region !== undefined && pages !== undefined && pages.last >= region.pages) {
    report(`expected pages of '${region.name}' (0 to ${region.pages - 1}), found ${pages.last}`, range)
  }
  return region
}

/** The value must be of the kind that the register or field holds. */
export const checkTestValue = (names: Names, report: Report, test: P.RegisterTest): void => {
  const { field, value, compare } = test
  if (field === "event") {
    if (typeof value !== "string") report("expected an event (pagefault, fork, remove or unmap)", test, "value")
  } else if (field === "address") {
    if (typeof value !== "object") report("expected the address of a page, such as &A[1]", test, "value")
    else checkPage(names, report, value)
  } else if (typeof value !== "number") {
    const hint = typeof value === "string"
      ? `; did you mean '${test.register}.event'?`
      : `; did you mean '${test.register}.address'?`
    report(`expected a number, -ERRNO or a signal${hint}`, test, "value")
  }
  if ((field === "event" || field === "address") && compare !== "=" && compare !== "!=") {
    report(`expected '=' or '!=' for an ${field}, found '${compare}'`, test)
  }
}

/** Everything that one thread does. */
export const checkThread = (names: Names, report: Report, thread: P.Thread): void => {
  const everSet = registersOf(thread)
  const setters: Setters = new Map()
  /** Registers with a page of `pin` or `get`, and those that got one to write to. */
  const taken = new Set<string>()
  const takenToWrite = new Set<string>()

  const useRegister = (
    register: string,
    node: object,
    field: string,
    kinds?: ReadonlyArray<P.Statement["_tag"]>,
    purpose?: string
  ): void => {
    const before = setters.get(register)
    if (before === undefined) {
      report(
        everSet.has(register)
          ? `expected a register that is set by now, found '${register}', which is set only later`
          : `expected a register of thread '${thread.name}', found '${register}', which nothing sets${
            didYouMean(register, everSet.keys())
          }`,
        node,
        field
      )
    } else if (kinds !== undefined && !kinds.some((kind) => before.has(kind))) {
      report(
        `expected ${purpose}, found '${register}', which is set by ${
          [...before].map((kind) => `'${kind}'`).join(" and ")
        }`,
        node,
        field
      )
    }
  }

  const useMessage = (register: string, node: object): void =>
    useRegister(register, node, "register", ["read"], "a message (a register set by 'read')")

  const useUffd = (uffd: P.UffdRef): void => {
    if (uffd._tag === "message") useMessage(uffd.register, uffd)
    else if (!names.uffds.has(uffd.name)) report(unknown("a userfaultfd", uffd.name, names.uffds.keys()), uffd, "name")
  }

  const usePlace = (region: P.Region | undefined, node: object): void => {
    const mapped = names.mapped.get(thread.process)
    if (region !== undefined && mapped !== undefined && !mapped.has(region.name)) {
      report(
        `expected a region that process '${thread.process}' has, found '${region.name}', which it never maps`,
        node,
        "region"
      )
    }
  }

  const usePage = (page: P.Page): void => usePlace(checkPage(names, report, page), page)
  const useRange = (range: P.Range): void => usePlace(checkRange(names, report, range), range)

  /** The ranges of a userfaultfd's operations lie in the process of the userfaultfd. */
  const useTarget = (target: P.Target): void => {
    if (target._tag === "message") {
      useMessage(target.register, target)
    } else if (!names.regions.has(target.range.region) && everSet.get(target.range.region)?.has("read") === true) {
      const { region } = target.range
      report(
        `expected a region, found the message '${region}'; did you mean '${region}.address'?`,
        target.range,
        "region"
      )
    } else {
      checkRange(names, report, target.range)
    }
  }

  const useOperand = (operand: P.Operand): void => {
    if (typeof operand !== "number") useRegister(operand.register, operand, "register")
  }

  const useThread = (name: string, node: object): void => {
    if (!names.threads.has(name)) report(unknown("a thread", name, names.threads.keys()), node, "thread")
  }

  const useTest = (test: P.RegisterTest): void => {
    if (test.field === undefined) useRegister(test.register, test, "register")
    else useMessage(test.register, test)
    checkTestValue(names, report, test)
  }

  const visitAll = (body: ReadonlyArray<P.Statement>): void => body.forEach(visit)

  const visit = (statement: P.Statement): void => {
    visitParts(statement)
    set(setters, statement)
    if ("access" in statement) {
      taken.add(statement.result)
      if (statement.access === "write") takenToWrite.add(statement.result)
    }
  }

  const visitParts = (statement: P.Statement): void => {
    switch (statement._tag) {
      case "load":
      case "pin":
      case "pin_fast":
      case "get":
      case "get_fast":
        return usePage(statement.page)
      case "store":
        usePage(statement.page)
        return useOperand(statement.value)
      case "dma_load":
        return useRegister(statement.pin, statement, "pin", GUP, "a pinned page (a register set by 'pin' or 'get')")
      case "dma_store":
        useRegister(statement.pin, statement, "pin", GUP, "a pinned page (a register set by 'pin' or 'get')")
        if (taken.has(statement.pin) && !takenToWrite.has(statement.pin)) {
          report(
            `expected a page taken for write, found '${statement.pin}', taken for read: no driver may write to it`,
            statement,
            "pin"
          )
        }
        return useOperand(statement.value)
      case "unpin":
        return useRegister(
          statement.pin,
          statement,
          "pin",
          ["pin", "pin_fast"],
          "a register set by 'pin' or 'pin_fast'"
        )
      case "put":
        return useRegister(
          statement.pin,
          statement,
          "pin",
          ["get", "get_fast"],
          "a register set by 'get' or 'get_fast'"
        )
      case "join":
        useThread(statement.thread, statement)
        if (statement.thread === thread.name) {
          report("expected another thread: a thread cannot join itself", statement, "thread")
        }
        return
      case "kill":
        return useThread(statement.thread, statement)
      case "reclaim":
      case "mprotect":
      case "madvise":
      case "munmap":
        return useRange(statement.range)
      case "mmap":
        checkRegion(names, report, statement.region, statement)
        return
      case "api":
        useUffd(statement.uffd)
        return checkFeatures(report, statement.features, statement)
      case "register":
      case "unregister":
        useUffd(statement.uffd)
        checkRange(names, report, statement.range)
        return
      case "copy":
        useUffd(statement.uffd)
        useTarget(statement.target)
        return useOperand(statement.value)
      case "wake":
      case "zeropage":
      case "writeprotect":
        useUffd(statement.uffd)
        return useTarget(statement.target)
      case "read":
      case "close":
        return useUffd(statement.uffd)
      case "choose":
        if (statement.count === 0) report("expected a choice of at least 1", statement)
        return
      case "repeat":
        if (statement.body.length === 0) report("expected indented statements under 'repeat'", statement)
        return visitAll(statement.body)
      case "if":
        useTest(statement.test)
        if (statement.then.length === 0) report("expected indented statements under 'if'", statement)
        visitAll(statement.then)
        if (statement.else?.length === 0) report("expected indented statements under 'else'", statement)
        return visitAll(statement.else ?? [])
      case "fork":
      case "exit":
        return
    }
  }

  visitAll(thread.body)
}

const set = (setters: Setters, statement: P.Statement): void => {
  if (!("result" in statement) || statement.result === undefined) return
  const tags = setters.get(statement.result)
  if (tags === undefined) setters.set(statement.result, new Set([statement._tag]))
  else tags.add(statement._tag)
}

/** Registers with the statements that set them. */
export type Registers = ReadonlyMap<string, ReadonlySet<P.Statement["_tag"]>>

/** The registers that a thread sets. */
export const registersOf = (thread: P.Thread): Registers => {
  const setters: Setters = new Map()
  eachStatement(thread.body, (statement) => set(setters, statement))
  return setters
}

export const checkFeatures = (report: Report, features: ReadonlyArray<P.UffdFeature>, node: object): void => {
  const twice = features.find((feature, index) => features.indexOf(feature) !== index)
  if (twice !== undefined) report(`expected each feature once, found '${twice}' twice`, node)
}
