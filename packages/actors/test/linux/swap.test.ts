/** Swap-in and the swap cache: mm/memory/swap.ts, mm/swap_state.ts, mm/swapfile.ts. */
import { describe, expect, test } from "vitest"
import { Kernel, type ReleaseName } from "../../src/kernel/index.ts"
import { directed, explore, load, runOnce } from "./faultWorld.ts"

const releases: ReadonlyArray<ReleaseName> = ["4.14", "5.8", "5.18", "6.1", "6.18"]
const kernels = [...releases.map((name) => Kernel.at(name)), Kernel.complete()]
const devices = ["disk", "sync", "zram"] as const
const cases = kernels.flatMap((kernel) => devices.map((device) => [kernel.release.mainline, device, kernel] as const))
const latest = Kernel.complete()

describe("what is swapped out comes back", () => {
  test.each(cases)("%s, %s", (_, device, kernel) => {
    // e914d8f00391 is about concurrent faults that lose data: only kernels with it keep it on zram.
    const sound = kernel.with("e914d8f00391").with("13ddaf26be32")
    const text = `swap 2 ${device}\nmap A anon rw 1 = 1\nthread t\n  r0 = load A\n  store A 2\n  r1 = load A\n` +
      "thread u\n  r0 = load A\nthread k\n  reclaim A\n  reclaim A\n"
    const { leaks, outcomes, verdicts } = explore(load(text, sound), 700)
    expect([...verdicts.keys()]).toEqual(["Ok"])
    expect([...leaks.keys()]).toEqual([])
    for (const outcome of outcomes.keys()) expect(outcome).toMatch(/^t:r0=1 t:r1=2 u:r0=[12]$/)
  })

  test("an exclusive entry gives a writable page back, also for a load, since 5.19", () => {
    const text = "swap 1 disk\nmap A anon rw 1 = 1 swapped\nthread t\n  r0 = load A\n"
    const writable = (kernel: Kernel): unknown => {
      const loaded = load(text, kernel)
      expect(runOnce(loaded)).toMatchObject({ registers: { "t:r0": 1 }, leaks: [] })
      return (loaded.world.mms[0]!.ptes[0]!.state as { readonly write: boolean }).write
    }
    expect(writable(Kernel.at("5.18"))).toBe(false)
    expect(writable(Kernel.at("6.18"))).toBe(true)
  })

  test.each(devices)("a store that swaps in gives the slot back, %s", (device) => {
    const text = `swap 1 ${device}\nmap A anon rw 1 = 1 swapped\nthread t\n  store A 2\n`
    const loaded = load(text, latest)
    expect(runOnce(loaded).leaks).toEqual([])
    expect(loaded.world.slots[0]!.actor.state).toMatchObject({ count: 0, hasCache: false, cache: -1 })
  })

  test("the last entry zapped takes the cached folio along", () => {
    const text =
      "swap 1 disk\nmap A anon rw 1 = 1 swapped\nthread t\n  r0 = load A\n  madvise A dontneed\n  r1 = load A\n" +
      "thread k\n  reclaim A\n"
    const loaded = load(text, latest)
    const { leaks, outcomes, verdicts } = explore(loaded, 1000, () => {
      expect(loaded.world.slots[0]!.actor.state).toMatchObject({ count: 0, hasCache: false })
    })
    expect([...verdicts.keys()]).toEqual(["Ok"])
    expect([...leaks.keys()]).toEqual([])
    expect([...outcomes.keys()]).toEqual(["t:r0=1 t:r1=0"])
  })
})

/** A page that was stored to is given to MADV_FREE while reclaim is after it. */
const freed = (legs: ReadonlyArray<{ readonly thread: string; readonly until?: string }>): ReadonlyArray<string> => {
  const loaded = load(
    "swap 1 sync\nmap A anon rw 1\nthread app\n  store A 2\n  e = madvise A free\nthread kswapd\n  reclaim A\n",
    latest
  )
  const stored = { thread: "app", until: "syscall app.enter" }
  const ran = runOnce(loaded, directed(loaded.model, [stored, ...legs]))
  expect(ran.leaks).toEqual([])
  return ran.steps
}

describe("MADV_FREE", () => {
  test("makes a page on the LRU one that is dropped without being written", () => {
    const ran = freed([{ thread: "app" }, { thread: "kswapd" }])
    expect(ran).toContain("app folio 1.folio_clear_swapbacked")
    expect(ran).not.toContain("kswapd swap slot 0.swap_write_data")
  })

  test("has a store lost that is made while its flush is owed and reclaim writes the page out (F-04)", () => {
    const loaded = load(
      "swap 1 sync\nmap A anon rw 1 = 1\nthread app\n  store A 2\n  store A 3\n  r0 = load A\n" +
        "thread freer\n  madvise A free\nthread kswapd\n  reclaim A\n",
      latest
    )
    const { leaks, registers } = runOnce(
      loaded,
      directed(loaded.model, [
        { thread: "app", until: "retire" },
        { thread: "freer", until: "pte A.ptep_get_and_clear" },
        { thread: "kswapd", until: "ptl A.lock" },
        { thread: "freer", until: "tlb_flush_pending.atomic_read" },
        { thread: "kswapd", until: "swap slot 0.swap_write_data" },
        { thread: "app", until: "translate" },
        { thread: "app", until: "retire" },
        { thread: "kswapd" },
        { thread: "freer" },
        { thread: "app" }
      ])
    )
    expect(leaks).toEqual([])
    expect(registers["app:r0"]).toBe(2)
  })

  test("leaves a page alone that reclaim has isolated and is about to give a slot", () => {
    const ran = freed([{ thread: "kswapd", until: "swap slot 0.slot_try_alloc" }, { thread: "app" }])
    expect(ran).not.toContain("app folio 1.folio_clear_swapbacked")
    expect(ran).toContain("kswapd swap slot 0.swap_write_data")
  })
})

