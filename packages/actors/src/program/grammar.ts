/**
 * The grammar of one line. Indentation and the order of lines are the business of `parse.ts`: a line
 * that is wrong then spoils no other, and every wrong line is reported.
 */
import { EmbeddedActionsParser, type IToken } from "chevrotain"
import { ERRNO, errno, type ErrnoName, signal, SIGNAL, type SignalName } from "./constants.ts"
import { didYouMean, type Issue, orList, type Span } from "./Issue.ts"
import type * as P from "./Program.ts"
import {
  allTokens,
  argumentWords as arg,
  blockWords as block,
  declarationWords as decl,
  DigitWord,
  EndOfLine,
  Integer,
  mayGiveWords as may,
  mustGiveWords as must,
  Name,
  plainWords as plain,
  settingWords as set,
  signs,
  spanBetween,
  spanOf,
  Text
} from "./tokens.ts"

/** Where a node of the program and its fields stand in the text. */
export interface NodeSpans {
  readonly node: Span
  readonly fields: { readonly [field: string]: Span }
}

/** One line that is not indented. */
export type Declaration =
  | { readonly _tag: "name"; readonly name: string }
  | { readonly _tag: "description"; readonly text: string }
  | { readonly _tag: "kernel"; readonly kernel: P.KernelSpec }
  | { readonly _tag: "with" | "without" | "fix" | "breaks"; readonly words: ReadonlyArray<string> }
  | { readonly _tag: "bug"; readonly bug: string }
  | { readonly _tag: "limit"; readonly limits: P.Limits }
  | { readonly _tag: "swap"; readonly swap: P.Swap }
  | { readonly _tag: "map"; readonly region: P.Region }
  | { readonly _tag: "uffd"; readonly uffd: P.Uffd }
  | { readonly _tag: "register"; readonly registration: P.Registration }
  | { readonly _tag: "tlb"; readonly entry: P.TlbEntry }
  | { readonly _tag: "thread"; readonly thread: Omit<P.Thread, "body"> }
  | { readonly _tag: "final"; readonly final: P.Final }

/** One indented line: a statement, or the head of a block. */
export type StatementLine =
  | P.Operation
  | { readonly _tag: "repeat"; readonly count: number }
  | { readonly _tag: "if"; readonly test: P.RegisterTest }
  | { readonly _tag: "else" }

type Places = { readonly [field: string]: IToken | Span }

const isToken = (place: IToken | Span): place is IToken => "image" in place

const MAX_NUMBER = 0x7fffffff

const isErrno = (name: string): name is ErrnoName => Object.hasOwn(ERRNO, name)
const isSignal = (name: string): name is SignalName => Object.hasOwn(SIGNAL, name)

const EVENTS: ReadonlyArray<P.MessageEvent> = ["pagefault", "fork", "remove", "unmap"]
const isEvent = (name: string): name is P.MessageEvent => EVENTS.some((event) => event === name)

const joined = (tag: "and" | "or", terms: ReadonlyArray<P.Condition>): P.Condition => {
  const [only] = terms
  return only !== undefined && terms.length === 1 ? only : { _tag: tag, terms }
}

export class LineParser extends EmbeddedActionsParser {
  /** Positions of the nodes made so far, by identity. */
  spans = new Map<object, NodeSpans>()
  /** Lines that have the right shape and a wrong value in it. */
  readonly problems: Array<Issue> = []

  constructor() {
    super(allTokens, { maxLookahead: 3, recoveryEnabled: false })
    this.performSelfAnalysis()
  }

  /** Forgets the text read before. Building a parser costs far more than a small program, so one is used again. */
  begin(): void {
    this.spans = new Map()
    this.problems.length = 0
  }

  private note<N extends object>(node: N, first: IToken, places: Places = {}): N {
    const fields: Record<string, Span> = {}
    for (const [field, place] of Object.entries(places)) fields[field] = isToken(place) ? spanOf(place) : place
    this.spans.set(node, { node: spanBetween(first, this.LA(0)), fields })
    return node
  }

  private problem(token: IToken, message: string): void {
    this.problems.push({ message, span: spanOf(token) })
  }

  // -------------------------------------------------------------------------------------------
  // Names, numbers, places

  private readonly newName = this.RULE("newName", () => this.CONSUME(Name))
  private readonly regionName = this.RULE("regionName", () => this.CONSUME(Name))
  private readonly threadName = this.RULE("threadName", () => this.CONSUME(Name))
  private readonly processName = this.RULE("processName", () => this.CONSUME(Name))
  private readonly registerName = this.RULE("registerName", () => this.CONSUME(Name))
  private readonly uffdName = this.RULE("uffdName", () => this.CONSUME(Name))
  private readonly targetName = this.RULE("targetName", () => this.CONSUME(Name))
  private readonly archName = this.RULE("archName", () => this.CONSUME(Name))
  private readonly bugName = this.RULE("bugName", () => this.CONSUME(Name))
  private readonly invariantName = this.RULE("invariantName", () => this.CONSUME(Name))

