/**
 * Whether a program that reads well also means something: names resolve, places exist, and the set-up
 * does not contradict itself. What happens when it runs is not looked at.
 */
import {
  checkFeatures,
  checkPage,
  checkRange,
  checkTestValue,
  checkThread,
  type Registers,
  registersOf,
  type Report
} from "./checkThread.ts"
import { didYouMean, type Issue } from "./Issue.ts"
import { eachStatement, type Names, namesOf } from "./names.ts"
import { type Positions, spanIn } from "./parse.ts"
import type * as P from "./Program.ts"
import { MAIN } from "./Program.ts"

/** Says what is wrong with a word (`expected ..., found ...`), or undefined when it is right. */
export type Validate = (word: string) => string | undefined

export interface CheckOptions {
  /** Places every issue in the text the program was read from. */
  readonly positions?: Positions
  /** Words that the kernel registry knows; a word without a validator is taken as it is. */
  readonly release?: Validate
  readonly arch?: Validate
  /** Of `with`, `without` and `fix`. */
  readonly change?: Validate
  readonly bug?: Validate
  readonly invariant?: Validate
}

/** A region lies in one page table. */
export const MAX_PAGES = 512

/** CPUs that a thread can be put on: 0 to MAX_CPUS - 1. */
export const MAX_CPUS = 64

const validateBug: Validate = (word) =>
  /^B-\d+$/.test(word) ? undefined : `expected a bug such as B-05, found '${word}'`
const validateInvariant: Validate = (word) =>
  /^I-\d+$/.test(word) ? undefined : `expected an invariant such as I-04, found '${word}'`

/** Everything that is wrong with a program, in source order where positions are given. Empty: nothing is. */
export const check = (program: P.Program, options: CheckOptions = {}): ReadonlyArray<Issue> => {
  const issues: Array<Issue> = []
  const report: Report = (message, node, field) => {
    const span = spanIn(options.positions, node, field)
    issues.push(span === undefined ? { message } : { message, span })
  }
  const names = namesOf(program)

  checkHeader(program, options, report)
  checkRegions(program, report)
  checkPools(program, report)
  checkUffds(program, names, report)
  checkTlb(program, names, report)
  checkThreads(program, names, report)
  checkProcesses(program, names, report)
  for (const thread of program.threads) checkThread(names, report, thread)
  checkFinal(program, names, report)

  return issues
    .map((issue, order) => ({ issue, order }))
    .sort((a, b) =>
      (a.issue.span?.line ?? 0) - (b.issue.span?.line ?? 0) ||
      (a.issue.span?.column ?? 0) - (b.issue.span?.column ?? 0) ||
      a.order - b.order
    )
    .map(({ issue }) => issue)
}

const checkHeader = (program: P.Program, options: CheckOptions, report: Report): void => {
  const validate = (validator: Validate | undefined, word: string | undefined, node: object, field: string): void => {
    const message = word === undefined ? undefined : validator?.(word)
    if (message !== undefined) report(message, node, field)
  }
  validate(options.release, program.kernel.release, program.kernel, "release")
  validate(options.arch, program.kernel.arch, program.kernel, "arch")
  program.with.forEach((word, index) => validate(options.change, word, program, `with.${index}`))
  program.without.forEach((word, index) => {
    validate(options.change, word, program, `without.${index}`)
    if (program.with.includes(word)) {
      report(`expected '${word}' under 'with' or 'without', found it under both`, program, `without.${index}`)
    }
  })
  program.fixes.forEach((word, index) => validate(options.change, word, program, `fix.${index}`))
  validate(options.bug ?? validateBug, program.bug, program, "bug")
  program.breaks.forEach((word, index) =>
    validate(options.invariant ?? validateInvariant, word, program, `breaks.${index}`)
  )
}

/** Names that are given twice, at the second place. */
const checkTwice = (items: ReadonlyArray<{ readonly name: string }>, what: string, report: Report): void => {
  const seen = new Set<string>()
  for (const item of items) {
    if (seen.has(item.name)) report(`expected a new name, found a second ${what} '${item.name}'`, item, "name")
    seen.add(item.name)
  }
}

