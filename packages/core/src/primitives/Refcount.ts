/**
 * A reference count that must never come back from zero (lib/refcount.c). The state is the count. Orderings are those
 * of Documentation/core-api/refcount-vs-atomic.rst: increments order nothing, the last decrement orders everything.
 */
import { type Actor, ActorType } from "../Actor.ts"
import { ask, type Ask } from "../Ask.ts"
import { aBoolean, anInt } from "../Shape.ts"

const type = new ActorType<number>("refcount")

/** The steps. The initial state is the number of references. */
export const refcount = {
  type,
  /** Throws on zero: the object is being freed, so the caller has no reference to copy. */
  inc: type.command("inc", {
    access: "write",
    ordering: "relaxed",
    decide: (count, _arg, thread) => {
      if (count === 0) {
        throw new Error(`${thread.name}: inc of a refcount that is 0: the object is gone (use after free)`)
      }
    },
    evolve: (count) => count + 1
  }),
  /** False: it was zero and stays zero. */
  incNotZero: type.command<void, boolean>("inc_not_zero", {
    access: "write",
    ordering: "relaxed",
    decide: (count) => count > 0,
    evolve: (count, _arg, taken) => taken ? count + 1 : count,
    result: aBoolean
  }),
  /** True: that was the last reference. */
  decAndTest: type.command<void, boolean>("dec_and_test", {
    access: "write",
    ordering: "acq_rel",
    decide: (count, _arg, thread) => {
      if (count === 0) {
        throw new Error(`${thread.name}: dec_and_test of a refcount that is 0: underflow (a reference was put twice)`)
      }
      return count === 1
    },
    evolve: (count) => count - 1,
    result: aBoolean
  }),
  read: type.command<void, number>("read", {
    access: "read",
    ordering: "relaxed",
    decide: (count) => count,
    result: anInt
  })
}

export const inc = (count: Actor<number>): Ask<void> => ask(count, refcount.inc)
export const incNotZero = (count: Actor<number>): Ask<boolean> => ask(count, refcount.incNotZero)
export const decAndTest = (count: Actor<number>): Ask<boolean> => ask(count, refcount.decAndTest)
export const read = (count: Actor<number>): Ask<number> => ask(count, refcount.read)
