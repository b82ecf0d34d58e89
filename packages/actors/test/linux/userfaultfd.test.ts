import { describe, expect, it } from "vitest"
import { Kernel } from "../../src/kernel/index.ts"
import { errno, signal } from "../../src/program/constants.ts"
import { races } from "../program/races.ts"
import { portfolio } from "@mmrace/core"
import { broken, clearSoftDirty, explore, runOnce } from "./run.ts"

const complete = Kernel.complete()
const modern = [Kernel.at("5.10"), Kernel.at("6.1"), Kernel.at("6.6"), Kernel.at("6.9"), Kernel.at("6.18"), complete]

const EAGAIN = errno("EAGAIN"), EBADF = errno("EBADF"), EBUSY = errno("EBUSY"), EEXIST = errno("EEXIST")
const EINTR = errno("EINTR"), EINVAL = errno("EINVAL"), ENOENT = errno("ENOENT"), ENOMEM = errno("ENOMEM")
const ESRCH = errno("ESRCH")
const SIGBUS = signal("SIGBUS")

type Case = readonly [what: string, setUp: string, body: ReadonlyArray<string>, Record<string, number>]

const program = (setUp: string, body: ReadonlyArray<string>): string =>
  `${setUp}\nthread t\n${body.map((line) => `  ${line}`).join("\n")}\n`

const result = (registers: Record<string, number>): Record<string, number> =>
  Object.fromEntries(Object.entries(registers).map(([name, value]) => [`t:${name}`, value]))

const ioctls: ReadonlyArray<Case> = [
  ["nothing goes before UFFDIO_API, which is done once", "map A anon rw 1\nuffd U new", [
    "a = register U A missing",
    "b = wake U A",
    "c = copy U A = 1",
    "d = writeprotect U A protect",
    "e = unregister U A",
    "f = api U",
    "g = api U",
    "h = register U A missing",
    "i = copy U A = 1"
  ], { a: EINVAL, b: EINVAL, c: EINVAL, d: EINVAL, e: EINVAL, f: 0, g: EINVAL, h: 0, i: 0 }],
  ["a closed descriptor is no descriptor", "map A anon rw 1\nuffd U", [
    "close U",
    "a = register U A missing",
    "b = wake U A",
    "c = api U",
    "m = read U nonblock",
    "close U"
  ], { a: EBADF, b: EBADF, c: EBADF, m: EBADF }],
  ["one userfaultfd for a VMA", "map A anon rw 1\nuffd U\nuffd V", [
    "a = register U A missing",
    "b = register V A missing",
    "c = unregister V A",
    "d = unregister U A",
    "e = register V A missing"
  ], { a: 0, b: EBUSY, c: EINVAL, d: 0, e: 0 }],
  ["holes in a range to register", "map A anon rw 3\nuffd U", [
    "m = munmap A[1..2]",
    "a = register U A missing",
    "b = register U A[1..2] missing",
    "c = unregister U A[1]",
    "d = wake U A[1]"
  ], { m: 0, a: 0, b: EINVAL, c: EINVAL, d: 0 }],
  ["a part of a VMA", "map A anon rw 3\nuffd U", [
    "a = register U A[1] missing",
    "b = copy U A[0] = 1",
    "c = copy U A[1] = 2",
    "d = copy U A[1..2] = 3",
    "r0 = load A[0]",
    "r1 = load A[1]",
    "r2 = load A[2]"
  ], { a: 0, b: ENOENT, c: 0, d: ENOENT, r0: 0, r1: 2, r2: 0 }],
  ["a part of a VMA needs VMAs", "limit vmas 2\nmap A anon rw 3\nuffd U", [
    "a = register U A[1] missing",
    "b = register U A[0..1] missing",
    "c = copy U A[0] = 1",
    "d = unregister U A",
    "e = copy U A[0] = 1"
  ], { a: ENOMEM, b: ENOMEM, c: 0, d: 0, e: ENOENT }],
  ["copy stops where something is", "map A anon rw 3\nuffd U\nregister U A missing", [
    "a = copy U A[1] = 1",
    "b = copy U A[1] = 2",
    "c = copy U A = 3",
    "d = copy U A[2] = 4",
    "r0 = load A[0]",
    "r1 = load A[1]",
    "r2 = load A[2]"
  ], { a: 0, b: EEXIST, c: EAGAIN, d: 0, r0: 3, r1: 1, r2: 4 }],
  ["copy without a page", "limit folios 2\nmap A anon rw 3\nuffd U\nregister U A missing", [
    "a = copy U A = 1",
    "b = copy U A[2] = 1",
    "c = zeropage U A[2]",
    "r0 = load A[2]"
  ], { a: EAGAIN, b: ENOMEM, c: 0, r0: 0 }],
  ["zeropage wants an empty entry", "map A anon rw 2\nuffd U\nregister U A missing", [
    "a = zeropage U A",
    "b = zeropage U A",
    "r0 = load A[0]",
    "c = store A[0] 5",
    "r1 = load A[0]",
    "r2 = load A[1]"
  ], { a: 0, b: EEXIST, r0: 0, c: 0, r1: 5, r2: 0 }],
  [
    "copied pages may be written",
    "map A anon rw 1\nmap B anon r 1\nuffd U\nregister U A missing\nregister U B missing",
    [
      "a = copy U A = 1",
      "b = store A 2",
      "c = copy U B = 3",
      "r0 = load A",
      "r1 = load B"
    ],
    { a: 0, b: 0, c: 0, r0: 2, r1: 3 }
  ],
  ["write-protection wants a registration for it", "map A anon rw 2 = 1\nuffd U\nregister U A missing", [
    "a = writeprotect U A protect",
    "b = copy U A[1] = 2 wp",
    "c = register U A[1] wp",
    "d = writeprotect U A[1] protect",
    "e = writeprotect U A protect",
    "f = writeprotect U A protect dontwake",
    "g = writeprotect U A[1] resolve",
    "h = store A[1] 5"
  ], { a: ENOENT, b: EINVAL, c: 0, d: 0, e: ENOENT, f: EINVAL, g: 0, h: 0 }],
  ["unregister takes the protection with it", "map A anon rw 1 = 1\nuffd U\nregister U A wp", [
    "a = writeprotect U A protect",
    "b = unregister U A",
    "c = store A 2",
    "r0 = load A"
  ], { a: 0, b: 0, c: 0, r0: 2 }],
  [
    "close takes the registrations with it",
    "map A anon rw 1\nmap B anon rw 1\nuffd U\nregister U A missing\nregister U B missing",
    [
      "close U",
      "r0 = load A",
      "a = store B 1",
      "r1 = load B"
    ],
    { r0: 0, a: 0, r1: 1 }
  ],
  ["SIGBUS instead of messages", "map A anon rw 1\nuffd U features sigbus\nregister U A missing", [
    "r0 = load A",
    "m = read U nonblock",
    "a = copy U A = 1",
    "r1 = load A"
  ], { r0: SIGBUS, m: EAGAIN, a: 0, r1: 1 }],
  ["munmap and mmap lose the registration", "map A anon rw 1\nuffd U\nregister U A missing", [
    "a = munmap A",
    "b = copy U A = 1",
    "c = mmap A",
    "d = copy U A = 1",
    "r0 = load A"
  ], { a: 0, b: ENOENT, c: 0, d: ENOENT, r0: 0 }]
]

