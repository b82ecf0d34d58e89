/** Copy-on-write: mm/memory/wp.ts. */
import { describe, expect, test } from "vitest"
import { Kernel, type ReleaseName } from "../../src/kernel/index.ts"
import { errno } from "../../src/program/constants.ts"
import { directed, explore, load, runOnce } from "./faultWorld.ts"

const releases: ReadonlyArray<ReleaseName> = ["5.7", "5.8", "5.18", "5.19", "6.18"]
const kernels = [...releases.map((name) => Kernel.at(name)), Kernel.complete()]
const byName = kernels.map((kernel) => [String(kernel.release.mainline), kernel] as const)
const latest = Kernel.complete()

describe("a page that two processes share", () => {
  test.each(byName)("is copied by the first to write and taken by the last, %s", (_, kernel) => {
    const text = "map A anon rw 1 = 1 shared-with child\nthread c in child\n  store A 3\n  r0 = load A\n" +
      "thread p\n  join c\n  store A 2\n  r0 = load A\n"
    const loaded = load(text, kernel)
    const { leaks, registers, steps } = runOnce(loaded)
    expect(registers).toEqual({ "c:r0": 3, "p:r0": 2 })
    expect(leaks).toEqual([])
    expect(steps.filter((step) => step === "p page allocator.rmqueue")).toHaveLength(0)
    expect(steps.filter((step) => step === "c page allocator.rmqueue")).toHaveLength(1)
    expect(loaded.world.mms[0]!.ptes[0]!.state).toMatchObject({ pfn: 1, write: true })
  })

  test.each(byName)("shows each process its own writes, also through swap, %s", (_, kernel) => {
    const text =
      "swap 2 sync\nmap A anon rw 1 = 1 shared-with child\nthread p\n  r0 = load A\n  store A 2\n  r1 = load A\n" +
      "thread q\n  r0 = load A\nthread c in child\n  store A 3\n  r1 = load A\nthread k\n  reclaim A\n  reclaim A\n"
    const { leaks, outcomes, verdicts } = explore(load(text, kernel), 1200)
    expect([...verdicts.keys()]).toEqual(["Ok"])
    expect([...leaks.keys()]).toEqual([])
    for (const outcome of outcomes.keys()) expect(outcome).toMatch(/^c:r1=3 p:r0=1 p:r1=2 q:r0=[12]$/)
  })
})

describe("the copy", () => {
  test("clears and flushes the old entry, sets the new one, and only then unmaps the old page", () => {
    const text =
      "map A anon rw 1 = 1 shared-with child\nthread p\n  store A 2\nthread q\n  r0 = load A\nthread c in child\n  r0 = load A\n"
    const loaded = load(text, latest)
    const { steps } = runOnce(loaded, directed(loaded.model, [{ thread: "c" }, { thread: "q" }, { thread: "p" }]))
    const after = steps.slice(steps.indexOf("p syscall p.copy_begin"))
    const order = [
      "page 1.page_read",
      "ptl A.lock",
      "pte A.ptep_get",
      "pte A.ptep_get_and_clear",
      "cpu 0.flush_tlb_local",
      "cpu 1.flush_tlb_ipi",
      "folio 2.folio_add_mapcount",
      "pte A.set_pte_at",
      "folio 1.folio_add_mapcount",
      "ptl A.unlock",
      "folio 1.folio_ref_sub"
    ].map((step) => after.findIndex((s) => s.endsWith(` ${step}`)))
    expect(order).not.toContain(-1)
    expect(order).toEqual(order.toSorted((a, b) => a - b))
  })

  test("is given up when the entry has changed", () => {
    const text =
      "map A anon rw 1 = 1 shared-with child\nthread p\n  store A 2\nthread q\n  store A 5\nthread c in child\n  r0 = load A\n"
    const loaded = load(text, latest)
    const { leaks, steps } = runOnce(
      loaded,
      directed(loaded.model, [{ thread: "p", until: "page 1.page_read" }, { thread: "q" }, { thread: "p" }])
    )
    expect(steps).toContain("p syscall p.copy_end")
    expect(steps.filter((step) => step === "p pte A.set_pte_at")).toHaveLength(0)
    expect(leaks).toEqual([])
  })

  test("flushes first when a write-protecting flush is owed (6ce64428d620)", () => {
    const text =
      "map A anon rw 1 = 1 shared-with child\nuffd U features wp\nregister U A wp\nthread m\n  writeprotect U A protect\n" +
      "thread r\n  writeprotect U A resolve\nthread p\n  store A 2\nthread c in child\n  r0 = load A\n"
    const flushesBefore = (kernel: Kernel): boolean => {
      const loaded = load(text, kernel)
      const { steps } = runOnce(
        loaded,
        directed(loaded.model, [
          { thread: "m", until: "tlb_flush_pending.atomic_read" },
          { thread: "r", until: "tlb_flush_pending.atomic_read" },
          { thread: "p" },
          { thread: "r" },
          { thread: "m" }
        ])
      )
      const copy = steps.indexOf("p syscall p.copy_begin")
      expect(copy).toBeGreaterThan(0)
      return steps.slice(0, copy).some((step) => /^p cpu \d+\.flush_tlb/.test(step))
    }
    expect(flushesBefore(Kernel.at("5.11"))).toBe(false)
    expect(flushesBefore(Kernel.at("5.11").with("6ce64428d620"))).toBe(true)
  })
})

