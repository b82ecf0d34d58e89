/** Lock-order reports in the shape of kernel/locking/lockdep.c, which is the one its readers know. */
import type { LockAttempt, LockEdge, LockOrderReport, LockSample } from "./LockOrder.ts"

/** The report as lines of text. */
export const renderLockReport = (report: LockOrderReport): ReadonlyArray<string> =>
  report._tag === "Inversion" ? renderInversion(report.edges) : renderRecursion(report.held, report.attempt)

const rule = (mark: string): string => mark.repeat(54)

const named = (lock: string, lockClass: string): string => lock === lockClass ? lock : `${lock} (${lockClass})`

const sample = (held: LockSample): string =>
  `${named(held.lock, held.lockClass)}, ${held.mode}${held.tried ? ", by trylock" : ""}, since step ${held.since}`

const where = (attempt: LockAttempt): string =>
  `thread ${attempt.thread}, execution ${attempt.execution}, step ${attempt.step}`

const trying = (attempt: LockAttempt): ReadonlyArray<string> => [
  `${where(attempt)}, is trying to acquire lock:`,
  ` ${named(attempt.lock, attempt.lockClass)}, ${attempt.mode}`
]

const holding = (attempt: LockAttempt): ReadonlyArray<string> => [
  `${attempt.holding.length} lock${attempt.holding.length === 1 ? "" : "s"} held by ${attempt.thread}:`,
  ...attempt.holding.map((held, i) => ` #${i}: ${sample(held)}`)
]

const word = (mode: "read" | "write"): string => mode === "read" ? "rlock" : "lock"

const renderRecursion = (held: LockSample, attempt: LockAttempt): ReadonlyArray<string> => [
  rule("="),
  "WARNING: possible recursive locking detected",
  rule("-"),
  ...trying(attempt),
  "but task is already holding lock:",
  ` ${sample(held)}`,
  "",
  "other info that might help us debug this:",
  " Possible unsafe locking scenario:",
  "",
  "       CPU0",
  "       ----",
  `  ${word(held.mode)}(${held.lockClass});`,
  `  ${word(attempt.mode)}(${attempt.lockClass});`,
  "",
  " *** DEADLOCK ***",
  "",
  " May be due to missing lock nesting notation",
  "",
  ...holding(attempt)
]

const renderInversion = (edges: ReadonlyArray<LockEdge>): ReadonlyArray<string> => {
  const closing = edges[0]!
  // The path goes from the lock wanted last to the lock held; the kernel prints it backwards, closing edge last.
  const path = edges.slice(1)
  const chain = [...path.toReversed(), closing]
  return [
    rule("="),
    "WARNING: possible circular locking dependency detected",
    rule("-"),
    ...trying(closing.attempt),
    "but task is already holding lock:",
    ` ${sample(closing.held)}`,
    "which lock already depends on the new lock.",
    "",
    "the existing dependency chain (in reverse order) is:",
    ...chain.flatMap((edge, i) => [
      "",
      `-> #${chain.length - 1 - i} ${named(edge.attempt.lock, edge.to)}, ${edge.attempt.mode}:`,
      `       wanted by ${where(edge.attempt)}`,
      `       while holding ${sample(edge.held)}`
    ]),
    "",
    "other info that might help us debug this:",
    "",
    ...(path.length > 1
      ? ["Chain exists of:", `  ${[...path.map((e) => e.from), closing.from].join(" --> ")}`, ""]
      : []),
    " Possible unsafe locking scenario:",
    "",
    ...scenario(edges),
    "",
    " *** DEADLOCK ***",
    "",
    ...writersBetween(edges),
    ...holding(closing.attempt)
  ]
}

const columnWidth = 24

/** One CPU for each edge: all take what they hold, then each wants what the next one holds. */
const scenario = (edges: ReadonlyArray<LockEdge>): ReadonlyArray<string> => {
  const width = Math.max(columnWidth, ...edges.map((e) => `rlock(${e.from});`.length + 2))
  const at = (cpu: number, text: string): string => " ".repeat(cpu === 0 ? 2 : 7 + cpu * width) + text
  const all = (text: (cpu: number) => string): string =>
    `       ${edges.map((_, cpu) => text(cpu).padEnd(width)).join("").trimEnd()}`
  const take = (edge: LockEdge, cpu: number): string => at(cpu, `${word(edge.held.mode)}(${edge.from});`)
  const want = (edge: LockEdge, cpu: number): string => at(cpu, `${word(edge.attempt.mode)}(${edge.to});`)
  const others = edges.slice(1)
  return [
    all((cpu) => `CPU${cpu}`),
    all(() => "----"),
    ...edges.map(take),
    ...others.map((edge, i) => want(edge, i + 1)),
    want(edges[0]!, 0)
  ]
}

/** A reader waits for a reader only when a writer has queued between them. */
const writersBetween = (edges: ReadonlyArray<LockEdge>): ReadonlyArray<string> => {
  const classes = edges
    .filter((edge, i) => edge.attempt.mode === "read" && edges[(i + 1) % edges.length]!.held.mode === "read")
    .map((edge) => edge.to)
  if (classes.length === 0) return []
  return [
    ...classes.map((name) => `rlock(${name}) waits for a reader when a writer of ${name} has queued between them.`),
    ""
  ]
}
