/**
 * Everything the threads of a program share, laid out for one program on one kernel, with the state it has
 * before the first step. Built once per model; pools are fixed, so that exhaustion is -ENOMEM as in the kernel.
 *
 * Address space: regions lie one after the other, each in a PTE page of its own (so each has its own page-table
 * lock), at the same page numbers in every process. PTE pages exist from the start.
 */
import { none, present, type Pte, swap as swapPte } from "@mmrace/arch"
import { type Actor, type ModelBuilder, Mutex, Rwsem, Seqcount } from "@mmrace/core"
import { feature, type Kernel } from "../kernel/index.ts"
import { MAIN, type Program, type Region } from "../program/index.ts"
import { kills } from "../program/names.ts"
import { cpuType, type CpuState, type TlbEntry } from "./Cpu.ts"
import { buddyType, type FolioState, folioType, freeFolio, pageType, ZERO_PFN } from "./Folio.ts"
import { counterType } from "./Mm.ts"
import { pteType } from "./PageTable.ts"
import { freeSlot, type SlotState, slotType } from "./Swap.ts"
import { syscallType } from "./Syscall.ts"
import { type TaskState, taskType } from "./Task.ts"
import { type CtxState, ctxType, type Features, noFeatures, type QueueState, queueType } from "./Userfaultfd.ts"
import { detachedVma, mtType, type Prot, type TreeState, type VmaState, vmaType } from "./Vma.ts"

export interface RegionRef {
  readonly id: number
  readonly name: string
  /** First page number and number of pages. */
  readonly first: number
  readonly pages: number
  /** Protection the set-up gave it; `mmap` of a region maps it so again. */
  readonly prot: Prot
  /** `anon_vma->root->rwsem`: one for the region, shared by the processes that fork it. */
  readonly anon_vma_lock: Actor<Rwsem.RwsemState>
}

export interface FolioRef {
  readonly pfn: number
  readonly folio: Actor<FolioState>
  readonly page: Actor<number>
  /** PG_locked. */
  readonly lock: Actor<Mutex.Owner>
}

export interface MmRef {
  readonly id: number
  readonly name: string
  readonly mmap_lock: Actor<Rwsem.RwsemState>
  readonly mm_lock_seq: Actor<number>
  readonly write_protect_seq: Actor<Seqcount.SeqcountState>
  readonly tlb_flush_pending: Actor<number>
  /** The two generations of `tlb_flush_batched`. */
  readonly batched_pending: Actor<number>
  readonly batched_flushed: Actor<number>
  /** MMF_HAS_PINNED. */
  readonly has_pinned: Actor<number>
  readonly mm_users: Actor<number>
  readonly mt: Actor<TreeState>
  readonly vmas: ReadonlyArray<Actor<VmaState>>
  /** By page number. */
  readonly ptes: ReadonlyArray<Actor<Pte>>
  /** By region number. */
  readonly ptls: ReadonlyArray<Actor<Mutex.Owner>>
  /** CPUs that run threads of this mm. */
  readonly cpumask: ReadonlyArray<CpuRef>
}

export interface CpuRef {
  readonly id: number
  readonly actor: Actor<CpuState>
}

export interface SlotRef {
  readonly offset: number
  readonly actor: Actor<SlotState>
}

export interface CtxRef {
  readonly id: number
  readonly name: string
  readonly ctx: Actor<CtxState>
  readonly mmap_changing: Actor<number>
  readonly map_changing_lock: Actor<Rwsem.RwsemState>
  readonly refile_seq: Actor<Seqcount.SeqcountState>
  readonly pending: Actor<QueueState>
  readonly pending_lock: Actor<Mutex.Owner>
  readonly fault: Actor<QueueState>
  readonly fault_lock: Actor<Mutex.Owner>
  readonly event: Actor<QueueState>
  readonly event_lock: Actor<Mutex.Owner>
  /** Readers and pollers that sleep until there is something to read. */
  readonly fd: Actor<QueueState>
  readonly fd_lock: Actor<Mutex.Owner>
}

