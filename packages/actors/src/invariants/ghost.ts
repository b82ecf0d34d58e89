/**
 * I-05, I-09: a load returns the last store. The monitor keeps, for each page of each address space, the values that a
 * load may return: one after a store, more where the kernel has freedom (a discard in progress, MADV_FREE, a child that
 * is being forked while its parent stores).
 *
 * What counts as a store to (mm, page): user instructions, fills of userfaultfd, and devices through a reference that was
 * taken for it, as long as user space has not discarded the page; FOLL_GET promises that only for writing and without fork.
 *
 * A load is an interval, from its translation to the read of the page: with a translation that it got before the kernel
 * moved the page, it returns what the old page holds, while others store to the new one already. Every value that was
 * the last one at some moment of the interval is a legal result. A translation that was stale when the load began, after
 * the store, is no excuse.
 */
import { commands, type Event, type Monitor } from "@mmrace/core"
import {
  type Access,
  type Call,
  copy_begin,
  copy_end,
  type CopyMark,
  enter,
  fork_begin,
  fork_copied,
  leave,
  page_read,
  page_write,
  set_pte_at,
  translate,
  type World,
  ZERO_PFN
} from "../objects/index.ts"
import { discards, fills, mmOf } from "./calls.ts"
import { type Held, noPins, pinCommands, type Pins, pinsStep, programPins, storesForProcess } from "./pinned.ts"
import { filled, inInstruction, inRewrite, keyOf, lookUp, pageName, whereOf, withItem } from "./where.ts"

interface Fork {
  readonly thread: number
  readonly parent: number
  readonly child: number
}

export interface Ghost {
  /** By key: what a load may return. */
  readonly allowed: ReadonlyArray<ReadonlyArray<number>>
  /** By key: the last store went through a pin. */
  readonly device: ReadonlyArray<boolean>
  /** By key: the kernel may drop the contents (MADV_FREE and no store since). */
  readonly lazy: ReadonlyArray<boolean>
  /** By key: discards, and MADV_FREEs, in progress. */
  readonly discarding: ReadonlyArray<number>
  readonly freeing: ReadonlyArray<number>
  /** By key: values stored while a discard is in progress. */
  readonly meanwhile: ReadonlyArray<ReadonlyArray<number>>
  /** By thread: page of its latest memory instruction. */
  readonly page: ReadonlyArray<number>
  /** By thread in a load, since its translation: every value that it might have returned at some moment of it. */
  readonly loading: ReadonlyArray<ReadonlyArray<number> | undefined>
  /** By thread: it is copying a page for the child. */
  readonly copying: ReadonlyArray<boolean>
  readonly forks: ReadonlyArray<Fork>
  readonly pins: Pins
}

const zero: ReadonlyArray<number> = [0]
const nothing: ReadonlyArray<number> = []

const union = (list: ReadonlyArray<number>, more: ReadonlyArray<number>): ReadonlyArray<number> => {
  const added = more.filter((value) => !list.includes(value))
  return added.length === 0 ? list : [...list, ...added]
}

/** The reference promises that what the device does is what the page at its address does. */
const coherent = (held: Held): boolean => held.pfn !== ZERO_PFN && held.kept && storesForProcess(held)

