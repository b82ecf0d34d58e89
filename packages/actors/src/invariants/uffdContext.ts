/** I-40, I-42: the counter of events in flight, and whose context a VMA names. */
import { commands, type Event, type Monitor } from "@mmrace/core"
import { mmapChanging } from "../kernel/index.ts"
import {
  leave,
  mas_store,
  type MmRef,
  type Store,
  vma_set_fields,
  type VmaFields,
  type VmaState,
  type World
} from "../objects/index.ts"
import { callCommands, type Calls, callsStep } from "./calls.ts"
import { eventCommands, type Events, eventsStep, noEvents } from "./uffdPages.ts"
import { filled, lookUp, whereOf } from "./where.ts"

export const mmapChangingCount = (world: World): Monitor<Events> => {
  const where = whereOf(world)
  const initial = noEvents(world)
  const counts = mmapChanging(world.kernel) === "counter"
  return {
    id: "I-40",
    title: "MmapChanging",
    on: commands(...eventCommands),
    initial: () => initial,
    step(state, event) {
      const next = eventsStep(world, state, event)
      if ((event.command as unknown) === leave) {
        for (let ctx = 0; ctx < next.inFlight.length; ctx++) {
          if (next.inFlight[ctx]!.includes(event.thread)) {
            event.violate(
              `${world.ctxs[ctx]!.name}: the operation returns without having taken its event back`,
              "mmap_changing"
            )
          }
        }
        return next
      }
      const ctx = lookUp(where.mmapChanging, event.actor.id)
      if (ctx < 0) return next
      const value = event.actor.state as number
      const n = next.inFlight[ctx]!.length
      // a759a909d42d: before it the field was a bool, which says only whether there is an event.
      const expected = counts ? n : Math.min(n, 1)
      if (value < 0) event.violate(`${world.ctxs[ctx]!.name}: mmap_changing is ${value}`, "mmap_changing")
      else if (value !== expected) {
        event.violate(
          `${world.ctxs[ctx]!.name}: mmap_changing is ${value}, but ${n} events are in flight`,
          "mmap_changing"
        )
      }
      return next
    }
  }
}

export const oneOwner = (world: World): Monitor<Calls> => {
  const initial: Calls = filled(world.tasks.length, undefined)
  const owner = new Map<unknown, readonly [MmRef, number]>(
    world.mms.flatMap((mm) => mm.vmas.map((vma, v) => [vma, [mm, v]] as const))
  )

  const wellFormed = (mm: MmRef, v: number, { uffd, uffdMissing, uffdWp }: VmaFields, event: Event): void => {
    const { name } = mm.vmas[v]!
    if (uffd < 0) {
      if (uffdMissing || uffdWp) event.violate(`${name} has a userfaultfd mode but no context`, "VMA")
      return
    }
    const ctx = world.ctxs[uffd]!
    if (!uffdMissing && !uffdWp) event.violate(`${name} has the context ${ctx.name} but no userfaultfd mode`, "VMA")
    else if (ctx.ctx.state.mm !== mm.id) {
      event.violate(`${name} of ${mm.name} has the context ${ctx.name}, which acts on another address space`, "VMA")
    }
  }

  return {
    id: "I-42",
    title: "OneOwner",
    on: commands(...callCommands, vma_set_fields, mas_store),
    initial: () => initial,
    step(state, event) {
      const command: unknown = event.command
      if (command === mas_store) {
        const { vma } = event.arg as Store
        const mm = world.mms.find((m) => (m.mt as unknown) === event.actor)
        if (vma >= 0 && mm !== undefined) wellFormed(mm, vma, mm.vmas[vma]!.state.fields, event)
        return state
      }
      if (command !== vma_set_fields) return callsStep(state, event)
      const at = owner.get(event.actor)
      if (at === undefined) return state
      const [mm, v] = at
      // Not in the tree: nobody else can see it yet, or any more.
      if (!mm.mt.state.includes(v)) return state
      const fields = event.arg as VmaFields
      wellFormed(mm, v, fields, event)
      const before = (event.before as VmaState).fields.uffd
      if (before === fields.uffd) return state
      const call = state[event.thread]
      const allowed = call?.name === "fork" ||
        (before < 0 ? call?.name === "register" && call.ctx === fields.uffd : fields.uffd < 0 && call?.ctx === before)
      if (!allowed) {
        const from = before < 0 ? "none" : world.ctxs[before]!.name
        const to = fields.uffd < 0 ? "none" : world.ctxs[fields.uffd]!.name
        event.violate(
          `${mm.vmas[v]!.name}: the context changes from ${from} to ${to} by ${call?.name ?? "no operation"}`,
          "VMA"
        )
      }
      return state
    }
  }
}