/** A thread of the program as kernel paths see it: `current`. */
export interface TaskRef {
  /** Thread id of the model. */
  readonly id: number
  readonly name: string
  readonly task: Actor<TaskState>
  /** Takes the marks of `Syscall.ts`. */
  readonly syscall: Actor<null>
  readonly cpu: CpuRef
  readonly mm: MmRef
  readonly world: World
}

export interface World {
  readonly kernel: Kernel
  readonly program: Program
  /** The program kills threads. Where it does not, nobody need look for signals. */
  readonly kills: boolean
  readonly pages: number
  readonly regions: ReadonlyArray<RegionRef>
  /** Region number by page number. */
  readonly regionOf: ReadonlyArray<number>
  readonly mms: ReadonlyArray<MmRef>
  /** By page frame number; [ZERO_PFN] is the zero page. */
  readonly folios: ReadonlyArray<FolioRef>
  readonly buddy: Actor<ReadonlyArray<number>>
  readonly cpus: ReadonlyArray<CpuRef>
  readonly slots: ReadonlyArray<SlotRef>
  /** `sync`: SWP_SYNCHRONOUS_IO; `zram`: sync, and the device is told when a slot was read. */
  readonly swapDevice: "none" | "disk" | "sync" | "zram"
  /** Contexts: those of the main process first, then for each further mm one for each of these. */
  readonly ctxs: ReadonlyArray<CtxRef>
  readonly uffds: number
  readonly tasks: ReadonlyArray<TaskRef>
}

/** Number of a userfaultfd's context in an mm: the parent's is in mm 0, a fork makes the child's. */
export const ctxNumber = (uffds: number, uffd: number, mm: number): number => mm * uffds + uffd

const POOL_SPARE_FOLIOS = 6
const POOL_SPARE_VMAS = 3

/** Processes by number: main, those that exist from the start, then one for each named fork. */
export const processNames = (program: Program): ReadonlyArray<string> => {
  const names = new Set([MAIN])
  for (const region of program.regions) if (region.sharedWith !== undefined) names.add(region.sharedWith)
  const visit = (statements: Program["threads"][number]["body"]): void => {
    for (const s of statements) {
      if (s._tag === "fork") names.add(s.result ?? `child${names.size}`)
      else if (s._tag === "repeat") visit(s.body)
      else if (s._tag === "if") {
        visit(s.then)
        if (s.else !== undefined) visit(s.else)
      }
    }
  }
  for (const thread of program.threads) visit(thread.body)
  return [...names]
}

export const featuresOf = (words: ReadonlyArray<string>): Features => ({
  ...noFeatures,
  eventFork: words.includes("fork"),
  eventRemove: words.includes("remove"),
  eventUnmap: words.includes("unmap"),
  pagefaultWp: words.includes("wp"),
  sigbus: words.includes("sigbus"),
  wpUnpopulated: words.includes("wp-unpopulated")
})

/** What is mapped where before the first step: filled region by region, then turned into actors. */
class Setup {
  readonly folios: Array<FolioState>
  readonly contents: Array<number>
  readonly slots: Array<SlotState>
  readonly ptes: Array<Array<Pte>>
  nextFolio = ZERO_PFN + 1
  nextSlot = 0

  constructor(folios: number, slots: number, mms: number, pages: number) {
    this.folios = Array.from({ length: folios + 1 }, () => freeFolio)
    this.folios[ZERO_PFN] = { ...freeFolio, refcount: 1 }
    this.contents = this.folios.map(() => 0)
    this.slots = Array.from({ length: slots }, () => freeSlot)
    this.ptes = Array.from({ length: mms }, () => Array.from({ length: pages }, () => none))
  }

