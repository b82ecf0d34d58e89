/** A worker's side of an exploration by two that share states: it keeps its part of it from one round to the next. */
import type { LoadedProgram } from "@mmrace/actors"
import { Explore } from "@mmrace/core"
import { endStates } from "./EndStates.ts"
import { Memory } from "./memory.ts"
import type { Ending, ExploreDone, RoundRequest } from "./protocol.ts"
import { choicesOf, progressEvery, rowsPart, type Surroundings } from "./work.ts"

interface Open {
  readonly partner: Explore.Partner
  /** Of the round under way. */
  request: RoundRequest
  memory: Memory
  saveAt: number
  /** Why it stopped, if it did. */
  why: Ending
}

const over: ExploreDone = { _tag: "Rounded", ending: "done", states: 0, news: undefined }

export class Rounds {
  private readonly open = new Map<Explore.Role, Open>()
  private readonly load: () => LoadedProgram
  private readonly around: Surroundings

  /** `load`: the program for one partner alone. */
  constructor(load: () => LoadedProgram, around: Surroundings) {
    this.load = load
    this.around = around
  }

  run(request: RoundRequest): ExploreDone {
    const { role, steps } = request
    const known = this.open.get(role)
    if (known === undefined && steps === undefined) return over
    const open = known ?? this.begin(request)
    if (open.request.memory !== request.memory) open.memory = new Memory(request.memory)
    open.request = request
    open.why = "stopped"
    const { partner } = open
    if (request.news !== undefined) partner.learn(request.news)
    if (steps === undefined) {
      this.open.delete(role)
      if (role === "leader") return { _tag: "Explored", explored: partner.close(), ending: "done" }
      partner.release()
      return over
    }
    const end = partner.hasFailedEnough ? "complete" : partner.run(steps)
    const isDone = end === "complete" || partner.hasFailedEnough
    const ending = isDone ? "done" : end === "spent" ? "spent" : open.why
    // A helper tells what it found also when it has nothing left to do, or nothing more to find.
    const tells = request.tells && (role === "helper" || ending !== "done")
    return { _tag: "Rounded", ending, states: partner.states, news: tells ? partner.tell() : undefined }
  }

  private begin(request: RoundRequest): Open {
    const { memory, pause, plan, resume, role, states } = request
    const { isFailure, model, outcomeOf } = endStates(this.load())
    const { around } = this
    let lastProgress = performance.now()
    const stop = (why: Ending): string => open.why = why
    const interrupt: Explore.ExploreOptions["interrupt"] = (progress, save) => {
      const now = performance.now()
      if (now - lastProgress >= progressEvery) {
        lastProgress = now
        const { executions, fraction, states: known, steps } = progress
        around.send({
          _tag: "Exploring",
          progress: { executions, states: known, steps, fraction, memory: open.memory.used }
        })
      }
      if (around.stopped()) return stop("stopped")
      if (role === "leader" && now >= open.saveAt) {
        open.saveAt = now + open.request.pause! * 1000
        const checkpoint = save()
        if (checkpoint !== undefined) around.send({ _tag: "Saved", checkpoint })
      }
      return open.memory.look() === "full" ? stop("memory") : undefined
    }
    const partner = new Explore.Partner(model, role, {
      outcomeOf,
      isFailure,
      interrupt,
      maxSteps: plan.maxSteps,
      onFailure: plan.untilFailure ? "stop" : "continue",
      maxStates: states,
      fullBytes: Math.ceil(memory * rowsPart),
      tight: () => open.memory.look() !== "fine",
      found: (name, moves) =>
        around.send({ _tag: "Found", name, choices: choicesOf(around.twin(), moves, plan.maxSteps) }),
      ...(resume === undefined ? {} : { resume })
    })
    const open: Open = {
      partner,
      request,
      memory: new Memory(memory),
      saveAt: pause === undefined ? Infinity : performance.now() + pause * 1000,
      why: "stopped"
    }
    this.open.set(role, open)
    return open
  }
}
