/**
 * The only file that touches members of Effect's fibers that are not in its public typings.
 *
 * A port starts a fiber and resumes it; both return at the fiber's next ask or at its end. Two ports:
 * `fastPort` drives the fiber's run loop directly; `documentedPort` uses `Effect.callback` and
 * `Effect.runFork` only. A test asserts that both give the same logs. Exact effect version: see package.json.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import type { Ask } from "../Ask.ts"

/** A fiber as the engine holds it. */
export type Handle = object

export interface FiberPort {
  readonly name: "fast" | "documented"
  /** Runs `root` until it parks (`stopped.ask` is set) or ends (`stopped.exit` is set). Never throws. */
  start(root: Effect.Effect<unknown>, reuse: Handle | undefined): Handle
  resume(handle: Handle, value: unknown): void
  park(ask: Ask<unknown>, fiber: unknown): unknown
}

/** Where the fiber that just ran stopped. Module-level on purpose: read at once after start and resume. */
export const stopped: {
  ask: Ask<unknown> | undefined
  exit: Exit.Exit<unknown, unknown> | undefined
  /** What the thread said, on its way here, that its future depends on (`settle`, `call`). */
  settled: Settled | undefined
  /** Calls that the thread is in, the outermost first; undefined in executions, which do not look at them. */
  calls: Array<Call> | undefined
} = {
  ask: undefined,
  exit: undefined,
  settled: undefined,
  calls: undefined
}

/** What a thread depends on: what was before the call, if there is one, and `value`. */
export interface Settled {
  readonly call: Call | undefined
  /** The call has returned, `value` is its result; false: the thread is in it, `value` is a key. */
  readonly returned: boolean
  readonly value: unknown
}

/** A call under way. */
export interface Call {
  /** How many calls it is in. */
  readonly depth: number
  /** Where the fiber came to its next ask after it had begun: with the depth it tells the call from all others. */
  since: object | undefined
  /** What the thread settled with before that ask. */
  first: Settled | undefined
}

/**
 * The iterator behind `yield* ask(...)`. A thread has at most one ask outstanding, so one cursor per thread
 * serves all its asks and a step allocates neither an iterator nor an iterator result.
 */
export class Cursor {
  value: unknown = undefined
  done = false
  fresh = false
  next(sent: unknown): this {
    if (this.fresh) {
      this.fresh = false
      return this
    }
    this.value = sent
    this.done = true
    return this
  }
}

/** The cursor of the thread that is running. Set by the engine before it lets a thread run. */
export const running: { cursor: Cursor } = { cursor: new Cursor() }

const EVALUATE = "~effect/Effect/evaluate"
const YIELD = Symbol.for("effect/Effect/Yield")
const noop = (): void => {}

interface RawFiber {
  runLoop(effect: unknown): unknown
  evaluate(effect: unknown): void
  yieldWith(onResume: () => void): unknown
  readonly _stack: Array<unknown>
}

const leftTheModel = (): Error =>
  new Error("a thread waited for something other than an actor (a promise, a timer, another fiber): use ask")

const throwLeftTheModel = (): never => {
  throw leftTheModel()
}

const context = Context.make(Scheduler.Scheduler, {
  executionMode: "sync",
  shouldYield: () => false,
  makeDispatcher: () => ({ scheduleTask: throwLeftTheModel, flush: noop })
}).pipe(Context.add(Scheduler.PreventSchedulerYield, true))

const RawFiberImpl = (Effect.runFork(Effect.void) as unknown as { constructor: unknown }).constructor as new(
  context: Context.Context<never>,
  interruptible: boolean
) => RawFiber

/** The fiber of the thread that is running: no other fiber may ask. */
let active: unknown

export const fastPort: FiberPort = {
  name: "fast",
  start(root, reuse) {
    // A fiber whose run loop returned holds no frames: it can run the thread of the next execution.
    const fiber = (reuse as RawFiber | undefined) ?? new RawFiberImpl(context, true)
    active = fiber
    afterRun(fiber, fiber.runLoop(root))
    return fiber
  },
  resume(handle, value) {
    const fiber = handle as RawFiber
    active = fiber
    afterRun(fiber, fiber.runLoop(Exit.succeed(value)))
  },
  park(ask, fiber) {
    if (fiber !== active) throwLeftTheModel()
    stopped.ask = ask
    return (fiber as RawFiber).yieldWith(noop)
  }
}

const afterRun = (_fiber: RawFiber, outcome: unknown): void => {
  if (outcome === YIELD) {
    if (stopped.ask === undefined) stopped.exit = Exit.die(leftTheModel())
  } else {
    stopped.ask = undefined
    stopped.exit = outcome as Exit.Exit<unknown, unknown>
  }
}

interface DocumentedHandle {
  readonly fiber: Fiber.Fiber<unknown, unknown>
  resume: ((exit: Exit.Exit<unknown>) => void) | undefined
}

let documentedResume: ((exit: Exit.Exit<unknown>) => void) | undefined

/** Same contract with documented API only: slower, kept as the reference the fast port is tested against. */
export const documentedPort: FiberPort = {
  name: "documented",
  start(root) {
    stopped.ask = undefined
    const fiber = Effect.runForkWith(context)(Effect.withFiber((self) => {
      active = self
      return root
    }))
    const handle: DocumentedHandle = { fiber, resume: documentedResume }
    settle(handle)
    return handle as unknown as Handle
  },
  resume(handle, value) {
    const documented = handle as unknown as DocumentedHandle
    stopped.ask = undefined
    active = documented.fiber
    documented.resume!(Exit.succeed(value))
    settle(documented)
  },
  park(ask, fiber) {
    if (fiber !== active) throwLeftTheModel()
    const parked = Effect.callback<unknown>((resume) => {
      stopped.ask = ask
      documentedResume = resume
    })
    return (parked as unknown as Record<typeof EVALUATE, (fiber: unknown) => unknown>)[EVALUATE](fiber)
  }
}

const settle = (handle: DocumentedHandle): void => {
  if (stopped.ask !== undefined) {
    handle.resume = documentedResume
    return
  }
  stopped.exit = handle.fiber.pollUnsafe() ?? Exit.die(leftTheModel())
}

let port: FiberPort = fastPort

/** Chooses the port that asks park through. The executor does so at the start of each execution. */
export const usePort = (next: FiberPort): void => {
  port = next
}

const base = Effectable.Prototype({
  label: "Ask",
  evaluate(this: Effect.Effect<unknown>, fiber): Effect.Effect<unknown> {
    return port.park(this as Ask<unknown>, fiber) as Effect.Effect<unknown>
  }
})

/** The prototype all asks share. */
export const askPrototype: object = Object.assign(Object.create(base) as object, {
  [Symbol.iterator](this: unknown): Cursor {
    const cursor = running.cursor
    cursor.value = this
    cursor.done = false
    cursor.fresh = true
    return cursor
  }
})