  populate(kernel: Kernel, region: Region, id: number, first: number, sharer: number | undefined): void {
    const exclusiveFlag = kernel.has(feature.anonExclusive)
    for (let i = 0; i < region.pages; i++) {
      const page = first + i
      if (region.content === undefined) continue
      if (region.swapped) {
        const offset = this.nextSlot++
        const alone = sharer === undefined
        const entry = swapPte(0, offset, { exclusive: exclusiveFlag && alone, softDirty: true })
        this.slots[offset] = { ...freeSlot, count: alone ? 1 : 2, data: region.content }
        this.ptes[0]![page] = entry
        if (sharer !== undefined) this.ptes[sharer]![page] = entry
        continue
      }
      const pfn = this.nextFolio++
      const shared = sharer !== undefined
      this.contents[pfn] = region.content
      this.folios[pfn] = {
        ...freeFolio,
        refcount: shared ? 2 : 1,
        mapcount: shared ? 2 : 1,
        anonExclusive: exclusiveFlag && !shared,
        uptodate: true,
        dirty: true,
        swapbacked: true,
        lru: true,
        mapping: id,
        index: page
      }
      const pte = present(pfn, {
        write: region.protection === "rw" && !shared,
        dirty: true,
        young: true,
        softDirty: true
      })
      this.ptes[0]![page] = pte
      if (sharer !== undefined) this.ptes[sharer]![page] = pte
    }
  }
}

/** Part of a region that is one VMA at the start: registrations of parts split it, as UFFDIO_REGISTER does. */
interface Segment {
  readonly region: number
  /** First page number and the one after the last. */
  readonly start: number
  readonly end: number
  readonly registration: Program["registrations"][number] | undefined
}

const segmentsOf = (program: Program, firsts: ReadonlyArray<number>): ReadonlyArray<Segment> =>
  program.regions.flatMap((region, id) => {
    const first = firsts[id]!
    const registrationOf = (page: number): Segment["registration"] =>
      program.registrations.findLast(({ range }) =>
        range.region === region.name &&
        (range.pages === undefined || (page >= range.pages.first && page <= range.pages.last))
      )
    const segments: Array<Segment> = []
    for (let page = 0; page < region.pages; page++) {
      const registration = registrationOf(page)
      const end = first + page + 1
      const last = segments.at(-1)
      if (last !== undefined && last.registration === registration) segments[segments.length - 1] = { ...last, end }
      else segments.push({ region: id, start: first + page, end, registration })
    }
    return segments
  })

/** `A`, `A[1]` or `A[0..2]`. */
const placeOf = ({ end, start }: Segment, { first, name, pages }: RegionRef): string =>
  end - start === pages
    ? name
    : end - start === 1
    ? `${name}[${start - first}]`
    : `${name}[${start - first}..${end - 1 - first}]`

