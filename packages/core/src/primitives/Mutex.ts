/**
 * Mutual exclusion. `mutexType` sleeps and `spinlockType` spins in the kernel; here both simply wait, and
 * any waiter may be next (a superset of the orders a fair lock allows). The state is the owner's thread id.
 */
import { ActorType, type Command, type LockEffect } from "../Actor.ts"
import { aBoolean } from "../Shape.ts"

/** Thread id of the owner; -1 when free. */
export type Owner = number
export const free: Owner = -1

const acquired: LockEffect = { action: "acquire", mode: "write" }
const tried: LockEffect = { action: "try", mode: "write" }
const released: LockEffect = { action: "release", mode: "write" }

export interface MutualExclusion {
  readonly type: ActorType<Owner>
  readonly lock: Command<Owner, void, void>
  /** Like lock, but a fatal signal ends the wait: false means the lock was not taken. */
  readonly lockKillable: Command<Owner, void, boolean>
  readonly trylock: Command<Owner, void, boolean>
  readonly unlock: Command<Owner, void, void>
}

const mutualExclusion = (name: string): MutualExclusion => {
  const type = new ActorType<Owner>(name, {
    waitsFor: (owner) => owner === free ? [] : [owner],
    show: (owner) => owner === free ? "free" : `held by thread ${owner}`
  })
  return {
    type,
    lock: type.command("lock", {
      access: "write",
      blocked: (owner) => owner !== free,
      evolve: (_owner, _arg, _result, thread) => thread,
      lock: () => acquired
    }),
    lockKillable: type.command<void, boolean>("lock_killable", {
      access: "write",
      blocked: (owner, _arg, thread) => owner !== free && !thread.killed,
      decide: (owner) => owner === free,
      evolve: (owner, _arg, taken, thread) => taken ? thread : owner,
      lock: (taken) => taken ? acquired : undefined,
      result: aBoolean
    }),
    trylock: type.command<void, boolean>("trylock", {
      access: "write",
      decide: (owner) => owner === free,
      evolve: (owner, _arg, taken, thread) => taken ? thread : owner,
      lock: (taken) => taken ? tried : undefined,
      result: aBoolean
    }),
    unlock: type.command("unlock", {
      access: "write",
      decide: (owner, _arg, thread) => {
        if (owner !== thread.id) throw new Error(`${thread.name} unlocks a ${name} it does not hold`)
      },
      evolve: () => free,
      lock: () => released
    })
  }
}

export const mutex = mutualExclusion("mutex")
export const spinlock = mutualExclusion("spinlock")