  private readonly natural = this.RULE("natural", (): number => {
    const token = this.CONSUME(Integer)
    return this.ACTION(() => {
      const number = Number(token.image)
      if (number <= MAX_NUMBER) return number
      this.problem(token, `expected a number up to ${MAX_NUMBER}, found '${token.image}'`)
      return 0
    })
  })

  private readonly page = this.RULE("page", (): P.Page => {
    const region = this.SUBRULE(this.regionName)
    const page = this.OPTION(() => {
      this.CONSUME(signs.openBracket)
      const index = this.SUBRULE(this.natural)
      this.CONSUME(signs.closeBracket)
      return index
    })
    return this.ACTION(() => this.note({ region: region.image, page: page ?? 0 }, region, { region }))
  })

  private readonly pageIndices = this.RULE("pageIndices", (): { readonly first: number; readonly last: number } => {
    this.CONSUME(signs.openBracket)
    const first = this.SUBRULE1(this.natural)
    const last = this.OPTION(() => {
      this.CONSUME(signs.to)
      return this.SUBRULE2(this.natural)
    })
    this.CONSUME(signs.closeBracket)
    return this.ACTION(() => ({ first, last: last ?? first }))
  })

  private readonly range = this.RULE("range", (): P.Range => {
    const region = this.SUBRULE(this.regionName)
    const pages = this.OPTION(() => this.SUBRULE(this.pageIndices))
    return this.ACTION(() =>
      this.note(
        pages === undefined ? { region: region.image } : { region: region.image, pages },
        region,
        { region }
      )
    )
  })

  private readonly target = this.RULE("target", (): P.Target => {
    const name = this.SUBRULE(this.targetName)
    return this.OR<P.Target>([
      {
        ALT: () => {
          this.CONSUME(signs.dot)
          this.CONSUME(arg.address)
          return this.ACTION(() =>
            this.note({ _tag: "message" as const, register: name.image }, name, { register: name })
          )
        }
      },
      {
        ALT: () => {
          const pages = this.OPTION(() => this.SUBRULE(this.pageIndices))
          return this.ACTION(() => {
            const range = this.note(
              pages === undefined ? { region: name.image } : { region: name.image, pages },
              name,
              { region: name }
            )
            return this.note({ _tag: "range" as const, range }, name)
          })
        }
      }
    ])
  })

  private readonly uffd = this.RULE("uffd", (): P.UffdRef => {
    const name = this.SUBRULE(this.uffdName)
    const isMessage = this.OPTION(() => {
      this.CONSUME(signs.dot)
      this.CONSUME(arg.fd)
      return true
    })
    return this.ACTION(() =>
      isMessage === true
        ? this.note({ _tag: "message" as const, register: name.image }, name, { register: name })
        : this.note({ _tag: "uffd" as const, name: name.image }, name, { name })
    )
  })

  // -------------------------------------------------------------------------------------------
  // Values and conditions

  private readonly operand = this.RULE("operand", (): P.Operand =>
    this.OR<P.Operand>([
      { ALT: () => this.SUBRULE(this.natural) },
      {
        ALT: () => {
          const register = this.SUBRULE(this.registerName)
          return this.ACTION(() => this.note({ register: register.image }, register, { register }))
        }
      }
    ]))

  private readonly negative = this.RULE("negative", (): number => {
    this.CONSUME(signs.minus)
    return this.OR([
      { ALT: () => -this.SUBRULE(this.natural) || 0 },
      {
        ALT: () => {
          const token = this.CONSUME(Name)
          return this.ACTION(() => {
            if (isErrno(token.image)) return errno(token.image)
            this.problem(
              token,
              `expected an errno name, found '${token.image}'${didYouMean(token.image, Object.keys(ERRNO))}`
            )
            return 0
          })
        }
      }
    ])
  })

  private readonly value = this.RULE("value", (): number =>
    this.OR([
      { ALT: () => this.SUBRULE(this.natural) },
      { ALT: () => this.SUBRULE(this.negative) },
      {
        ALT: () => {
          const token = this.CONSUME(Name)
          return this.ACTION(() => this.namedValue(token, Object.keys(SIGNAL)))
        }
      }
    ]))

  private namedValue(token: IToken, known: ReadonlyArray<string>): number {
    if (isSignal(token.image)) return signal(token.image)
    this.problem(
      token,
      isErrno(token.image)
        ? `expected a value, found '${token.image}'; did you mean '-${token.image}'?`
        : `expected a value (a number, -ERRNO, ${orList(known)}), found '${token.image}'${
          didYouMean(token.image, known)
        }`
    )
    return 0
  }

