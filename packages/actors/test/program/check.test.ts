import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { check, kernelWords, parse, readProgram } from "../../src/program/index.ts"

const errors = (source: string, options: Parameters<typeof readProgram>[1] = {}) => {
  const result = readProgram(source, options)
  return Result.isSuccess(result)
    ? []
    : result.failure.issues.map(({ message, span }) => `${span?.line}:${span?.column} ${message}`)
}

/** A validator that knows no word. */
const no = (what: string) => (word: string) => `no ${what} ${word}`

/** Errors of set-up lines, before a thread that does nothing wrong. */
const setup = (lines: string) => errors(`mmrace x\n${lines}\nthread t\n  exit\n`)

/** Errors of statements of a thread in a program with a region `A` of two pages and a userfaultfd `U`. */
const body = (lines: string) => errors(`mmrace x\nmap A anon rw 2 = 1\nuffd U\nthread t\n${lines}\n`)

describe("names", () => {
  it("takes a program that means something", () => {
    expect(errors(`mmrace x
kernel 6.18 x86-64
swap 2
map A anon rw 1 = 1 shared-with child
map B anon rw 2
map C anon rw 1 = 3 swapped
uffd U features fork
register U B missing
tlb t A
thread t
  pid = fork
  p = pin A write
  dma_store p 7
  unpin p
  m = read U
  if m.event = fork
    copy m.fd B[0..1] = 5
  copy U m.address = 5
thread c in pid
  grand = fork
  r0 = load C
thread d in child
  load A
  mmap B
  load B
thread g in grand
  join c
final exists (t:p = 1 /\\ [grand:B[1]] = 5 /\\ t:m.address = &B[1] /\\ [child:A] = 1)
`)).toEqual([])
  })

  it.each([
    ["  load B", "5:8 expected a mapped region, found 'B'; did you mean 'A'?"],
    [
      "  e = munmap Other",
      "5:14 expected a mapped region, found 'Other'; 'Other' is never mapped: add 'map Other anon rw 1'"
    ],
    ["  load A[2]", "5:8 expected a page of 'A' (0 to 1), found 2"],
    ["  munmap A[1..2]", "5:10 expected pages of 'A' (0 to 1), found 2"],
    ["  munmap A[1..0]", "5:10 expected a range with its first page before its last, found 1..0"],
    ["  store A r1", "5:11 expected a register of thread 't', found 'r1', which nothing sets"],
    ["  store A r1\n  r1 = load A", "5:11 expected a register that is set by now, found 'r1', which is set only later"],
    [
      "  r1 = load A\n  unpin r1",
      "6:9 expected a register set by 'pin' or 'pin_fast', found 'r1', which is set by 'load'"
    ],
    [
      "  p = pin A read\n  put p",
      "6:7 expected a register set by 'get' or 'get_fast', found 'p', which is set by 'pin'"
    ],
    [
      "  p = get A read\n  dma_store p 2",
      "6:13 expected a page taken for write, found 'p', taken for read: no driver may write to it"
    ],
    [
      "  r1 = load A\n  dma_store r1 2",
      "6:13 expected a pinned page (a register set by 'pin' or 'get'), found 'r1', which is set by 'load'"
    ],
    [
      "  r1 = load A\n  if r1.event = fork\n    exit",
      "6:6 expected a message (a register set by 'read'), found 'r1', which is set by 'load'"
    ],
    ["  m = read U\n  if m.event = 3\n    exit", "6:16 expected an event (pagefault, fork, remove or unmap)"],
    ["  m = read U\n  if m.address = 3\n    exit", "6:18 expected the address of a page, such as &A[1]"],
    ["  m = read U\n  if m = fork\n    exit", "6:10 expected a number, -ERRNO or a signal; did you mean 'm.event'?"],
    ["  m = read U\n  if m.event < fork\n    exit", "6:6 expected '=' or '!=' for an event, found '<'"],
    ["  m = read U\n  copy U m = 5", "6:10 expected a region, found the message 'm'; did you mean 'm.address'?"],
    ["  m = read V", "5:12 expected a userfaultfd, found 'V'; did you mean 'U'?"],
    ["  join tt", "5:8 expected a thread, found 'tt'; did you mean 't'?"],
    ["  join t", "5:8 expected another thread: a thread cannot join itself"],
    ["  kill other", "5:8 expected a thread, found 'other'"],
    ["  r = choose 0", "5:3 expected a choice of at least 1"],
    ["  repeat 3", "5:3 expected indented statements under 'repeat'"],
    [
      "  r = choose 2\n  if r = 1\n  else",
      "6:3 expected indented statements under 'if'",
      "6:3 expected indented statements under 'else'"
    ],
    ["  api U features fork fork", "5:3 expected each feature once, found 'fork' twice"],
    ["  a = fork\n  a = fork", "6:3 expected a new name, found a second process 'a'"],
    ["  main = fork", "5:3 expected another name for a child than 'main'"],
    ["  exit\nthread t\n  exit", "6:8 expected a new name, found a second thread 't'"],
    ["  exit\nthread u in pid", "6:13 expected a process, found 'pid', which nobody forks"],
    [
      "  repeat 2\n    pid = fork\nthread u in pid",
      "6:5 expected one process 'pid', found its fork in a 'repeat'"
    ],
    [
      "  exit\nthread u in pid\n  pid = fork",
      "6:13 expected a process that can start, found 'pid', which only its own threads fork"
    ],
    ["  exit\nthread u cpu 64", "6:1 expected a CPU from 0 to 63, found 64"],
    ["  exit\nfinal exists u:r0 = 1", "6:14 expected a thread, found 'u'; did you mean 't'?"],
    ["  exit\nfinal exists t:r0 = 1", "6:16 expected a register of thread 't', found 'r0', which nothing sets"],
    ["  exit\nfinal exists [B] = 1", "6:15 expected a mapped region, found 'B'; did you mean 'A'?"],
    ["  exit\nfinal exists ~([A] = 1 \\/ [A[2]] = 1)", "6:28 expected a page of 'A' (0 to 1), found 2"],
    ["  exit\nfinal exists [pid:A] = 1", "6:15 expected a process, found 'pid', which nobody forks"]
  ])("%s", (statements, ...expected) => {
    expect(body(statements)).toEqual(expected)
  })
})

