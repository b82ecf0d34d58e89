/** Names of a program resolved to numbers of its world: once per model, so that running costs no look-up. */
import type { CtxRef, RegionRef, World } from "../objects/World.ts"
import { processNames } from "../objects/World.ts"
import type { Page, Range } from "../program/index.ts"

export interface Pages {
  /** First page number and the one after the last. */
  readonly start: number
  readonly end: number
}

export class Layout {
  readonly world: World
  private readonly regions: ReadonlyMap<string, RegionRef>
  private readonly uffds: ReadonlyMap<string, number>
  private readonly processes: ReadonlyMap<string, number>
  private readonly threads: ReadonlyMap<string, number>

  constructor(world: World) {
    this.world = world
    this.regions = new Map(world.regions.map((r) => [r.name, r]))
    this.uffds = new Map(world.program.uffds.map((u, i) => [u.name, i]))
    this.processes = new Map(processNames(world.program).map((name, i) => [name, i]))
    this.threads = new Map(world.program.threads.map((t, i) => [t.name, i]))
  }

  region(name: string): RegionRef {
    return must(this.regions.get(name), "region", name)
  }

  page(page: Page): number {
    return this.region(page.region).first + page.page
  }

  pages(range: Range): Pages {
    const region = this.region(range.region)
    return range.pages === undefined
      ? { start: region.first, end: region.first + region.pages }
      : { start: region.first + range.pages.first, end: region.first + range.pages.last + 1 }
  }

  /** The context of a userfaultfd that the set-up made. */
  ctx(name: string): CtxRef {
    return this.world.ctxs[must(this.uffds.get(name), "userfaultfd", name)]!
  }

  process(name: string): number {
    return must(this.processes.get(name), "process", name)
  }

  thread(name: string): number {
    return must(this.threads.get(name), "thread", name)
  }
}

/** The program was checked before: a name that is not there now is a defect of the checker. */
const must = <A>(value: A | undefined, what: string, name: string): A => {
  if (value === undefined) throw new TypeError(`the program names a ${what} "${name}" that it does not define`)
  return value
}