// What the kernel's soft-dirty bit says of a page that was never stored to differs, so the page is stored to first.
const setUp = "map A anon rw 1\nthread first\n  store A 1\n  reclaim A\n"

describe("skipping the swap cache (B-20)", () => {
  const text =
    `swap 1 sync\n${setUp}thread slow\n  join first\n  r0 = load A\nthread fast\n  join first\n  store A 2\n` +
    "  reclaim A\n  r1 = load A\n"
  const legs = [
    { thread: "first" },
    { thread: "slow", until: "ptl A.lock" },
    { thread: "fast", until: "syscall fast.leave" },
    { thread: "slow" },
    { thread: "fast" }
  ]

  const outcome = (kernel: Kernel): number => {
    const loaded = load(text, kernel)
    const { leaks, registers } = runOnce(loaded, directed(loaded.model, legs))
    expect(leaks).toEqual([])
    return registers["fast:r1"]!
  }

  test("a slow reader of the slot replaces what was stored since, before 13ddaf26be32", () => {
    const before = Kernel.at("6.7")
    expect(outcome(before)).toBe(1)
    expect(outcome(before.with("13ddaf26be32"))).toBe(2)
    expect(outcome(latest)).toBe(2)
  })

  test("SWAP_HAS_CACHE is held until the page-table lock is dropped", () => {
    const { steps } = runOnce(load("swap 1 sync\nmap A anon rw 1 = 1 swapped\nthread t\n  r0 = load A\n", latest))
    const clear = steps.indexOf("t swap slot 0.swapcache_clear")
    expect(clear).toBeGreaterThan(steps.indexOf("t pte A.set_pte_at"))
    expect(clear).toBeGreaterThan(steps.indexOf("t ptl A.unlock"))
  })

  const stale = (kernel: Kernel): boolean =>
    [...explore(load(text, kernel), 3000).outcomes.keys()].some((seen) => seen.startsWith("fast:r1=1"))

  test("fuzzing finds it, and nothing with the fix", () => {
    expect(stale(Kernel.at("6.7"))).toBe(true)
    expect(stale(Kernel.at("6.7").with("13ddaf26be32"))).toBe(false)
  })
})

describe("zram that drops what was read (B-21)", () => {
  const text = "swap 1 zram\nmap A anon rw 1 = 1 swapped\nthread a\n  r0 = load A\nthread b\n  r0 = load A\n"
  const outcomes = (kernel: Kernel): ReadonlyArray<string> =>
    [...explore(load(text, kernel), 2000).outcomes.keys()].toSorted()

  test("a second reader maps zeroes, before e914d8f00391", () => {
    expect(outcomes(Kernel.at("5.17"))).toContain("a:r0=0 b:r0=0")
    expect(outcomes(Kernel.at("5.17").with("e914d8f00391"))).toEqual(["a:r0=1 b:r0=1"])
  })
})

describe("a page that is exclusive stays so (B-06)", () => {
  const text =
    "swap 1 disk\nmap A anon rw 1 = 1\nthread io\n  p = get_fast A write\n  r1 = load A\n  store A 2\n  dma_store p 7\n" +
    "  r0 = load A\n  put p\nthread k\n  reclaim A\n"
  const lost = (kernel: Kernel): boolean =>
    [...explore(load(text, kernel), 2000).outcomes.keys()].some((outcome) => outcome.includes("io:r0=2"))

  test("data of a device is lost before the exclusive flag and its bit in swap entries", () => {
    const before = Kernel.at("5.18")
    expect(lost(before)).toBe(true)
    expect(lost(before.with("6c287605fd56").with("1493a1913e34"))).toBe(false)
  })
})

describe("the identity of a page found without its lock (B-23)", () => {
  const text = "swap 1 disk\nmap A anon rw 1\nthread first\n  store A 1\nthread slow\n  join first\n  r0 = load A\n" +
    "thread app\n  join first\n  store A 2\n  madvise A dontneed\n  store A 3\n  reclaim A\n  r1 = load A\n" +
    "thread k\n  join first\n  reclaim A\n"
  const legs = [
    { thread: "first" },
    // Unmapped and in the swap cache, where the slow fault finds it and takes a reference.
    { thread: "k", until: "folio_clear_dirty_for_io" },
    { thread: "slow", until: "trylock" },
    { thread: "k" },
    // Swapped in and discarded, so that the slot is free; then another page of the same address gets it.
    { thread: "app", until: "syscall app.leave" },
    { thread: "app", until: "syscall app.enter" },
    { thread: "app", until: "syscall app.leave" },
    { thread: "slow" },
    { thread: "app" }
  ]
  const outcome = (kernel: Kernel): number => {
    const loaded = load(text, kernel)
    const { leaks, registers, steps } = runOnce(loaded, directed(loaded.model, legs))
    expect(leaks).toEqual([])
    expect(steps.findIndex((step) => /^slow folio \d+\.folio_try_get_swapcache$/.test(step))).toBeGreaterThan(0)
    return registers["app:r1"]!
  }

  test.each([["4.13"], ["6.18"]] as const)("unchecked, the discarded page comes back in %s", (release) => {
    const kernel = Kernel.at(release).with("3ea277194daa")
    expect(outcome(kernel.without("4969c1192d15").without("31c4a3d3a0f8"))).toBe(2)
    expect(outcome(kernel.without("31c4a3d3a0f8"))).toBe(3)
    expect(outcome(kernel)).toBe(3)
  })
})
