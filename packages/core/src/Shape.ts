/**
 * What the values of an argument or a result are, for logs: a schema, or how to make one. Models whose shapes are made
 * late do not load effect/Schema before something is logged; that is a quarter of the time of a small exploration.
 */
import type * as Schema from "effect/Schema"

export type Shape<T> = Schema.Codec<T, unknown> | Late<T>

/** A schema, made of effect/Schema when a log needs it. */
export class Late<T> {
  readonly make: (schema: typeof Schema) => Schema.Codec<T, unknown>

  constructor(make: (schema: typeof Schema) => Schema.Codec<T, unknown>) {
    this.make = make
  }
}

/** The schema, given the module to make it of. */
export const schemaOf = <T>(schema: typeof Schema, shape: Shape<T>): Schema.Codec<T, unknown> =>
  shape instanceof Late ? shape.make(schema) : shape

export const aBoolean = new Late((schema) => schema.Boolean)
export const aNumber = new Late((schema) => schema.Number)
export const anInt = new Late((schema) => schema.Int)
export const noValue = new Late((schema) => schema.Undefined)
export const anyValue = new Late((schema) => schema.Unknown)
