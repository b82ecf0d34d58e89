/** Which threads conflict where, as far as earlier executions have shown (the profile). */
import { type Ask, locationOf } from "../Ask.ts"
import type { Profile } from "../Profile.ts"

/** Threads that do the same to shared locations: where one of them is, any other could be. */
export interface Group {
  readonly name: string
  readonly threads: ReadonlyArray<number>
}

export const alike = ({ sharedSteps, sharedWrites }: Profile, threads: number): ReadonlyArray<Group> => {
  const groups = new Map<string, Array<number>>()
  const uses = Array.from({ length: threads }, () => "")
  for (const [location, counts] of sharedSteps) {
    const writes = sharedWrites.get(location)!
    counts.forEach((steps, thread) => {
      if (steps > 0) uses[thread] += `${location}:${steps}:${writes[thread]} `
    })
  }
  uses.forEach((use, thread) => {
    const group = groups.get(use)
    if (group === undefined) groups.set(use, [thread])
    else group.push(thread)
  })
  return [...groups.values()].map((members) => ({ name: members.join(","), threads: members }))
}

/** How many accesses of a thread conflict with what the other one does. */
export const meetings = ({ sharedSteps, sharedWrites }: Profile, thread: number, other: number): number => {
  let sum = 0
  for (const [location, steps] of sharedSteps) {
    if ((steps[other] ?? 0) === 0) continue
    const writes = sharedWrites.get(location)!
    sum += (writes[other] ?? 0) > 0 ? steps[thread] ?? 0 : writes[thread] ?? 0
  }
  return sum
}

/** Whether this step conflicts with anything that the other thread does. */
export const meets = ({ sharedSteps, sharedWrites }: Profile, ask: Ask<unknown>, other: number): boolean => {
  const location = locationOf(ask)
  const counts = ask.command.isWrite ? sharedSteps.get(location) : sharedWrites.get(location)
  return counts !== undefined && (counts[other] ?? 0) > 0
}

/** Whether this step conflicts with anything that any other thread does. */
export const meetsAnother = ({ sharedSteps, sharedWrites }: Profile, ask: Ask<unknown>, thread: number): boolean => {
  const location = locationOf(ask)
  const counts = ask.command.isWrite ? sharedSteps.get(location) : sharedWrites.get(location)
  if (counts === undefined) return false
  for (let other = 0; other < counts.length; other++) if (other !== thread && counts[other]! > 0) return true
  return false
}
