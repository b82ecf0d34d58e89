/**
 * Small numbers for "who did what": a site is a (thread, command) pair, numbered so that it means the same in
 * every process that builds the same model, which is what lets workers exchange sets of them.
 */
import type { Actor } from "../Actor.ts"
import type { Model } from "../Model.ts"

export interface NamedSite {
  readonly thread: string
  readonly command: string
}

export class Sites {
  /** Most commands any actor type of the model has; a site is thread x commands + index of the command in its type. */
  readonly commands: number
  /** Every site is below it. */
  readonly size: number
  private readonly model: Model
  private readonly actorAt: ReadonlyArray<Actor<unknown>>

  constructor(model: Model) {
    this.model = model
    this.commands = model.actors.reduce((most, actor) => Math.max(most, actor.type.commands.length), 1)
    this.size = Math.max(1, model.threads.length) * this.commands
    this.actorAt = model.actors.flatMap((actor) => actor.type.fields.map(() => actor))
  }

  /** One number for (location, first site, second site). */
  pair(location: number, first: number, second: number): number {
    return (location * this.size + first) * this.size + second
  }

  unpair(key: number): { readonly location: number; readonly first: number; readonly second: number } {
    const rest = Math.floor(key / this.size)
    return { location: Math.floor(rest / this.size), first: rest % this.size, second: key % this.size }
  }

  actor(location: number): Actor<unknown> {
    return this.actorAt[location]!
  }

  /** The actor's name, with the field's when it has several. */
  locationName(location: number): string {
    const actor = this.actor(location)
    return actor.type.fields.length === 1 ? actor.name : `${actor.name}.${actor.type.fields[location - actor.base]!}`
  }

  name(location: number, site: number): NamedSite {
    return {
      thread: this.model.threads[Math.floor(site / this.commands)]!.name,
      command: this.actor(location).type.commands[site % this.commands]!.name
    }
  }
}