/** Lays out a program's world: creates its actors in `m`. The threads themselves are added by the caller. */
export const makeWorld = (m: ModelBuilder, program: Program, kernel: Kernel): World => {
  const processes = processNames(program)
  const uffds = program.uffds.length
  let pages = 0
  const firsts = program.regions.map((region) => {
    const first = pages
    pages += region.pages
    return first
  })
  const regions: ReadonlyArray<RegionRef> = program.regions.map((region, id) => ({
    id,
    name: region.name,
    first: firsts[id]!,
    pages: region.pages,
    prot: region.protection,
    anon_vma_lock: m.actor(Rwsem.rwsem.type, `anon_vma(${region.name})`, Rwsem.unlocked, { lockClass: "anon_vma" })
  }))
  const regionOf = regions.flatMap((region) => Array.from({ length: region.pages }, () => region.id))
  const pageName = (page: number): string => {
    const region = regions[regionOf[page]!]!
    return region.pages === 1 ? region.name : `${region.name}[${page - region.first}]`
  }

  const populated = program.regions.reduce((n, r) => n + (r.content === undefined ? 0 : r.pages), 0)
  const swappedPages = program.regions.reduce((n, r) => n + (r.swapped ? r.pages : 0), 0)
  const slotCount = Math.max(program.swap?.slots ?? 0, swappedPages)
  const folioCount = Math.max(program.limits.folios ?? 0, populated + pages * processes.length + POOL_SPARE_FOLIOS)
  const setup = new Setup(program.limits.folios ?? folioCount, slotCount, processes.length, pages)
  program.regions.forEach((region, id) => {
    const sharer = region.sharedWith === undefined ? undefined : processes.indexOf(region.sharedWith)
    setup.populate(kernel, region, id, firsts[id]!, sharer)
  })

  const folios: ReadonlyArray<FolioRef> = setup.folios.map((state, pfn) => ({
    pfn,
    folio: m.actor(folioType, `folio ${pfn}`, state),
    page: m.actor(pageType, `page ${pfn}`, setup.contents[pfn]!),
    lock: m.actor(Mutex.mutex.type, `PG_locked(${pfn})`, Mutex.free, { lockClass: "PG_locked" })
  }))
  const freePfns = setup.folios.map((_, pfn) => pfn).filter((pfn) => pfn >= setup.nextFolio).toReversed()
  const buddy = m.actor(buddyType, "page allocator", freePfns)
  const slots: ReadonlyArray<SlotRef> = setup.slots.map((state, offset) => ({
    offset,
    actor: m.actor(slotType, `swap slot ${offset}`, state)
  }))

  // CPUs: one for each thread unless the program puts threads on the same one.
  const cpuNumbers = program.threads.map((t, i) => t.cpu ?? 1000 + i)
  const distinct = [...new Set(cpuNumbers)]
  const cpus: ReadonlyArray<CpuRef> = distinct.map((number, id) => {
    const threads = program.threads.filter((_, i) => cpuNumbers[i] === number)
    const tlb: Array<TlbEntry | undefined> = Array.from({ length: pages }, () => undefined)
    for (const entry of program.tlb) {
      if (!threads.some((t) => t.name === entry.thread)) continue
      const region = program.regions.findIndex((r) => r.name === entry.page.region)
      const page = firsts[region]! + entry.page.page
      const mm = processes.indexOf(threads[0]!.process)
      const pte = setup.ptes[mm]![page]!
      if (pte._tag === "present") tlb[page] = { pfn: pte.pfn, write: entry.writable, dirty: entry.writable }
    }
    return { id, actor: m.actor(cpuType, `cpu ${id}`, { instruction: -1, irqsOff: -1, tlb }) }
  })

  const segments = segmentsOf(program, firsts)
  const vmasPerMm = program.limits.vmas ?? segments.length + POOL_SPARE_VMAS
  const mms: ReadonlyArray<MmRef> = processes.map((name, id) => {
    const live = id === 0 || program.regions.some((r) => r.sharedWith === name)
    const inMm = (what: string): string => id === 0 ? what : `${name}.${what}`
    const has = (r: Region): boolean => id === 0 || r.sharedWith === name
    const mapped = new Set(segments.filter((segment) => has(program.regions[segment.region]!)))
    const tree = Array.from({ length: pages }, () => -1)
    const vmas = Array.from({ length: vmasPerMm }, (_, v) => {
      const segment = segments[v]
      const options = { lockClass: "vma_lock", subclass: id === 0 ? 0 : 1 }
      if (segment === undefined || !mapped.has(segment)) {
        return m.actor(vmaType, inMm(`vma ${v}`), detachedVma, options)
      }
      const { end, start } = segment
      for (let page = start; page < end; page++) tree[page] = v
      const region = program.regions[segment.region]!
      // A registration is the main process's own; a child made before the start has none.
      const registration = id === 0 ? segment.registration : undefined
      const state: VmaState = {
        fields: {
          start,
          end,
          prot: region.protection,
          mayWrite: true,
          uffd: registration === undefined ? -1 : program.uffds.findIndex((u) => u.name === registration.uffd),
          uffdMissing: registration?.modes.missing ?? false,
          uffdWp: registration?.modes.wp ?? false,
          region: segment.region
        },
        vm_refcnt: 1,
        readers: [],
        vm_lock_seq: -1,
        anon_vma: region.content !== undefined
      }
      return m.actor(vmaType, inMm(`vma ${placeOf(segment, regions[segment.region]!)}`), state, options)
    })
    const cpumask = cpus.filter((_, c) =>
      program.threads.some((t, i) => t.process === name && cpuNumbers[i] === distinct[c])
    )
    return {
      id,
      name,
      mmap_lock: m.actor(Rwsem.rwsem.type, inMm("mmap_lock"), Rwsem.unlocked, {
        lockClass: "mmap_lock",
        subclass: id === 0 ? 0 : 1
      }),
      mm_lock_seq: m.actor(counterType, inMm("mm_lock_seq"), 0),
      write_protect_seq: m.actor(Seqcount.seqcount.type, inMm("write_protect_seq"), Seqcount.zero),
      tlb_flush_pending: m.actor(counterType, inMm("tlb_flush_pending"), 0),
      batched_pending: m.actor(counterType, inMm("tlb_flush_batched.pending"), 0),
      batched_flushed: m.actor(counterType, inMm("tlb_flush_batched.flushed"), 0),
      has_pinned: m.actor(counterType, inMm("MMF_HAS_PINNED"), 0),
      mm_users: m.actor(counterType, inMm("mm_users"), live ? 1 : 0),
      mt: m.actor(mtType, inMm("mm_mt"), tree),
      vmas,
      ptes: setup.ptes[id]!.map((pte, page) => m.actor(pteType, inMm(`pte ${pageName(page)}`), pte)),
      ptls: regions.map((region) =>
        m.actor(Mutex.spinlock.type, inMm(`ptl ${region.name}`), Mutex.free, {
          lockClass: "ptl",
          subclass: id === 0 ? 0 : 1
        })
      ),
      cpumask
    }
  })

  const ctxs: ReadonlyArray<CtxRef> = mms.flatMap((mm) =>
    program.uffds.map((uffd, u) => {
      const name = mm.id === 0 ? uffd.name : `${mm.name}.${uffd.name}`
      const words = uffd.features
      const initial: CtxState = {
        features: mm.id === 0 && words !== undefined ? featuresOf(words) : undefined,
        released: false,
        refcount: mm.id === 0 ? 1 : 0,
        open: mm.id === 0,
        file: mm.id === 0 ? 1 : 0,
        mm: mm.id === 0 ? 0 : -1
      }
      const lock = (what: string): Actor<Mutex.Owner> =>
        m.actor(Mutex.spinlock.type, `${name}.${what}.lock`, Mutex.free, { lockClass: `${what}.lock` })
      const queue = (what: string): Actor<QueueState> => m.actor(queueType, `${name}.${what}`, [])
      return {
        id: ctxNumber(uffds, u, mm.id),
        name,
        ctx: m.actor(ctxType, name, initial),
        mmap_changing: m.actor(counterType, `${name}.mmap_changing`, 0),
        map_changing_lock: m.actor(Rwsem.rwsem.type, `${name}.map_changing_lock`, Rwsem.unlocked, {
          lockClass: "map_changing_lock"
        }),
        refile_seq: m.actor(Seqcount.seqcount.type, `${name}.refile_seq`, Seqcount.zero),
        pending: queue("fault_pending_wqh"),
        pending_lock: lock("fault_pending_wqh"),
        fault: queue("fault_wqh"),
        fault_lock: lock("fault_wqh"),
        event: queue("event_wqh"),
        event_lock: lock("event_wqh"),
        fd: queue("fd_wqh"),
        fd_lock: lock("fd_wqh")
      }
    })
  )

  const tasks: Array<TaskRef> = []
  const world: World = {
    kernel,
    program,
    kills: kills(program),
    pages,
    regions,
    regionOf,
    mms,
    folios,
    buddy,
    cpus,
    slots,
    swapDevice: program.swap?.device ?? (slotCount > 0 ? "disk" : "none"),
    ctxs,
    uffds,
    tasks
  }
  program.threads.forEach((thread, id) => {
    tasks.push({
      id,
      name: thread.name,
      task: m.actor(taskType, `task ${thread.name}`, "TASK_RUNNING"),
      syscall: m.actor(syscallType, `syscall ${thread.name}`, null),
      cpu: cpus[distinct.indexOf(cpuNumbers[id]!)]!,
      mm: mms[Math.max(0, processes.indexOf(thread.process))]!,
      world
    })
  })
  return world
}