  private readonly literal = this.RULE("literal", (): P.Literal =>
    this.OR<P.Literal>([
      { ALT: () => this.SUBRULE(this.natural) },
      { ALT: () => this.SUBRULE(this.negative) },
      {
        ALT: () => {
          this.CONSUME(signs.addressOf)
          return this.SUBRULE(this.page)
        }
      },
      {
        ALT: () => {
          const token = this.CONSUME(Name)
          return this.ACTION(() =>
            isEvent(token.image) ? token.image : this.namedValue(token, [...EVENTS, ...Object.keys(SIGNAL)])
          )
        }
      }
    ]))

  private readonly comparator = this.RULE("comparator", (): P.Comparator =>
    this.OR<P.Comparator>([
      { ALT: () => this.sign(() => this.CONSUME(signs.equal), "=") },
      { ALT: () => this.sign(() => this.CONSUME(signs.notEqual), "!=") },
      { ALT: () => this.sign(() => this.CONSUME(signs.less), "<") },
      { ALT: () => this.sign(() => this.CONSUME(signs.lessEqual), "<=") },
      { ALT: () => this.sign(() => this.CONSUME(signs.greater), ">") },
      { ALT: () => this.sign(() => this.CONSUME(signs.greaterEqual), ">=") }
    ]))

  private sign(consume: () => IToken, comparator: P.Comparator): P.Comparator {
    consume()
    return comparator
  }

  private readonly messageField = this.RULE("messageField", (): P.MessageField =>
    this.OR<P.MessageField>([
      { ALT: () => this.word(() => this.CONSUME(arg.event), "event") },
      { ALT: () => this.word(() => this.CONSUME(arg.address), "address") },
      { ALT: () => this.word(() => this.CONSUME(arg.write), "write") },
      { ALT: () => this.word(() => this.CONSUME(arg.wp), "wp") }
    ]))

  private word<W>(consume: () => IToken, meaning: W): W {
    consume()
    return meaning
  }

  private readonly test = this.RULE("test", (): P.RegisterTest => {
    const register = this.SUBRULE(this.registerName)
    const field = this.OPTION(() => {
      this.CONSUME(signs.dot)
      return this.SUBRULE(this.messageField)
    })
    const compare = this.SUBRULE(this.comparator)
    const first = this.LA(1)
    const value = this.SUBRULE(this.literal)
    return this.ACTION(() =>
      this.note(
        field === undefined
          ? { register: register.image, compare, value }
          : { register: register.image, field, compare, value },
        register,
        { register, value: first }
      )
    )
  })

  private readonly memoryTerm = this.RULE("memoryTerm", (): P.MemoryTerm => {
    const first = this.CONSUME(signs.openBracket)
    const process = this.OPTION(() => {
      const name = this.SUBRULE(this.processName)
      this.CONSUME(signs.colon)
      return name
    })
    const page = this.SUBRULE(this.page)
    this.CONSUME(signs.closeBracket)
    const compare = this.SUBRULE(this.comparator)
    const value = this.SUBRULE(this.value)
    return this.ACTION(() =>
      this.note(
        { _tag: "memory" as const, process: process?.image ?? "main", page, compare, value },
        first,
        process === undefined ? {} : { process }
      )
    )
  })

  private readonly registerTerm = this.RULE("registerTerm", (): P.RegisterTerm => {
    const thread = this.SUBRULE(this.threadName)
    this.CONSUME(signs.colon)
    const test = this.SUBRULE(this.test)
    return this.ACTION(() => this.note({ _tag: "register" as const, thread: thread.image, test }, thread, { thread }))
  })

  private readonly negation = this.RULE("negation", (): P.Condition => {
    let times = 0
    this.MANY(() => {
      this.CONSUME(signs.not)
      this.ACTION(() => {
        times++
      })
    })
    const term = this.OR<P.Condition>([
      {
        ALT: () => {
          this.CONSUME(signs.open)
          const inner = this.SUBRULE(this.disjunction)
          this.CONSUME(signs.close)
          return inner
        }
      },
      { ALT: () => this.SUBRULE(this.memoryTerm) },
      { ALT: () => this.SUBRULE(this.registerTerm) }
    ])
    return this.ACTION(() => {
      let condition = term
      for (; times > 0; times--) condition = { _tag: "not", term: condition }
      return condition
    })
  })

  private readonly conjunction = this.RULE("conjunction", (): P.Condition => {
    const terms: Array<P.Condition> = []
    this.AT_LEAST_ONE_SEP({ SEP: signs.and, DEF: () => terms.push(this.SUBRULE(this.negation)) })
    return this.ACTION(() => joined("and", terms))
  })

