/** A state on the path of a search with state matching and partial-order reduction. */
import type { Footprint } from "./Footprint.ts"
import type { Happened } from "./Machine.ts"
import type { Move } from "./Witness.ts"

export interface Sleeper {
  readonly thread: number
  readonly footprint: Footprint
}

/** Threads are kept as bits of a number. */
export const maxThreads = 30

/** A state on the path. */
export class Node {
  /** Number of the state among those visited; -1 when there was no room for it. */
  readonly state: number
  /** Threads that can move. */
  readonly enabled: number
  /** Threads to move, and those moved already (here, or at an earlier visit). */
  todo = 0
  done = 0
  sleep: Array<Sleeper>
  asleep: number
  /** What follows is not all known: an execution was cut below, or led back to the path. */
  open = false
  /** The first state of the path that something below leads back to. */
  low = Infinity
  /** It is the partner's to explore, but for a part. */
  readonly borrowed: boolean
  /** The thread being moved; of its data choice the number under way, and how many there are. */
  thread = -1
  value = -1
  values = 0
  /** What the step of `thread` touched, with all numbers so far. */
  touched: Footprint | undefined = undefined
  loops: Loops | undefined = undefined
  /** A step that comes later, and that a sequence from this state can begin with, of a thread that is moved or sleeps here. */
  cover: Happened | undefined = undefined
  coverAt = -1
  /** The step under way is on a way round. */
  comesBack = false

  constructor(state: number, enabled: number, sleep: Array<Sleeper>, asleep: number, borrowed = false) {
    this.borrowed = borrowed
    this.state = state
    this.enabled = enabled
    this.sleep = sleep
    this.asleep = asleep
  }

  /** Everybody who can move is to be moved, was moved or sleeps. */
  get isWhole(): boolean {
    return (this.enabled & ~(this.todo | this.done | this.asleep)) === 0
  }

  /** The next thread to move, the one that moved last first; -1 when there is none. */
  next(last: number): number {
    const left = this.todo & this.enabled & ~this.done & ~this.asleep
    if (left === 0) return -1
    return last >= 0 && (left & (1 << last)) !== 0 ? last : 31 - Math.clz32(left & -left)
  }
}

/** Ways round from a state back to it, none of which makes progress, put together as one. */
export class Loops {
  readonly loop: Array<Move> = []
  /** Threads that move in it, and those that could at each of its states. */
  private moved = 0
  private always = -1

  /** False: nobody moves in it who did not before. */
  add(moves: ReadonlyArray<Move>, nodes: ReadonlyArray<Node>): boolean {
    const moved = moves.reduce((bits, { thread }) => bits | (1 << thread), 0)
    if ((moved & ~this.moved) === 0) return false
    this.moved |= moved
    for (const { enabled } of nodes) this.always &= enabled
    this.loop.push(...moves)
    return true
  }

  /** Who could always move does move (Musuvathi and Qadeer: Fair stateless model checking, PLDI'08). */
  get isFair(): boolean {
    return (this.always & ~this.moved) === 0
  }
}
