/**
 * Which steps order which: the one place that says how a command's `ordering` and lock effect move clocks.
 *
 * Every location has a clock that releasers publish to and acquirers join; a lock has a second one for its
 * readers, so that readers are not ordered with each other (FastTrack, Flanagan and Freund, PLDI'09, section 4):
 *
 *     acquire, relaxed  as the words say: relaxed does neither    down_read   joins the writers' clock
 *     release           publishes                                 up_read     publishes to the readers' clock
 *     downgrade         publishes to the writers' clock           down_write  joins both
 *                       and stays a reader                        up_write    publishes to the writers' clock
 *
 * Where a command has a lock effect, the effect decides and `ordering` is not looked at: a failed trylock and
 * joining a queue order nothing. Publishing adds to a clock and never replaces it, so a release by a plain store
 * keeps what earlier releases published: too much order at worst, hence never a false race.
 */
import type { Command, LockEffect } from "../Actor.ts"

export const joinsWriters = 1
export const joinsReaders = 2
export const publishesAsWriter = 4
export const publishesAsReader = 8

const atomic = {
  plain: 0,
  relaxed: 0,
  acquire: joinsWriters,
  release: publishesAsWriter,
  acq_rel: joinsWriters | publishesAsWriter
}

/** Bits of what a step does to clocks, given its result. */
export const orderingOf = (command: Command<unknown, unknown, unknown>, result: unknown, arg: unknown): number =>
  command.lock === undefined ? atomic[command.ordering] : lockOrdering(command.lock(result, arg))

const lockOrdering = (effect: LockEffect | undefined): number => {
  if (effect === undefined) return 0
  switch (effect.action) {
    case "acquire":
    case "try":
    case "granted":
      return effect.mode === "write" ? joinsWriters | joinsReaders : joinsWriters
    case "release":
      return effect.mode === "write" ? publishesAsWriter : publishesAsReader
    case "downgrade":
      return publishesAsWriter
    case "queue":
    case "abandon":
      return 0
  }
}
