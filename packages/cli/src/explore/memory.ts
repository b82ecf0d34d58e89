/** How much of the memory it may use a worker uses, not counting what the next collection will free. */
import { getHeapStatistics, setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as () => void

const used = (): number => {
  const { external_memory, used_heap_size } = getHeapStatistics()
  return used_heap_size + external_memory
}

/** Looked at this often (milliseconds). */
const every = 200

export class Memory {
  /** Bytes in use when it was last looked at. */
  used = 0
  private readonly limit: number
  private next = 0
  private state: "fine" | "tight" | "full" = "fine"
  /** Below this it is not worth a collection to know better. */
  private quiet = 0

  constructor(limit: number) {
    this.limit = limit
  }

  /** `tight`: what can be given up should be. `full`: the limit is near. */
  look(): "fine" | "tight" | "full" {
    const now = performance.now()
    if (now < this.next) return this.state
    this.next = now + every
    this.used = used()
    if (this.used < Math.max(this.quiet, 0.6 * this.limit)) return this.state = "fine"
    collect()
    this.used = used()
    this.quiet = this.used + 0.1 * this.limit
    return this.state = this.used < 0.6 * this.limit ? "fine" : this.used < 0.85 * this.limit ? "tight" : "full"
  }
}
