/** The execution that docs/event-log.md shows: a lost update, recorded under a seed. */
import {
  ask,
  Cell,
  commands,
  Executor,
  type LogHeader,
  makeHeader,
  makeModel,
  type Model,
  type Path,
  RandomWalk,
  type RecordedExecution,
  recordingOf,
  writeLog
} from "@mmrace/core"
import type { Actor } from "@mmrace/core"

function* increment(counter: Actor<number>): Path<number> {
  const value = yield* ask(counter, Cell.read)
  yield* ask(counter, Cell.write, value + 1)
  return value
}

export const sampleModel = (): Model =>
  makeModel("lost-update", (m) => {
    const counter = m.actor(Cell.cellType, "counter", 0)
    m.thread("A", () => increment(counter))
    m.thread("B", () => increment(counter))
    m.monitor({
      id: "no-lost-update",
      title: "two increments make two",
      on: commands(),
      initial: () => undefined,
      step: () => undefined,
      end(_, quiescence) {
        if (counter.state !== 2) quiescence.violate(`counter is ${counter.state} after two increments`, "counter")
      }
    })
  })

export const sample = (): {
  readonly model: Model
  readonly header: LogHeader
  readonly recording: RecordedExecution
  readonly text: string
} => {
  const model = sampleModel()
  const executor = new Executor(model, { maxSteps: 100 })
  const recording = recordingOf(executor, executor.run(new RandomWalk(), 4))
  const header = makeHeader(model, {
    tool: "0.1.0",
    program: "two threads: read counter, write counter + 1",
    strategy: "random",
    seed: 4,
    execution: 0,
    schedule: recording.choices,
    maxSteps: 100
  })
  return { model, header, recording, text: writeLog(model, header, recording) }
}
