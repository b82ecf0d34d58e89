/** Values as they can be sent to another process that has loaded the same model: actors by their numbers. */
import { Actor } from "../Actor.ts"
import type { Model } from "../Model.ts"
import { isPlainRecord } from "./Values.ts"

/** Plain data. */
export type Portable =
  | { readonly actor: number }
  | { readonly array: ReadonlyArray<Portable> }
  | { readonly record: ReadonlyArray<readonly [string, Portable]> }
  | { readonly value: unknown }

export const toPortable = (value: unknown): Portable =>
  value instanceof Actor
    ? { actor: value.id }
    : Array.isArray(value)
    ? { array: value.map(toPortable) }
    : isPlainRecord(value)
    ? { record: Object.entries(value).map(([key, of]) => [key, toPortable(of)]) }
    : { value }

export const fromPortable = (portable: Portable, model: Model): unknown =>
  "actor" in portable
    ? model.actors[portable.actor]
    : "array" in portable
    ? portable.array.map((element) => fromPortable(element, model))
    : "record" in portable
    ? Object.fromEntries(portable.record.map(([key, of]) => [key, fromPortable(of, model)]))
    : portable.value
