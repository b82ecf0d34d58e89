/**
 * Fingerprints of values: 64 bits that are the same for equal plain values (in the sense of `Values`) and for the same
 * actor in every process that has loaded the model, and differ for different ones but with a probability of 2^-64.
 */
import { Actor } from "../Actor.ts"
import { isPlainRecord } from "./Values.ts"

/** Two signed whole numbers of 32 bits. */
export interface Fingerprint {
  readonly low: number
  readonly high: number
}

/** What is fingerprinted, kept apart from other things that look alike. */
export type Kind =
  | "undefined"
  | "null"
  | "boolean"
  | "number"
  | "bigint"
  | "string"
  | "array"
  | "record"
  | "actor"
  | "own"
  | "root"
  | "after"
  | "settled"
  | "called"
  | "unborn"
  | "column"

const kinds: Record<Kind, number> = {
  undefined: 1,
  null: 2,
  boolean: 3,
  number: 4,
  bigint: 5,
  string: 6,
  array: 7,
  record: 8,
  actor: 9,
  own: 10,
  root: 11,
  after: 12,
  settled: 13,
  called: 14,
  unborn: 15,
  column: 16
}

const mixed = (seed: number): number => {
  let h = Math.imul(seed ^ (seed >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

/** A fingerprint under construction, of a sequence of words. */
export class Printer {
  private low: number
  private high: number

  constructor(kind: Kind) {
    this.low = mixed(0x2545f491 + kinds[kind])
    this.high = mixed(0x61c88647 + kinds[kind])
  }

  word(word: number): this {
    this.low = mixed(Math.imul(this.low, 5) + word + 0x1b873593)
    this.high = mixed(Math.imul(this.high, 9) + Math.imul(word, 0x9e3779b1) + 0x52dce729)
    return this
  }

  print({ high, low }: Fingerprint): this {
    return this.word(low).word(high)
  }

  text(text: string): this {
    this.word(text.length)
    for (let i = 0; i < text.length; i++) this.word(text.charCodeAt(i))
    return this
  }

  get done(): Fingerprint {
    return { low: this.low, high: this.high }
  }
}

const float = new Float64Array(1)
const floatWords = new Int32Array(float.buffer)

export class Fingerprints {
  /** All values so far have the same fingerprints elsewhere. */
  areShared = true
  private readonly known = new Map<unknown, Fingerprint>()

  of(value: unknown): Fingerprint {
    switch (typeof value) {
      case "number":
        // Equal numbers are one value, as in a Map: 0 and -0, NaN and NaN.
        float[0] = value === 0 ? 0 : Number.isNaN(value) ? NaN : value
        return new Printer("number").word(floatWords[0]!).word(floatWords[1]!).done
      case "string":
        return new Printer("string").text(value).done
      case "boolean":
        return new Printer("boolean").word(value ? 1 : 0).done
      case "bigint":
        return new Printer("bigint").text(String(value)).done
      case "undefined":
        return new Printer("undefined").done
    }
    if (value === null) return new Printer("null").done
    let print = this.known.get(value)
    if (print === undefined) this.known.set(value, print = this.ofObject(value))
    return print
  }

  private ofObject(value: unknown): Fingerprint {
    if (Array.isArray(value)) {
      const printer = new Printer("array").word(value.length)
      for (const element of value as ReadonlyArray<unknown>) printer.print(this.of(element))
      return printer.done
    }
    if (isPlainRecord(value)) {
      const keys = Object.keys(value).sort()
      const printer = new Printer("record").word(keys.length)
      for (const key of keys) printer.text(key).print(this.of(value[key]))
      return printer.done
    }
    if (value instanceof Actor) return new Printer("actor").word(value.id).done
    this.areShared = false
    return new Printer("own").word(this.known.size).done
  }
}