describe.each(modern.map((kernel) => [String(kernel).slice(0, 11), kernel] as const))("on %s", (_name, kernel) => {
  it.each(ioctls)("%s", (_what, setUp, body, registers) => {
    expect(runOnce(program(setUp, body), kernel)).toEqual(result(registers))
  })
})

const protectEmpty = (feature: string): string =>
  program(`map A anon rw 1\nuffd U${feature}\nregister U A wp missing`, [
    "a = writeprotect U A protect",
    "b = zeropage U A",
    "c = copy U A = 5"
  ])

describe("what a kernel does not have yet", () => {
  const features = program("map A anon rw 1\nuffd U new", [
    "a = api U features fork",
    "b = api U features wp",
    "c = api U"
  ])

  it.each(
    [
      ["4.10", { a: EINVAL, b: EINVAL, c: 0 }],
      ["4.11", { a: 0, b: EINVAL, c: EINVAL }]
    ] as const
  )("%s", (release, registers) => {
    expect(runOnce(features, Kernel.at(release))).toEqual(result(registers))
  })

  it("write-protection came with 5.7", () => {
    const text = program("map A anon rw 1 = 1\nuffd U", ["a = register U A wp", "b = writeprotect U A protect"])
    expect(runOnce(text, Kernel.at("5.6"))).toEqual(result({ a: EINVAL, b: EINVAL }))
    expect(runOnce(text, Kernel.at("5.7"))).toEqual(result({ a: 0, b: 0 }))
  })

  it("empty entries are protected by a marker from 6.4 on, and if asked for", () => {
    const empty = result({ a: 0, b: 0, c: EEXIST })
    expect(runOnce(protectEmpty(""), complete)).toEqual(empty)
    expect(runOnce(protectEmpty(" features wp-unpopulated"), Kernel.at("6.3"))).toEqual(empty)
    expect(runOnce(protectEmpty(" features wp-unpopulated"), complete)).toEqual(result({ a: 0, b: EEXIST, c: 0 }))
  })
})