const checkRegions = (program: P.Program, report: Report): void => {
  checkTwice(program.regions, "region", report)
  for (const region of program.regions) {
    if (region.pages < 1 || region.pages > MAX_PAGES) {
      report(`expected 1 to ${MAX_PAGES} pages, found ${region.pages}`, region, "pages")
    }
    if (region.swapped && region.content === undefined) {
      report("expected content for a swapped region, such as '= 1 swapped'", region, "swapped")
    }
    if (region.swapped && program.swap === undefined) {
      report("expected a 'swap' line for a swapped region", region, "swapped")
    }
    if (region.sharedWith === MAIN) {
      report(`expected the name of a child, found '${MAIN}', which has every region`, region, "sharedWith")
    }
  }
  const swapped = program.regions.filter((region) => region.swapped)
  const needed = swapped.reduce((sum, { pages }) => sum + pages, 0)
  const last = swapped.at(-1)
  if (program.swap !== undefined && last !== undefined && needed > program.swap.slots) {
    report(`expected at least ${needed} swap slots for the swapped pages, found ${program.swap.slots}`, program.swap)
  }
  if (program.swap?.slots === 0) report("expected at least 1 swap slot", program.swap)
}

const checkPools = ({ limits, regions }: P.Program, report: Report): void => {
  const folios = regions.reduce(
    (sum, { pages, content, swapped }) => sum + (content === undefined || swapped ? 0 : pages),
    0
  )
  const children = new Set(regions.flatMap(({ sharedWith }) => sharedWith === undefined ? [] : [sharedWith]))
  const vmas = regions.reduce((sum, { sharedWith }) => sum + (sharedWith === undefined ? 1 : 2), 0)
  const pools = [["folios", folios], ["mms", 1 + children.size], ["vmas", vmas]] as const
  for (const [pool, needed] of pools) {
    const size = limits[pool]
    if (size !== undefined && size < needed) {
      report(`expected a limit of at least ${needed} ${pool}, which the set-up takes, found ${size}`, limits)
    }
  }
}

const checkUffds = (program: P.Program, names: Names, report: Report): void => {
  checkTwice(program.uffds, "userfaultfd", report)
  for (const uffd of program.uffds) checkFeatures(report, uffd.features ?? [], uffd)
  const owners = new Map<string, string>()
  for (const registration of program.registrations) {
    const { uffd, range } = registration
    const found = names.uffds.get(uffd)
    if (found === undefined) {
      report(`expected a userfaultfd, found '${uffd}'${didYouMean(uffd, names.uffds.keys())}`, registration, "uffd")
    } else if (found.features === undefined) {
      report(`expected a userfaultfd that is ready, found '${uffd}', which is 'new'`, registration, "uffd")
    }
    const region = checkRange(names, report, range)
    if (region === undefined) continue
    const { first, last } = range.pages ?? { first: 0, last: Math.min(region.pages, MAX_PAGES) - 1 }
    for (let page = first; page <= Math.min(last, MAX_PAGES); page++) {
      const owner = owners.get(`${region.name}[${page}]`)
      if (owner !== undefined && owner !== uffd) {
        report(
          `expected a range of one userfaultfd, found '${region.name}[${page}]' registered with '${owner}' too`,
          registration
        )
        break
      }
      owners.set(`${region.name}[${page}]`, uffd)
    }
  }
}

const checkTlb = (program: P.Program, names: Names, report: Report): void => {
  for (const entry of program.tlb) {
    const thread = names.threads.get(entry.thread)
    if (thread === undefined) {
      report(
        `expected a thread, found '${entry.thread}'${didYouMean(entry.thread, names.threads.keys())}`,
        entry,
        "thread"
      )
    }
    const region = checkPage(names, report, entry.page)
    if (region === undefined) continue
    const process = thread?.process ?? MAIN
    if (process !== MAIN && region.sharedWith !== process) {
      report(`expected a page that process '${process}' has at the start, found '${region.name}'`, entry.page)
    } else if (region.content === undefined || region.swapped || region.protection === "none") {
      report(`expected a page that is present at the start, found '${region.name}', which is not`, entry.page)
    } else if (entry.writable && (region.protection !== "rw" || region.sharedWith !== undefined)) {
      report(`expected a page that is writable at the start, found '${region.name}', which is not`, entry.page)
    }
  }
}

