/**
 * Which parts of a monitor's state a step looked at, and which it changed.
 *
 * Monitors keep one value for all they watch: an array by thread, a record of arrays by page. If all of it were one
 * place, every two steps that a monitor hears of would be dependent, and nothing would be left to reduce. So the state
 * is handed to the monitor through a view that notes what is looked at, down to `depth` levels of plain arrays and
 * records, and what changed is found by comparing the states before and after. A part is two places: its value, and
 * the set of its keys.
 *
 * What a step takes from one part and leaves in another it has looked at as a whole, also where it happens to be what
 * was there before.
 *
 * Monitors must therefore compare what they keep by value and not by identity, as a fold must anyway.
 */
import { type Mode, reading, type Touched, writing } from "./Footprint.ts"

export type Container = Record<string, unknown>

/** Values behind this many levels are one part. */
const depth = 3

/** Asked of a view: what is behind it. */
export const rawOf = Symbol("raw")

/** Asked of a view: the part that it is of; and the same, all of which then counts as looked at. */
const partOf = Symbol("part")
const takenFrom = Symbol("taken")

export const isContainer = (value: unknown): value is Container => {
  if (typeof value !== "object" || value === null) return false
  if (Array.isArray(value)) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

interface View {
  readonly [rawOf]?: unknown
  readonly [partOf]?: Part
  readonly [takenFrom]?: Part
}

const isObject = (value: unknown): value is View => typeof value === "object" && value !== null

/** The value behind a view; other values as they are. */
const unwrapped = (value: unknown): unknown => isObject(value) ? value[rawOf] ?? value : value

/** Where a part is: the number of its monitor (for a property of an actor: -1 - the actor's id), then keys. */
export type PartPath = readonly [owner: number, ...keys: ReadonlyArray<string>]

/** Gives a new part two places, of which it returns the first. */
export type NewPart = (path: PartPath) => number

class Part {
  /** Place of what it is; for a container: that it is one. */
  readonly value: number
  /** Place of which keys it has. */
  readonly keys: number
  private readonly parts = new Map<string, Part>()
  private readonly path: PartPath
  private readonly newPart: NewPart

  constructor(path: PartPath, newPart: NewPart) {
    this.path = path
    this.newPart = newPart
    this.value = newPart(path)
    this.keys = this.value + 1
  }

  at(key: string): Part {
    let part = this.parts.get(key)
    if (part === undefined) this.parts.set(key, part = new Part([...this.path, key], this.newPart))
    return part
  }
}

/** Watches the states of one monitor. */
export class Parts {
  private readonly root: Part
  private touched: Touched | undefined

  constructor(monitor: number, newPart: NewPart) {
    this.root = new Part([monitor], newPart)
  }

  /** The first place of a part, which gets its places now if it has none. */
  placeOf([, ...keys]: PartPath): number {
    let part = this.root
    for (const key of keys) part = part.at(key)
    return part.value
  }

  /** Runs a step of the monitor on `state` and notes what it touched. */
  follow(state: unknown, touched: Touched, step: (view: unknown) => unknown): unknown {
    this.touched = touched
    try {
      this.note(this.root.value, reading)
      const seen = isContainer(state) ? this.view(state, this.root, depth) : state
      const next = this.plain(step(seen), state, this.root, depth)
      this.compare(this.root, state, next, depth)
      return next
    } finally {
      this.touched = undefined
    }
  }

  private note(place: number, mode: Mode): void {
    this.touched?.add(place, mode)
  }

  /**
   * `list` is `raw`, or a copy of it to put something into: of that, what is not looked at does not count, and what is put in
   * is found by comparing.
   */
  private view(raw: Container, part: Part, levels: number, list = raw): unknown {
    const views = new Map<string, unknown>()
    const isArray = Array.isArray(raw)
    const keys = (): void => this.note(part.keys, reading)
    return new Proxy(list, {
      get: (_, key) => {
        if (key === rawOf) return list
        if (typeof key === "symbol") return this.answer(key, raw, part, levels)
        if (isArray && key === "slice") return (...range: Array<number>) => this.slice(list, raw, part, levels, range)
        if (!Object.hasOwn(list, key) || (isArray && key === "length")) {
          keys()
          return list[key]
        }
        if (!Object.is(list[key], raw[key])) return list[key]
        let view = views.get(key)
        if (view !== undefined) return view
        view = this.look(raw[key], part.at(key), levels)
        if (view !== raw[key]) views.set(key, view)
        return view
      },
      has: (_, key) => {
        keys()
        return key in list
      },
      ownKeys: () => {
        keys()
        return Reflect.ownKeys(list)
      }
    })
  }

  private answer(key: symbol, raw: Container, part: Part, levels: number): unknown {
    if (key === takenFrom) this.take(raw, part, levels)
    return key === takenFrom || key === partOf ? part : raw[key as unknown as string]
  }

  private look(value: unknown, part: Part, levels: number): unknown {
    this.note(part.value, reading)
    return levels === 1 || !isContainer(value) ? value : this.view(value, part, levels - 1)
  }

  private slice(
    list: Container,
    raw: Container,
    part: Part,
    levels: number,
    range: ReadonlyArray<number>
  ): unknown {
    const copy = (list as unknown as ReadonlyArray<unknown>).slice(...range)
    if (range.length === 0) return this.view(raw, part, levels, copy as unknown as Container)
    this.take(raw, part, levels)
    return copy
  }

  /** All of the container counts as looked at. */
  private take(raw: Container, part: Part, levels: number): void {
    this.note(part.keys, reading)
    for (const key of Object.keys(raw)) {
      const value = raw[key]
      const child = part.at(key)
      this.note(child.value, reading)
      if (levels > 1 && isContainer(value)) this.take(value, child, levels - 1)
    }
  }

  /** `value` without views, where it is not what was there before. */
  private plain(value: unknown, before: unknown, part: Part, levels: number): unknown {
    const from = isObject(value) ? value[partOf] : undefined
    if (from !== undefined && from !== part) this.note((value as View)[takenFrom]!.value, reading)
    const raw = unwrapped(value)
    if (raw === before || !isContainer(raw)) return raw
    const old = isContainer(before) ? before : undefined
    for (const key of Object.keys(raw)) {
      const child = raw[key]
      // Behind the last level everything is one part.
      const bare = this.plain(child, old?.[key], levels === 0 ? part : part.at(key), Math.max(0, levels - 1))
      if (bare !== child) raw[key] = bare
    }
    return raw
  }

  private compare(part: Part, before: unknown, after: unknown, levels: number): void {
    if (Object.is(before, after)) return
    if (levels === 0 || !isContainer(before) || !isContainer(after) || Array.isArray(before) !== Array.isArray(after)) {
      return this.note(part.value, writing)
    }
    const keys = Object.keys(after)
    let sameKeys = keys.length === Object.keys(before).length
    for (const key of keys) {
      if (!Object.hasOwn(before, key)) sameKeys = false
      this.compare(part.at(key), before[key], after[key], levels - 1)
    }
    if (sameKeys) return
    this.note(part.keys, writing)
    for (const key of Object.keys(before)) if (!Object.hasOwn(after, key)) this.note(part.at(key).value, writing)
  }
}
