/** The canonical text of a program: `parse(print(p))` is `p`, and printing what was read is the formatter. */
import { formatValue } from "./constants.ts"
import type * as P from "./Program.ts"
import { MAIN } from "./Program.ts"

const INDENT = "  "

const pageText = ({ region, page }: P.Page): string => page === 0 ? region : `${region}[${page}]`

const rangeText = ({ region, pages }: P.Range): string => {
  if (pages === undefined) return region
  return pages.first === pages.last ? `${region}[${pages.first}]` : `${region}[${pages.first}..${pages.last}]`
}

const targetText = (target: P.Target): string =>
  target._tag === "range" ? rangeText(target.range) : `${target.register}.address`

const uffdText = (uffd: P.UffdRef): string => uffd._tag === "uffd" ? uffd.name : `${uffd.register}.fd`

const operandText = (operand: P.Operand): string => typeof operand === "number" ? String(operand) : operand.register

const literalText = (literal: P.Literal): string => {
  if (typeof literal === "number") return formatValue(literal)
  return typeof literal === "string" ? literal : `&${pageText(literal)}`
}

/** `r0 = 7`, `m.address = &A[1]`. */
export const printTest = ({ register, field, compare, value }: P.RegisterTest): string =>
  `${register}${field === undefined ? "" : `.${field}`} ${compare} ${literalText(value)}`

/** A condition with the parentheses it needs and no others. */
export const printCondition = (condition: P.Condition): string => {
  switch (condition._tag) {
    case "register":
      return `${condition.thread}:${printTest(condition.test)}`
    case "memory": {
      const process = condition.process === MAIN ? "" : `${condition.process}:`
      return `[${process}${pageText(condition.page)}] ${condition.compare} ${formatValue(condition.value)}`
    }
    case "not":
      return `~${grouped(condition.term, ["and", "or"])}`
    case "and":
      return condition.terms.map((term) => grouped(term, ["and", "or"])).join(" /\\ ")
    case "or":
      return condition.terms.map((term) => grouped(term, ["or"])).join(" \\/ ")
  }
}

const grouped = (condition: P.Condition, within: ReadonlyArray<P.Condition["_tag"]>): string => {
  const text = printCondition(condition)
  return within.includes(condition._tag) ? `(${text})` : text
}

const modesText = ({ missing, wp }: P.RegisterModes): string =>
  [...(missing ? ["missing"] : []), ...(wp ? ["wp"] : [])].join(" ")

const featuresText = (features: ReadonlyArray<P.UffdFeature>): string =>
  features.length === 0 ? "" : ` features ${features.join(" ")}`

const flag = (set: boolean, word: string): string => set ? ` ${word}` : ""

const operationText = (operation: P.Operation): string => {
  switch (operation._tag) {
    case "load":
      return `load ${pageText(operation.page)}`
    case "store":
      return `store ${pageText(operation.page)} ${operandText(operation.value)}`
    case "dma_load":
      return `dma_load ${operation.pin}`
    case "dma_store":
      return `dma_store ${operation.pin} ${operandText(operation.value)}`
    case "pin":
    case "pin_fast":
    case "get":
    case "get_fast":
      return `${operation._tag} ${pageText(operation.page)} ${operation.access}`
    case "unpin":
    case "put":
      return `${operation._tag} ${operation.pin}`
    case "fork":
    case "exit":
      return operation._tag
    case "join":
    case "kill":
      return `${operation._tag} ${operation.thread}`
    case "reclaim":
    case "munmap":
      return `${operation._tag} ${rangeText(operation.range)}`
    case "mprotect":
      return `mprotect ${rangeText(operation.range)} ${operation.protection}`
    case "madvise":
      return `madvise ${rangeText(operation.range)} ${operation.advice}`
    case "mmap":
      return `mmap ${operation.region}`
    case "api":
      return `api ${uffdText(operation.uffd)}${featuresText(operation.features)}`
    case "register":
      return `register ${uffdText(operation.uffd)} ${rangeText(operation.range)} ${modesText(operation.modes)}`
    case "unregister":
      return `unregister ${uffdText(operation.uffd)} ${rangeText(operation.range)}`
    case "wake":
      return `wake ${uffdText(operation.uffd)} ${targetText(operation.target)}`
    case "copy":
      return `copy ${uffdText(operation.uffd)} ${targetText(operation.target)} = ${operandText(operation.value)}` +
        flag(operation.wp, "wp") + flag(operation.dontwake, "dontwake")
    case "zeropage":
      return `zeropage ${uffdText(operation.uffd)} ${targetText(operation.target)}${
        flag(operation.dontwake, "dontwake")
      }`
    case "writeprotect":
      return `writeprotect ${uffdText(operation.uffd)} ${targetText(operation.target)} ${operation.action}` +
        flag(operation.dontwake, "dontwake")
    case "read":
      return `read ${uffdText(operation.uffd)}${flag(operation.nonblock, "nonblock")}`
    case "close":
      return `close ${uffdText(operation.uffd)}`
    case "choose":
      return `choose ${operation.count}`
  }
}

