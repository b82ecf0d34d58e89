import { listenForInterrupt } from "mmrace/interrupt"
import { expect, it } from "vitest"

it("takes SIGINT only while somebody listens: else it must end a command that is busy", () => {
  const others = process.listenerCount("SIGINT")
  const first = listenForInterrupt(() => {})
  const second = listenForInterrupt(() => {})
  expect(process.listenerCount("SIGINT")).toBe(others + 1)
  first()
  expect(process.listenerCount("SIGINT")).toBe(others + 1)
  second()
  expect(process.listenerCount("SIGINT")).toBe(others)
})