describe("faults and their handler", () => {
  const missing = `map A anon rw 2
uffd U
register U A missing
thread t1
  a = store A[0] 7
  r0 = load A[0]
thread t2
  r0 = load A[0]
  r1 = load A[1]
thread handler
  repeat 4
    m = read U
    e = copy U m.address = 5
    if e = -EEXIST
      wake U m.address
`
  it.each([Kernel.at("4.20"), ...modern].map((kernel) => [String(kernel).slice(0, 11), kernel] as const))(
    "two threads and one handler on %s",
    (_name, kernel) => {
      const explored = explore(missing, kernel, 500)
      expect(explored.failures).toEqual({})
      // There are three messages at most, so that the handler is the one who goes on waiting.
      expect([...explored.asleep]).toEqual(["handler"])
      expect(explored.values["t1:a"]).toEqual(new Set([0]))
      expect(explored.values["t1:r0"]).toEqual(new Set([7]))
      for (const value of explored.values["t2:r0"]!) expect([5, 7]).toContain(value)
      for (const value of explored.values["t2:r1"]!) expect(value).toBe(5)
    }
  )

  const wp = `map A anon rw 1 = 1
uffd U features wp
register U A wp
thread writer
  a = store A 2
thread tracker
  e = writeprotect U A protect
  r0 = load A
  m = read U nonblock
  if m = 0
    f = writeprotect U m.address resolve
  if m = -EAGAIN
    unregister U A
    wake U A
`
  it.each(modern.map((kernel) => [String(kernel).slice(0, 11), kernel] as const))(
    "write-protection on %s",
    (_name, kernel) => {
      const explored = explore(wp, kernel, 500)
      expect(explored.failures).toEqual({})
      expect(explored.left).toEqual(new Set())
      expect(explored.values["writer:a"]).toEqual(new Set([0]))
      expect(explored.values["tracker:m"]).toEqual(new Set([0, EAGAIN]))
    }
  )

  it("a killed thread stops waiting", () => {
    const explored = explore(
      "map A anon rw 1\nuffd U\nregister U A missing\nthread t\n  r0 = load A\nthread k\n  kill t\nthread r\n  m = read U\n  r1 = copy U A = 1\n",
      complete
    )
    expect(Object.keys(explored.failures).filter((id) => !id.startsWith("deadlock:r@task r.schedule"))).toEqual([])
    expect(explored.left).toEqual(new Set())
    expect(explored.values["t:r0"]).toEqual(new Set([EINTR, 1]))
  })

  it("close lets everybody go", () => {
    for (const kernel of [Kernel.at("4.20"), ...modern]) {
      const explored = explore(
        "map A anon rw 2 = 1\nmap B anon rw 1\nuffd U features remove\nregister U A missing\nregister U B missing\nthread t\n  r0 = store B 3\nthread d\n  e = madvise A dontneed\nthread c\n  close U\n",
        kernel
      )
      expect(explored.failures).toEqual({})
      expect(explored.left).toEqual(new Set())
      expect(explored.values["t:r0"]).toEqual(new Set([0]))
    }
  })
})

describe("close", () => {
  it("cannot leave a registration behind: the file lives as long as the last operation on it", () => {
    const text = `map A anon rw 1
uffd U
thread a
  e = register U A missing
thread b
  close U
thread c
  join a
  join b
  r0 = load A
`
    const explored = explore(text, complete)
    expect(explored.failures).toEqual({})
    expect([...explored.asleep]).toEqual([])
    expect(explored.values["a:e"]).toEqual(new Set([0, EBADF]))
    expect(explored.values["c:r0"]).toEqual(new Set([0]))
  })

  it("lets nobody go while another thread reads", () => {
    const text = `map A anon rw 1
uffd U
register U A missing
thread reader
  m = read U
  n = read U
thread t
  r0 = load A
thread closer
  close U
`
    const explored = explore(text, complete)
    expect(broken(explored).filter((id) => id !== "step-limit")).toEqual([])
    expect([...explored.asleep].toSorted()).toEqual(["reader", "t"])
  })
})

