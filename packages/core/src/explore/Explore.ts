/**
 * Exhaustive exploration of a model: all its executions, up to what cannot make a difference.
 *
 *     const result = Explore.explore(model)
 *     result.verdict._tag      // "Complete": there is no failing schedule. "Violated": here is one. Or "Incomplete".
 *     result.outcomes          // every way to end, with the choices of one schedule that ends so
 */
import { defaultMaxSteps } from "../Execution.ts"
import type { Model } from "../Model.ts"
import { Dependence, type DependenceOptions, type Rule } from "./Dependence.ts"
import { Dpor, type SavedDpor } from "./Dpor.ts"
import { Machine } from "./Machine.ts"
import { type Final, type Outcome, Outcomes, type SavedOutcomes, stepLimit } from "./Outcomes.ts"
import type { Task } from "./Split.ts"
import { type Cost, States, type StatesVisitor } from "./States.ts"
import { maxThreads } from "./Node.ts"
import { type SavedStateful, Stateful } from "./Stateful.ts"
import { Values } from "./Values.ts"
import { Visited, type VisitedOptions } from "./Visited.ts"
import type { Move } from "./Witness.ts"

/**
 * What is not explored because something equivalent is:
 *
 *   stateful  state matching joined with DPOR: from each state once, and only with threads whose order can matter; the
 *             default, for up to 30 threads
 *   optimal   one execution for each equivalence class (optimal DPOR with wakeup trees); the default beyond 30 threads.
 *             With monitors that are not `unordered`: source
 *   source    at least one for each class (source-DPOR with sleep sets): cheaper for each execution, may waste some
 *   states    each state once, with every thread (state matching with sleep sets). Where it has found everything else, what
 *             `stateful` finds of livelocks is added; the same with a cost, but not within a bound
 */
export type Reduction = "stateful" | "optimal" | "source" | "states"

export interface ExploreOptions extends DependenceOptions, VisitedOptions {
  readonly reduction?: Reduction
  /**
   * Explore in the order of this cost, each state at its least, and with `bound` only up to it. Implies state matching
   * without sleep sets; `reduction` is not looked at.
   */
  readonly cost?: Cost
  readonly bound?: number
  /**
   * The first failure reported has the fewest preemptions of all: the same as `cost: "preemptions", onFailure: "stop"`. A
   * livelock is reported where nothing else fails, with any number of preemptions.
   */
  readonly minimal?: boolean
  /** Default true. False: what `stateful` finds of livelocks is not added to a search that does not see them itself. */
  readonly livelocks?: boolean
  /** After a failure: `continue` (default) to know every outcome, or `stop` with the first one. */
  readonly onFailure?: "continue" | "stop"
  /** Steps of one execution; what comes later is not covered and the verdict says so. Default 10,000. */
  readonly maxSteps?: number
  /**
   * Default true: a circle of threads that wait for each other is a failure also while others can move, unless it has a
   * wait that a kill would end: that one counts where nobody can move any more.
   */
  readonly partialDeadlocks?: boolean
  /** Names the outcome of an execution that ended well, from the final states of the actors. Default: all are "ok". */
  readonly outcomeOf?: (final: Final) => string
  /** Names of outcomes that are failures though nothing broke on the way. Default: none is. */
  readonly isFailure?: (outcome: string) => boolean
  /** Told of each failure when it is first seen, with the moves that lead to it; the model is in use then. */
  readonly found?: (name: string, moves: ReadonlyArray<Move>) => void
  /** Explore this part of the tree of executions only, see `split`. Not with state matching. */
  readonly task?: Task
  /**
   * Ids of monitors whose verdict is known not to depend on the order of independent steps. What other monitors
   * listen to and look at counts as touched by the step, which is always right but costs executions.
   */
  readonly unordered?: ReadonlySet<string>
  /**
   * Asked now and then; a text ends the exploration and says why, e.g. "60 s". `save` gives what `resume` needs to go on
   * from here, where that can be had.
   */
  readonly interrupt?: (progress: Progress, save: () => Checkpoint | undefined) => string | undefined
  /** Asked now and then; true when memory runs short: states are then kept as hashes (see VisitedOptions). */
  readonly tight?: () => boolean
  /** Steps between two calls of `interrupt` with state matching; default 256. */
  readonly interruptEvery?: number
  /** Go on where an interrupted exploration of the same model with the same options stood. */
  readonly resume?: Checkpoint
}