/** One statement on one line, without indentation; of `if` and `repeat` the head. */
export const printStatement = (statement: P.Statement): string => {
  if (statement._tag === "repeat") return `repeat ${statement.count}`
  if (statement._tag === "if") return `if ${printTest(statement.test)}`
  const text = operationText(statement)
  return "result" in statement && statement.result !== undefined ? `${statement.result} = ${text}` : text
}

const printBody = (body: ReadonlyArray<P.Statement>, indent: string, lines: Array<string>): void => {
  for (const statement of body) {
    lines.push(indent + printStatement(statement))
    if (statement._tag === "repeat") printBody(statement.body, indent + INDENT, lines)
    if (statement._tag === "if") {
      printBody(statement.then, indent + INDENT, lines)
      if (statement.else !== undefined) {
        lines.push(`${indent}else`)
        printBody(statement.else, indent + INDENT, lines)
      }
    }
  }
}

const regionText = ({ name, kind, protection, pages, content, swapped, sharedWith }: P.Region): string =>
  `map ${name} ${kind} ${protection} ${pages}${content === undefined ? "" : ` = ${content}`}` +
  `${flag(swapped, "swapped")}${sharedWith === undefined ? "" : ` shared-with ${sharedWith}`}`

const threadText = ({ name, process, cpu }: P.Thread): string =>
  `thread ${name}${process === MAIN ? "" : ` in ${process}`}${cpu === undefined ? "" : ` cpu ${cpu}`}`

const headerLines = (program: P.Program): Array<string> => {
  const lines = [`mmrace ${program.name}`]
  if (program.description !== undefined) lines.push(JSON.stringify(program.description))
  const { release, arch } = program.kernel
  if (release !== undefined || arch !== undefined) lines.push(["kernel", release, arch].filter(Boolean).join(" "))
  for (const change of program.with) lines.push(`with ${change}`)
  for (const change of program.without) lines.push(`without ${change}`)
  if (program.bug !== undefined) lines.push(`bug ${program.bug}`)
  if (program.fixes.length > 0) lines.push(`fix ${program.fixes.join(" ")}`)
  if (program.breaks.length > 0) lines.push(`breaks ${program.breaks.join(" ")}`)
  return lines
}

const setupLines = ({ limits, swap, regions, uffds, registrations, tlb }: P.Program): Array<string> => {
  const lines: Array<string> = []
  const pools = (["folios", "mms", "vmas"] as const).filter((pool) => limits[pool] !== undefined)
  if (pools.length > 0) lines.push(`limit ${pools.map((pool) => `${pool} ${limits[pool]}`).join(" ")}`)
  if (swap !== undefined) lines.push(`swap ${swap.slots}${flag(swap.device !== "disk", swap.device)}`)
  for (const region of regions) lines.push(regionText(region))
  for (const { name, features } of uffds) {
    lines.push(`uffd ${name}${features === undefined ? " new" : featuresText(features)}`)
  }
  for (const { uffd, range, modes } of registrations) {
    lines.push(`register ${uffd} ${rangeText(range)} ${modesText(modes)}`)
  }
  for (const { thread, page, writable } of tlb) lines.push(`tlb ${thread} ${pageText(page)}${flag(writable, "w")}`)
  return lines
}

const threadLines = (thread: P.Thread): Array<string> => {
  const lines = [threadText(thread)]
  printBody(thread.body, INDENT, lines)
  return lines
}

/** The program as text, with a blank line between its parts and a newline at the end. */
export const print = (program: P.Program): string => {
  const parts = [headerLines(program), setupLines(program), ...program.threads.map(threadLines)]
  if (program.final !== undefined) {
    parts.push([`final ${program.final.quantifier} ${printCondition(program.final.condition)}`])
  }
  return parts.filter((lines) => lines.length > 0).map((lines) => `${lines.join("\n")}\n`).join("\n")
}
