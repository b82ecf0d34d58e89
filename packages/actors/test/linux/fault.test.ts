/** Memory accesses and the faults they raise: arch/x86/mm/fault.ts, mm/memory/fault.ts, mm/memory/anon.ts. */
import { present } from "@mmrace/arch"
import { describe, expect, test } from "vitest"
import { Kernel, type ReleaseName } from "../../src/kernel/index.ts"
import { errno, signal } from "../../src/program/index.ts"
import { directed, explore, load, runOnce } from "./faultWorld.ts"

const releases: ReadonlyArray<ReleaseName> = ["4.14", "5.8", "5.18", "6.5", "6.18"]
const kernels = [...releases.map((name) => Kernel.at(name)), Kernel.complete()]
const latest = Kernel.complete()

describe("anonymous memory", () => {
  test("a load maps the zero page, a store a page of its own", () => {
    const loaded = load("map A anon rw 2\nthread t\n  r0 = load A[0]\n  store A[1] 5\n  r1 = load A[1]\n", latest)
    const { leaks, registers } = runOnce(loaded)
    expect(registers).toEqual({ "t:r0": 0, "t:r1": 5 })
    expect(leaks).toEqual([])
    const [zero, own] = loaded.world.mms[0]!.ptes
    expect(zero!.state).toEqual(present(0, { special: true, young: true }))
    expect(own!.state).toMatchObject({ _tag: "present", write: true, dirty: true })
    const { pfn } = own!.state as { readonly pfn: number }
    expect(loaded.world.folios[pfn]!.folio.state).toMatchObject({
      refcount: 1,
      mapcount: 1,
      anonExclusive: true,
      uptodate: true,
      swapbacked: true,
      mapping: 0,
      index: 1
    })
  })

  test("a store to the zero page copies it without touching it", () => {
    const loaded = load("map A anon rw 1\nthread t\n  r0 = load A\n  store A 5\n  r1 = load A\n", latest)
    const { leaks, registers } = runOnce(loaded)
    expect(registers).toEqual({ "t:r0": 0, "t:r1": 5 })
    expect(loaded.world.folios[0]!.page.state).toBe(0)
    expect(loaded.world.folios[0]!.folio.state.mapcount).toBe(0)
    expect(leaks).toEqual([])
  })

  test.each(kernels.map((kernel) => [String(kernel.release.mainline), kernel] as const))(
    "threads that fault on one page agree on it, %s",
    (_, kernel) => {
      const text = "map A anon rw 1\nthread a\n  store A 1\n  r0 = load A\n" +
        "thread b\n  store A 2\n  r0 = load A\nthread c\n  r0 = load A\n  r1 = load A\n"
      const { leaks, outcomes, verdicts } = explore(load(text, kernel), 1200)
      expect([...verdicts.keys()]).toEqual(["Ok"])
      expect([...leaks.keys()]).toEqual([])
      expect(outcomes.size).toBeGreaterThan(4)
      for (const outcome of outcomes.keys()) {
        // A store that a thread has done is not undone by the other's fault.
        expect(outcome).toMatch(/^a:r0=[12] b:r0=[12] c:r0=[012] c:r1=[012]$/)
        expect(outcome).not.toMatch(/a:r0=2 b:r0=1/)
        expect(outcome).not.toMatch(/c:r0=[12] c:r1=0/)
      }
    }
  )

  test("with the last page gone an access ends with -ENOMEM, and nothing leaks", () => {
    const text =
      "limit folios 1\nmap A anon rw 2\nthread t\n  r0 = store A[0] 1\n  r1 = store A[1] 1\n  r2 = load A[1]\n"
    const { leaks, registers } = runOnce(load(text, latest))
    expect(registers).toEqual({ "t:r0": 0, "t:r1": errno("ENOMEM"), "t:r2": 0 })
    expect(leaks).toEqual([])
  })
})

describe("access checks", () => {
  test.each(kernels.map((kernel) => [String(kernel.release.mainline), kernel] as const))("%s", (_, kernel) => {
    const text = "map R anon r 1 = 3\nmap N anon none 1\nmap A anon rw 1 = 1\nthread t\n  r0 = load R\n" +
      "  r1 = store R 1\n  r2 = load N\n  munmap A\n  r3 = load A\n  r4 = store A 1\n"
    const { leaks, registers, steps } = runOnce(load(text, kernel))
    const segv = signal("SIGSEGV")
    expect(registers).toEqual({ "t:r0": 3, "t:r1": segv, "t:r2": segv, "t:r3": segv, "t:r4": segv })
    expect(leaks).toEqual([])
    expect(steps.filter((step) => step.endsWith(".fault_signal"))).toHaveLength(4)
  })

  test("an access that races with munmap sees the page, a fresh one, or a signal", () => {
    const text = "map A anon rw 1 = 1\nthread t\n  r0 = store A 2\n  r1 = load A\nthread u\n  munmap A\n"
    const { leaks, outcomes, verdicts } = explore(load(text, latest), 1500)
    expect([...verdicts.keys()]).toEqual(["Ok"])
    expect([...leaks.keys()]).toEqual([])
    const segv = signal("SIGSEGV")
    expect([...outcomes.keys()].toSorted()).toEqual([
      `t:r0=${segv} t:r1=${segv}`,
      `t:r0=0 t:r1=${segv}`,
      "t:r0=0 t:r1=2"
    ].toSorted())
  })
})

