/**
 * A Program as data: what a user writes, the fuzzer generates and shrinks, and the corpus stores.
 *
 * Everything here is plain JSON without source positions, so that two programs are the same
 * program exactly when they are structurally equal. Text and positions: `parse.ts`.
 */
import { Schema } from "effect"

const OptionalName = () => Schema.optionalKey(Name)

/** A letter or `_`, then letters, digits, `_` and `-`. */
export const NAME_PATTERN = /^[A-Za-z_][A-Za-z0-9_-]*$/

/** The name of a program, process, thread, region, userfaultfd or register. */
export const Name = Schema.String.check(Schema.isPattern(NAME_PATTERN, { expected: "a name" }))

/** A whole number from 0 to 2^31 - 1: page contents, counts and indices. */
export const Natural = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 0x7fffffff }))

/** The process that owns everything the set-up makes; no `fork` returns it. */
export const MAIN = "main"

// ---------------------------------------------------------------------------------------------
// Places

/** One page of a region. */
export const Page = Schema.Struct({ region: Name, page: Natural })
export type Page = typeof Page.Type

/** Consecutive pages of one region, both ends included; without `pages`, the whole region. */
export const Range = Schema.Struct({
  region: Name,
  pages: Schema.optionalKey(Schema.Struct({ first: Natural, last: Natural }))
})
export type Range = typeof Range.Type

/** What a userfaultfd operation acts on: a range, or the page a message is about. */
export const Target = Schema.Union([
  Schema.TaggedStruct("range", { range: Range }),
  Schema.TaggedStruct("message", { register: Name })
])
export type Target = typeof Target.Type

/** A userfaultfd: one that the set-up made, or the one a fork message brought (`m.fd`). */
export const UffdRef = Schema.Union([
  Schema.TaggedStruct("uffd", { name: Name }),
  Schema.TaggedStruct("message", { register: Name })
])
export type UffdRef = typeof UffdRef.Type

// ---------------------------------------------------------------------------------------------
// Values

/** Every value is a number: page contents, counts, `-errno`, and signals (see `constants.ts`). */
export const Value = Schema.Int.check(Schema.isBetween({ minimum: -0x7fffffff, maximum: 0x7fffffff }))

/** A number written in the program, or the value of a register of the same thread. */
export const Operand = Schema.Union([Natural, Schema.Struct({ register: Name })])
export type Operand = typeof Operand.Type

/** What a userfaultfd message says happened. */
export const MessageEvent = Schema.Literals(["pagefault", "fork", "remove", "unmap"])
export type MessageEvent = typeof MessageEvent.Type

/** A part of a message; `write` and `wp` are 0 or 1, `address` is a page. */
export const MessageField = Schema.Literals(["event", "address", "write", "wp"])
export type MessageField = typeof MessageField.Type

/** The right side of a comparison: a number, an event (of `.event`) or a page (of `.address`). */
export const Literal = Schema.Union([Value, MessageEvent, Page])
export type Literal = typeof Literal.Type

export const Comparator = Schema.Literals(["=", "!=", "<", "<=", ">", ">="])
export type Comparator = typeof Comparator.Type

/** `r0 = 7`, `m.event = pagefault`: a register of the thread that tests it. */
export const RegisterTest = Schema.Struct({
  register: Name,
  field: Schema.optionalKey(MessageField),
  compare: Comparator,
  value: Literal
})
export type RegisterTest = typeof RegisterTest.Type

// ---------------------------------------------------------------------------------------------
// Statements

export const Protection = Schema.Literals(["none", "r", "rw"])
export type Protection = typeof Protection.Type

export const Access = Schema.Literals(["read", "write"])
export type Access = typeof Access.Type

export const Advice = Schema.Literals(["dontneed", "free"])
export type Advice = typeof Advice.Type

/** At least one of the two is set. */
export const RegisterModes = Schema.Struct({ missing: Schema.Boolean, wp: Schema.Boolean })
export type RegisterModes = typeof RegisterModes.Type

