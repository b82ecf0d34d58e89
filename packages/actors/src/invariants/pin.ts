/** I-04: a pinned page stays where it was pinned. */
import { commands, type Event, type Monitor, Mutex } from "@mmrace/core"
import { feature, fix } from "../kernel/index.ts"
import { ClearPageAnonExclusive, pin_taken, type World, ZERO_PFN } from "../objects/index.ts"
import { type Held, noPins, pinCommands, type Pins, pinsStep } from "./pinned.ts"
import { inRewrite, lookUp, pageName, whereOf } from "./where.ts"

/**
 * Holds for FOLL_PIN of anonymous pages. A pin for reading is promised its page only since GUP unshares first
 * (a7f226604170); before, what goes wrong with such a pin is what I-05 says.
 */
export const pinStability = (world: World): Monitor<Pins> => {
  const where = whereOf(world)
  const hasFlag = world.kernel.has(feature.anonExclusive)
  const readPins = world.kernel.has(fix["a7f226604170"])
  const none = noPins(world)

  const check = (held: Held, event: Event): void => {
    const { kept, mm: m, page, pfn, pin, write } = held
    if (pin !== "pin" || !kept || pfn === ZERO_PFN || !(write || readPins)) return
    const mm = world.mms[m]!
    if (inRewrite(world, mm, page)) return
    const pte = mm.ptes[page]!.state
    const at = pageName(world, mm, page)
    if (pte._tag !== "present") {
      event.violate(`${at} is pinned (pfn ${pfn}), but its entry is ${pte._tag}`, "pinned page")
    } else if (pte.pfn !== pfn) {
      event.violate(`${at} maps pfn ${pte.pfn}, but the pin is on pfn ${pfn}`, "pinned page")
    } else if (hasFlag && !world.folios[pfn]!.folio.state.anonExclusive) {
      event.violate(`${at} is pinned (pfn ${pfn}), but the page is not exclusive`, "pinned page")
    }
  }

  return {
    id: "I-04",
    title: "PinStability",
    on: commands(...pinCommands(world), Mutex.spinlock.unlock, ClearPageAnonExclusive),
    initial: () => none,
    step(state, event) {
      if ((event.command as unknown) === Mutex.spinlock.unlock) {
        const { held } = state
        if (held.length === 0) return state
        const m = lookUp(where.ptlMm, event.actor.id)
        if (m < 0) return state
        const region = where.ptlRegion[event.actor.id]!
        for (let i = 0; i < held.length; i++) {
          if (held[i]!.mm === m && world.regionOf[held[i]!.page] === region) check(held[i]!, event)
        }
        return state
      }
      if ((event.command as unknown) === ClearPageAnonExclusive) {
        const pfn = lookUp(where.folio, event.actor.id)
        for (let i = 0; i < state.held.length; i++) if (state.held[i]!.pfn === pfn) check(state.held[i]!, event)
        return state
      }
      const next = pinsStep(world, state, event)
      if ((event.command as unknown) === pin_taken) check(next.held[next.held.length - 1]!, event)
      return next
    }
  }
}
