/**
 * Which Mazurkiewicz trace an execution belongs to, as one number, and how often each was met.
 *
 * Two executions belong to one trace when swapping adjacent independent steps turns one into the other. An
 * event's hash covers its label, the hash of the step before it in its thread and that of the last write of its
 * location. So it covers nothing of the order in which independent steps happened to run. And it loses nothing:
 * which reads came before a write follows from the write that each read came after. The last events of the threads
 * have all others in their pasts: their hashes together name the trace.
 *
 * Results that are numbers or booleans are part of the label. For steps whose footprint is honest they add
 * nothing; they tell apart data choices and waits that ended by a kill.
 */
import { type Ask, locationOf } from "../Ask.ts"
import type { Log, Observer } from "../Execution.ts"
import { absorbA, absorbB, finish } from "../internal/hash.ts"
import type { Model } from "../Model.ts"
import { spawnThread } from "../Thread.ts"
import { type Counts, CountTable } from "./CountTable.ts"

export class TraceClasses implements Observer {
  /** Hash of the last execution, a whole number below 2^53. */
  hash = 0
  private readonly table = new CountTable()
  private readonly threads: number
  private readonly threadOfActor: Int32Array
  private readonly spawn: number
  // Two independent 32-bit lanes, a and b. Per thread: hash of its last event.
  private readonly threadA: Int32Array
  private readonly threadB: Int32Array
  // Per location, valid when its stamp is the current generation: hash of its last write.
  private readonly stamp: Int32Array
  private readonly writeA: Int32Array
  private readonly writeB: Int32Array
  private generation = 0

  constructor(model: Model) {
    this.threads = model.threads.length
    this.spawn = spawnThread.id
    this.threadOfActor = new Int32Array(model.actors.length).fill(-1)
    for (const thread of model.threads) this.threadOfActor[thread.actor.id] = thread.id
    this.threadA = new Int32Array(this.threads)
    this.threadB = new Int32Array(this.threads)
    this.stamp = new Int32Array(model.locations)
    this.writeA = new Int32Array(model.locations)
    this.writeB = new Int32Array(model.locations)
  }

  /** Executions counted, distinct classes, classes seen exactly once and exactly twice. */
  get counts(): {
    readonly executions: number
    readonly distinct: number
    readonly once: number
    readonly twice: number
  } {
    const { distinct, once, total, twice } = this.table
    return { executions: total, distinct, once, twice }
  }

  begin(): void {
    for (let i = 0; i < this.threads; i++) {
      this.threadA[i] = absorbA(0x2545f491, i + 1)
      this.threadB[i] = absorbB(0x6c8e9cf5, i + 1)
    }
    this.generation++
    if (this.generation > 0x7fff_fff0) {
      this.generation = 1
      this.stamp.fill(0)
    }
  }

  step(thread: number, ask: Ask<unknown>, result: unknown): void {
    const { command } = ask
    const location = locationOf(ask)
    const { writeA, writeB } = this
    if (this.stamp[location] !== this.generation) {
      this.stamp[location] = this.generation
      writeA[location] = 0
      writeB[location] = 0
    }
    const label = (location << 8) ^ command.index
    let a = absorbA(absorbA(this.threadA[thread]!, label), writeA[location]!)
    let b = absorbB(absorbB(this.threadB[thread]!, label), writeB[location]!)
    if (typeof result === "number" || typeof result === "boolean") {
      const value = Number(result) | 0
      a = absorbA(a, value)
      b = absorbB(b, value)
    }
    if (command.isWrite) {
      writeA[location] = a
      writeB[location] = b
    }
    this.threadA[thread] = a
    this.threadB[thread] = b
    if (command.id === this.spawn) this.inherit(this.threadOfActor[ask.actor.id]!, a, b)
  }

  end(): void {
    let a = 0x3c6ef372
    let b = 0x1b873593
    for (let i = 0; i < this.threads; i++) {
      a = absorbA(a, this.threadA[i]!)
      b = absorbB(b, this.threadB[i]!)
    }
    this.hash = (finish(b) & 0x1f_ffff) * 0x1_0000_0000 + (finish(a) >>> 0)
    this.table.add(this.hash)
  }

  /** Counts per class, to be merged into another TraceClasses of an equal model. */
  export(): Counts {
    return this.table.export()
  }

  merge(other: Counts): void {
    this.table.merge(other)
  }

  /** The first event of a spawned thread has the spawn as a predecessor. */
  private inherit(child: number, a: number, b: number): void {
    this.threadA[child] = absorbA(this.threadA[child]!, a)
    this.threadB[child] = absorbB(this.threadB[child]!, b)
  }
}

/** The class of one recorded execution. */
export const traceHash = (model: Model, log: Log): number => {
  const classes = new TraceClasses(model)
  classes.begin()
  for (let i = 0; i < log.length; i++) classes.step(log.threads[i]!, log.asks[i]!, log.results[i])
  classes.end()
  return classes.hash
}
