/**
 * The grammar of one line. Indentation and the order of lines are the business of `parse.ts`: a line
 * that is wrong then spoils no other, and every wrong line is reported.
 */
import type { IToken } from "chevrotain"
import type * as P from "./Program.ts"
import { StatementRules } from "./statementRules.ts"
import {
  argumentWords as arg,
  declarationWords as decl,
  DigitWord,
  EndOfLine,
  Integer,
  Name,
  settingWords as set,
  signs,
  Text
} from "./tokens.ts"

export type { NodeSpans } from "./placeRules.ts"
export type { StatementLine } from "./statementRules.ts"

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

/** All rules: the last of a chain of classes, each with the rules of one concept. */
export class LineParser extends StatementRules {
  constructor() {
    super()
    this.performSelfAnalysis()
  }

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
