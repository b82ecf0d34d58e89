/** What may follow a moment. */
import { Actor, ActorType, ask, type Ask } from "@mmrace/core"
import { Moment } from "@mmrace/core/explore/Fibers"
import { type Future, Futures } from "@mmrace/core/explore/Futures"
import { writing } from "@mmrace/core/explore/Footprint"
import { Values } from "@mmrace/core/explore/Values"
import { expect, test } from "vitest"

const doorType = new ActorType<number>("door")
/** May have to wait, and is asked with an object that is made anew each time. */
const enter = doorType.command<{ readonly room: number }>("enter", { access: "write", blocked: () => false })

test("equal asks are one future, whatever object the argument is", () => {
  const door = new Actor(0, 0, "door", doorType, 0, {})
  const futures = new Futures(new Values())
  const root = new Moment(0, 0, 0, undefined, undefined, ask(door, enter, { room: 0 }) as Ask<unknown>)
  const moments = [1, 2, 1].map((room, i) => {
    const moment = new Moment(i + 1, i + 1, 0, root, i, ask(door, enter, { room }) as Ask<unknown>)
    root.children.set(i, moment)
    return moment
  })
  for (const moment of moments) futures.note(moment, [5], [writing])
  expect(futures.known.map(({ ask: waiting }) => waiting?.arg)).toEqual([{ room: 1 }, { room: 2 }])
  const below: Array<Future> = []
  futures.each(root, (future) => below.push(future))
  expect(below).toHaveLength(2)
})
