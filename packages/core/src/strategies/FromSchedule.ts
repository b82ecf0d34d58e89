/** Follows a schedule given as deviations; everywhere else the default continuation. */
import type { Schedule } from "../Schedule.ts"
import type { Strategy, View } from "../Strategy.ts"
import { continueLast } from "./Sequential.ts"

export class FromSchedule implements Strategy {
  readonly name = "from-schedule"
  /** Deviations of the last execution that did not fit: index out of range. The default was taken instead. */
  misfits = 0
  private readonly schedule: Schedule
  private point = 0
  private next = 0

  constructor(schedule: Schedule) {
    this.schedule = schedule
  }

  /** Deviations that the last execution never came to. */
  get unused(): number {
    return this.schedule.length - this.next
  }

  begin(): void {
    this.point = 0
    this.next = 0
    this.misfits = 0
  }

  pick(view: View): number {
    const choice = this.deviation(view.enabledCount)
    return choice < 0 ? continueLast(view) : choice
  }

  choose(n: number): number {
    return Math.max(0, this.deviation(n))
  }

  /** The deviation at this point when it is below `limit`, else -1. */
  private deviation(limit: number): number {
    const entry = this.schedule[this.next]
    if (entry === undefined || entry.point !== this.point++) return -1
    this.next++
    if (entry.choice < limit) return entry.choice
    this.misfits++
    return -1
  }
}
