/** Programs whose threads meet in plain or atomic memory, without locks. */
import { type Actor, ActorType, ask, Cell, type Path } from "@mmrace/core"
import * as Schema from "effect/Schema"
import { assert, bump, type Cell as Variable, get, type Program, programOf, set } from "../Program.ts"

const range = (n: number): ReadonlyArray<number> => Array.from({ length: n }, (_, i) => i)

export const lostUpdate = programOf("lost_update", "two additions to a plain variable", "assertion", (w) => {
  const x = w.cell("x")
  w.thread("t1", () => bump(x, 1))
  w.thread("t2", () => bump(x, 1))
  w.finally(() => x.state === 2 ? undefined : `x is ${x.state}, expected 2`)
})

/** BCSP_IoDecrement(): the decrement is atomic, the event is not part of it. */
function* ioDecrement(pending: Variable, event: Variable): Path<void> {
  if ((yield* ask(pending, Cell.fetchAdd, -1)) === 1) yield* set(event, 1)
}

/** Qadeer and Wu, KISS (PLDI 2004). */
export const bluetooth = programOf(
  "bluetooth_driver",
  "stopped between the check and the increment",
  "assertion",
  (w) => {
    const pending = w.cell("pendingIo", 1)
    const stopping = w.cell("stoppingFlag")
    const event = w.cell("stoppingEvent")
    const stopped = w.cell("stopped")
    w.main("add", function*(): Path<void> {
      if ((yield* get(stopping)) === 0) {
        yield* ask(pending, Cell.fetchAdd, 1)
        assert((yield* get(stopped)) === 0, "!stopped")
      }
      yield* ioDecrement(pending, event)
    })
    w.thread("stop", function*(): Path<void> {
      yield* set(stopping, 1)
      yield* ioDecrement(pending, event)
      if ((yield* get(event)) !== 0) yield* set(stopped, 1)
    })
  }
)

function* setBoth(a: Variable, b: Variable): Path<void> {
  yield* set(a, 1)
  yield* set(b, -1)
}

/** (a == 0 && b == 0) || (a == 1 && b == -1), evaluated as C does. */
function* checkBoth(a: Variable, b: Variable): Path<void> {
  if ((yield* get(a)) === 0 && (yield* get(b)) === 0) return
  assert((yield* get(a)) === 1 && (yield* get(b)) === -1, "a and b were both set or both not")
}

export const reorder = (name: string, setters: number, checkers: number, limit?: number): Program =>
  programOf(name, "a check between the two stores of a setter", "assertion", (w) => {
    const a = w.cell("a")
    const b = w.cell("b")
    for (const i of range(setters)) w.thread(`set${i}`, () => setBoth(a, b))
    for (const i of range(checkers)) w.thread(`check${i}`, () => checkBoth(a, b))
  }, limit === undefined ? {} : { limit })

interface Ring {
  readonly x: readonly [number, number, number]
  readonly flags: number
}

const ringType = new ActorType<Ring>("ring")

/** Thread t's atomic section: x1 = (x3 + 1) % 4, x2 = x1 or x3 = x2, and its flag. */
const pass = ringType.command<number>("pass", {
  access: "write",
  arg: Schema.Int,
  evolve: ({ flags, x: [x1, x2, x3] }, t) => ({
    x: t === 0 ? [(x3 + 1) % 4, x2, x3] : t === 1 ? [x1, x1, x3] : [x1, x2, x2],
    flags: flags | (1 << t)
  })
})

const agree = ringType.command<void, boolean>("agree", {
  access: "read",
  decide: ({ flags, x: [x1, x2, x3] }) => flags !== 7 || (x1 === x2 && x2 === x3),
  result: Schema.Boolean
})

function* passToken(ring: Actor<Ring>, t: number): Path<void> {
  yield* ask(ring, pass, t)
}

export const tokenRing = programOf("token_ring", "the tokens are passed in another order", "assertion", (w) => {
  const ring = w.builder.actor(ringType, "ring", { x: [1, 2, 1], flags: 0 })
  for (const t of range(3)) w.thread(`t${t + 1}`, () => passToken(ring, t))
  w.thread("t4", function*(): Path<void> {
    assert(yield* ask(ring, agree), "x1 == x2 && x2 == x3")
  })
})

function* enterUnlessOther(mine: Variable, other: Variable, inside: Variable): Path<void> {
  if ((yield* get(other)) !== 0) return
  yield* set(mine, 1)
  assert((yield* ask(inside, Cell.fetchAdd, 1)) === 0, "alone in the critical section")
  yield* ask(inside, Cell.fetchAdd, -1)
  yield* set(mine, 0)
}

export const badFlags = programOf("bad_flags", "flags are looked at before they are raised", "assertion", (w) => {
  const [f0, f1] = w.cells("flag", 2)
  const inside = w.cell("inside")
  w.thread("t1", () => enterUnlessOther(f0!, f1!, inside))
  w.thread("t2", () => enterUnlessOther(f1!, f0!, inside))
})

export const abaToctou = programOf(
  "aba_toctou",
  "freed between the test of the pointer and its use",
  "assertion",
  (w) => {
    const pointer = w.cell("pointer", 1)
    const freed = w.cell("freed")
    w.thread("use", function*(): Path<void> {
      if ((yield* get(pointer)) !== 0) assert((yield* get(freed)) === 0, "!freed")
    })
    w.thread("free", function*(): Path<void> {
      if ((yield* get(pointer)) === 0) return
      yield* set(freed, 1)
      yield* set(pointer, 0)
    })
  }
)

function* freeOnce(callback: Variable, freed: Variable): Path<void> {
  if ((yield* get(callback)) !== 0) return
  yield* set(callback, 1)
  assert((yield* ask(freed, Cell.fetchAdd, 1)) === 0, "freed once")
}

export const doubleFetch = programOf(
  "double_fetch",
  "both threads see that nothing runs and free it",
  "assertion",
  (w) => {
    const callback = w.cell("cb")
    const freed = w.cell("freed")
    w.thread("t1", () => freeOnce(callback, freed))
    w.thread("t2", () => freeOnce(callback, freed))
  }
)
