import { describe, expect, it } from "vitest"
import { Kernel } from "../../src/kernel/index.ts"
import { errno, signal } from "../../src/program/constants.ts"
import { explore, runOnce } from "./run.ts"

const complete = Kernel.complete()
const releases = [
  Kernel.at("4.5"),
  Kernel.at("4.19"),
  Kernel.at("5.10"),
  Kernel.at("6.1"),
  Kernel.at("6.9"),
  Kernel.at("6.18"),
  complete
]

const EINVAL = errno("EINVAL"), ENOMEM = errno("ENOMEM")
const SIGSEGV = signal("SIGSEGV")

/** Statements of one thread, and what its registers hold at the end. */
const single: ReadonlyArray<
  readonly [what: string, setUp: string, body: ReadonlyArray<string>, Record<string, number>]
> = [
  ["mprotect takes and gives the right to write", "map A anon rw 2 = 1", [
    "e = mprotect A[1] r",
    "a = store A[0] 2",
    "b = store A[1] 2",
    "c = load A[1]",
    "f = mprotect A rw",
    "d = store A[1] 3",
    "g = load A[1]"
  ], { e: 0, a: 0, b: SIGSEGV, c: 1, f: 0, d: 0, g: 3 }],
  ["mprotect none forbids loads too", "map A anon rw 1 = 1", [
    "e = mprotect A none",
    "a = load A",
    "f = mprotect A rw",
    "b = load A"
  ], { e: 0, a: SIGSEGV, f: 0, b: 1 }],
  ["mprotect stops at a hole, what lies before it is changed", "map A anon rw 3 = 1", [
    "m = munmap A[1]",
    "e = mprotect A r",
    "a = store A[0] 2",
    "b = store A[2] 2"
  ], { m: 0, e: ENOMEM, a: SIGSEGV, b: 0 }],
  ["mprotect of a hole", "map A anon rw 1 = 1", ["m = munmap A", "e = mprotect A r"], { m: 0, e: ENOMEM }],
  ["mprotect of a part needs a VMA", "limit vmas 1\nmap A anon rw 2 = 1", [
    "e = mprotect A[1] r",
    "f = mprotect A r",
    "a = store A 2"
  ], { e: ENOMEM, f: 0, a: SIGSEGV }],
  ["munmap of the middle splits", "map A anon rw 3 = 1", [
    "e = munmap A[1]",
    "a = load A[0]",
    "b = load A[1]",
    "c = load A[2]",
    "f = munmap A[1]"
  ], { e: 0, a: 1, b: SIGSEGV, c: 1, f: 0 }],
  ["munmap of the middle needs a VMA for the rest", "limit vmas 1\nmap A anon rw 3 = 1", [
    "e = munmap A[1]",
    "a = load A[1]",
    "f = munmap A",
    "b = load A[1]"
  ], { e: ENOMEM, a: 1, f: 0, b: SIGSEGV }],
  ["mmap maps again without pages", "map A anon rw 2 = 1", [
    "e = munmap A",
    "f = mmap A",
    "a = load A[1]",
    "b = store A[1] 5",
    "c = load A[1]",
    "g = mmap A",
    "d = load A[1]"
  ], { e: 0, f: 0, a: 0, b: 0, c: 5, g: 0, d: 0 }],
  ["dontneed drops pages, in swap too", "swap 2\nmap A anon rw 2 = 1\nmap B anon rw 1 = 2 swapped", [
    "e = madvise A[1] dontneed",
    "a = load A[0]",
    "b = load A[1]",
    "f = madvise B dontneed",
    "c = load B"
  ], { e: 0, a: 1, b: 0, f: 0, c: 0 }],
  ["dontneed goes on over a hole and tells of it", "map A anon rw 3 = 1", [
    "m = munmap A[1]",
    "e = madvise A dontneed",
    "a = load A[0]",
    "b = load A[2]"
  ], { m: 0, e: ENOMEM, a: 0, b: 0 }],
  ["free keeps the content until reclaim takes it", "swap 2\nmap A anon rw 1 = 1", [
    "e = madvise A free",
    "a = load A",
    "reclaim A",
    "b = load A"
  ], { e: 0, a: 1, b: 0 }],
  ["a store after free keeps the page", "swap 2\nmap A anon rw 1 = 1", [
    "e = madvise A free",
    "a = store A 2",
    "reclaim A",
    "b = load A"
  ], { e: 0, a: 0, b: 2 }]
]

describe.each(releases.map((kernel) => [String(kernel).slice(0, 11), kernel] as const))("%s", (_name, kernel) => {
  it.each(single)("%s", (_what, setUp, body, registers) => {
    const expected = Object.fromEntries(Object.entries(registers).map(([name, value]) => [`t:${name}`, value]))
    expect(runOnce(`${setUp}\nthread t\n${body.map((line) => `  ${line}`).join("\n")}\n`, kernel)).toEqual(expected)
  })
})

it("MADV_FREE came with 4.5", () => {
  expect(runOnce("map A anon rw 1 = 1\nthread t\n  e = madvise A free\n", Kernel.at("4.4"))).toEqual({ "t:e": EINVAL })
})

/** Everything at once: nothing may be left held and no invariant may break, whatever the order. */
const together: ReadonlyArray<readonly [string, string]> = [
  [
    "munmap and mmap against accesses",
    `swap 2
map A anon rw 2 = 1
thread unmapper
  munmap A
  mmap A
thread user
  r0 = load A
  r1 = store A 2
  r2 = load A[1]
thread kswapd
  reclaim A
`
  ],
  [
    "parts of one VMA change at once",
    `map A anon rw 3 = 1
thread one
  e = mprotect A[0] r
  f = munmap A[2]
thread two
  e = mprotect A[1..2] none
  f = mprotect A[1] rw
thread three
  e = madvise A dontneed
thread user
  r0 = store A[0] 2
  r1 = load A[1]
  r2 = store A[2] 3
`
  ],
  [
    "two who throw away, one who writes, one who reclaims",
    `swap 3
map A anon rw 1 = 1
map B anon rw 1 = 2 swapped
thread one
  e = madvise A dontneed
  f = madvise B dontneed
thread two
  e = madvise B dontneed
  f = madvise A dontneed
thread user
  r0 = store A 2
  r1 = load B
thread kswapd
  reclaim A
  reclaim B
`
  ],
  [
    "two kinds of advice",
    `swap 3
map A anon rw 1 = 1
map B anon rw 1 = 2 swapped
thread one
  e = madvise A free
  f = madvise B free
thread two
  e = madvise B dontneed
  f = madvise A free
thread user
  r0 = store A 2
  r1 = load B
`
  ],
  [
    "fork while the parent's mappings change",
    `map A anon rw 2 = 1
thread parent
  pid = fork
  r0 = store A 2
thread changer
  e = mprotect A[1] r
  f = mprotect A[0] r
thread child in pid
  r0 = load A
  e = munmap A
  exit
`
  ]
]

describe("concurrently", () => {
  it.each(together)("%s", (_what, text) => {
    for (const kernel of [Kernel.at("6.18"), complete]) {
      const explored = explore(text, kernel, 800)
      expect(explored.failures).toEqual({})
      expect([...explored.left]).toEqual([])
    }
  })
})
