/**
 * Programs for property tests: every one satisfies the schema and can be printed; most mean nothing.
 * Names are drawn from words of the language too, since none of them is reserved.
 */
import * as fc from "fast-check"
import type * as P from "../../src/program/Program.ts"

const words = [
  "A",
  "B",
  "U",
  "m",
  "p",
  "r",
  "r0",
  "t",
  "w",
  "wp",
  "in",
  "cpu",
  "pid",
  "copy",
  "load",
  "read",
  "if",
  "else",
  "fork",
  "pin",
  "pin_fast",
  "none",
  "new",
  "features",
  "final",
  "thread",
  "exists",
  "address",
  "a-b",
  "_x",
  "missing",
  "dontwake",
  "EAGAIN",
  "SIGBUS",
  "pagefault",
  "x86-64",
  "main"
]

export const name: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...words) },
  { weight: 1, arbitrary: fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_-]{0,8}$/) }
)

export const natural: fc.Arbitrary<number> = fc.oneof(fc.nat(9), fc.nat(0x7fffffff))
const value = fc.oneof(fc.nat(9), fc.integer({ min: -0x7fffffff, max: 0x7fffffff }), fc.constantFrom(-11, -17, -1007))

const page: fc.Arbitrary<P.Page> = fc.record({ region: name, page: natural })
const range: fc.Arbitrary<P.Range> = fc.record(
  { region: name, pages: fc.record({ first: natural, last: natural }) },
  { requiredKeys: ["region"] }
)
const target: fc.Arbitrary<P.Target> = fc.oneof(
  fc.record({ _tag: fc.constant("range" as const), range }),
  fc.record({ _tag: fc.constant("message" as const), register: name })
)
const uffd: fc.Arbitrary<P.UffdRef> = fc.oneof(
  fc.record({ _tag: fc.constant("uffd" as const), name }),
  fc.record({ _tag: fc.constant("message" as const), register: name })
)
const operand: fc.Arbitrary<P.Operand> = fc.oneof(natural, fc.record({ register: name }))
const event = fc.constantFrom<P.MessageEvent>("pagefault", "fork", "remove", "unmap")
const field = fc.constantFrom<P.MessageField>("event", "address", "write", "wp")
const compare = fc.constantFrom<P.Comparator>("=", "!=", "<", "<=", ">", ">=")
const test: fc.Arbitrary<P.RegisterTest> = fc.record(
  { register: name, field, compare, value: fc.oneof(value, event, page) },
  { requiredKeys: ["register", "compare", "value"] }
)
const modes = fc.constantFrom<P.RegisterModes>(
  { missing: true, wp: false },
  { missing: false, wp: true },
  { missing: true, wp: true }
)
const features = fc.array(
  fc.constantFrom<P.UffdFeature>("fork", "remove", "unmap", "wp", "sigbus", "wp-unpopulated"),
  { maxLength: 3 }
)
const access = fc.constantFrom<P.Access>("read", "write")
const protection = fc.constantFrom<P.Protection>("none", "r", "rw")

/** A statement with its own fields and no result. */
const plain = <Tag extends string, Fields extends object>(
  tag: Tag,
  fields: { [K in keyof Fields]: fc.Arbitrary<Fields[K]> }
) => fc.record<{ _tag: Tag } & Fields>({ _tag: fc.constant(tag), ...fields } as never)

/** A statement that may have a result. */
const giving = <Tag extends string, Fields extends object>(
  tag: Tag,
  fields: { [K in keyof Fields]: fc.Arbitrary<Fields[K]> }
) =>
  fc.oneof(
    plain(tag, fields),
    // A mapped type over an unknown `Fields` is not distributed over the intersection.
    plain<Tag, Fields & { readonly result: string }>(tag, { ...fields, result: name } as never)
  )

