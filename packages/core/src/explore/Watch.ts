/** What monitors look at: the states of actors, property by property. */
import type { Actor } from "../Actor.ts"
import type { Model } from "../Model.ts"
import { type Container, rawOf } from "./Parts.ts"
import { isRecord } from "./Properties.ts"

/** Properties of actors' states, and their values. */
export interface Look {
  readonly actors: Array<number>
  readonly keys: Array<string | undefined>
  readonly values: Array<unknown>
}

const nowhere = Symbol("nowhere")

/**
 * Notes which properties of which actors a monitor looks at. Monitors may read the state of any actor, and what they
 * read decides which steps they make dependent; so while a machine is open, `state` is a property with a getter.
 */
export class Watch {
  /** What was looked at between `begin` and `end`: actors' ids, and properties (undefined: the state as a whole). */
  private seen: Look | undefined
  private readonly actors: ReadonlyArray<Actor<unknown>>
  private readonly states: Array<unknown>

  constructor(model: Model) {
    this.actors = model.actors
    this.states = model.actors.map((actor) => actor.state)
    const look = (actor: Actor<unknown>): unknown => {
      const state = this.states[actor.id]
      if (this.seen === undefined) return state
      if (isRecord(state)) return this.view(actor.id, state)
      this.note(actor.id, undefined, state)
      return state
    }
    const replace = (actor: Actor<unknown>, state: unknown): void => {
      this.states[actor.id] = state
    }
    const property: PropertyDescriptor = {
      configurable: true,
      enumerable: true,
      get(this: Actor<unknown>): unknown {
        return look(this)
      },
      set(this: Actor<unknown>, state: unknown) {
        replace(this, state)
      }
    }
    for (const actor of this.actors) Object.defineProperty(actor, "state", property)
  }

  begin(): void {
    this.seen = { actors: [], keys: [], values: [] }
  }

  end(): Look {
    const seen = this.seen!
    this.seen = undefined
    return seen
  }

  /** Whoever looks would see the same. */
  shows({ actors, keys, values }: Look): boolean {
    for (let i = 0; i < actors.length; i++) {
      const state = this.states[actors[i]!]
      const key = keys[i]
      const value = key === undefined ? state : isRecord(state) ? state[key] : nowhere
      if (!Object.is(value, values[i])) return false
    }
    return true
  }

  /** The state, noting which of its properties are looked at. */
  private view(actor: number, state: Container): unknown {
    const whole = (): void => this.note(actor, undefined, state)
    return new Proxy(state, {
      get: (_, key) => {
        if (key === rawOf) {
          whole()
          return state
        }
        const value = state[key as string]
        if (typeof key === "string") this.note(actor, key, value)
        return value
      },
      has: (_, key) => {
        whole()
        return key in state
      },
      ownKeys: () => {
        whole()
        return Reflect.ownKeys(state)
      }
    })
  }

  private note(actor: number, key: string | undefined, value: unknown): void {
    if (this.seen === undefined) return
    const { actors, keys, values } = this.seen
    for (let i = 0; i < actors.length; i++) if (actors[i] === actor && keys[i] === key) return
    actors.push(actor)
    keys.push(key)
    values.push(value)
  }

  /** Makes `state` plain again. */
  remove(): void {
    for (const actor of this.actors) {
      Object.defineProperty(actor, "state", {
        configurable: true,
        enumerable: true,
        writable: true,
        value: this.states[actor.id]
      })
    }
  }
}