const checkThreads = (program: P.Program, names: Names, report: Report): void => {
  checkTwice(program.threads, "thread", report)
  if (program.threads.length === 0) report("expected at least one 'thread'", program)
  for (const thread of program.threads) {
    if (thread.cpu !== undefined && thread.cpu >= MAX_CPUS) {
      report(`expected a CPU from 0 to ${MAX_CPUS - 1}, found ${thread.cpu}`, thread)
    }
    checkProcess(names, report, thread.process, thread)
  }
}

const checkProcess = (names: Names, report: Report, process: string, node: object): void => {
  if (process === MAIN) return
  const origin = names.processes.get(process)
  if (origin === undefined) {
    const known = [MAIN, ...names.processes.keys()]
    report(`expected a process, found '${process}', which nobody forks${didYouMean(process, known)}`, node, "process")
  }
}

const checkProcesses = (program: P.Program, names: Names, report: Report): void => {
  const made = new Set<object>(
    [...names.processes.values()].map((origin) => origin._tag === "fork" ? origin.statement : origin.region)
  )
  for (const thread of program.threads) {
    eachStatement(thread.body, (statement, repeated) => {
      if (statement._tag !== "fork") return
      const { result } = statement
      if (result === MAIN) report(`expected another name for a child than '${MAIN}'`, statement, "result")
      else if (repeated) report(`expected one process '${result}', found its fork in a 'repeat'`, statement, "result")
      else if (!made.has(statement)) {
        report(`expected a new name, found a second process '${result}'`, statement, "result")
      }
    })
  }
  // A process whose forks are all done by processes that never come to be never comes to be either.
  const alive = new Set([MAIN])
  for (let changed = true; changed;) {
    changed = false
    for (const [name, origin] of names.processes) {
      if (!alive.has(name) && (origin._tag === "shared" || alive.has(origin.thread.process))) {
        alive.add(name)
        changed = true
      }
    }
  }
  for (const thread of program.threads) {
    if (names.processes.has(thread.process) && !alive.has(thread.process)) {
      report(
        `expected a process that can start, found '${thread.process}', which only its own threads fork`,
        thread,
        "process"
      )
    }
  }
}

const checkFinal = (program: P.Program, names: Names, report: Report): void => {
  if (program.final === undefined) return
  const registers = new Map<string, Registers>()
  for (const [name, thread] of names.threads) registers.set(name, registersOf(thread))
  checkCondition(program.final.condition, names, registers, report)
}

const checkCondition = (
  condition: P.Condition,
  names: Names,
  registers: ReadonlyMap<string, Registers>,
  report: Report
): void => {
  switch (condition._tag) {
    case "and":
    case "or":
      for (const term of condition.terms) checkCondition(term, names, registers, report)
      return
    case "not":
      return checkCondition(condition.term, names, registers, report)
    case "memory":
      checkProcess(names, report, condition.process, condition)
      checkPage(names, report, condition.page)
      return
    case "register": {
      const { thread, test } = condition
      const known = registers.get(thread)
      if (known === undefined) {
        report(`expected a thread, found '${thread}'${didYouMean(thread, names.threads.keys())}`, condition, "thread")
        return
      }
      const setters = known.get(test.register)
      if (setters === undefined) {
        const near = didYouMean(test.register, known.keys())
        report(
          `expected a register of thread '${thread}', found '${test.register}', which nothing sets${near}`,
          test,
          "register"
        )
      } else if (test.field !== undefined && !setters.has("read")) {
        report(`expected a message (a register set by 'read'), found '${test.register}'`, test, "register")
      }
      checkTestValue(names, report, test)
    }
  }
}