export const operation: fc.Arbitrary<P.Operation> = fc.oneof(
  giving("load", { page }),
  giving("store", { page, value: operand }),
  giving("dma_load", { pin: name }),
  plain("dma_store", { pin: name, value: operand }),
  plain("pin", { result: name, page, access }),
  plain("pin_fast", { result: name, page, access }),
  plain("get", { result: name, page, access }),
  plain("get_fast", { result: name, page, access }),
  plain("unpin", { pin: name }),
  plain("put", { pin: name }),
  plain("fork", { result: name }),
  plain("exit", {}),
  plain("join", { thread: name }),
  plain("kill", { thread: name }),
  plain("reclaim", { range }),
  giving("mprotect", { range, protection }),
  giving("madvise", { range, advice: fc.constantFrom<P.Advice>("dontneed", "free") }),
  giving("munmap", { range }),
  giving("mmap", { region: name }),
  giving("api", { uffd, features }),
  giving("register", { uffd, range, modes }),
  giving("unregister", { uffd, range }),
  giving("wake", { uffd, target }),
  giving("copy", { uffd, target, value: operand, wp: fc.boolean(), dontwake: fc.boolean() }),
  giving("zeropage", { uffd, target, dontwake: fc.boolean() }),
  giving("writeprotect", {
    uffd,
    target,
    action: fc.constantFrom<"protect" | "resolve">("protect", "resolve"),
    dontwake: fc.boolean()
  }),
  giving("read", { uffd, nonblock: fc.boolean() }),
  plain("close", { uffd }),
  plain("choose", { result: name, count: natural })
)

export const statement: fc.Arbitrary<P.Statement> = fc.letrec<{ statement: P.Statement }>((tie) => ({
  statement: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 6, arbitrary: operation },
    {
      weight: 1,
      arbitrary: fc.record({
        _tag: fc.constant("repeat" as const),
        count: natural,
        body: fc.array(tie("statement"), { maxLength: 3 })
      })
    },
    {
      weight: 1,
      arbitrary: fc.record(
        {
          _tag: fc.constant("if" as const),
          test,
          then: fc.array(tie("statement"), { maxLength: 3 }),
          else: fc.array(tie("statement"), { maxLength: 2 })
        },
        { requiredKeys: ["_tag", "test", "then"] }
      )
    }
  )
})).statement

export const condition: fc.Arbitrary<P.Condition> = fc.letrec<{ condition: P.Condition }>((tie) => {
  const terms = fc.array(tie("condition"), { minLength: 2, maxLength: 3 })
  return {
    condition: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      plain("memory", { process: name, page, compare, value }),
      plain("register", { thread: name, test }),
      plain("and", { terms }),
      plain("or", { terms }),
      plain("not", { term: tie("condition") })
    )
  }
}).condition

const change = fc.oneof(
  name,
  fc.constantFrom("57efa1fe5957", "1234567", "deadbeef"),
  fc.stringMatching(/^[0-9a-f]{7,40}$/)
)

const release = fc.constantFrom("5.10", "6.18", "6.18.35", "7.1-rc2")

export const program: fc.Arbitrary<P.Program> = fc.record(
  {
    name,
    description: fc.oneof(fc.string(), fc.string({ unit: "binary" })),
    kernel: fc.record({ release, arch: name }, { requiredKeys: [] }),
    with: fc.array(change, { maxLength: 2 }),
    without: fc.array(change, { maxLength: 2 }),
    bug: name,
    fixes: fc.array(change, { maxLength: 2 }),
    breaks: fc.array(name, { maxLength: 2 }),
    limits: fc.record({ folios: natural, mms: natural, vmas: natural }, { requiredKeys: [] }),
    swap: fc.record({ slots: natural, device: fc.constantFrom<P.Swap["device"]>("disk", "sync", "zram") }),
    regions: fc.array(
      fc.record(
        {
          name,
          kind: fc.constant("anon" as const),
          protection,
          pages: natural,
          content: natural,
          swapped: fc.boolean(),
          sharedWith: name
        },
        { requiredKeys: ["name", "kind", "protection", "pages", "swapped"] }
      ),
      { maxLength: 3 }
    ),
    uffds: fc.array(fc.record({ name, features }, { requiredKeys: ["name"] }), { maxLength: 2 }),
    registrations: fc.array(fc.record({ uffd: name, range, modes }), { maxLength: 2 }),
    tlb: fc.array(fc.record({ thread: name, page, writable: fc.boolean() }), { maxLength: 2 }),
    threads: fc.array(
      fc.record(
        { name, process: name, cpu: natural, body: fc.array(statement, { maxLength: 6 }) },
        { requiredKeys: ["name", "process", "body"] }
      ),
      { maxLength: 3 }
    ),
    final: fc.record({ quantifier: fc.constantFrom<P.Quantifier>("exists", "forall", "~exists"), condition })
  },
  {
    requiredKeys: [
      "name",
      "kernel",
      "with",
      "without",
      "fixes",
      "breaks",
      "limits",
      "regions",
      "uffds",
      "registrations",
      "tlb",
      "threads"
    ]
  }
)
