/**
 * A completion (kernel/sched/completion.c): waiters pass one for each `complete`, all of them after `complete_all`.
 * The state is how many may still pass; `forever` after `complete_all`.
 */
import { type Actor, ActorType } from "../Actor.ts"
import { ask, type Ask } from "../Ask.ts"
import { aBoolean } from "../Shape.ts"

/** What `complete_all` stores: never used up. */
export const forever = 0x7fff_ffff

const afterOne = (done: number): number => done === forever ? done : done - 1

const type = new ActorType<number>("completion", {
  show: (done) => done === 0 ? "not done" : done === forever ? "done for all" : `done ${done} times`
})

/** The steps. The initial state is 0. */
export const completion = {
  type,
  complete: type.command("complete", {
    access: "write",
    ordering: "release",
    evolve: (done) => done === forever ? done : done + 1
  }),
  completeAll: type.command("complete_all", {
    access: "write",
    ordering: "release",
    evolve: () => forever
  }),
  wait: type.command("wait_for_completion", {
    access: "write",
    ordering: "acquire",
    blocked: (done) => done === 0,
    evolve: afterOne
  }),
  /** False: a fatal signal ended the wait. */
  waitKillable: type.command<void, boolean>("wait_for_completion_killable", {
    access: "write",
    ordering: "acquire",
    blocked: (done, _arg, thread) => done === 0 && !thread.killed,
    decide: (done) => done > 0,
    evolve: (done, _arg, passed) => passed ? afterOne(done) : done,
    result: aBoolean
  }),
  tryWait: type.command<void, boolean>("try_wait_for_completion", {
    access: "write",
    ordering: "acquire",
    decide: (done) => done > 0,
    evolve: (done, _arg, passed) => passed ? afterOne(done) : done,
    result: aBoolean
  }),
  isDone: type.command<void, boolean>("completion_done", {
    access: "read",
    ordering: "acquire",
    decide: (done) => done > 0,
    result: aBoolean
  }),
  /** Makes it usable again; must not race with waiters. */
  reinit: type.command("reinit_completion", {
    access: "write",
    ordering: "relaxed",
    evolve: () => 0
  })
}

export const complete = (done: Actor<number>): Ask<void> => ask(done, completion.complete)
export const completeAll = (done: Actor<number>): Ask<void> => ask(done, completion.completeAll)
export const wait = (done: Actor<number>): Ask<void> => ask(done, completion.wait)
export const waitKillable = (done: Actor<number>): Ask<boolean> => ask(done, completion.waitKillable)
export const tryWait = (done: Actor<number>): Ask<boolean> => ask(done, completion.tryWait)
