/**
 * The properties of actors' states as places, for what monitors look at: a monitor that reads the pfn of an entry does not
 * depend on a step that sets its accessed bit, though both concern the one location that an entry is.
 *
 * These places say only which steps a monitor's look depends on; how steps depend on each other is said by the
 * locations. So changes of a property do not conflict with each other, in the mode that additions have.
 */
import { adding, reading, type Touched } from "./Footprint.ts"
import { type Container, isContainer, type NewPart } from "./Parts.ts"

/** Places of one actor. */
interface Places {
  /** That the state is another one. Looked at by who takes the state as a whole. */
  readonly whole: number
  /** Any property: looked at by every look, touched by what may change nobody knows which. */
  readonly any: number
  readonly keys: Map<string, number>
}

export class Properties {
  private readonly actors: Array<Places | undefined> = []
  private readonly newPart: NewPart

  constructor(newPart: NewPart) {
    this.newPart = newPart
  }

  /** The first place of a property, or of a state as a whole, which gets its places now if it has none. */
  placeOf(actor: number, key: string | undefined): number {
    return key === undefined ? this.of(actor).whole : this.keyOf(actor, key)
  }

  /** A step has replaced the state. */
  changed(out: Touched, actor: number, before: unknown, after: unknown): void {
    const { any, whole } = this.of(actor)
    out.add(whole, adding)
    if (!isRecord(before) || !isRecord(after)) return out.add(any, adding)
    const keys = Object.keys(after)
    for (const key of keys) if (!Object.is(before[key], after[key])) out.add(this.keyOf(actor, key), adding)
    for (const key of Object.keys(before)) if (!Object.hasOwn(after, key)) out.add(this.keyOf(actor, key), adding)
  }

  /** A step may change the state, nobody knows how. */
  mayChange(out: Touched, actor: number): void {
    const { any, whole } = this.of(actor)
    out.add(whole, adding)
    out.add(any, adding)
  }

  /** A monitor looked at a property; undefined: at the state as a whole. */
  seen(out: Touched, actor: number, key: string | undefined): void {
    const { any, whole } = this.of(actor)
    out.add(any, reading)
    out.add(key === undefined ? whole : this.keyOf(actor, key), reading)
  }

  private of(actor: number): Places {
    let places = this.actors[actor]
    if (places === undefined) {
      const whole = this.newPart([-1 - actor])
      this.actors[actor] = places = { whole, any: whole + 1, keys: new Map() }
    }
    return places
  }

  private keyOf(actor: number, key: string): number {
    const { keys } = this.of(actor)
    let place = keys.get(key)
    if (place === undefined) keys.set(key, place = this.newPart([-1 - actor, key]))
    return place
  }
}

/** A state of which monitors can be shown single properties. */
export const isRecord = (state: unknown): state is Container => isContainer(state) && !Array.isArray(state)
