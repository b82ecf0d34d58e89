/**
 * A CPU: its TLB, whether interrupts are off, and whether an instruction is in flight.
 *
 * An instruction that accesses memory is several steps here (translate, perhaps walk and fill, access, retire),
 * so that others can come in between; but hardware takes interrupts between instructions only. A flush IPI is
 * therefore not served while an instruction is in flight or interrupts are off.
 */
import { ActorType } from "@mmrace/core"
import { Schema } from "effect"

export interface TlbEntry {
  readonly pfn: number
  readonly write: boolean
  readonly dirty: boolean
}

export interface CpuState {
  /** Thread whose instruction is in flight; -1 between instructions. */
  readonly instruction: number
  /** Thread that has disabled interrupts; -1 when they are on. */
  readonly irqsOff: number
  /** Cached translations by page number. A CPU runs one address space, so entries need no mm. */
  readonly tlb: ReadonlyArray<TlbEntry | undefined>
}

export const cpuType = new ActorType<CpuState>("cpu", {
  waitsFor: (cpu) => [cpu.instruction, cpu.irqsOff].filter((t) => t >= 0),
  show: (cpu) => `${cpu.irqsOff >= 0 ? "irqs off" : "irqs on"}${cpu.instruction >= 0 ? ", in an instruction" : ""}`
})

export interface Access {
  readonly page: number
  readonly store: boolean
}
const AccessShape = Schema.Struct({ page: Schema.Int, store: Schema.Boolean })

/**
 * Starts a memory instruction and looks into the TLB. Result: the page frame, or -1 when the page tables must be
 * walked (no entry, a store through a read-only entry, or one whose dirty bit is not known to be set).
 */
export const translate = cpuType.command<Access, number>("translate", {
  access: "write",
  blocked: (cpu) => cpu.instruction >= 0,
  decide: (cpu, { page, store }) => {
    const entry = cpu.tlb[page]
    return entry === undefined || (store && !(entry.write && entry.dirty)) ? -1 : entry.pfn
  },
  evolve: (cpu, _access, _pfn, thread) => ({ ...cpu, instruction: thread }),
  arg: AccessShape,
  result: Schema.Int,
  show: ({ page, store }, pfn) => `${store ? "store" : "load"} page ${page}: ${pfn < 0 ? "miss" : `hit pfn ${pfn}`}`
})

export interface Fill extends TlbEntry {
  readonly page: number
}

/** Caches what a page walk found. */
export const tlb_fill = cpuType.command<Fill>("tlb_fill", {
  access: "write",
  evolve: (cpu, { dirty, page, pfn, write }) => ({ ...cpu, tlb: cpu.tlb.with(page, { pfn, write, dirty }) }),
  arg: Schema.Struct({ page: Schema.Int, pfn: Schema.Int, write: Schema.Boolean, dirty: Schema.Boolean }),
  show: (f) => `page ${f.page} -> pfn ${f.pfn} ${f.write ? "rw" : "ro"}${f.dirty ? " dirty" : ""}`
})

/** The instruction is over (or raised a page fault). */
export const retire = cpuType.command("retire", {
  access: "write",
  evolve: (cpu) => ({ ...cpu, instruction: -1 })
})

export const local_irq_disable = cpuType.command("local_irq_disable", {
  access: "write",
  evolve: (cpu, _arg, _result, thread) => ({ ...cpu, irqsOff: thread })
})

export const local_irq_enable = cpuType.command("local_irq_enable", {
  access: "write",
  evolve: (cpu) => ({ ...cpu, irqsOff: -1 })
})

/** All pages. */
export const FLUSH_ALL = -1

const drop = (cpu: CpuState, page: number): CpuState => {
  if (page === FLUSH_ALL) {
    return cpu.tlb.every((e) => e === undefined)
      ? cpu
      : { ...cpu, tlb: cpu.tlb.map(() => undefined) }
  }
  return cpu.tlb[page] === undefined ? cpu : { ...cpu, tlb: cpu.tlb.with(page, undefined) }
}

const showPages = (page: number): string => page === FLUSH_ALL ? "all" : `page ${page}`

/** Flush by IPI, of one page or FLUSH_ALL: waits until the CPU can take the interrupt. */
export const flush_tlb_ipi = cpuType.command<number>("flush_tlb_ipi", {
  access: "write",
  blocked: (cpu, _page, thread) => cpu.instruction >= 0 || (cpu.irqsOff >= 0 && cpu.irqsOff !== thread.id),
  evolve: drop,
  arg: Schema.Int,
  show: showPages
})

/** Flush on the CPU that executes it. */
export const flush_tlb_local = cpuType.command<number>("flush_tlb_local", {
  access: "write",
  evolve: drop,
  arg: Schema.Int,
  show: showPages
})