/** `device`: report what involves a store or load through a pin (I-05), or the rest (I-09). */
const coherence = (world: World, device: boolean): Monitor<Ghost> => {
  const where = whereOf(world)
  const pins = programPins(world)
  const keys = world.mms.length * world.pages
  const threads = world.tasks.length
  const initial: Ghost = {
    allowed: world.mms.flatMap((mm) =>
      mm.ptes.map(({ initial: pte }) => {
        if (pte._tag === "present") return [world.folios[pte.pfn]!.page.initial]
        return pte._tag === "swap" ? [world.slots[pte.offset]!.actor.initial.data] : zero
      })
    ),
    device: filled(keys, false),
    lazy: filled(keys, false),
    discarding: filled(keys, 0),
    freeing: filled(keys, 0),
    meanwhile: filled(keys, nothing),
    page: filled(threads, -1),
    loading: filled(threads, undefined),
    copying: filled(threads, false),
    forks: [],
    pins: noPins(world)
  }

  /**
   * Of children that are being made of the page's address space, the keys of those whose entry is empty still: the fork
   * has not got there (until it write-locks the VMA a discard under the VMA lock can be faster), or found nothing.
   */
  const uncopied = (forks: ReadonlyArray<Fork>, key: number): ReadonlyArray<number> => {
    const parent = Math.floor(key / world.pages), page = key % world.pages
    return forks
      .filter((fork) => fork.parent === parent && world.mms[fork.child]!.ptes[page]!.state._tag === "none")
      .map((fork) => keyOf(world, fork.child, page))
  }

  const stored = (state: Ghost, mm: number, page: number, value: number, byDevice: boolean): Ghost => {
    const key = keyOf(world, mm, page)
    let { allowed, device: devices, lazy, meanwhile } = state
    if (state.discarding[key]! > 0) {
      allowed = withItem(allowed, key, union(allowed[key]!, [value, 0]))
      meanwhile = withItem(meanwhile, key, union(meanwhile[key]!, [value]))
    } else if (state.freeing[key]! > 0) {
      // It may go, or stay; what was there before does not come back.
      allowed = withItem(allowed, key, union([value], zero))
    } else {
      const before = allowed[key]!
      if (before.length !== 1 || before[0] !== value) allowed = withItem(allowed, key, [value])
      lazy = withItem(lazy, key, false)
    }
    devices = withItem(devices, key, byDevice)
    for (const fork of state.forks) {
      if (fork.parent !== mm) continue
      const childKey = keyOf(world, fork.child, page)
      allowed = withItem(allowed, childKey, union(allowed[childKey]!, [value]))
    }
    if (
      allowed === state.allowed && devices === state.device && lazy === state.lazy && meanwhile === state.meanwhile
    ) return state
    return { ...state, allowed, device: devices, lazy, meanwhile }
  }

  const loaded = (state: Ghost, mm: number, page: number, value: number, byDevice: boolean, event: Event): Ghost => {
    const key = keyOf(world, mm, page)
    const values = state.allowed[key]!
    if (!values.includes(value)) {
      if ((byDevice || state.device[key]!) === device) {
        event.violate(
          `${byDevice ? "the device" : "a load"} reads ${value} at ${
            pageName(world, world.mms[mm]!, page)
          }, but the last ${state.device[key]! ? "store, by the device," : "store"} was ${values.join(" or ")}`,
          byDevice ? "device load" : "load"
        )
      }
      return state
    }
    // What was seen stays: later loads may not go back to another value.
    if (values.length > 1 && !state.lazy[key] && state.discarding[key] === 0 && state.freeing[key] === 0) {
      if (!state.forks.some((f) => f.child === mm)) return { ...state, allowed: withItem(state.allowed, key, [value]) }
    }
    return state
  }

  const deviceAccess = (state: Ghost, pfn: number, event: Event): Ghost => {
    const held = state.pins.held.find((h) => h.pfn === pfn && h.thread === event.thread)
    if (held === undefined) return state
    const isLoad = (event.command as unknown) === page_read
    if (coherent(held)) {
      return isLoad
        ? loaded(state, held.mm, held.page, event.result as number, held.pin === "pin", event)
        : stored(state, held.mm, held.page, event.arg as number, held.pin === "pin")
    }
    if (isLoad) return state
    // No promise: whoever still has the page, mapped, in a TLB or in the swap cache, may see the value or not. While an
    // entry is rewritten, where the page was mapped last says whether it comes back.
    const { index, mapping } = world.folios[pfn]!.folio.state
    let { allowed, meanwhile } = state
    for (const mm of world.mms) {
      for (let page = 0; page < world.pages; page++) {
        const pte = mm.ptes[page]!.state
        const frame = pte._tag === "present"
          ? pte.pfn
          : pte._tag === "swap"
          ? world.slots[pte.offset]!.actor.state.cache
          : -1
        const between = page === index && world.regionOf[page] === mapping && inRewrite(world, mm, page)
        const cached = mm.cpumask.some(({ actor }) => actor.state.tlb[page]?.pfn === pfn)
        if (frame !== pfn && !between && !cached) continue
        const key = keyOf(world, mm.id, page)
        const value = [event.arg as number]
        allowed = withItem(allowed, key, union(allowed[key]!, value))
        if (state.discarding[key]! > 0) meanwhile = withItem(meanwhile, key, union(meanwhile[key]!, value))
      }
    }
    return allowed === state.allowed && meanwhile === state.meanwhile ? state : { ...state, allowed, meanwhile }
  }

  const overRange = (
    state: Ghost,
    event: Event,
    call: Call,
    change: (draft: { -readonly [K in keyof Ghost]: Ghost[K] }, key: number) => void
  ): Ghost => {
    const draft = { ...state }
    const { id } = mmOf(world, event.thread, call)
    for (let page = call.page; page < call.page + call.pages; page++) change(draft, keyOf(world, id, page))
    return draft
  }

  const entered = (state: Ghost, event: Event, call: Call): Ghost => {
    if (discards(call)) {
      return overRange(state, event, call, (draft, key) => {
        draft.allowed = withItem(draft.allowed, key, union(draft.allowed[key]!, zero))
        draft.discarding = withItem(draft.discarding, key, draft.discarding[key]! + 1)
        for (const child of uncopied(draft.forks, key)) {
          draft.allowed = withItem(draft.allowed, child, union(draft.allowed[child]!, zero))
        }
      })
    }
    if (call.name !== "madvise_free") return state
    return overRange(state, event, call, (draft, key) => {
      draft.allowed = withItem(draft.allowed, key, union(draft.allowed[key]!, zero))
      draft.freeing = withItem(draft.freeing, key, draft.freeing[key]! + 1)
      draft.lazy = withItem(draft.lazy, key, true)
    })
  }

  const left = (state: Ghost, event: Event, call: Call, result: number): Ghost => {
    if (discards(call)) {
      return overRange(state, event, call, (draft, key) => {
        const n = draft.discarding[key]! - 1
        draft.discarding = withItem(draft.discarding, key, n)
        if (n > 0) return
        if (result >= 0) {
          draft.allowed = withItem(draft.allowed, key, union(zero, draft.meanwhile[key]!))
          draft.device = withItem(draft.device, key, false)
          if (draft.freeing[key] === 0) draft.lazy = withItem(draft.lazy, key, false)
          for (const child of uncopied(draft.forks, key)) {
            draft.allowed = withItem(draft.allowed, child, draft.allowed[key]!)
          }
        }
        draft.meanwhile = withItem(draft.meanwhile, key, nothing)
      })
    }
    if (call.name !== "madvise_free") return state
    return overRange(state, event, call, (draft, key) => {
      draft.freeing = withItem(draft.freeing, key, draft.freeing[key]! - 1)
    })
  }

  const translated = (state: Ghost, thread: number, { page, store }: Access): Ghost => {
    const pages = withItem(state.page, thread, page)
    const values = store ? undefined : state.allowed[keyOf(world, world.tasks[thread]!.mm.id, page)]!
    const loading = withItem(state.loading, thread, values)
    return pages === state.page && loading === state.loading ? state : { ...state, page: pages, loading }
  }

  /** Loads in flight may return what has become current, too. */
  const duringLoads = (state: Ghost): Ghost => {
    let { loading } = state
    for (let t = 0; t < threads; t++) {
      const values = loading[t]
      if (values === undefined) continue
      const now = state.allowed[keyOf(world, world.tasks[t]!.mm.id, state.page[t]!)]!
      loading = withItem(loading, t, union(values, now))
    }
    return loading === state.loading ? state : { ...state, loading }
  }

  const entrySet = (state: Ghost, event: Event): Ghost => {
    const m = lookUp(where.pteMm, event.actor.id)
    const call = state.pins.calls[event.thread]
    const fork = state.forks.find((f) => f.thread === event.thread && f.child === m)
    const page = where.ptePage[event.actor.id]!
    if (fork !== undefined) {
      // The child's snapshot of this page begins here; an early copy's began when the copy did.
      if (state.copying[event.thread]) return state
      const key = keyOf(world, m, page)
      return { ...state, allowed: withItem(state.allowed, key, state.allowed[keyOf(world, fork.parent, page)]!) }
    }
    if (call === undefined || !fills(call)) return state
    const pte = event.arg as { readonly _tag: string; readonly pfn?: number }
    const before = (event.before as { readonly _tag: string })._tag
    if (pte._tag !== "present" || (before !== "none" && before !== "marker")) return state
    return stored(state, m, page, world.folios[pte.pfn!]!.page.state, false)
  }

  const changed = (state: Ghost, event: Event): Ghost => {
    const command: unknown = event.command
    const { thread } = event
    if (command === page_read || command === page_write) {
      if (inInstruction(world, event)) {
        const { id } = world.tasks[thread]!.mm
        const page = state.page[thread]!
        if (command === page_write) return stored(state, id, page, event.arg as number, false)
        const value = event.result as number
        const inTime = state.loading[thread]?.includes(value) === true
        const done = { ...state, loading: withItem(state.loading, thread, undefined) }
        return inTime && !state.allowed[keyOf(world, id, page)]!.includes(value)
          ? done
          : loaded(done, id, page, value, false, event)
      }
      const name = pins ? state.pins.calls[thread]?.name : undefined
      if (name !== "dma_load" && name !== "dma_store") return state
      return deviceAccess(state, lookUp(where.data, event.actor.id), event)
    }
    if (command === set_pte_at) return entrySet(state, event)
    if (command === fork_begin) {
      const parent = world.tasks[thread]!.mm.id
      const child = event.arg as number
      const draft = { ...state, forks: [...state.forks, { thread, parent, child }] }
      for (let page = 0; page < world.pages; page++) {
        const from = keyOf(world, parent, page), to = keyOf(world, child, page)
        draft.allowed = withItem(draft.allowed, to, draft.allowed[from]!)
        draft.lazy = withItem(draft.lazy, to, draft.lazy[from]!)
        draft.device = withItem(draft.device, to, draft.device[from]!)
      }
      return draft
    }
    if (command === fork_copied) {
      return { ...state, forks: state.forks.filter((f) => f.child !== event.arg) }
    }
    if (command === copy_begin) {
      const { forChild, page } = event.arg as CopyMark
      const fork = forChild ? state.forks.find((f) => f.thread === thread) : undefined
      if (fork === undefined) return state
      const from = state.allowed[keyOf(world, fork.parent, page)]!
      return {
        ...state,
        copying: withItem(state.copying, thread, true),
        allowed: withItem(state.allowed, keyOf(world, fork.child, page), from)
      }
    }
    if (command === copy_end) {
      return state.copying[thread] ? { ...state, copying: withItem(state.copying, thread, false) } : state
    }
    let next = state
    if (command === enter) next = entered(state, event, event.arg as Call)
    else if (command === leave) {
      const call = state.pins.calls[thread]
      if (call !== undefined) next = left(state, event, call, (event.arg as { readonly result: number }).result)
    }
    const held = pinsStep(world, next.pins, event)
    return held === next.pins ? next : { ...next, pins: held }
  }

  return {
    id: device ? "I-05" : "I-09",
    title: device ? "PinCoherence" : "NoLostStore",
    on: commands(
      ...pinCommands(world),
      translate,
      page_read,
      page_write,
      set_pte_at,
      fork_begin,
      fork_copied,
      copy_begin,
      copy_end
    ),
    initial: () => initial,
    step(state, event) {
      const command: unknown = event.command
      const { thread } = event
      if (command === translate) return translated(state, thread, event.arg as Access)
      const next = changed(state, event)
      return next.allowed === state.allowed ? next : duringLoads(next)
    }
  }
}

export const pinCoherence = (world: World): Monitor<Ghost> => coherence(world, true)
export const noLostStore = (world: World): Monitor<Ghost> => coherence(world, false)
