/** The page references that devices and system calls hold, and what user space has done to their pages since. */
import type { Event } from "@mmrace/core"
import {
  atomic_add_return,
  atomic_set,
  type Call,
  enter,
  leave,
  type PinMark,
  pin_released,
  pin_taken,
  type World
} from "../objects/index.ts"
import { type Calls, covers, discards } from "./calls.ts"
import { filled, lookUp, whereOf, withItem } from "./where.ts"

export interface Held extends PinMark {
  readonly thread: number
  /** User space has not discarded the page since GUP began. */
  readonly kept: boolean
  /** No fork of the address space since GUP began. */
  readonly unforked: boolean
}

/**
 * What a device stores through the reference counts as a store of the process that took it. FOLL_GET promises that only
 * for writing, and only until the process forks.
 */
export const storesForProcess = (held: Held): boolean => held.pin === "pin" || (held.write && held.unforked)

export interface Pins {
  readonly held: ReadonlyArray<Held>
  readonly calls: Calls
  /** By thread in GUP: a discard (1) or fork (2) of its page was in progress meanwhile. */
  readonly disturbed: ReadonlyArray<number>
}

const DISCARD = 1, FORK = 2

const starts = new WeakMap<World, Pins>()

/** One value per world, so that monitors that keep this fold keep the same one. */
export const noPins = (world: World): Pins => {
  let pins = starts.get(world)
  if (pins === undefined) {
    const threads = world.tasks.length
    starts.set(world, pins = { held: [], calls: filled(threads, undefined), disturbed: filled(threads, 0) })
  }
  return pins
}

const withPins: ReadonlyArray<unknown> = [enter, leave, pin_taken, pin_released, atomic_add_return, atomic_set]
const withoutPins: ReadonlyArray<unknown> = [enter, leave]

/** What this fold must be told about: in a program that takes no reference only which operations are in progress. */
export const pinCommands = (world: World): ReadonlyArray<unknown> => programPins(world) ? withPins : withoutPins

const takesReference = (call: Call): boolean =>
  call.name === "pin" || call.name === "pin_fast" || call.name === "get" || call.name === "get_fast"

const disturbance = (call: Call, page: number): number =>
  call.name === "fork" ? FORK : discards(call) && covers(call, page) ? DISCARD : 0

const entered = (world: World, pins: Pins, thread: number, call: Call): Pins => {
  const calls = withItem(pins.calls, thread, call)
  const { mm } = world.tasks[thread]!
  let { disturbed, held } = pins
  if (takesReference(call)) {
    let bits = 0
    for (let t = 0; t < pins.calls.length; t++) {
      const other = pins.calls[t]
      if (other !== undefined && world.tasks[t]!.mm === mm) bits |= disturbance(other, call.page)
    }
    disturbed = withItem(disturbed, thread, bits)
  } else if (call.name === "fork" || discards(call)) {
    pins.calls.forEach((other, t) => {
      if (other === undefined || !takesReference(other) || world.tasks[t]!.mm !== mm) return
      disturbed = withItem(disturbed, t, disturbed[t]! | disturbance(call, other.page))
    })
    held = held.map((h) => {
      const bits = h.mm === mm.id ? disturbance(call, h.page) : 0
      return bits === 0 ? h : { ...h, kept: h.kept && bits !== DISCARD, unforked: h.unforked && bits !== FORK }
    })
  }
  return { held, calls, disturbed }
}

const stepped = (world: World, pins: Pins, event: Event): Pins => {
  const command: unknown = event.command
  const { thread } = event
  if (command === enter) return entered(world, pins, thread, event.arg as Call)
  if (command === leave) return { ...pins, calls: withItem(pins.calls, thread, undefined) }
  if (command === pin_taken) {
    const bits = pins.calls[thread] === undefined ? 0 : pins.disturbed[thread]!
    const taken: Held = {
      ...event.arg as PinMark,
      thread,
      kept: (bits & DISCARD) === 0,
      unforked: (bits & FORK) === 0
    }
    return { ...pins, held: [...pins.held, taken] }
  }
  if (command === pin_released) {
    const { mm, page, pfn, pin } = event.arg as PinMark
    const at = pins.held.findIndex((h) =>
      h.thread === thread && h.pfn === pfn && h.page === page && h.mm === mm && h.pin === pin
    )
    return at < 0 ? pins : { ...pins, held: pins.held.toSpliced(at, 1) }
  }
  if (pins.held.length > 0 && event.actor.state === 0) {
    const mm = lookUp(whereOf(world).mmUsers, event.actor.id)
    if (mm >= 0) return { ...pins, held: pins.held.map((h) => h.mm === mm ? { ...h, kept: false } : h) }
  }
  return pins
}

// Several monitors keep this fold, from the same start and over the same steps: each step is worked out once.
let lastPins: Pins | undefined = undefined
let lastCommand: unknown = undefined
let lastArg: unknown = undefined
let lastThread = -1
let lastResult: Pins | undefined = undefined

export const pinsStep = (world: World, pins: Pins, event: Event): Pins => {
  const { arg, command, thread } = event
  // A counter's step also depends on the counter; and does nothing to pins that are not there.
  if (command === (atomic_add_return as unknown) || command === (atomic_set as unknown)) {
    return pins.held.length === 0 ? pins : stepped(world, pins, event)
  }
  if (pins === lastPins && command === lastCommand && arg === lastArg && thread === lastThread) return lastResult!
  const result = stepped(world, pins, event)
  lastPins = pins
  lastCommand = command
  lastArg = arg
  lastThread = thread
  lastResult = result
  return result
}

/** The program ever takes a page reference. */
export const programPins = (world: World): boolean =>
  JSON.stringify(world.program.threads).match(/"_tag":"(pin|pin_fast|get|get_fast)"/u) !== null