  private readonly disjunction: (index?: number) => P.Condition = this.RULE("disjunction", (): P.Condition => {
    const terms: Array<P.Condition> = []
    this.AT_LEAST_ONE_SEP({ SEP: signs.or, DEF: () => terms.push(this.SUBRULE(this.conjunction)) })
    return this.ACTION(() => joined("or", terms))
  })

  // -------------------------------------------------------------------------------------------
  // Words

  private readonly protection = this.RULE("protection", (): P.Protection =>
    this.OR<P.Protection>([
      { ALT: () => this.word(() => this.CONSUME(arg.none), "none") },
      { ALT: () => this.word(() => this.CONSUME(arg.r), "r") },
      { ALT: () => this.word(() => this.CONSUME(arg.rw), "rw") }
    ]))

  private readonly access = this.RULE("access", (): P.Access =>
    this.OR<P.Access>([
      { ALT: () => this.word(() => this.CONSUME(may.read), "read") },
      { ALT: () => this.word(() => this.CONSUME(arg.write), "write") }
    ]))

  private readonly modes = this.RULE("modes", (): P.RegisterModes => {
    let missing = false
    let wp = false
    this.AT_LEAST_ONE(() =>
      this.OR([
        {
          ALT: () => {
            this.CONSUME(arg.missing)
            missing = true
          }
        },
        {
          ALT: () => {
            this.CONSUME(arg.wp)
            wp = true
          }
        }
      ])
    )
    return this.ACTION(() => ({ missing, wp }))
  })

  private readonly feature = this.RULE("feature", (): P.UffdFeature =>
    this.OR<P.UffdFeature>([
      { ALT: () => this.word(() => this.CONSUME(must.fork), "fork") },
      { ALT: () => this.word(() => this.CONSUME(arg.remove), "remove") },
      { ALT: () => this.word(() => this.CONSUME(arg.unmap), "unmap") },
      { ALT: () => this.word(() => this.CONSUME(arg.wp), "wp") },
      { ALT: () => this.word(() => this.CONSUME(arg.sigbus), "sigbus") },
      { ALT: () => this.word(() => this.CONSUME(arg["wp-unpopulated"]), "wp-unpopulated") }
    ]))

  private readonly features = this.RULE("features", (): ReadonlyArray<P.UffdFeature> => {
    const features: Array<P.UffdFeature> = []
    this.OPTION(() => {
      this.CONSUME(set.features)
      this.AT_LEAST_ONE(() => {
        features.push(this.SUBRULE(this.feature))
      })
    })
    return this.ACTION(() => features)
  })

  private readonly fillFlags = this.RULE("fillFlags", (): { readonly wp: boolean; readonly dontwake: boolean } => {
    let wp = false
    let dontwake = false
    this.MANY(() =>
      this.OR([
        {
          ALT: () => {
            this.CONSUME(arg.wp)
            wp = true
          }
        },
        {
          ALT: () => {
            this.CONSUME(arg.dontwake)
            dontwake = true
          }
        }
      ])
    )
    return this.ACTION(() => ({ wp, dontwake }))
  })

  private readonly dontwake = this.RULE("dontwake", (): boolean => {
    const found = this.OPTION(() => this.CONSUME(arg.dontwake))
    return this.ACTION(() => found !== undefined)
  })

  // -------------------------------------------------------------------------------------------
  // Statements

