/**
 * Local reduction: from a failing execution to one that no single change makes better. Delta debugging over segments
 * and preemptions (Zeller, Hildebrandt, TSE 2002), then moving independent segments together.
 *
 * Every candidate is executed; what counts is how the execution really went, never what the candidate asked for.
 */
import { conflicts } from "../Ask.ts"
import type { Schedule } from "../Schedule.ts"
import { FromSchedule } from "../strategies/FromSchedule.ts"
import { FromSegments, type Segment, segmentsOf, unbounded } from "./Segments.ts"
import { compare, type Outcome, type Trial } from "./Trial.ts"

/** Applies all passes again and again until none of them finds anything better or the budget is spent. */
export const reduce = (trial: Trial, start: Outcome): Outcome => {
  let best = start
  for (;;) {
    const before = best
    for (const pass of [truncate, dropSegments, dropPreemptions, merge, dropDeviations]) best = pass(trial, best)
    if (best === before || trial.done) return best
  }
}

/** The better of `best` and the execution under `segments`. */
const trySegments = (trial: Trial, best: Outcome, segments: ReadonlyArray<Segment>): Outcome =>
  better(best, trial.attempt(new FromSegments(segments, best.data)))

const better = (best: Outcome, candidate: Outcome | undefined): Outcome =>
  candidate !== undefined && compare(candidate, best) < 0 ? candidate : best

/** Only the first few segments, then the default continuation: the shortest beginning that is enough. */
const truncate = (trial: Trial, start: Outcome): Outcome => {
  const segments = segmentsOf(start)
  for (let kept = 0; kept < segments.length && !trial.done; kept = kept * 2 + 1) {
    const best = trySegments(trial, start, segments.slice(0, kept))
    if (best !== start) return best
  }
  return start
}

/**
 * Delta debugging: applies `change` to chunks of elements, halving the chunk until it is one element. `change` gets the
 * current best and a range of its elements; a better outcome replaces the best and its elements are counted anew.
 */
const chunks = (
  trial: Trial,
  start: Outcome,
  count: (outcome: Outcome) => number,
  change: (outcome: Outcome, from: number, to: number) => Outcome
): Outcome => {
  let best = start
  for (let size = Math.ceil(count(best) / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < count(best) && !trial.done;) {
      const next = change(best, from, Math.min(from + size, count(best)))
      if (next === best) from += size
      best = next
    }
  }
  return best
}

/** Without a segment its steps fall to the thread's next segment: the thread comes later. */
const dropSegments = (trial: Trial, start: Outcome): Outcome =>
  chunks(trial, start, (o) => segmentsOf(o).length, (best, from, to) => {
    const segments = segmentsOf(best)
    return trySegments(trial, best, [...segments.slice(0, from), ...segments.slice(to)])
  })

/** Without a preemption the running thread goes on until it waits or ends. */
const dropPreemptions = (trial: Trial, start: Outcome): Outcome =>
  chunks(trial, start, (o) => o.preemptions.length, (best, from, to) => {
    let preemption = 0
    const segments = segmentsOf(best).map((segment) => {
      if (!segment.preempted) return segment
      const dropped = preemption >= from && preemption < to
      preemption++
      return dropped ? unbounded(segment) : segment
    })
    return trySegments(trial, best, segments)
  })

/**
 * Moves a segment back to the one of the same thread before it, or that one forward, when nothing in between
 * touches what it touches: the steps commute, so the execution is the same with fewer switches.
 */
const merge = (trial: Trial, start: Outcome): Outcome => {
  let best = start
  for (let improved = true; improved && !trial.done;) {
    improved = false
    const segments = segmentsOf(best)
    for (let late = 2; late < segments.length && !improved && !trial.done; late++) {
      const early = lastOf(segments, segments[late]!.thread, late - 1)
      if (early < 0) continue
      const between = segments.slice(early + 1, late)
      for (const moved of [late, early]) {
        if (!commutes(best, segments[moved]!, between)) continue
        const order = moved === late
          ? [...segments.slice(0, early + 1), segments[late]!, ...between, ...segments.slice(late + 1)]
          : [...segments.slice(0, early), ...between, ...segments.slice(late)]
        const next = trySegments(trial, best, order)
        improved = next !== best
        best = next
        if (improved) break
      }
    }
  }
  return best
}

const lastOf = (segments: ReadonlyArray<Segment>, thread: number, from: number): number => {
  for (let i = from; i >= 0; i--) if (segments[i]!.thread === thread) return i
  return -1
}

const commutes = ({ asks }: Outcome, segment: Segment, others: ReadonlyArray<Segment>): boolean =>
  others.every((other) => {
    for (let i = segment.from; i < segment.to; i++) {
      for (let j = other.from; j < other.to; j++) if (conflicts(asks[i]!, asks[j]!)) return false
    }
    return true
  })

/** Takes deviations out of the choice stream or lowers them: simpler data choices, lower thread numbers. */
const dropDeviations = (trial: Trial, start: Outcome): Outcome => {
  const trySchedule = (best: Outcome, schedule: Schedule): Outcome =>
    better(best, trial.attempt(new FromSchedule(schedule)))
  const dropped = chunks(
    trial,
    start,
    (o) => o.schedule.length,
    (best, from, to) => trySchedule(best, [...best.schedule.slice(0, from), ...best.schedule.slice(to)])
  )
  return chunks(trial, dropped, (o) => o.schedule.length, (best, from, to) => {
    const entry = best.schedule[from]!
    if (to - from !== 1 || entry.choice === 0) return best
    return trySchedule(best, best.schedule.map((d, i) => i === from ? { point: d.point, choice: d.choice - 1 } : d))
  })
}