/** Feature words of UFFDIO_API: fork, remove and unmap are the EVENT_ features, wp is PAGEFAULT_FLAG_WP. */
export const UffdFeature = Schema.Literals(["fork", "remove", "unmap", "wp", "sigbus", "wp-unpopulated"])
export type UffdFeature = typeof UffdFeature.Type

const result = { result: OptionalName() }

export const Load = Schema.TaggedStruct("load", { ...result, page: Page })
export const Store = Schema.TaggedStruct("store", { ...result, page: Page, value: Operand })
export const DmaLoad = Schema.TaggedStruct("dma_load", { ...result, pin: Name })
export const DmaStore = Schema.TaggedStruct("dma_store", { pin: Name, value: Operand })

/** pin_user_pages (FOLL_PIN); `pin_fast` tries GUP-fast first. The register holds the pin. */
export const Pin = Schema.TaggedStruct("pin", { result: Name, page: Page, access: Access })
export const PinFast = Schema.TaggedStruct("pin_fast", { result: Name, page: Page, access: Access })
/** get_user_pages (FOLL_GET); `get_fast` tries GUP-fast first. The register holds the reference. */
export const Get = Schema.TaggedStruct("get", { result: Name, page: Page, access: Access })
export const GetFast = Schema.TaggedStruct("get_fast", { result: Name, page: Page, access: Access })
export const Unpin = Schema.TaggedStruct("unpin", { pin: Name })
export const Put = Schema.TaggedStruct("put", { pin: Name })

/** The result names the child process: threads run in it, `final` looks into it. */
export const Fork = Schema.TaggedStruct("fork", { result: Name })
export const Exit = Schema.TaggedStruct("exit", {})
export const Join = Schema.TaggedStruct("join", { thread: Name })
export const Kill = Schema.TaggedStruct("kill", { thread: Name })

export const Reclaim = Schema.TaggedStruct("reclaim", { range: Range })
export const Mprotect = Schema.TaggedStruct("mprotect", { ...result, range: Range, protection: Protection })
export const Madvise = Schema.TaggedStruct("madvise", { ...result, range: Range, advice: Advice })
export const Munmap = Schema.TaggedStruct("munmap", { ...result, range: Range })
/** Maps the whole region again, where and as the set-up mapped it, without pages. */
export const Mmap = Schema.TaggedStruct("mmap", { ...result, region: Name })

export const Api = Schema.TaggedStruct("api", { ...result, uffd: UffdRef, features: Schema.Array(UffdFeature) })
export const Register = Schema.TaggedStruct("register", {
  ...result,
  uffd: UffdRef,
  range: Range,
  modes: RegisterModes
})
export const Unregister = Schema.TaggedStruct("unregister", { ...result, uffd: UffdRef, range: Range })
export const Wake = Schema.TaggedStruct("wake", { ...result, uffd: UffdRef, target: Target })
export const Copy = Schema.TaggedStruct("copy", {
  ...result,
  uffd: UffdRef,
  target: Target,
  value: Operand,
  wp: Schema.Boolean,
  dontwake: Schema.Boolean
})
export const Zeropage = Schema.TaggedStruct("zeropage", {
  ...result,
  uffd: UffdRef,
  target: Target,
  dontwake: Schema.Boolean
})
export const Writeprotect = Schema.TaggedStruct("writeprotect", {
  ...result,
  uffd: UffdRef,
  target: Target,
  action: Schema.Literals(["protect", "resolve"]),
  dontwake: Schema.Boolean
})
export const Read = Schema.TaggedStruct("read", { ...result, uffd: UffdRef, nonblock: Schema.Boolean })
export const Close = Schema.TaggedStruct("close", { uffd: UffdRef })

/** The schedule picks 0 .. count - 1. */
export const Choose = Schema.TaggedStruct("choose", { result: Name, count: Natural })

