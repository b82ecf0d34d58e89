/** I-01, I-02, I-03, I-06, I-07, I-26: what the bits of an entry and of its page may say together. */
import { commands, type Monitor } from "@mmrace/core"
import { ClearPageAnonExclusive, SetPageAnonExclusive, type World, ZERO_PFN } from "../objects/index.ts"
import { restingEntries } from "./atRest.ts"
import { inRewrite, mappedPfn, pageName } from "./where.ts"

const flag = commands(SetPageAnonExclusive, ClearPageAnonExclusive)

/** Resting entries, of all address spaces, that map the page or stand for its mapping during migration. */
const mappings = (world: World, pfn: number): number => {
  let n = 0
  for (let m = 0; m < world.mms.length; m++) {
    const mm = world.mms[m]!
    for (let page = 0; page < world.pages; page++) {
      if (mappedPfn(mm.ptes[page]!.state) === pfn && !inRewrite(world, mm, page)) n++
    }
  }
  return n
}

/** Swap entries, of all address spaces and at rest, for a slot. */
const swapEntries = (world: World, offset: number): number => {
  let n = 0
  for (let m = 0; m < world.mms.length; m++) {
    const mm = world.mms[m]!
    for (let page = 0; page < world.pages; page++) {
      const pte = mm.ptes[page]!.state
      if (pte._tag === "swap" && pte.offset === offset && !inRewrite(world, mm, page)) n++
    }
  }
  return n
}

export const writableImpliesExclusive = (world: World): Monitor =>
  restingEntries(world, {
    id: "I-01",
    title: "WritableImpliesExclusive",
    folio: flag,
    check(mm, page, pte, event) {
      if (pte._tag !== "present" || !pte.write || pte.pfn === ZERO_PFN) return
      if (!world.folios[pte.pfn]!.folio.state.anonExclusive) {
        event.violate(
          `${pageName(world, mm, page)} is mapped writable, but pfn ${pte.pfn} is not exclusive`,
          "AnonExclusive"
        )
      }
    }
  })

/** A page that lost its last mapping keeps the flag until it is freed (__folio_remove_rmap), so none is not too few. */
export const exclusiveImpliesSoleMapping = (world: World): Monitor =>
  restingEntries(world, {
    id: "I-02",
    title: "ExclusiveImpliesSoleMapping",
    folio: flag,
    check(_mm, _page, pte, event) {
      const pfn = mappedPfn(pte)
      if (pfn <= ZERO_PFN || !world.folios[pfn]!.folio.state.anonExclusive) return
      const n = mappings(world, pfn)
      if (n > 1) event.violate(`pfn ${pfn} is exclusive, but ${n} page-table entries map it`, "AnonExclusive")
    }
  })

export const shareImpliesReadOnly = (world: World): Monitor => {
  const several = world.mms.length > 1
  return restingEntries(world, {
    id: "I-03",
    title: "ShareImpliesReadOnly",
    folio: flag,
    check(mm, page, pte, event) {
      if (!several || pte._tag !== "present" || pte.pfn === ZERO_PFN) return
      for (let m = 0; m < world.mms.length; m++) {
        const other = world.mms[m]!
        if (other === mm) continue
        for (let p = 0; p < world.pages; p++) {
          const theirs = other.ptes[p]!.state
          if (theirs._tag !== "present" || theirs.pfn !== pte.pfn || inRewrite(world, other, p)) continue
          if (pte.write || theirs.write) {
            event.violate(
              `pfn ${pte.pfn} is shared by ${pageName(world, mm, page)} and ${
                pageName(world, other, p)
              }, and mapped writable`,
              "present PTE"
            )
          } else if (world.folios[pte.pfn]!.folio.state.anonExclusive) {
            event.violate(
              `pfn ${pte.pfn} is shared by ${pageName(world, mm, page)} and ${
                pageName(world, other, p)
              }, and exclusive`,
              "AnonExclusive"
            )
          }
        }
      }
    }
  })
}

export const swapcacheNotExclusive = (world: World): Monitor => {
  const monitor = restingEntries(world, {
    id: "I-06",
    title: "SwapcacheNotExclusive",
    folio: flag,
    check(mm, page, pte, event) {
      let offset = -1
      let pfn = -1
      if (pte._tag === "swap") {
        offset = pte.offset
        pfn = world.slots[offset]!.actor.state.cache
      } else {
        pfn = mappedPfn(pte)
        if (pfn > ZERO_PFN) offset = world.folios[pfn]!.folio.state.swap
      }
      if (pfn <= ZERO_PFN || offset < 0 || !world.folios[pfn]!.folio.state.anonExclusive) return
      if (world.slots[offset]!.actor.state.cache !== pfn || swapEntries(world, offset) === 0) return
      event.violate(
        `pfn ${pfn} at ${
          pageName(world, mm, page)
        } is exclusive, is in the swap cache, and a swap entry refers to slot ${offset}`,
        "AnonExclusive"
      )
    }
  })
  return monitor
}

export const swapExclusiveSole = (world: World): Monitor =>
  restingEntries(world, {
    id: "I-07",
    title: "SwpExclusiveSole",
    check(mm, page, pte, event) {
      if (pte._tag !== "swap" || !pte.exclusive) return
      const n = swapEntries(world, pte.offset)
      const { count } = world.slots[pte.offset]!.actor.state
      if (n > 1) {
        event.violate(
          `${pageName(world, mm, page)} is an exclusive swap entry, but ${n} entries refer to slot ${pte.offset}`,
          "swap PTE"
        )
      } else if (count !== 1) {
        event.violate(
          `${pageName(world, mm, page)} is an exclusive swap entry, but slot ${pte.offset} has count ${count}`,
          "swap slot"
        )
      }
    }
  })

export const uffdWpNotWritable = (world: World): Monitor =>
  restingEntries(world, {
    id: "I-26",
    title: "UffdWpNotWritable",
    check(mm, page, pte, event) {
      if (pte._tag === "present" && pte.uffdWp && pte.write) {
        event.violate(`${pageName(world, mm, page)} is mapped writable with the uffd-wp bit set`, "present PTE")
      }
    }
  })