export interface Counts {
  /** Executions run to an end; with state matching: ends of executions met. */
  readonly executions: number
  /** Executions that ended because all that follows had been explored elsewhere. */
  readonly blocked: number
  readonly steps: number
  /** Distinct states met; 0 without state matching. */
  readonly states: number
  /** Arrivals at states that had been explored. */
  readonly matched: number
  /** Fibers started, and results fed to them to rebuild a thread's history. */
  readonly fibers: number
  readonly fed: number
}

export interface Progress extends Counts {
  readonly failed: boolean
  /** Of the tree that is known so far, the part explored: too high while branches are still to be found. */
  readonly fraction: number | undefined
}

export type Verdict =
  /**
   * No failing schedule (within the bound, if there was one). `omission` bounds the probability that state matching
   * mistook a state for another one: 0 unless the memory bound forced hash compaction.
   */
  | { readonly _tag: "Complete"; readonly within: string | undefined; readonly omission: number }
  | { readonly _tag: "Violated"; readonly first: Outcome; readonly exhaustive: boolean }
  /** No failure so far. `covered` says what was explored completely. */
  | { readonly _tag: "Incomplete"; readonly reasons: ReadonlyArray<string>; readonly covered: string | undefined }

export interface Explored {
  readonly verdict: Verdict
  readonly counts: Counts
  /** Every way to end that was met, the first met first. */
  readonly outcomes: ReadonlyArray<Outcome>
  /** Present when interrupted and it can be resumed (not with `states` or a cost: their table is the search). */
  readonly checkpoint: Checkpoint | undefined
}

/** Plain JSON. */
export interface Checkpoint {
  readonly version: 1
  readonly model: string
  readonly reduction: Reduction
  readonly search: SavedDpor | SavedStateful
  readonly outcomes: SavedOutcomes
}

/** For tests: without one rule of the dependence relation, of what waits or of what may follow; or ending executions at their failure. */
export interface Tampering {
  readonly broken?: Rule
  readonly ignoreWaiting?: boolean
  readonly ignoreFutures?: boolean
  readonly cutAtFailure?: boolean
}

/** Explores the model. Nothing else may execute it meanwhile. Throws when the model is not deterministic. */
export const explore = (model: Model, options: ExploreOptions = {}, tampering: Tampering = {}): Explored => {
  const search = new Search(model, options, tampering)
  try {
    search.run()
  } finally {
    search.machine.close()
  }
  return search.result()
}

type StateSearch = Pick<Stateful | States, "blocked" | "counts">

/** One exploration of a model, which it has for itself until the machine is closed. */
export class Search {
  readonly machine: Machine
  private readonly model: Model
  private readonly options: ExploreOptions
  private readonly tampering: Tampering
  private readonly values = new Values()
  readonly outcomes: Outcomes
  private visited: Visited
  /** Of a search before this one. */
  private omission = 0
  private readonly maxSteps: number
  private readonly stopAtFailure: boolean
  private readonly cost: Cost | undefined
  private readonly reduction: Reduction
  private counts: Omit<Counts, "fibers" | "fed"> = { executions: 0, blocked: 0, steps: 0, states: 0, matched: 0 }
  private reasons: Array<string> = []
  private dpor: Dpor | undefined
  /** A search that can be saved. */
  private lasting: { save(): SavedDpor | SavedStateful } | undefined
  private within: string | undefined
  private covered: string | undefined
  /** Everything was explored. */
  ended = false
  checkpoint: Checkpoint | undefined