export interface Repeat {
  readonly _tag: "repeat"
  readonly count: number
  readonly body: ReadonlyArray<Statement>
}
export const Repeat: Schema.Codec<Repeat> = Schema.TaggedStruct("repeat", {
  count: Natural,
  body: Schema.Array(Schema.suspend((): Schema.Codec<Statement> => Statement))
})

export interface If {
  readonly _tag: "if"
  readonly test: RegisterTest
  readonly then: ReadonlyArray<Statement>
  /** Absent where there is no `else`. */
  readonly else?: ReadonlyArray<Statement>
}
export const If: Schema.Codec<If> = Schema.TaggedStruct("if", {
  test: RegisterTest,
  then: Schema.Array(Schema.suspend((): Schema.Codec<Statement> => Statement)),
  else: Schema.optionalKey(Schema.Array(Schema.suspend((): Schema.Codec<Statement> => Statement)))
})

/** Every statement but `repeat` and `if`: what a thread does in one go. */
export const Operation = Schema.Union([
  Load,
  Store,
  DmaLoad,
  DmaStore,
  Pin,
  PinFast,
  Get,
  GetFast,
  Unpin,
  Put,
  Fork,
  Exit,
  Join,
  Kill,
  Reclaim,
  Mprotect,
  Madvise,
  Munmap,
  Mmap,
  Api,
  Register,
  Unregister,
  Wake,
  Copy,
  Zeropage,
  Writeprotect,
  Read,
  Close,
  Choose
])
export type Operation = typeof Operation.Type

export type Statement = Operation | Repeat | If
export const Statement: Schema.Codec<Statement> = Schema.Union([Operation, Repeat, If])

// ---------------------------------------------------------------------------------------------
// Set-up

/**
 * A mapping that exists at the start. Without `content` its pages are not populated; with it each
 * page holds that value, is present, dirty and exclusive, unless `swapped` or `sharedWith` say otherwise.
 */
export const Region = Schema.Struct({
  name: Name,
  kind: Schema.Literals(["anon"]),
  protection: Protection,
  /** Number of pages, at least 1. */
  pages: Natural,
  content: Schema.optionalKey(Natural),
  /** Written to swap before the start: the page tables hold exclusive swap entries. */
  swapped: Schema.Boolean,
  /** A child that the main process forked before the start, after this region was mapped: pages are shared copy-on-write. */
  sharedWith: OptionalName()
})
export type Region = typeof Region.Type

/** `sync` does I/O without sleeping (SWP_SYNCHRONOUS_IO); `zram` is sync and may drop a slot's data once it was read. */
export const Swap = Schema.Struct({ slots: Natural, device: Schema.Literals(["disk", "sync", "zram"]) })
export type Swap = typeof Swap.Type

/** A userfaultfd of the main process. Without `features` UFFDIO_API has not been done yet. */
export const Uffd = Schema.Struct({ name: Name, features: Schema.optionalKey(Schema.Array(UffdFeature)) })
export type Uffd = typeof Uffd.Type

/** A range of the main process that is registered at the start. */
export const Registration = Schema.Struct({ uffd: Name, range: Range, modes: RegisterModes })
export type Registration = typeof Registration.Type

/** The CPU of `thread` starts with a TLB entry for the page; writable and dirty, or read-only. */
export const TlbEntry = Schema.Struct({ thread: Name, page: Page, writable: Schema.Boolean })
export type TlbEntry = typeof TlbEntry.Type

/** Sizes of the pools; what is absent is sized by whoever runs the program. */
export const Limits = Schema.Struct({
  folios: Schema.optionalKey(Natural),
  mms: Schema.optionalKey(Natural),
  vmas: Schema.optionalKey(Natural)
})
export type Limits = typeof Limits.Type

export const Thread = Schema.Struct({
  name: Name,
  /** `main`, a region's `sharedWith`, or the result of a fork: then the thread starts when that fork returns. */
  process: Name,
  /** Absent: a CPU of its own. */
  cpu: Schema.optionalKey(Natural),
  body: Schema.Array(Statement)
})
export type Thread = typeof Thread.Type

