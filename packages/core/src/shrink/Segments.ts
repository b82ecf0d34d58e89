/**
 * A schedule as a list of segments, each a thread and how far it runs, for tolerant replay: what does not fit after
 * a change is skipped, and the default continuation fills the gaps.
 */
import type { Ask } from "../Ask.ts"
import type { Strategy, View } from "../Strategy.ts"
import { continueLast } from "../strategies/Sequential.ts"
import type { Outcome } from "./Trial.ts"

export interface Segment {
  readonly thread: number
  /**
   * The thread runs until it has made this many steps since its start. Counting from the start means that a
   * removed segment's steps fall to the thread's next one, and that steps done early are not done twice.
   */
  readonly upto: number
  /** First and one past the last step of the segment in the execution it was taken from. */
  readonly from: number
  readonly to: number
  /** The next segment preempted this one. */
  readonly preempted: boolean
}

export const segmentsOf = (outcome: Outcome): ReadonlyArray<Segment> => {
  const { preemptions, threads } = outcome
  const preempting = new Set(preemptions)
  const done = new Map<number, number>()
  const segments: Array<Segment> = []
  for (let from = 0; from < threads.length;) {
    const thread = threads[from]!
    let to = from + 1
    while (to < threads.length && threads[to] === thread) to++
    const upto = (done.get(thread) ?? 0) + to - from
    done.set(thread, upto)
    segments.push({ thread, upto, from, to, preempted: preempting.has(to) })
    from = to
  }
  return segments
}

/** The same segment, but the thread goes on for as long as it can. */
export const unbounded = (segment: Segment): Segment => ({ ...segment, upto: Number.POSITIVE_INFINITY })

/** Follows segments tolerantly; data choices are given to each thread in the order it got them. */
export class FromSegments implements Strategy {
  readonly name = "from-segments"
  private readonly segments: ReadonlyArray<Segment>
  private readonly data: ReadonlyArray<ReadonlyArray<number>>
  private at = 0
  private picked = -1
  private readonly done = new Map<number, number>()
  private readonly given = new Map<number, number>()

  constructor(segments: ReadonlyArray<Segment>, data: ReadonlyArray<ReadonlyArray<number>>) {
    this.segments = segments
    this.data = data
  }

  begin(): void {
    this.at = 0
    this.picked = -1
    this.done.clear()
    this.given.clear()
  }

  pick(view: View): number {
    const index = this.next(view)
    this.picked = view.enabled[index]!
    return index
  }

  choose(n: number, view: View): number {
    const thread = view.enabledCount === 1 ? view.enabled[0]! : this.picked
    const turn = this.given.get(thread) ?? 0
    this.given.set(thread, turn + 1)
    const value = this.data[thread]?.[turn] ?? 0
    return value < n ? value : 0
  }

  ran(thread: number, _ask: Ask<unknown>): void {
    this.done.set(thread, (this.done.get(thread) ?? 0) + 1)
  }

  private next(view: View): number {
    for (; this.at < this.segments.length; this.at++) {
      const { thread, upto } = this.segments[this.at]!
      if ((this.done.get(thread) ?? 0) >= upto) continue
      for (let i = 0; i < view.enabledCount; i++) if (view.enabled[i] === thread) return i
      // It waits or has ended: skipped, its steps fall to its next segment.
    }
    return continueLast(view)
  }
}
