/** I-15: nobody can write a page while it is being replaced by a copy. */
import { commands, type Event, type Monitor } from "@mmrace/core"
import {
  copy_begin,
  copy_end,
  type CopyMark,
  type Fill,
  page_read,
  set_pte_at,
  tlb_fill,
  type World
} from "../objects/index.ts"
import { filled, lookUp, pageName, whereOf, withItem } from "./where.ts"

interface Copying extends CopyMark {
  readonly reading: boolean
  /** Number of a CPU that could write the source while it was read, -1 for none. */
  readonly writer: number
}

/** By thread: the copy it is making. */
export type Copies = ReadonlyArray<Copying | undefined>

/**
 * A copy that is given up harms nobody (somebody else made the entry writable meanwhile, and the re-check under the
 * page-table lock sees it), so the report comes when the copy is installed. Copies for a child in fork are exempt.
 */
export const noWriterDuringCopy = (world: World): Monitor<Copies> => {
  const where = whereOf(world)
  const nobody: Copies = filled(world.tasks.length, undefined)

  const writerOf = ({ mm, page, pfn }: CopyMark): number => {
    for (const cpu of world.mms[mm]!.cpumask) {
      const entry = cpu.actor.state.tlb[page]
      if (entry !== undefined && entry.write && entry.pfn === pfn) return cpu.id
    }
    return -1
  }

  const filledBy = (state: Copies, event: Event): Copies => {
    const { page, pfn, write } = event.arg as Fill
    if (!write) return state
    let next = state
    for (let t = 0; t < state.length; t++) {
      const copying = state[t]
      if (copying === undefined || !copying.reading || copying.writer >= 0) continue
      if (copying.page === page && copying.pfn === pfn) {
        next = withItem(next, t, { ...copying, writer: writerOf(copying) })
      }
    }
    return next
  }

  return {
    id: "I-15",
    title: "NoWriterDuringCopy",
    on: commands(copy_begin, copy_end, page_read, tlb_fill, set_pte_at),
    initial: () => nobody,
    step(state, event) {
      const command: unknown = event.command
      const { thread } = event
      if (command === tlb_fill) return state === nobody ? state : filledBy(state, event)
      if (command === copy_begin) {
        const mark = event.arg as CopyMark
        return mark.forChild ? state : withItem(state, thread, { ...mark, reading: false, writer: -1 })
      }
      const copying = state[thread]
      if (copying === undefined) return state
      if (command === copy_end) {
        const next = withItem(state, thread, undefined)
        return next.every((c) => c === undefined) ? nobody : next
      }
      if (command === page_read) {
        if (lookUp(where.data, event.actor.id) !== copying.pfn || copying.reading) return state
        return withItem(state, thread, { ...copying, reading: true, writer: writerOf(copying) })
      }
      const { actor } = event
      if (
        copying.writer >= 0 && lookUp(where.pteMm, actor.id) === copying.mm &&
        where.ptePage[actor.id] === copying.page &&
        (actor.state as { readonly _tag: string; readonly pfn?: number }).pfn !== copying.pfn
      ) {
        const at = pageName(world, world.mms[copying.mm]!, copying.page)
        event.violate(
          `${at} is replaced by a copy of pfn ${copying.pfn}, which cpu ${copying.writer} could write while it was copied`,
          "copied page"
        )
      }
      return state
    }
  }
}