  /** Statements that may stand on either side of the question whether they give a result. */
  private readonly mayGive = this.RULE("mayGive", (): P.Operation =>
    this.OR<P.Operation>([
      {
        ALT: () => {
          this.CONSUME(may.load)
          const page = this.SUBRULE1(this.page)
          return this.ACTION(() => ({ _tag: "load" as const, page }))
        }
      },
      {
        ALT: () => {
          this.CONSUME(may.store)
          const page = this.SUBRULE2(this.page)
          const value = this.SUBRULE1(this.operand)
          return this.ACTION(() => ({ _tag: "store" as const, page, value }))
        }
      },
      {
        ALT: () => {
          this.CONSUME(may.dma_load)
          const pin = this.SUBRULE1(this.registerName)
          return this.ACTION(() => this.note({ _tag: "dma_load" as const, pin: pin.image }, pin, { pin }))
        }
      },
      {
        ALT: () => {
          this.CONSUME(may.mprotect)
          const range = this.SUBRULE1(this.range)
          const protection = this.SUBRULE(this.protection)
          return this.ACTION(() => ({ _tag: "mprotect" as const, range, protection }))
        }
      },
      {
        ALT: () => {
          this.CONSUME(may.madvise)
          const range = this.SUBRULE2(this.range)
          const advice = this.OR2<P.Advice>([
            { ALT: () => this.word(() => this.CONSUME(arg.dontneed), "dontneed") },
            { ALT: () => this.word(() => this.CONSUME(arg.free), "free") }
          ])
          return this.ACTION(() => ({ _tag: "madvise" as const, range, advice }))
        }
      },
      {
        ALT: () => {
          this.CONSUME(may.munmap)
          const range = this.SUBRULE3(this.range)
          return this.ACTION(() => ({ _tag: "munmap" as const, range }))
        }
      },
      {
        ALT: () => {
          this.CONSUME(may.mmap)
          const region = this.SUBRULE(this.regionName)
          return this.ACTION(() => this.note({ _tag: "mmap" as const, region: region.image }, region, { region }))
        }
      },
      {
        ALT: () => {
          this.CONSUME(may.api)
          const uffd = this.SUBRULE1(this.uffd)
          const features = this.SUBRULE(this.features)
          return this.ACTION(() => ({ _tag: "api" as const, uffd, features }))
        }
      },
      {
        ALT: () => {
          this.CONSUME(may.register)
          const uffd = this.SUBRULE2(this.uffd)
          const range = this.SUBRULE4(this.range)
          const modes = this.SUBRULE(this.modes)
          return this.ACTION(() => ({ _tag: "register" as const, uffd, range, modes }))
        }
      },
      {
        ALT: () => {
          this.CONSUME(may.unregister)
          const uffd = this.SUBRULE3(this.uffd)
          const range = this.SUBRULE5(this.range)
          return this.ACTION(() => ({ _tag: "unregister" as const, uffd, range }))
        }
      },
      {
        ALT: () => {
          this.CONSUME(may.wake)
          const uffd = this.SUBRULE4(this.uffd)
          const target = this.SUBRULE1(this.target)
          return this.ACTION(() => ({ _tag: "wake" as const, uffd, target }))
        }
      },
      {
        ALT: () => {
          this.CONSUME(may.copy)
          const uffd = this.SUBRULE5(this.uffd)
          const target = this.SUBRULE2(this.target)
          this.CONSUME(signs.equal)
          const value = this.SUBRULE2(this.operand)
          const flags = this.SUBRULE(this.fillFlags)
          return this.ACTION(() => ({ _tag: "copy" as const, uffd, target, value, ...flags }))
        }
      },
      {
        ALT: () => {
          this.CONSUME(may.zeropage)
          const uffd = this.SUBRULE6(this.uffd)
          const target = this.SUBRULE3(this.target)
          const dontwake = this.SUBRULE1(this.dontwake)
          return this.ACTION(() => ({ _tag: "zeropage" as const, uffd, target, dontwake }))
        }
      },
      {
        ALT: () => {
          this.CONSUME(may.writeprotect)
          const uffd = this.SUBRULE7(this.uffd)
          const target = this.SUBRULE4(this.target)
          const action = this.OR3<"protect" | "resolve">([
            { ALT: () => this.word(() => this.CONSUME(arg.protect), "protect") },
            { ALT: () => this.word(() => this.CONSUME(arg.resolve), "resolve") }
          ])
          const dontwake = this.SUBRULE2(this.dontwake)
          return this.ACTION(() => ({ _tag: "writeprotect" as const, uffd, target, action, dontwake }))
        }
      },
      {
        ALT: () => {
          this.CONSUME(may.read)
          const uffd = this.SUBRULE8(this.uffd)
          const nonblock = this.OPTION(() => this.CONSUME(arg.nonblock))
          return this.ACTION(() => ({ _tag: "read" as const, uffd, nonblock: nonblock !== undefined }))
        }
      }
    ]))

  private readonly assignment = this.RULE("assignment", (): P.Operation => {
    const register = this.SUBRULE(this.registerName)
    this.CONSUME(signs.equal)
    const first = this.LA(1)
    const make = this.OR<(result: string) => P.Operation>([
      {
        ALT: () => {
          const operation = this.SUBRULE(this.mayGive)
          return (result) => this.withPlaces(operation, { ...operation, result } as P.Operation)
        }
      },
      { ALT: () => this.SUBRULE(this.gup) },
      {
        ALT: () => {
          this.CONSUME(must.fork)
          return (result) => ({ _tag: "fork", result })
        }
      },
      {
        ALT: () => {
          this.CONSUME(must.choose)
          const count = this.SUBRULE(this.natural)
          return (result) => ({ _tag: "choose", result, count })
        }
      }
    ])
    return this.ACTION(() => {
      const operation = make(register.image)
      const inner = this.spans.get(operation)?.fields
      return this.note(operation, register, { ...inner, result: register, operation: first })
    })
  })

  /** The copy of an operation keeps the places of the fields. */
  private withPlaces<N extends object>(from: object, to: N): N {
    const places = this.spans.get(from)
    if (places !== undefined) this.spans.set(to, places)
    return to
  }

