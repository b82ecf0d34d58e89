import { endStatus, showStatus, table } from "mmrace/screen"
import { afterEach, describe, expect, it, vi } from "vitest"

const { columns, isTTY } = process.stderr

afterEach(() => {
  vi.restoreAllMocks()
  endStatus()
  process.stderr.columns = columns
  process.stderr.isTTY = isTTY
})

/** What is written for a status in a terminal of some width. */
const shown = (text: string, wide: number): string => {
  process.stderr.isTTY = true
  process.stderr.columns = wide
  const written: Array<string> = []
  vi.spyOn(process.stderr, "write").mockImplementation((chunk) => written.push(String(chunk)) > 0)
  showStatus(text)
  return written.at(-1) ?? ""
}

describe("the status line", () => {
  it("is cut to the terminal", () => {
    expect(shown("0123456789", 20)).toBe("0123456789")
    expect(shown("0123456789", 9)).toBe("01234...")
  })

  it("is shown on a terminal that does not know its size", () => {
    expect(shown("x".repeat(100), 0)).toBe(`${"x".repeat(76)}...`)
    expect(shown("0123456789", 1)).toBe("...")
  })
})

it("a table pads by display width, the last column not", () => {
  expect(table([["a", "b", "c"], ["漢字", "x", ""]])).toBe("a     b  c\n漢字  x")
})