  constructor(model: Model, options: ExploreOptions, tampering: Tampering) {
    this.model = model
    this.options = options
    this.tampering = tampering
    this.maxSteps = options.maxSteps ?? defaultMaxSteps
    this.stopAtFailure = options.minimal === true || options.onFailure === "stop"
    this.cost = options.minimal === true ? "preemptions" : options.cost
    this.reduction = options.reduction ?? (model.threads.length > maxThreads ? "optimal" : "stateful")
    this.visited = new Visited(options)
    this.outcomes = new Outcomes(model, {
      maxSteps: this.maxSteps,
      partialDeadlocks: options.partialDeadlocks ?? true,
      outcomeOf: options.outcomeOf ?? (() => "ok"),
      isFailure: options.isFailure,
      found: options.found
    })
    this.machine = new Machine(model, this.values, new Dependence(model, options, tampering.broken), {
      intern: this.cost !== undefined || this.reduction === "states" || this.reduction === "stateful",
      ...(options.unordered === undefined ? {} : { unordered: options.unordered })
    })
  }

  run(): void {
    if (this.machine.initialFailure !== undefined) {
      this.outcomes.noteInitial()
      this.ended = true
    } else if (this.reduction === "optimal" || this.reduction === "source") {
      if (this.cost === undefined) this.runDpor(this.reduction)
      else this.runStates()
    } else this.runStates()
  }

  result(): Explored {
    const outcomes = this.outcomes.settle()
    const first = outcomes.find((outcome) => outcome.failed)
    const stepLimited = outcomes.some((outcome) => outcome.name === stepLimit)
    if (stepLimited) this.reasons.push(`executions of more than ${this.maxSteps} steps were cut`)
    const exhaustive = this.ended && !stepLimited
    const verdict: Verdict = first !== undefined
      ? { _tag: "Violated", first, exhaustive }
      : exhaustive
      ? { _tag: "Complete", within: this.within, omission: Math.min(1, this.omission + this.visited.omission) }
      : { _tag: "Incomplete", reasons: this.reasons, covered: stepLimited ? undefined : this.covered }
    return { verdict, counts: this.allCounts(), outcomes, checkpoint: this.checkpoint }
  }

  private runDpor(reduction: "optimal" | "source"): void {
    const { machine, options, outcomes } = this
    const dpor = new Dpor(machine, {
      algorithm: reduction,
      maxSteps: this.maxSteps,
      ignoreWaiting: this.tampering.ignoreWaiting ?? false,
      ...(options.task === undefined ? {} : { task: options.task })
    })
    this.dpor = dpor
    this.lasting = dpor
    if (options.resume !== undefined) {
      this.checkResume(options.resume, reduction)
      dpor.load(options.resume.search as SavedDpor)
      outcomes.load(options.resume.outcomes)
    }
    const sync = (): void => {
      this.counts = { ...this.counts, ...dpor.counts }
    }
    const cut = this.stopAtFailure || this.tampering.cutAtFailure === true
    const end = dpor.run({
      goOn: () => {
        sync()
        return this.goOn()
      },
      ended: (how, trace) => {
        outcomes.note(machine, trace, how)
        return !(this.stopAtFailure && outcomes.failed)
      },
      ...(cut ? { stepped: (step) => step.failure === undefined } : {})
    })
    sync()
    this.ended = end === "complete"
    if (end === "stopped" && !(this.stopAtFailure && outcomes.failed)) {
      this.checkpoint = this.save()
    }
  }

  private runStates(): void {
    const { cost, machine, options } = this
    if (options.task !== undefined) throw new RangeError("an exploration with state matching cannot be split")
    if (cost === undefined && this.reduction !== "states") {
      const end = this.runStateful(this.stateful(), Infinity)
      if (end === "stopped" && !this.hasFailedEnough) this.checkpoint = this.save()
      return
    }
    if (options.resume !== undefined) {
      throw new RangeError("an exploration of states alone or by levels cannot be resumed")
    }
    const search = new States(machine, this.visited, {
      ...this.stateOptions(),
      ...(cost === undefined ? {} : { cost }),
      ...(options.bound === undefined ? {} : { bound: options.bound })
    })
    const end = search.run(this.visitorOf(search))
    this.sync(search)
    this.ended = end === "complete" || end === "bound"
    if (end === "bound") this.within = boundText(cost!, options.bound!)
    if (end === "memory") this.reasons.push(`no room for more than ${this.visited.size} states`)
    if (end === "complete" && options.livelocks !== false) this.lookForLivelocks()
  }