  private readonly gup = this.RULE("gup", (): (result: string) => P.Operation => {
    const tag = this.OR<"pin" | "pin_fast" | "get" | "get_fast">([
      { ALT: () => this.word(() => this.CONSUME(must.pin), "pin") },
      { ALT: () => this.word(() => this.CONSUME(must.pin_fast), "pin_fast") },
      { ALT: () => this.word(() => this.CONSUME(must.get), "get") },
      { ALT: () => this.word(() => this.CONSUME(must.get_fast), "get_fast") }
    ])
    const page = this.SUBRULE(this.page)
    const access = this.SUBRULE(this.access)
    return this.ACTION(() => (result: string) => ({ _tag: tag, result, page, access }))
  })

  private readonly plainOperation = this.RULE("plainOperation", (): P.Operation =>
    this.OR<P.Operation>([
      { ALT: () => this.SUBRULE(this.mayGive) },
      {
        ALT: () => {
          this.CONSUME(plain.dma_store)
          const pin = this.SUBRULE1(this.registerName)
          const value = this.SUBRULE(this.operand)
          return this.ACTION(() => this.note({ _tag: "dma_store" as const, pin: pin.image, value }, pin, { pin }))
        }
      },
      {
        ALT: () => {
          this.CONSUME(plain.unpin)
          const pin = this.SUBRULE2(this.registerName)
          return this.ACTION(() => this.note({ _tag: "unpin" as const, pin: pin.image }, pin, { pin }))
        }
      },
      {
        ALT: () => {
          this.CONSUME(plain.put)
          const pin = this.SUBRULE3(this.registerName)
          return this.ACTION(() => this.note({ _tag: "put" as const, pin: pin.image }, pin, { pin }))
        }
      },
      {
        ALT: () => {
          this.CONSUME(plain.exit)
          return this.ACTION(() => ({ _tag: "exit" as const }))
        }
      },
      {
        ALT: () => {
          this.CONSUME(plain.join)
          const thread = this.SUBRULE1(this.threadName)
          return this.ACTION(() => this.note({ _tag: "join" as const, thread: thread.image }, thread, { thread }))
        }
      },
      {
        ALT: () => {
          this.CONSUME(plain.kill)
          const thread = this.SUBRULE2(this.threadName)
          return this.ACTION(() => this.note({ _tag: "kill" as const, thread: thread.image }, thread, { thread }))
        }
      },
      {
        ALT: () => {
          this.CONSUME(plain.reclaim)
          const range = this.SUBRULE(this.range)
          return this.ACTION(() => ({ _tag: "reclaim" as const, range }))
        }
      },
      {
        ALT: () => {
          this.CONSUME(plain.close)
          const uffd = this.SUBRULE(this.uffd)
          return this.ACTION(() => ({ _tag: "close" as const, uffd }))
        }
      }
    ]))

  readonly statement = this.RULE("statement", (): StatementLine => {
    const first = this.LA(1)
    const line = this.OR<StatementLine>([
      { ALT: () => this.SUBRULE(this.assignment) },
      {
        ALT: () => {
          const operation = this.SUBRULE(this.plainOperation)
          return this.ACTION(() =>
            this.note(operation, first, { ...this.spans.get(operation)?.fields, operation: first })
          )
        }
      },
      {
        ALT: () => {
          this.CONSUME(block.repeat)
          const count = this.SUBRULE(this.natural)
          return this.ACTION(() => this.note({ _tag: "repeat" as const, count }, first))
        }
      },
      {
        ALT: () => {
          this.CONSUME(block.if)
          const test = this.SUBRULE(this.test)
          return this.ACTION(() => this.note({ _tag: "if" as const, test }, first))
        }
      },
      {
        ALT: () => {
          this.CONSUME(block.else)
          return this.ACTION(() => this.note({ _tag: "else" as const }, first))
        }
      }
    ])
    this.CONSUME(EndOfLine)
    return line
  })

  // -------------------------------------------------------------------------------------------
  // Declarations

  private readonly changeWord = this.RULE("changeWord", (): IToken =>
    this.OR([
      { ALT: () => this.CONSUME(DigitWord) },
      { ALT: () => this.CONSUME(Integer) },
      { ALT: () => this.CONSUME(Name) }
    ]))

  private listOf(
    tag: "with" | "without" | "fix" | "breaks",
    first: IToken,
    tokens: ReadonlyArray<IToken>
  ): Declaration {
    return this.note(
      { _tag: tag, words: tokens.map(({ image }) => image) },
      first,
      Object.fromEntries(tokens.map((token, index) => [String(index), token]))
    )
  }

