/** Rules for names, numbers and places in memory, and the record of where each node stands. */
import { EmbeddedActionsParser, type IToken } from "chevrotain"
import type { Issue, Span } from "./Issue.ts"
import type * as P from "./Program.ts"
import { allTokens, argumentWords as arg, Integer, Name, signs, spanBetween, spanOf } from "./tokens.ts"

/** Where a node of the program and its fields stand in the text. */
export interface NodeSpans {
  readonly node: Span
  readonly fields: { readonly [field: string]: Span }
}

type Places = { readonly [field: string]: IToken | Span }

const isToken = (place: IToken | Span): place is IToken => "image" in place

const MAX_NUMBER = 0x7fffffff

export class PlaceRules extends EmbeddedActionsParser {
  /** Positions of the nodes made so far, by identity. */
  spans = new Map<object, NodeSpans>()
  /** Lines that have the right shape and a wrong value in it. */
  readonly problems: Array<Issue> = []

  constructor() {
    super(allTokens, { maxLookahead: 3, recoveryEnabled: false })
  }

  /** Forgets the text read before. Building a parser costs far more than a small program, so one is used again. */
  begin(): void {
    this.spans = new Map()
    this.problems.length = 0
  }

  protected note<N extends object>(node: N, first: IToken, places: Places = {}): N {
    const fields: Record<string, Span> = {}
    for (const [field, place] of Object.entries(places)) fields[field] = isToken(place) ? spanOf(place) : place
    this.spans.set(node, { node: spanBetween(first, this.LA(0)), fields })
    return node
  }

  protected problem(token: IToken, message: string): void {
    this.problems.push({ message, span: spanOf(token) })
  }

  protected readonly newName = this.RULE("newName", () => this.CONSUME(Name))
  protected readonly regionName = this.RULE("regionName", () => this.CONSUME(Name))
  protected readonly threadName = this.RULE("threadName", () => this.CONSUME(Name))
  protected readonly processName = this.RULE("processName", () => this.CONSUME(Name))
  protected readonly registerName = this.RULE("registerName", () => this.CONSUME(Name))
  protected readonly uffdName = this.RULE("uffdName", () => this.CONSUME(Name))
  protected readonly targetName = this.RULE("targetName", () => this.CONSUME(Name))
  protected readonly archName = this.RULE("archName", () => this.CONSUME(Name))
  protected readonly bugName = this.RULE("bugName", () => this.CONSUME(Name))
  protected readonly invariantName = this.RULE("invariantName", () => this.CONSUME(Name))

  protected readonly natural = this.RULE("natural", (): number => {
    const token = this.CONSUME(Integer)
    return this.ACTION(() => {
      const number = Number(token.image)
      if (number <= MAX_NUMBER) return number
      this.problem(token, `expected a number up to ${MAX_NUMBER}, found '${token.image}'`)
      return 0
    })
  })

  protected readonly page = this.RULE("page", (): P.Page => {
    const region = this.SUBRULE(this.regionName)
    const page = this.OPTION(() => {
      this.CONSUME(signs.openBracket)
      const index = this.SUBRULE(this.natural)
      this.CONSUME(signs.closeBracket)
      return index
    })
    return this.ACTION(() => this.note({ region: region.image, page: page ?? 0 }, region, { region }))
  })

  protected readonly pageIndices = this.RULE("pageIndices", (): { readonly first: number; readonly last: number } => {
    this.CONSUME(signs.openBracket)
    const first = this.SUBRULE1(this.natural)
    const last = this.OPTION(() => {
      this.CONSUME(signs.to)
      return this.SUBRULE2(this.natural)
    })
    this.CONSUME(signs.closeBracket)
    return this.ACTION(() => ({ first, last: last ?? first }))
  })

  protected readonly range = this.RULE("range", (): P.Range => {
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

  protected readonly target = this.RULE("target", (): P.Target => {
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

  protected readonly uffd = this.RULE("uffd", (): P.UffdRef => {
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
}
