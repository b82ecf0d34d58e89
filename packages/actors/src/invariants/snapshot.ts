/**
 * I-08: who wrote what a process reads. Each page frame and swap slot carries the stamp of the store its contents come
 * from (address space, and how often it had forked); copies by the kernel carry it along.
 */
import { commands, type Event, type Monitor } from "@mmrace/core"
import {
  enter,
  fork_copied,
  leave,
  page_read,
  page_write,
  swap_read_data,
  swap_write_data,
  translate,
  type World
} from "../objects/index.ts"
import { noPins, pinCommands, type Pins, pinsStep, programPins, storesForProcess } from "./pinned.ts"
import { filled, inInstruction, lookUp, whereOf, withItem } from "./where.ts"

interface Stamp {
  readonly mm: number
  /** Forks of the address space that were done when it stored. */
  readonly forks: number
}

interface Read {
  readonly value: number
  readonly stamp: Stamp | undefined
}

interface Birth {
  readonly parent: number
  /** Which fork of the parent it was, from 0: the one after so many others. */
  readonly nth: number
}

export interface Stamps {
  readonly frames: ReadonlyArray<Stamp | undefined>
  readonly slots: ReadonlyArray<Stamp | undefined>
  /** By thread: what it read last, in the kernel. */
  readonly read: ReadonlyArray<Read | undefined>
  /** By mm: its parent, once dup_mmap was done. */
  readonly born: ReadonlyArray<Birth | undefined>
  readonly pins: Pins
}

const forksOf = ({ born }: Stamps, mm: number): number =>
  born.reduce((n, birth) => birth !== undefined && birth.parent === mm && birth.nth >= 0 ? n + 1 : n, 0)

export const forkSnapshot = (world: World): Monitor<Stamps> => {
  const where = whereOf(world)
  const pins = programPins(world)
  const initial: Stamps = {
    frames: filled(world.folios.length, undefined),
    slots: filled(world.slots.length, undefined),
    read: filled(world.tasks.length, undefined),
    born: world.mms.map((mm) => mm.id > 0 && mm.mm_users.initial > 0 ? { parent: 0, nth: -1 } : undefined),
    pins: noPins(world)
  }

  /** The store may be seen by the process: its own, or an ancestor's from before the fork that led to it. */
  const visible = (state: Stamps, reader: number, stamp: Stamp): boolean => {
    let mm = reader
    while (mm !== stamp.mm) {
      const birth = state.born[mm]
      if (birth === undefined) return false
      if (birth.parent === stamp.mm) return stamp.forks <= birth.nth
      mm = birth.parent
    }
    return true
  }

  const look = (state: Stamps, reader: number, pfn: number, event: Event): void => {
    const stamp = state.frames[pfn]
    if (stamp === undefined || visible(state, reader, stamp)) return
    event.violate(
      `${world.mms[reader]!.name} reads ${String(event.result)} from pfn ${pfn}, which ${
        world.mms[stamp.mm]!.name
      } stored after the fork`,
      "private memory"
    )
  }

  return {
    id: "I-08",
    title: "ForkSnapshot",
    on: commands(...pinCommands(world), translate, page_read, page_write, swap_read_data, swap_write_data, fork_copied),
    initial: () => initial,
    step(state, event) {
      const command: unknown = event.command
      const { thread } = event
      const task = world.tasks[thread]
      if (task === undefined) return state
      if (command === translate) {
        return state.read[thread] === undefined ? state : { ...state, read: withItem(state.read, thread, undefined) }
      }
      if (command === page_read || command === page_write) {
        const pfn = lookUp(where.data, event.actor.id)
        let reader = -1
        if (inInstruction(world, event)) reader = task.mm.id
        else {
          const name = pins ? state.pins.calls[thread]?.name : undefined
          if (name === "dma_load" || name === "dma_store") {
            const held = state.pins.held.find((h) => h.pfn === pfn && h.thread === thread)
            // A store that FOLL_GET makes no promise for belongs to nobody.
            if (held !== undefined && (name === "dma_load" || storesForProcess(held))) reader = held.mm
          }
        }
        if (command === page_read) {
          if (reader >= 0) {
            look(state, reader, pfn, event)
            return state
          }
          return {
            ...state,
            read: withItem(state.read, thread, { value: event.result as number, stamp: state.frames[pfn] })
          }
        }
        if (reader >= 0) {
          return { ...state, frames: withItem(state.frames, pfn, { mm: reader, forks: forksOf(state, reader) }) }
        }
        const read = state.read[thread]
        const stamp = read !== undefined && read.value === event.arg ? read.stamp : undefined
        return {
          ...state,
          frames: withItem(state.frames, pfn, stamp),
          read: withItem(state.read, thread, undefined)
        }
      }
      if (command === swap_read_data) {
        const stamp = state.slots[lookUp(where.slot, event.actor.id)]
        return { ...state, read: withItem(state.read, thread, { value: event.result as number, stamp }) }
      }
      if (command === swap_write_data) {
        const read = state.read[thread]
        const stamp = read !== undefined && read.value === event.arg ? read.stamp : undefined
        return { ...state, slots: withItem(state.slots, lookUp(where.slot, event.actor.id), stamp) }
      }
      if (command === fork_copied) {
        const birth: Birth = { parent: task.mm.id, nth: forksOf(state, task.mm.id) }
        return { ...state, born: withItem(state.born, event.arg as number, birth) }
      }
      if (!pins && command !== enter && command !== leave) return state
      const held = pinsStep(world, state.pins, event)
      return held === state.pins ? state : { ...state, pins: held }
    }
  }
}