  private readonly head = this.RULE("head", (): Declaration => {
    const first = this.LA(1)
    const words: Array<IToken> = []
    return this.OR<Declaration>([
      {
        ALT: () => {
          this.CONSUME(decl.mmrace)
          const name = this.SUBRULE(this.newName)
          return this.ACTION(() => this.note({ _tag: "name" as const, name: name.image }, first, { name }))
        }
      },
      {
        ALT: () => {
          const token = this.CONSUME(Text)
          return this.ACTION(() =>
            this.note({ _tag: "description" as const, text: this.unquoted(token) }, first, { text: token })
          )
        }
      },
      {
        ALT: () => {
          this.CONSUME(decl.kernel)
          return this.SUBRULE(this.kernel)
        }
      },
      {
        ALT: () => {
          this.CONSUME(decl.with)
          this.AT_LEAST_ONE1(() => words.push(this.SUBRULE1(this.changeWord)))
          return this.ACTION(() => this.listOf("with", first, words))
        }
      },
      {
        ALT: () => {
          this.CONSUME(decl.without)
          this.AT_LEAST_ONE2(() => words.push(this.SUBRULE2(this.changeWord)))
          return this.ACTION(() => this.listOf("without", first, words))
        }
      },
      {
        ALT: () => {
          this.CONSUME(decl.fix)
          this.AT_LEAST_ONE3(() => words.push(this.SUBRULE3(this.changeWord)))
          return this.ACTION(() => this.listOf("fix", first, words))
        }
      },
      {
        ALT: () => {
          this.CONSUME(decl.breaks)
          this.AT_LEAST_ONE4(() => words.push(this.SUBRULE(this.invariantName)))
          return this.ACTION(() => this.listOf("breaks", first, words))
        }
      },
      {
        ALT: () => {
          this.CONSUME(decl.bug)
          const bug = this.SUBRULE(this.bugName)
          return this.ACTION(() => this.note({ _tag: "bug" as const, bug: bug.image }, first, { bug }))
        }
      }
    ])
  })

  private unquoted(token: IToken): string {
    try {
      return String(JSON.parse(token.image))
    } catch {
      this.problem(token, "expected a description with the escapes of JSON strings, found another escape")
      return ""
    }
  }

  private readonly kernel = this.RULE("kernel", (): Declaration => {
    const first = this.LA(0)
    const release = this.OPTION1(() => this.CONSUME(DigitWord))
    const arch = this.OPTION2(() => this.SUBRULE(this.archName))
    return this.ACTION(() => {
      if (release === undefined && arch === undefined) {
        const next = this.LA(1)
        this.problem(
          next.tokenType === EndOfLine ? first : next,
          "expected a kernel release such as 6.18, an architecture, or both"
        )
      }
      if (release !== undefined && !/^[\d.]+(-rc\d+)?$/.test(release.image)) {
        this.problem(release, `expected a kernel release such as 6.18, found '${release.image}'`)
      }
      const kernel: { release?: string; arch?: string } = {}
      if (release !== undefined) kernel.release = release.image
      if (arch !== undefined) kernel.arch = arch.image
      const places: Record<string, IToken> = {}
      if (release !== undefined) places["release"] = release
      if (arch !== undefined) places["arch"] = arch
      this.note(kernel, first, places)
      return this.note({ _tag: "kernel" as const, kernel }, first)
    })
  })

