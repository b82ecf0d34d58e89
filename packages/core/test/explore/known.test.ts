/** What one search tells another of states, and what that makes of it. */
import { describe, expect, test } from "vitest"
import { Fingerprints } from "@mmrace/core/explore/Fingerprint"
import { circular, foreign, Known, onPath, open, unfinished } from "@mmrace/core/explore/Known"
import { Vector } from "@mmrace/core/explore/Vector"
import { Visited } from "@mmrace/core/explore/Visited"

/** A search that is in one state after the other; a state is the value of one column. */
class Search {
  readonly known = new Known(new Visited())
  private readonly vector: Vector

  constructor(...first: ReadonlyArray<string>) {
    const prints = new Fingerprints()
    this.vector = new Vector(1, (value) => prints.of(value))
    for (const value of ["initial", ...first]) this.vector.numberOf(0, value)
    this.known.share()
  }

  at(value: string): number {
    this.vector.set(0, this.vector.numberOf(0, value))
    return this.known.numberOf(this.vector)
  }

  /** Explores the state, while `asleep` slept; `how` it is left. */
  explore(value: string, asleep: number, how: (known: Known, state: number) => void): void {
    const state = this.at(value)
    this.known.begin(state, asleep)
    this.known.put(state)
    this.known.again(state, asleep)
    how(this.known, state)
  }
}

const leaveWith = (done: number, isOpen = false, isCircular = false) => (known: Known, state: number): void =>
  known.leave(state, done, isOpen, isCircular)

const all = onPath | open | unfinished | foreign | circular

describe("of a state that one search explored, another one knows", () => {
  test("who slept and who was moved, and that it is to look up what may follow", () => {
    const here = new Search()
    const there = new Search("y", "x")
    here.explore("x", 0b100, leaveWith(0b011))
    expect(there.known.learn(here.known.tell())).toBe(1)
    const state = there.at("x")
    expect(there.known.has(state, all)).toBe(foreign)
    expect([there.known.sleptAt(state), there.known.movedFrom(state)]).toEqual([0b100, 0b011])
    expect(here.known.tell()).toHaveLength(0)
  })

  test("that not all that follows is known", () => {
    const here = new Search()
    const there = new Search()
    here.explore("x", 0, leaveWith(1, true))
    there.known.learn(here.known.tell())
    expect(there.known.has(there.at("x"), all)).toBe(foreign | open)
  })

  test("nothing, if it leads back to the path, is on it or was laid aside", () => {
    const here = new Search()
    const there = new Search()
    here.explore("back", 0, leaveWith(1, false, true))
    here.explore("path", 0, () => {})
    here.explore("aside", 0, (known, state) => known.abandon(state))
    here.explore("taken up again", 0, leaveWith(1))
    here.known.put(here.at("taken up again"))
    expect(there.known.learn(here.known.tell())).toBe(0)
    for (const value of ["back", "path", "aside", "taken up again", "on the way"]) {
      expect(there.known.has(there.at(value), all)).toBe(unfinished)
    }
  })

  test("what it was told itself only once, and not as the other's own", () => {
    const here = new Search()
    const there = new Search()
    here.explore("x", 0, leaveWith(1))
    there.known.learn(here.known.tell())
    there.known.again(there.at("x"), 0)
    there.known.put(there.at("x"))
    there.known.leave(there.at("x"), 1, false, false)
    expect(here.known.learn(there.known.tell())).toBe(0)
  })
})

const both = (there: Search): Search => {
  const here = new Search()
  here.explore("x", 0b110, leaveWith(0b001))
  expect(there.known.learn(here.known.tell())).toBe(0)
  return there
}

describe("where both explored a state", () => {
  test("who slept at both visits did", () => {
    const there = new Search()
    there.explore("x", 0b011, leaveWith(0b100))
    const state = both(there).at("x")
    expect([there.known.sleptAt(state), there.known.movedFrom(state)]).toEqual([0b010, 0b101])
  })

  test("one that is on the path is left as it is", () => {
    const there = new Search()
    there.explore("x", 0b011, () => {})
    const state = both(there).at("x")
    expect(there.known.has(state, all)).toBe(onPath)
    expect(there.known.sleptAt(state)).toBe(0b011)
  })

  test("one that was laid aside is as it was told", () => {
    const there = new Search()
    there.explore("x", 0, (known, state) => known.abandon(state))
    const state = both(there).at("x")
    expect(there.known.has(state, all)).toBe(foreign)
    expect([there.known.sleptAt(state), there.known.movedFrom(state)]).toEqual([0b110, 0b001])
  })
})