/** What the newest kernel still does; the first two were seen on 6.18.44 too. None of them is a fix away. */
describe("wake-ups that are lost when nobody reads the message", () => {
  it.each([
    [
      "UNREGISTER wakes before it takes the VMA lock, so that a fault can come in between",
      "map A anon rw 1\nuffd U\nregister U A missing\nthread t\n  a = store A 2\nthread u\n  e = unregister U A\n"
    ],
    [
      "a resolved entry that stays read-only for copy-on-write looks unresolved to must_wait",
      "map A anon rw 1 = 1 shared-with child\nuffd U features wp\nregister U A wp\nthread t\n  a = store A 2\nthread u\n  e = writeprotect U A protect\n  f = writeprotect U A resolve\n"
    ]
  ])("%s", (_what, text) => {
    for (const kernel of [Kernel.at("6.18"), complete]) expect(broken(explore(text, kernel, 1000))).toEqual(["I-37"])
  })

  it("before faults took the VMA lock, UNREGISTER lost none", () => {
    const text =
      "map A anon rw 1\nuffd U\nregister U A missing\nthread t\n  a = store A 2\nthread u\n  e = unregister U A\n"
    const explored = explore(text, Kernel.at("6.5"), 1000)
    expect(explored.failures).toEqual({})
    expect([...explored.asleep]).toEqual([])
  })
})

describe("events", () => {
  const monitored = `map A anon rw 2 = 1
uffd U features fork remove unmap
register U A missing wp
thread app
  e = madvise A[0] dontneed
thread unmapper
  f = munmap A[1]
thread forker
  pid = fork
thread child in pid
  r0 = load A[1]
thread monitor
  m = read U
  n = read U
  o = read U
  w = writeprotect U A[0] protect
  if m.event = fork
    c = writeprotect m.fd A[0] resolve
    close m.fd
  if n.event = fork
    c = writeprotect n.fd A[0] resolve
    close n.fd
  if o.event = fork
    c = writeprotect o.fd A[0] resolve
    close o.fd
`
  it.each(["5.15", "6.9", "6.18"] as const)("remove, unmap and fork all come, on %s", (release) => {
    // The child may find the page that was unmapped gone, or wait for it: then the monitor has closed its context.
    const explored = explore(monitored, Kernel.at(release), 600)
    expect(explored.failures).toEqual({})
    expect(explored.left).toEqual(new Set())
    expect(explored.values["app:e"]).toEqual(new Set([0]))
    expect(explored.values["unmapper:f"]).toEqual(new Set([0]))
    for (const register of ["m", "n", "o"]) {
      expect(explored.values[`monitor:${register}.event`]).toEqual(new Set([0x13, 0x15, 0x16]))
    }
    // The event was read, but its thread has not come round to ending it.
    expect(explored.values["monitor:w"]).toEqual(new Set([0, EAGAIN]))
    expect(explored.values["monitor:c"]).toEqual(new Set([0]))
  })

  it("the child of a fork without the event is nobody's to watch", () => {
    const explored = explore(
      "map A anon rw 1\nuffd U\nregister U A missing\nthread t\n  pid = fork\nthread child in pid\n  r0 = load A\n",
      complete,
      50
    )
    expect(explored.failures).toEqual({})
    expect(explored.values["child:r0"]).toEqual(new Set([0]))
  })

  it("a killed fork does not wait for its reader, and its child is nobody's to watch", () => {
    const explored = explore(
      "map A anon rw 1\nuffd U features fork\nregister U A missing\nthread t\n  pid = fork\nthread child in pid\n  r0 = load A\nthread k\n  kill t\n",
      complete
    )
    expect(explored.failures).toEqual({})
    expect(explored.left).toEqual(new Set())
    expect(explored.values["child:r0"]).toEqual(new Set([0]))
  })

  it("fills of an address space that is gone fail with ESRCH", () => {
    const text = `map A anon rw 1
uffd U features fork
register U A missing wp
thread forker
  pid = fork
thread child in pid
  exit
thread monitor
  m = read U
  join child
  a = copy m.fd A = 1
  b = writeprotect m.fd A protect
  c = register m.fd A missing
  d = unregister m.fd A
  close m.fd
`
    const gone = { "monitor:a": [ESRCH], "monitor:b": [ESRCH], "monitor:c": [ENOMEM], "monitor:d": [ENOMEM] }
    const { failures, values } = explore(text, complete, 50)
    expect(failures).toEqual({})
    for (const [register, expected] of Object.entries(gone)) expect(values[register]).toEqual(new Set(expected))
  })
})

