/** Rules for values, tests and conditions. */
import type { IToken } from "chevrotain"
import { ERRNO, errno, type ErrnoName, signal, SIGNAL, type SignalName } from "./constants.ts"
import { didYouMean, orList } from "./Issue.ts"
import { PlaceRules } from "./placeRules.ts"
import type * as P from "./Program.ts"
import { argumentWords as arg, Name, signs } from "./tokens.ts"

const isErrno = (name: string): name is ErrnoName => Object.hasOwn(ERRNO, name)
const isSignal = (name: string): name is SignalName => Object.hasOwn(SIGNAL, name)

const EVENTS: ReadonlyArray<P.MessageEvent> = ["pagefault", "fork", "remove", "unmap"]
const isEvent = (name: string): name is P.MessageEvent => EVENTS.some((event) => event === name)

const joined = (tag: "and" | "or", terms: ReadonlyArray<P.Condition>): P.Condition => {
  const [only] = terms
  return only !== undefined && terms.length === 1 ? only : { _tag: tag, terms }
}

export class ConditionRules extends PlaceRules {
  protected readonly operand = this.RULE("operand", (): P.Operand =>
    this.OR<P.Operand>([
      { ALT: () => this.SUBRULE(this.natural) },
      {
        ALT: () => {
          const register = this.SUBRULE(this.registerName)
          return this.ACTION(() => this.note({ register: register.image }, register, { register }))
        }
      }
    ]))

  protected readonly negative = this.RULE("negative", (): number => {
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

  protected readonly value = this.RULE("value", (): number =>
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

  protected namedValue(token: IToken, known: ReadonlyArray<string>): number {
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

  protected readonly literal = this.RULE("literal", (): P.Literal =>
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

  protected readonly comparator = this.RULE("comparator", (): P.Comparator =>
    this.OR<P.Comparator>([
      { ALT: () => this.sign(() => this.CONSUME(signs.equal), "=") },
      { ALT: () => this.sign(() => this.CONSUME(signs.notEqual), "!=") },
      { ALT: () => this.sign(() => this.CONSUME(signs.less), "<") },
      { ALT: () => this.sign(() => this.CONSUME(signs.lessEqual), "<=") },
      { ALT: () => this.sign(() => this.CONSUME(signs.greater), ">") },
      { ALT: () => this.sign(() => this.CONSUME(signs.greaterEqual), ">=") }
    ]))

  protected sign(consume: () => IToken, comparator: P.Comparator): P.Comparator {
    consume()
    return comparator
  }

  protected readonly messageField = this.RULE("messageField", (): P.MessageField =>
    this.OR<P.MessageField>([
      { ALT: () => this.word(() => this.CONSUME(arg.event), "event") },
      { ALT: () => this.word(() => this.CONSUME(arg.address), "address") },
      { ALT: () => this.word(() => this.CONSUME(arg.write), "write") },
      { ALT: () => this.word(() => this.CONSUME(arg.wp), "wp") }
    ]))

  protected word<W>(consume: () => IToken, meaning: W): W {
    consume()
    return meaning
  }

  protected readonly test = this.RULE("test", (): P.RegisterTest => {
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

  protected readonly memoryTerm = this.RULE("memoryTerm", (): P.MemoryTerm => {
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

  protected readonly registerTerm = this.RULE("registerTerm", (): P.RegisterTerm => {
    const thread = this.SUBRULE(this.threadName)
    this.CONSUME(signs.colon)
    const test = this.SUBRULE(this.test)
    return this.ACTION(() => this.note({ _tag: "register" as const, thread: thread.image, test }, thread, { thread }))
  })

  protected readonly negation = this.RULE("negation", (): P.Condition => {
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

  protected readonly conjunction = this.RULE("conjunction", (): P.Condition => {
    const terms: Array<P.Condition> = []
    this.AT_LEAST_ONE_SEP({ SEP: signs.and, DEF: () => terms.push(this.SUBRULE(this.negation)) })
    return this.ACTION(() => joined("and", terms))
  })

  protected readonly disjunction: (index?: number) => P.Condition = this.RULE("disjunction", (): P.Condition => {
    const terms: Array<P.Condition> = []
    this.AT_LEAST_ONE_SEP({ SEP: signs.or, DEF: () => terms.push(this.SUBRULE(this.conjunction)) })
    return this.ACTION(() => joined("or", terms))
  })
}