test("a fork that is killed on its way fails with -EINTR, and the half-made child is torn down", () => {
  const text = "map A anon rw 1 = 1\nmap B anon rw 1 = 2\nuffd U features fork\nregister U B missing\n" +
    "thread p\n  pid = fork\nthread k\n  kill p\n"
  const loaded = load(text, latest)
  const { leaks, registers, steps } = runOnce(
    loaded,
    directed(loaded.model, [{ thread: "p", until: "pte A.ptep_set_wrprotect" }, { thread: "k" }, { thread: "p" }])
  )
  expect(registers).toMatchObject({ "p:pid": errno("EINTR") })
  expect(steps).toContain("p pid.pte A.set_pte_at")
  expect(steps).not.toContain("p pid.pte B.set_pte_at")
  expect(leaks).toEqual([])
  expect(loaded.world.ctxs[0]!.mmap_changing.state).toBe(0)
})

describe("who may write in place", () => {
  // vmsplice: the child has a reference and no mapping (B-03).
  const reference =
    "map A anon rw 1 = 1 shared-with child\nthread c in child\n  p = get A read\n  munmap A\n  join w\n  r0 = dma_load p\n" +
    "  put p\nthread w\n  store A 2\n"
  const seen = (kernel: Kernel): ReadonlySet<string> =>
    new Set([...explore(load(reference, kernel), 1500).outcomes.keys()].map((o) => /c:r0=(\d+)/.exec(o)![1]!))

  test("up to 5.7 whoever is the only one to map it", () => {
    expect(seen(Kernel.at("5.7"))).toEqual(new Set(["1", "2"]))
  })

  test.each([["5.9"], ["5.18"], ["5.19"], ["6.18"]] as const)("in %s whoever has the only reference", (name) => {
    expect(seen(Kernel.at(name))).toEqual(new Set(["1"]))
  })

  test("a read-only pin gets an exclusive copy, which stays read-only until written", () => {
    const text =
      "map A anon rw 1 = 1 shared-with child\nthread p\n  x = pin_fast A read\n  r0 = dma_load x\n  store A 2\n" +
      "  r1 = dma_load x\n  unpin x\nthread c in child\n  r0 = load A\n"
    const { leaks, outcomes, verdicts } = explore(load(text, latest), 800)
    expect([...verdicts.keys()]).toEqual(["Ok"])
    expect([...leaks.keys()]).toEqual([])
    for (const outcome of outcomes.keys()) expect(outcome).toMatch(/^c:r0=1 p:r0=1 p:r1=2 /)
    const once = load(
      "map A anon rw 1 = 1 shared-with child\nthread p\n  x = pin_fast A read\n  unpin x\nthread c in child\n  r0 = load A\n",
      latest
    )
    runOnce(once)
    const pte = once.world.mms[0]!.ptes[0]!.state
    expect(pte).toMatchObject({ _tag: "present", write: false })
    expect(once.world.folios[(pte as { readonly pfn: number }).pfn]!.folio.state.anonExclusive).toBe(true)
  })

  test("an unshare that can reuse the page makes it exclusive and leaves the entry as it is", () => {
    const text = "map A anon rw 1 = 1 shared-with child\nthread c in child\n  store A 3\n" +
      "thread p\n  join c\n  x = pin_fast A read\n  unpin x\n"
    const loaded = load(text, latest)
    expect(runOnce(loaded).leaks).toEqual([])
    expect(loaded.world.mms[0]!.ptes[0]!.state).toMatchObject({ pfn: 1, write: false })
    expect(loaded.world.folios[1]!.folio.state.anonExclusive).toBe(true)
  })

  test("a copied page that only the swap cache still holds gives its slot back", () => {
    // 5.10 maps read-only what it reads from swap, and copies it for the write, as the swap cache has a reference.
    const loaded = load(
      "swap 1 disk\nmap A anon rw 1 = 1 swapped\nthread t\n  r0 = load A\n  store A 2\n",
      Kernel.at("5.10")
    )
    const { leaks, steps } = runOnce(loaded)
    expect(steps).toContain("t syscall t.copy_begin")
    expect(leaks).toEqual([])
    expect(loaded.world.slots[0]!.actor.state).toMatchObject({ count: 0, hasCache: false, cache: -1 })
  })
})
