/** A counting semaphore. The state is how many more threads may pass; any waiter may be next. */
import { type Actor, ActorType } from "../Actor.ts"
import { ask, type Ask } from "../Ask.ts"
import { aBoolean } from "../Shape.ts"

const type = new ActorType<number>("semaphore", { show: (count) => `${count} left` })

/** The steps. The initial state is the number of permits. */
export const semaphore = {
  type,
  down: type.command("down", {
    access: "write",
    ordering: "acquire",
    blocked: (count) => count === 0,
    evolve: (count) => count - 1
  }),
  /** False: a fatal signal ended the wait without a permit. */
  downKillable: type.command<void, boolean>("down_killable", {
    access: "write",
    ordering: "acquire",
    blocked: (count, _arg, thread) => count === 0 && !thread.killed,
    decide: (count) => count > 0,
    evolve: (count, _arg, taken) => taken ? count - 1 : count,
    result: aBoolean
  }),
  downTrylock: type.command<void, boolean>("down_trylock", {
    access: "write",
    ordering: "acquire",
    decide: (count) => count > 0,
    evolve: (count, _arg, taken) => taken ? count - 1 : count,
    result: aBoolean
  }),
  up: type.command("up", {
    access: "write",
    ordering: "release",
    evolve: (count) => count + 1
  })
}

export const down = (sem: Actor<number>): Ask<void> => ask(sem, semaphore.down)
export const downKillable = (sem: Actor<number>): Ask<boolean> => ask(sem, semaphore.downKillable)
export const downTrylock = (sem: Actor<number>): Ask<boolean> => ask(sem, semaphore.downTrylock)
export const up = (sem: Actor<number>): Ask<void> => ask(sem, semaphore.up)