  private readonly setup = this.RULE("setup", (): Declaration => {
    const first = this.LA(1)
    return this.OR<Declaration>([
      {
        ALT: () => {
          this.CONSUME(decl.limit)
          const limits: { folios?: number; mms?: number; vmas?: number } = {}
          this.AT_LEAST_ONE(() => {
            const pool = this.OR1<"folios" | "mms" | "vmas">([
              { ALT: () => this.word(() => this.CONSUME(set.folios), "folios") },
              { ALT: () => this.word(() => this.CONSUME(set.mms), "mms") },
              { ALT: () => this.word(() => this.CONSUME(set.vmas), "vmas") }
            ])
            const size = this.SUBRULE1(this.natural)
            this.ACTION(() => {
              limits[pool] = size
            })
          })
          return this.ACTION(() => {
            this.note(limits, first)
            return this.note({ _tag: "limit" as const, limits }, first)
          })
        }
      },
      {
        ALT: () => {
          this.CONSUME(decl.swap)
          const slots = this.SUBRULE2(this.natural)
          const device = this.OPTION1(() =>
            this.OR2<P.Swap["device"]>([
              { ALT: () => this.word(() => this.CONSUME(set.disk), "disk") },
              { ALT: () => this.word(() => this.CONSUME(set.sync), "sync") },
              { ALT: () => this.word(() => this.CONSUME(set.zram), "zram") }
            ])
          )
          return this.ACTION(() => {
            const swap = this.note({ slots, device: device ?? "disk" }, first)
            return this.note({ _tag: "swap" as const, swap }, first)
          })
        }
      },
      { ALT: () => this.SUBRULE(this.map) },
      {
        ALT: () => {
          this.CONSUME(decl.uffd)
          const name = this.SUBRULE1(this.newName)
          const features = this.OR3<ReadonlyArray<P.UffdFeature> | undefined>([
            { ALT: () => this.word(() => this.CONSUME(set.new), undefined) },
            { ALT: () => this.SUBRULE(this.features) }
          ])
          return this.ACTION(() => {
            const uffd = this.note(
              features === undefined ? { name: name.image } : { name: name.image, features },
              first,
              { name }
            )
            return this.note({ _tag: "uffd" as const, uffd }, first)
          })
        }
      },
      {
        ALT: () => {
          this.CONSUME(decl.register)
          const uffd = this.SUBRULE(this.uffdName)
          const range = this.SUBRULE(this.range)
          const modes = this.SUBRULE(this.modes)
          return this.ACTION(() => {
            const registration = this.note({ uffd: uffd.image, range, modes }, first, { uffd })
            return this.note({ _tag: "register" as const, registration }, first)
          })
        }
      },
      {
        ALT: () => {
          this.CONSUME(decl.tlb)
          const thread = this.SUBRULE(this.threadName)
          const page = this.SUBRULE(this.page)
          const writable = this.OPTION2(() => this.CONSUME(arg.w))
          return this.ACTION(() => {
            const entry = this.note({ thread: thread.image, page, writable: writable !== undefined }, first, { thread })
            return this.note({ _tag: "tlb" as const, entry }, first)
          })
        }
      },
      {
        ALT: () => {
          this.CONSUME(decl.thread)
          const name = this.SUBRULE2(this.newName)
          const process = this.OPTION3(() => {
            this.CONSUME(set.in)
            return this.SUBRULE(this.processName)
          })
          const cpu = this.OPTION4(() => {
            this.CONSUME(set.cpu)
            return this.SUBRULE3(this.natural)
          })
          return this.ACTION(() => {
            const head = { name: name.image, process: process?.image ?? "main" }
            const thread = this.note(
              cpu === undefined ? head : { ...head, cpu },
              first,
              process === undefined ? { name } : { name, process }
            )
            return this.note({ _tag: "thread" as const, thread }, first)
          })
        }
      },
      {
        ALT: () => {
          this.CONSUME(decl.final)
          const quantifier = this.SUBRULE(this.quantifier)
          const condition = this.SUBRULE(this.disjunction)
          return this.ACTION(() => {
            const final = this.note({ quantifier, condition }, first)
            return this.note({ _tag: "final" as const, final }, first)
          })
        }
      }
    ])
  })

  private readonly quantifier = this.RULE("quantifier", (): P.Quantifier =>
    this.OR<P.Quantifier>([
      { ALT: () => this.word(() => this.CONSUME1(set.exists), "exists") },
      { ALT: () => this.word(() => this.CONSUME(set.forall), "forall") },
      {
        ALT: () => {
          this.CONSUME(signs.not)
          return this.word(() => this.CONSUME2(set.exists), "~exists")
        }
      }
    ]))

  private readonly map = this.RULE("map", (): Declaration => {
    const first = this.CONSUME(decl.map)
    const name = this.SUBRULE(this.newName)
    this.CONSUME(set.anon)
    const protection = this.SUBRULE(this.protection)
    const count = this.LA(1)
    const pages = this.SUBRULE1(this.natural)
    const content = this.OPTION(() => {
      this.CONSUME(signs.equal)
      return this.SUBRULE2(this.natural)
    })
    let swapped: IToken | undefined
    let sharedWith: IToken | undefined
    this.MANY(() =>
      this.OR([
        {
          ALT: () => {
            swapped = this.CONSUME(set.swapped)
          }
        },
        {
          ALT: () => {
            this.CONSUME(set["shared-with"])
            sharedWith = this.SUBRULE(this.processName)
          }
        }
      ])
    )
    return this.ACTION(() => {
      const places: Record<string, IToken> = { name, pages: count }
      const base = { name: name.image, kind: "anon" as const, protection, pages, swapped: swapped !== undefined }
      if (swapped !== undefined) places["swapped"] = swapped
      if (sharedWith !== undefined) places["sharedWith"] = sharedWith
      const region: P.Region = {
        ...base,
        ...(content === undefined ? {} : { content }),
        ...(sharedWith === undefined ? {} : { sharedWith: sharedWith.image })
      }
      this.note(region, first, places)
      return this.note({ _tag: "map" as const, region }, first)
    })
  })

  readonly declaration = this.RULE("declaration", (): Declaration => {
    const line = this.OR<Declaration>([
      { ALT: () => this.SUBRULE(this.head) },
      { ALT: () => this.SUBRULE(this.setup) }
    ])
    this.CONSUME(EndOfLine)
    return line
  })
}