describe("set-up", () => {
  it.each([
    ["map A anon rw 1\nmap A anon rw 1", "3:5 expected a new name, found a second region 'A'"],
    ["map A anon rw 0", "2:15 expected 1 to 512 pages, found 0"],
    ["map A anon rw 513", "2:15 expected 1 to 512 pages, found 513"],
    ["swap 2\nmap A anon rw 1 swapped", "3:17 expected content for a swapped region, such as '= 1 swapped'"],
    ["map A anon rw 1 = 1 swapped", "2:21 expected a 'swap' line for a swapped region"],
    ["swap 1\nmap A anon rw 2 = 1 swapped", "2:1 expected at least 2 swap slots for the swapped pages, found 1"],
    ["swap 0", "2:1 expected at least 1 swap slot"],
    ["map A anon rw 1 shared-with main", "2:29 expected the name of a child, found 'main', which has every region"],
    [
      "limit folios 1\nmap A anon rw 2 = 1",
      "2:1 expected a limit of at least 2 folios, which the set-up takes, found 1"
    ],
    [
      "limit mms 1\nmap A anon rw 2 = 1 shared-with c",
      "2:1 expected a limit of at least 2 mms, which the set-up takes, found 1"
    ],
    ["uffd U\nuffd U", "3:6 expected a new name, found a second userfaultfd 'U'"],
    ["map A anon rw 1\nregister U A missing", "3:10 expected a userfaultfd, found 'U'"],
    [
      "map A anon rw 1\nuffd U new\nregister U A missing",
      "4:10 expected a userfaultfd that is ready, found 'U', which is 'new'"
    ],
    [
      "map A anon rw 2\nuffd U\nuffd V\nregister U A missing\nregister V A[1] wp",
      "6:1 expected a range of one userfaultfd, found 'A[1]' registered with 'U' too"
    ],
    ["map A anon rw 1 = 1\ntlb u A", "3:5 expected a thread, found 'u'; did you mean 't'?"],
    ["map A anon rw 1\ntlb t A", "3:7 expected a page that is present at the start, found 'A', which is not"],
    ["map A anon r 1 = 1\ntlb t A w", "3:7 expected a page that is writable at the start, found 'A', which is not"],
    ["bug 5x", "2:5 expected a bug such as B-05, found '5x'"],
    ["bug X-05", "2:5 expected a bug such as B-05, found 'X-05'"],
    ["breaks I-04 J-05", "2:13 expected an invariant such as I-04, found 'J-05'"],
    ["with abcdef1\nwithout abcdef1", "3:9 expected 'abcdef1' under 'with' or 'without', found it under both"]
  ])("%s", (lines, error) => {
    expect(setup(lines)).toEqual([error])
  })

  it("a region that a child of before the start does not have", () => {
    expect(
      errors("mmrace x\nmap A anon rw 1 = 1 shared-with c\nmap B anon rw 1 = 1\nthread t in c\n  load A\n  load B\n")
    ).toEqual([
      "6:8 expected a region that process 'c' has, found 'B', which it never maps"
    ])
  })

  it("no thread", () => {
    expect(errors("mmrace x\n")).toEqual(["1:8 expected at least one 'thread'"])
  })

  it("asks the caller about kernels, changes, bugs and invariants, and places what it says", () => {
    const source =
      "mmrace x\nkernel 9.9 vax\nwith 1234567\nwithout a1b2c3d 2345678\nfix abcdef0\nbug B-99\nbreaks I-99\nthread t\n  exit\n"
    expect(errors(source, {
      release: no("release"),
      arch: no("arch"),
      change: no("change"),
      bug: no("bug"),
      invariant: no("invariant")
    })).toEqual([
      "2:8 no release 9.9",
      "2:12 no arch vax",
      "3:6 no change 1234567",
      "4:9 no change a1b2c3d",
      "4:17 no change 2345678",
      "5:5 no change abcdef0",
      "6:5 no bug B-99",
      "7:8 no invariant I-99"
    ])
  })

  it("places what the kernel registry says", () => {
    const found = errors("mmrace x\nkernel 9.9 vax\nthread t\n  exit\n", kernelWords)
    expect(found.map((error) => error.split(" ")[0])).toEqual(["2:8", "2:12"])
    expect(errors("mmrace x\nkernel 5.10 x86-64\nwithout 57efa1fe5957\nthread t\n  exit\n", kernelWords)).toEqual([])
    expect(errors("mmrace x\nwithout 57efa1fe5950\nthread t\n  exit\n", kernelWords)).toEqual([
      "2:9 the model has no fix or feature \"57efa1fe5950\"; did you mean 57efa1fe5957?"
    ])
  })

  it("a program that was not read from text gives issues without places", () => {
    const parsed = parse("mmrace x\nthread t\n  load A\n")
    const { program } = Result.isSuccess(parsed) ? parsed.success : expect.fail("refused")
    expect(check(program)).toEqual([
      { message: "expected a mapped region, found 'A'; 'A' is never mapped: add 'map A anon rw 1'" }
    ])
  })
})

it("checks a hundred thousand lines", () => {
  const statements = Array.from(
    { length: 100_000 },
    (_, index) => index % 2 === 0 ? `  r${index} = load A` : `  store A r${index - 1}`
  )
  const terms = Array.from({ length: 5_000 }, (_, index) => `t:r${index * 2} = 1`).join(" /\\ ")
  expect(errors(`mmrace x\nmap A anon rw 1 = 1\nthread t\n${statements.join("\n")}\nfinal exists ${terms}\n`)).toEqual(
    []
  )
})
