/**
 * A model: the actors, the threads and the monitors of one program. Built once; executed many times.
 */
import type * as Effect from "effect/Effect"
import { Actor, type ActorOptions, type ActorType } from "./Actor.ts"
import { ask, type Ask, type Path } from "./Ask.ts"
import type { Log } from "./Execution.ts"
import type { Monitor } from "./Monitor.ts"
import { choiceType, exitThread, threadType, type ThreadState } from "./Thread.ts"

/** A thread's code. Called anew for every execution; must keep no state outside itself. */
export type Body = () => Path<unknown> | Effect.Effect<unknown>

export interface ThreadOptions {
  /** "at-once" (default) or only when another thread asks `spawnThread`. */
  readonly start?: "at-once" | "spawned"
  /** The execution may end while this thread still waits. */
  readonly daemon?: boolean
}

export interface Thread {
  readonly id: number
  readonly name: string
  readonly body: Body
  readonly daemon: boolean
  readonly actor: Actor<ThreadState>
  readonly exit: Ask<unknown>
}

/** Collects the parts of a model. Names are unique; a taken name throws a TypeError. */
export class ModelBuilder {
  readonly actors: Array<Actor<unknown>> = []
  readonly threads: Array<Thread> = []
  readonly monitors: Array<Monitor> = []
  private readonly names = new Map<string, Actor<unknown>>()
  private locations = 0
  /** Ask it `chooseNumber` for a data choice. */
  readonly choice: Actor<null> = this.actor(choiceType, "choice", null)

  actor<S>(type: ActorType<S>, name: string, initial: S, options: ActorOptions = {}): Actor<S> {
    if (this.names.has(name)) throw new TypeError(`two actors are called "${name}"`)
    const actor = new Actor<S>(this.actors.length, this.locations, name, type, initial, options)
    this.locations += type.fields.length
    this.actors.push(actor as unknown as Actor<unknown>)
    this.names.set(name, actor as unknown as Actor<unknown>)
    return actor
  }

  thread(name: string, body: Body, options: ThreadOptions = {}): Thread {
    if (this.names.has(`thread:${name}`)) throw new TypeError(`two threads are called "${name}"`)
    const id = this.threads.length
    const initial: ThreadState = { id, phase: options.start === "spawned" ? "unborn" : "running", killed: false }
    const actor = this.actor(threadType, `thread:${name}`, initial)
    const thread: Thread = {
      id,
      name,
      body,
      daemon: options.daemon ?? false,
      actor,
      exit: ask(actor, exitThread)
    }
    this.threads.push(thread)
    return thread
  }

  /**
   * Names the steps that are progress: a cycle that contains one is a long execution, not a livelock. Needed where
   * threads have more to do than their results tell, such as the statements of a program. Default: no step is.
   */
  progress: ((log: Log, step: number) => boolean) | undefined = undefined

  monitor<S>(monitor: Monitor<S>): void {
    this.monitors.push(monitor as Monitor<unknown> as Monitor)
  }

  build(name: string): Model {
    return {
      name,
      actors: this.actors,
      threads: this.threads,
      monitors: this.monitors,
      actorNamed: (n) => this.names.get(n),
      locations: this.locations,
      progress: this.progress
    }
  }
}

export interface Model {
  readonly name: string
  readonly actors: ReadonlyArray<Actor<unknown>>
  readonly threads: ReadonlyArray<Thread>
  readonly monitors: ReadonlyArray<Monitor>
  readonly actorNamed: (name: string) => Actor<unknown> | undefined
  /** Number of locations: every `locationOf` is below it. */
  readonly locations: number
  /** Whether a step is progress (`ModelBuilder.progress`). */
  readonly progress: ((log: Log, step: number) => boolean) | undefined
}

/** Builds a model: `makeModel("counter", (m) => { const x = m.actor(...); m.thread("A", ...) })`. */
export const makeModel = (name: string, build: (builder: ModelBuilder) => void): Model => {
  const builder = new ModelBuilder()
  build(builder)
  return builder.build(name)
}
