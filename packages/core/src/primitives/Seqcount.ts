/**
 * A sequence counter: odd while its writer is at work (include/linux/seqlock.h). Readers never stop the writer;
 * they read the sequence, do their work, and start over when the sequence has changed. Writers must already
 * exclude one another by some lock: a second `write_begin` throws.
 */
import { type Actor, ActorType } from "../Actor.ts"
import { ask, type Ask, type Path } from "../Ask.ts"
import { anInt } from "../Shape.ts"

export interface SeqcountState {
  readonly sequence: number
  /** Thread id of the writer at work; -1 when there is none. */
  readonly writer: number
}

const nobody = -1

export const zero: SeqcountState = { sequence: 0, writer: nobody }

export const isOdd = (sequence: number): boolean => (sequence & 1) === 1

const type = new ActorType<SeqcountState>("seqcount", {
  waitsFor: (state) => state.writer === nobody ? [] : [state.writer],
  show: (state) =>
    state.writer === nobody ? `${state.sequence}` : `${state.sequence}, written by thread ${state.writer}`
})

/** The steps. */
export const seqcount = {
  type,
  writeBegin: type.command("write_begin", {
    access: "write",
    ordering: "acq_rel",
    decide: (state, _arg, thread) => {
      if (state.writer !== nobody) {
        throw new Error(
          `${thread.name}: write_begin of a seqcount that thread ${state.writer} is writing: writers must hold a lock`
        )
      }
    },
    evolve: (state, _arg, _result, thread) => ({ sequence: state.sequence + 1, writer: thread })
  }),
  writeEnd: type.command("write_end", {
    access: "write",
    ordering: "release",
    decide: (state, _arg, thread) => {
      if (state.writer !== thread.id) throw new Error(`${thread.name}: write_end of a seqcount it is not writing`)
    },
    evolve: (state) => ({ sequence: state.sequence + 1, writer: nobody })
  }),
  /** The sequence as it is, also when odd (raw_read_seqcount). */
  read: type.command<void, number>("read", {
    access: "read",
    ordering: "acquire",
    decide: (state) => state.sequence,
    result: anInt
  }),
  /** Waits until no writer is at work (read_seqcount_begin spins). */
  readBegin: type.command<void, number>("read_begin", {
    access: "read",
    ordering: "acquire",
    blocked: (state) => state.writer !== nobody,
    decide: (state) => state.sequence,
    result: anInt
  })
}

export const writeBegin = (count: Actor<SeqcountState>): Ask<void> => ask(count, seqcount.writeBegin)
export const writeEnd = (count: Actor<SeqcountState>): Ask<void> => ask(count, seqcount.writeEnd)
export const read = (count: Actor<SeqcountState>): Ask<number> => ask(count, seqcount.read)
export const readBegin = (count: Actor<SeqcountState>): Ask<number> => ask(count, seqcount.readBegin)

/** True: the sequence is no longer `start`, what was read since then may be torn (read_seqcount_retry). */
export function* readRetry(count: Actor<SeqcountState>, start: number): Path<boolean> {
  return (yield* ask(count, seqcount.read)) !== start
}