describe("the lock of a fault", () => {
  const text = "map A anon rw 1 = 1 shared-with child\nthread t\n  r0 = load A\n  store A 2\n"
  const takesMmapLock = (kernel: Kernel, program = text): boolean =>
    runOnce(load(program, kernel)).steps.includes("t mmap_lock.down_read_trylock")

  test("mmap_lock up to 6.3, the VMA lock since", () => {
    expect(takesMmapLock(Kernel.at("6.3"))).toBe(true)
    expect(takesMmapLock(Kernel.at("6.4"))).toBe(false)
  })

  test("swap entries need mmap_lock up to 6.5", () => {
    const swapped = "swap 1 disk\nmap A anon rw 1 = 1 swapped\nthread t\n  r0 = load A\n"
    expect(takesMmapLock(Kernel.at("6.5"), swapped)).toBe(true)
    expect(takesMmapLock(Kernel.at("6.6"), swapped)).toBe(false)
  })

  test("so do VMAs registered with userfaultfd", () => {
    const registered =
      "map A anon rw 1 = 1\nuffd U features wp\nregister U A wp\nthread t\n  r0 = load A\n  store A 2\n"
    expect(takesMmapLock(Kernel.at("6.6"), `${registered}\n`)).toBe(false)
    const old = load(
      "map A anon rw 1\nuffd U features wp\nregister U A missing\nthread t\n  r0 = load A\n" +
        "thread m\n  x = read U\n  copy U A = 4\n",
      Kernel.at("6.5")
    )
    const ran = runOnce(old)
    const asked = ran.steps.indexOf("t U.fault_pending_wqh.queue_add")
    expect(ran.steps.slice(0, asked)).toContain("t mmap_lock.down_read_trylock")
    expect(ran.registers["t:r0"]).toBe(4)
  })

  test("a VMA without anon_vma gets it under the VMA lock, with mmap_lock only tried", () => {
    const fresh = "map A anon rw 1\nthread t\n  store A 1\n"
    const { steps } = runOnce(load(fresh, latest))
    expect(steps).toContain("t mmap_lock.down_read_trylock")
    expect(steps).not.toContain("t mmap_lock.down_read")
  })

  test("it gives way to a writer: RETRY, then mmap_lock", () => {
    const loaded = load(
      "map A anon rw 1\nmap B anon rw 1 = 1\nthread t\n  r0 = store A 1\nthread w\n  munmap B\n",
      latest
    )
    const { leaks, registers, steps } = runOnce(
      loaded,
      directed(loaded.model, [
        { thread: "t", until: "mmap_lock.down_read_trylock" },
        { thread: "w", until: "mmap_lock.downgrade_write" },
        { thread: "t" }
      ])
    )
    expect(registers["t:r0"]).toBe(0)
    expect(steps).toContain("t mmap_lock.await_read_killable")
    expect(leaks).toEqual([])
  })
})

describe("userfaultfd", () => {
  test.each(["r0 = load A", "r0 = store A 5"])(
    "a missing page is asked for and nothing else put there: %s",
    (access) => {
      const text = `map A anon rw 1\nuffd U features wp\nregister U A missing\nthread t\n  ${access}\n  r1 = load A\n` +
        "thread m\n  x = read U\n  r0 = copy U A = 4\n"
      const { leaks, outcomes, verdicts } = explore(load(text, latest), 1000)
      expect([...verdicts.keys()]).toEqual(["Ok"])
      expect([...leaks.keys()]).toEqual([])
      const [r0, r1] = access.includes("load") ? [4, 4] : [0, 5]
      for (const outcome of outcomes.keys()) expect(outcome).toMatch(new RegExp(`m:r0=\\d+ .*t:r0=${r0} t:r1=${r1}$`))
    }
  )

  test.each(["6.3", "6.18"] as const)(
    "a killed thread leaves the fault with -EINTR and without its locks, %s",
    (release) => {
      const text =
        "map A anon rw 1\nuffd U features wp\nregister U A missing\nthread t\n  r0 = load A\nthread k\n  kill t\n"
      const { leaks, outcomes, verdicts } = explore(load(text, Kernel.at(release)), 500)
      expect([...verdicts.keys()]).toEqual(["Ok"])
      expect([...leaks.keys()]).toEqual([])
      expect([...outcomes.keys()]).toEqual([`t:r0=${errno("EINTR")}`])
    }
  )

  test.each(["store A 9", "load A\n  store A 9"])(
    "a marker's protection goes to the page that replaces it: %s",
    (access) => {
      const text = "map A anon rw 1\nuffd U features wp wp-unpopulated\nregister U A wp\nthread t\n" +
        `  r0 = writeprotect U A protect\n  ${access}\n  r1 = load A\n` +
        "thread m\n  x = read U\n  writeprotect U A resolve\n"
      const { leaks, outcomes, verdicts } = explore(load(text, latest), 800)
      // Without the protection nobody would be asked, and the reader would wait for ever.
      expect([...verdicts.keys()]).toEqual(["Ok"])
      expect([...leaks.keys()]).toEqual([])
      for (const outcome of outcomes.keys()) expect(outcome).toMatch(/^m:x.* t:r0=0 t:r1=9$/)
    }
  )
})
