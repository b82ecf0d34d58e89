/**
 * A lock-free stack (Treiber, 1986) and its ABA problem: actors, threads and a rule of one's own, a campaign that finds a
 * schedule that breaks the rule, the least schedule that does, and an exploration that says that there is none.
 * docs/library.md goes through it part by part.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import {
  type Actor,
  ActorType,
  ask,
  Cell,
  commands,
  describeShrunk,
  makeModel,
  type Model,
  type Path,
  renderClaims,
  runCampaign,
  shrink,
  TraceClasses
} from "@mmrace/core"
import { check } from "./check.ts"

// An actor: one piece of shared state, and the commands it understands.

interface Head {
  /** Number of the node on top; -1 when the stack is empty. */
  readonly node: number
  /** How often the head was changed. */
  readonly version: number
}
const HeadShape = Schema.Struct({ node: Schema.Int, version: Schema.Int })

const headType = new ActorType<Head>("head", { show: ({ node }) => `node ${node}` })

const load = headType.command<void, Head>("load", {
  access: "read",
  ordering: "acquire",
  decide: (head) => head,
  result: HeadShape,
  show: (_, head) => `= node ${head.node}`
})

/** Compare and exchange. `tagged`: the version must be the expected one too, as with a double-width instruction. */
interface Swing {
  readonly expected: Head
  readonly node: number
  readonly tagged: boolean
}

const swing = (name: string) =>
  headType.command<Swing, boolean>(name, {
    access: "write",
    ordering: "acq_rel",
    decide: (head, { expected, tagged }) =>
      head.node === expected.node && (!tagged || head.version === expected.version),
    evolve: (head, { node }, done) => done ? { node, version: head.version + 1 } : head,
    arg: Schema.Struct({ expected: HeadShape, node: Schema.Int, tagged: Schema.Boolean }),
    result: Schema.Boolean,
    show: ({ expected, node }, done) => `node ${expected.node} -> node ${node}: ${done ? "done" : "has changed"}`
  })

const pushed = swing("push")
const popped = swing("pop")

// Threads: straight-line code. Each `yield* ask(...)` is one atomic step, and others may come in before it.

interface Stack {
  readonly head: Actor<Head>
  /** By node: the node under it. */
  readonly next: ReadonlyArray<Actor<number>>
  readonly tagged: boolean
}

function* push({ head, next, tagged }: Stack, node: number): Path<void> {
  for (;;) {
    const expected = yield* ask(head, load)
    yield* ask(next[node]!, Cell.store, expected.node)
    if (yield* ask(head, pushed, { expected, node, tagged })) return
  }
}

function* pop({ head, next, tagged }: Stack): Path<number> {
  for (;;) {
    const expected = yield* ask(head, load)
    if (expected.node < 0) return -1
    const node = yield* ask(next[expected.node]!, Cell.load)
    if (yield* ask(head, popped, { expected, node, tagged })) return expected.node
  }
}

function* recycle(stack: Stack): Path<void> {
  const first = yield* pop(stack)
  yield* pop(stack)
  if (first >= 0) yield* push(stack, first)
}

// The model: the actors with their first states, the threads, and a rule that is checked at each step it names.

export const treiberStack = (tagged: boolean): Model =>
  makeModel(`Treiber stack, ${tagged ? "tagged" : "untagged"} head`, (m) => {
    const stack: Stack = {
      head: m.actor(headType, "head", { node: 0, version: 0 }),
      next: [1, 2, -1].map((under, node) => m.actor(Cell.cellType, `next ${node}`, under)),
      tagged
    }
    m.thread("popper", () => pop(stack))
    m.thread("recycler", () => recycle(stack))
    m.monitor<ReadonlyArray<string | undefined>>({
      id: "owned",
      title: "a node that somebody has popped is not on the stack",
      on: commands(pushed, popped),
      initial: () => [],
      step(owners, event) {
        if (event.result !== true) return owners
        const isPop = event.command === (popped as unknown)
        const node = isPop ? (event.before as Head).node : (event.arg as Swing).node
        const after = owners.slice()
        after[node] = isPop ? event.threadName : undefined
        const top = stack.head.state.node
        if (after[top] !== undefined) event.violate(`node ${top} is on top of the stack, and ${after[top]} owns it`)
        return after
      }
    })
  })

// The search: a campaign of 2,000 executions or up to the first failure, and the least schedule that fails so.

export const report = (tagged: boolean): string => {
  const model = treiberStack(tagged)
  const { analyses, report: found } = runCampaign(model, { seed: 1, runs: 2000, untilFailure: true }, {
    analyses: (of) => [new TraceClasses(of)]
  })
  const [failure] = found.failures
  if (failure === undefined) {
    return renderClaims({
      executions: found.executions,
      stop: { _tag: "Capped", by: "2,000 executions" },
      stepLimited: found.verdicts.StepLimit,
      independent: found.independent,
      threads: found.profile.threads,
      choices: found.profile.choices,
      pct: [],
      classes: (analyses[0] as TraceClasses).counts
    }).join("\n")
  }
  const least = Result.getOrThrow(shrink(model, failure))
  return [
    `execution ${failure.execution + 1} breaks ${failure.id}`,
    describeShrunk(least),
    `schedule ${least.token}`
  ].join("\n")
}

console.log(report(false))
console.log(`\n${report(true)}\n`)

// The exploration: every schedule, but for those that cannot differ from another one.

console.log(check(treiberStack(false)))
console.log(check(treiberStack(true)))