/** Programs of the corpus: the invariants they break before the fix, some of them at least, and none after it. */
const bugs: ReadonlyArray<readonly [bug: string, invariants: ReadonlyArray<string>, text: string, runs: number]> = [
  ["B-14", ["I-41"], races["B-14"]!, 400],
  ["B-15", ["I-41"], races["B-15"]!, 1500],
  ["B-18", ["I-40"], races["B-18"]!, 400],
  ["B-54", ["I-37"], races["B-54"]!, 1200],
  ["B-56", ["I-37"], races["B-56"]!, 600],
  ["B-71", ["I-51"], races["B-71"]!, 600]
]

describe("bugs of the corpus", () => {
  it.each(bugs)("%s", (bug, invariants, text, runs) => {
    const before = explore(text, Kernel.beforeBug(bug)!, runs)
    expect(broken(before).filter((id) => invariants.includes(id))).toEqual(invariants)
    expect(broken(explore(text, Kernel.atBugFix(bug)!, runs)).filter((id) => invariants.includes(id))).toEqual([])
    expect(explore(text, complete, runs).failures).toEqual({})
  })

  it("B-52: a write-protect fault waits on an entry that went to swap, before 8e80af52db65", () => {
    const text = `swap 2
map A anon rw 1 = 1
uffd U features wp
register U A wp
thread writer
  a = store A 2
thread tracker
  e = writeprotect U A protect
  reclaim A
  f = writeprotect U A resolve
`
    // The present-format write bit is the soft-dirty bit of a swap entry: set, the waiter gets away with it.
    const before = explore(text, Kernel.before("8e80af52db65"), 1000, portfolio(), clearSoftDirty)
    expect([...before.asleep]).toEqual(["writer"])
    expect([...explore(text, Kernel.before("8e80af52db65"), 1000).asleep]).toEqual([])
    const after = explore(text, Kernel.atFix("8e80af52db65"), 1000, portfolio(), clearSoftDirty)
    expect([...after.asleep]).toEqual([])
    expect(after.failures).toEqual({})
  })

  it("B-57: GUP and close wait for each other before fe4cdc2c4e24", () => {
    const text =
      "map A anon rw 1\nuffd U\nregister U A missing\nthread gup\n  p = get A write\n  put p\nthread closer\n  close U\n"
    expect(Object.keys(explore(text, Kernel.before("fe4cdc2c4e24"), 300).failures)).toEqual(["step-limit"])
    expect(explore(text, Kernel.atFix("fe4cdc2c4e24"), 300).failures).toEqual({})
  })

  it("B-57: close gives SIGBUS to an access before 656710a60e36", () => {
    const text = "map A anon rw 1\nuffd U\nregister U A missing\nthread t\n  r = load A\nthread closer\n  close U\n"
    expect(broken(explore(text, Kernel.before("656710a60e36"), 300))).toEqual(["I-39"])
    const after = explore(text, Kernel.atFix("656710a60e36"), 300)
    expect(after.failures).toEqual({})
    expect(after.values["t:r"]).toEqual(new Set([0]))
  })

  it("B-61: two UFFDIO_API at once may both succeed before 22e5fe2a2a27", () => {
    const text = `uffd U new
thread a
  r = api U features fork
thread b
  r = api U features remove

final forall a:r != b:r
`.replace("a:r != b:r", "a:r = -EINVAL \\/ b:r = -EINVAL")
    expect(Object.keys(explore(text, Kernel.before("22e5fe2a2a27"), 300).failures)).not.toEqual([])
    expect(explore(text, Kernel.atFix("22e5fe2a2a27"), 300).failures).toEqual({})
  })

  it("B-68: close leaves write-protected entries behind before c88033efe9a3", () => {
    const text =
      "map A anon rw 1 = 1\nuffd U features wp\nregister U A wp\nthread t\n  e = writeprotect U A protect\n  close U\n  f = store A 2\n"
    expect(broken(explore(text, Kernel.before("c88033efe9a3"), 1))).not.toEqual([])
    expect(explore(text, Kernel.atFix("c88033efe9a3"), 1).failures).toEqual({})
  })

  it("B-60: write-protecting does not notice that the address space is gone before cb185d5f1ebf", () => {
    const text = `map A anon rw 1
uffd U features fork
register U A missing wp
thread forker
  pid = fork
thread child in pid
  exit
thread monitor
  m = read U
  join child
  e = writeprotect m.fd A protect
`
    expect(explore(text, Kernel.before("cb185d5f1ebf"), 50).values["monitor:e"]).toEqual(new Set([ENOENT]))
    expect(explore(text, Kernel.atFix("cb185d5f1ebf"), 50).values["monitor:e"]).toEqual(new Set([ESRCH]))
  })
})