  /** Who takes up states as they come does not see that they come again on their own way. The default does. */
  private lookForLivelocks(): void {
    const { machine, model, options, outcomes } = this
    if (model.threads.length > maxThreads) {
      this.ended = false
      this.reasons.push(`of more than ${maxThreads} threads livelocks are not looked for`)
      return
    }
    this.omission = this.visited.omission
    this.visited = new Visited(options)
    machine.reset()
    const end = new Stateful(machine, this.visited, this.stateOptions()).run({
      goOn: () => this.goOn(),
      ended: (verdict, moves) => {
        if (verdict === "step-limit" || verdict._tag !== "Livelock") return true
        this.counts = { ...this.counts, executions: this.counts.executions + 1 }
        outcomes.noteExecution(machine, verdict, moves)
        return !this.hasFailedEnough
      }
    })
    this.ended = end === "complete"
  }

  /** A search by states with partial-order reduction, where it was laid aside if it was. */
  stateful(): Stateful {
    const { machine, options, outcomes } = this
    const stateful = new Stateful(machine, this.visited, {
      ...this.stateOptions(),
      ignoreWaiting: this.tampering.ignoreWaiting ?? false,
      ignoreFutures: this.tampering.ignoreFutures ?? false
    })
    this.lasting = stateful
    if (options.resume !== undefined) {
      this.checkResume(options.resume, this.reduction)
      stateful.load(options.resume.search as SavedStateful)
      outcomes.load(options.resume.outcomes)
    }
    return stateful
  }

  /** At most so many steps of it; "stopped": by a failure or the caller. */
  runStateful(search: Stateful, steps: number): "complete" | "spent" | "stopped" {
    const end = search.run(this.visitorOf(search), steps)
    this.sync(search)
    this.ended = end === "complete"
    return end === "complete" || end === "spent" ? end : "stopped"
  }

  /** There was a failure, and one is enough. */
  get hasFailedEnough(): boolean {
    return this.stopAtFailure && this.outcomes.failed
  }

  private stateOptions() {
    return {
      maxSteps: this.maxSteps,
      partialDeadlocks: this.options.partialDeadlocks ?? true,
      goOnEvery: this.options.interruptEvery ?? 256
    }
  }

  private visitorOf(search: StateSearch): StatesVisitor {
    return {
      goOn: () => {
        this.sync(search)
        return this.goOn()
      },
      ended: (verdict, moves) => {
        this.outcomes.noteExecution(this.machine, verdict, moves)
        return !this.hasFailedEnough
      },
      covered: (level) => {
        this.covered = boundText(this.cost!, level)
      }
    }
  }

  sync({ blocked, counts: { ends, matched, states, steps } }: StateSearch): void {
    this.counts = { executions: ends, blocked, steps, states, matched }
  }

  private goOn(): boolean {
    if (!this.visited.compacted && this.options.tight?.() === true) this.visited.dropRows()
    const reason = this.options.interrupt?.({
      ...this.allCounts(),
      failed: this.outcomes.failed,
      fraction: this.dpor?.fraction
    }, () => this.save())
    if (reason !== undefined) this.reasons.push(reason)
    return reason === undefined
  }

  save(): Checkpoint | undefined {
    const { lasting, model, outcomes, reduction } = this
    if (lasting === undefined) return undefined
    return { version: 1, model: model.name, reduction, search: lasting.save(), outcomes: outcomes.save() }
  }

  private allCounts(): Counts {
    const { fed, started } = this.machine.fibers
    return { ...this.counts, fibers: started, fed }
  }

  private checkResume(checkpoint: Checkpoint, reduction: string): void {
    if (checkpoint.model !== this.model.name) {
      throw new RangeError(`the checkpoint is of the model "${checkpoint.model}", not of "${this.model.name}"`)
    }
    if (checkpoint.reduction !== reduction) {
      throw new RangeError(`the checkpoint was made with the reduction ${checkpoint.reduction}: use the same`)
    }
  }
}

const boundText = (cost: Cost, level: number): string => `${level} ${level === 1 ? cost.slice(0, -1) : cost}`
