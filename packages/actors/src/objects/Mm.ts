/** Small words of `struct mm_struct` that are no lock. The locks are core's rwsem, seqcount and spinlock. */
import { ActorType } from "@mmrace/core"
import { Schema } from "effect"

/** Counters and flags: one number each (`mm_users`, `tlb_flush_pending`, MMF_HAS_PINNED, `mmap_changing` ...). */
export const counterType = new ActorType<number>("counter", { show: String })

export const atomic_read = counterType.command<void, number>("atomic_read", {
  access: "read",
  ordering: "relaxed",
  decide: (n) => n,
  result: Schema.Int
})

/** Adds (a negative number subtracts); returns the value after. */
export const atomic_add_return = counterType.command<number, number>("atomic_add_return", {
  access: "write",
  ordering: "acq_rel",
  decide: (n, delta) => n + delta,
  evolve: (_n, _delta, after) => after,
  arg: Schema.Int,
  result: Schema.Int
})

/** Adds unless the value is 0 (`mmget_not_zero`); false when it was. */
export const atomic_inc_not_zero = counterType.command<void, boolean>("atomic_inc_not_zero", {
  access: "write",
  ordering: "acq_rel",
  decide: (n) => n !== 0,
  evolve: (n, _arg, done) => done ? n + 1 : n,
  result: Schema.Boolean
})

export const atomic_set = counterType.command<number>("atomic_set", {
  access: "write",
  ordering: "release",
  evolve: (_n, value) => value,
  arg: Schema.Int
})

/** Stores `next` when the value is `expected`; returns the value before. */
export const atomic_cmpxchg = counterType.command<{ readonly expected: number; readonly next: number }, number>(
  "atomic_cmpxchg",
  {
    access: "write",
    ordering: "acq_rel",
    decide: (n) => n,
    evolve: (n, { expected, next }) => n === expected ? next : n,
    arg: Schema.Struct({ expected: Schema.Int, next: Schema.Int }),
    result: Schema.Int
  }
)

/** `mm->mm_lock_seq`: odd while mmap_lock is write-held. */
export const mm_lock_seq_read = counterType.command<void, number>("mm_lock_seq_read", {
  access: "read",
  ordering: "acquire",
  decide: (n) => n,
  result: Schema.Int
})

export const mm_lock_seq_inc = counterType.command("mm_lock_seq_inc", {
  access: "write",
  ordering: "release",
  evolve: (n) => n + 1
})
