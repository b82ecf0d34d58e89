/** Three readers and two writers of a fair rwsem, two rounds each, over a counter that is kept twice. */
import type { Actor } from "@mmrace/core/Actor"
import type { Path } from "@mmrace/core/Ask"
import { settle } from "@mmrace/core/Settle"
import * as Rwsem from "@mmrace/core/primitives/Rwsem"
import { assert, load, programOf, store, type Word, words } from "../Program.ts"

const rounds = 2

type Sem = Actor<Rwsem.RwsemState>
type Counter = ReadonlyArray<Word>

function* reader(sem: Sem, counter: Counter): Path<void> {
  for (let round = 0; round < rounds; round++) {
    settle(round)
    yield* Rwsem.downRead(sem)
    settle(["locked", round])
    const first = yield* load(counter[0]!)
    assert((yield* load(counter[1]!)) === first, "a reader sees half an update")
    settle(["unlock", round])
    yield* Rwsem.upRead(sem)
  }
}

function* writer(sem: Sem, counter: Counter, broken: boolean): Path<void> {
  for (let round = 0; round < rounds; round++) {
    settle(round)
    const shared = broken && round > 0
    yield* shared ? Rwsem.downRead(sem) : Rwsem.downWrite(sem)
    settle(["locked", round])
    const value = yield* load(counter[0]!)
    yield* store(counter[0]!, value + 1)
    yield* store(counter[1]!, value + 1)
    assert((yield* load(counter[0]!)) === value + 1, "an update is lost")
    settle(["unlock", round])
    yield* shared ? Rwsem.upRead(sem) : Rwsem.upWrite(sem)
  }
}

export const rwsem = programOf("rwsem", {
  about: "3 readers and 2 writers of a fair rwsem, 2 rounds each",
  without: "a writer takes the lock for reading in its second round"
}, (m, broken, small) => {
  const sem = m.actor(Rwsem.rwsem.type, "sem", Rwsem.unlocked)
  const counter = words(m, "counter", [0, 0])
  for (const i of small ? [0] : [0, 1, 2]) m.thread(`reader ${i}`, () => reader(sem, counter))
  for (const i of [0, 1]) m.thread(`writer ${i}`, () => writer(sem, counter, broken))
})