// ---------------------------------------------------------------------------------------------
// Final condition

export interface And {
  readonly _tag: "and"
  /** Two or more. */
  readonly terms: ReadonlyArray<Condition>
}
export interface Or {
  readonly _tag: "or"
  /** Two or more. */
  readonly terms: ReadonlyArray<Condition>
}
export interface Not {
  readonly _tag: "not"
  readonly term: Condition
}

/** `dma:r0 = 7`: the register at the end of its thread. */
export const RegisterTerm = Schema.TaggedStruct("register", { thread: Name, test: RegisterTest })
export type RegisterTerm = typeof RegisterTerm.Type

/** `[A] = 2`, `[pid:A[1]] != 1`: what the process would load from the page at the end. */
export const MemoryTerm = Schema.TaggedStruct("memory", {
  process: Name,
  page: Page,
  compare: Comparator,
  value: Value
})
export type MemoryTerm = typeof MemoryTerm.Type

export type Condition = And | Or | Not | RegisterTerm | MemoryTerm

const Conditions = Schema.Array(Schema.suspend((): Schema.Codec<Condition> => Condition)).check(Schema.isMinLength(2))
export const And: Schema.Codec<And> = Schema.TaggedStruct("and", { terms: Conditions })
export const Or: Schema.Codec<Or> = Schema.TaggedStruct("or", { terms: Conditions })
export const Not: Schema.Codec<Not> = Schema.TaggedStruct("not", {
  term: Schema.suspend((): Schema.Codec<Condition> => Condition)
})
export const Condition: Schema.Codec<Condition> = Schema.Union([And, Or, Not, RegisterTerm, MemoryTerm])

export const Quantifier = Schema.Literals(["exists", "forall", "~exists"])
export type Quantifier = typeof Quantifier.Type

export const Final = Schema.Struct({ quantifier: Quantifier, condition: Condition })
export type Final = typeof Final.Type

// ---------------------------------------------------------------------------------------------

/** A release such as `5.10`, `6.18.3` or `7.1-rc2`. Whether the model knows it is for the kernel package to say. */
export const ReleaseText = Schema.String.check(
  Schema.isPattern(/^\d+(\.\d+)+(-rc\d+)?$/, { expected: "a kernel release" })
)

/** The kernel to run on; what is absent is the latest release, or the default architecture. */
export const KernelSpec = Schema.Struct({ release: Schema.optionalKey(ReleaseText), arch: OptionalName() })
export type KernelSpec = typeof KernelSpec.Type

/** A change to the kernel as the user wrote it: a commit id (7 to 40 hexadecimal digits), or a feature's name. */
export const ChangeText = Schema.String.check(
  Schema.isPattern(/^(?:[A-Za-z_][A-Za-z0-9_-]*|[0-9]+|[0-9]+[A-Za-z_][A-Za-z0-9_]*)$/, {
    expected: "a commit or feature"
  })
)

export const Program = Schema.Struct({
  name: Name,
  description: Schema.optionalKey(Schema.String),
  kernel: KernelSpec,
  /** Fixes added to, and taken from, the kernel's release. */
  with: Schema.Array(ChangeText),
  without: Schema.Array(ChangeText),
  /** Corpus number, e.g. `B-05`. */
  bug: OptionalName(),
  /** The commits that mend the bug. */
  fixes: Schema.Array(ChangeText),
  /** The invariants, e.g. `I-04`, that break before the fix. */
  breaks: Schema.Array(Name),
  limits: Limits,
  swap: Schema.optionalKey(Swap),
  regions: Schema.Array(Region),
  uffds: Schema.Array(Uffd),
  registrations: Schema.Array(Registration),
  tlb: Schema.Array(TlbEntry),
  threads: Schema.Array(Thread),
  final: Schema.optionalKey(Final)
})
export type Program = typeof Program.Type
