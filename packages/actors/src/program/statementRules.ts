/** Rules for statements and the words they are made of. */
import { ConditionRules } from "./conditionRules.ts"
import type * as P from "./Program.ts"
import {
  argumentWords as arg,
  blockWords as block,
  EndOfLine,
  mayGiveWords as may,
  mustGiveWords as must,
  plainWords as plain,
  settingWords as set,
  signs
} from "./tokens.ts"

/** One indented line: a statement, or the head of a block. */
export type StatementLine =
  | P.Operation
  | { readonly _tag: "repeat"; readonly count: number }
  | { readonly _tag: "if"; readonly test: P.RegisterTest }
  | { readonly _tag: "else" }

export class StatementRules extends ConditionRules {
  protected readonly protection = this.RULE("protection", (): P.Protection =>
    this.OR<P.Protection>([
      { ALT: () => this.word(() => this.CONSUME(arg.none), "none") },
      { ALT: () => this.word(() => this.CONSUME(arg.r), "r") },
      { ALT: () => this.word(() => this.CONSUME(arg.rw), "rw") }
    ]))

  protected readonly access = this.RULE("access", (): P.Access =>
    this.OR<P.Access>([
      { ALT: () => this.word(() => this.CONSUME(may.read), "read") },
      { ALT: () => this.word(() => this.CONSUME(arg.write), "write") }
    ]))

  protected readonly modes = this.RULE("modes", (): P.RegisterModes => {
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

  protected readonly feature = this.RULE("feature", (): P.UffdFeature =>
    this.OR<P.UffdFeature>([
      { ALT: () => this.word(() => this.CONSUME(must.fork), "fork") },
      { ALT: () => this.word(() => this.CONSUME(arg.remove), "remove") },
      { ALT: () => this.word(() => this.CONSUME(arg.unmap), "unmap") },
      { ALT: () => this.word(() => this.CONSUME(arg.wp), "wp") },
      { ALT: () => this.word(() => this.CONSUME(arg.sigbus), "sigbus") },
      { ALT: () => this.word(() => this.CONSUME(arg["wp-unpopulated"]), "wp-unpopulated") }
    ]))

  protected readonly features = this.RULE("features", (): ReadonlyArray<P.UffdFeature> => {
    const features: Array<P.UffdFeature> = []
    this.OPTION(() => {
      this.CONSUME(set.features)
      this.AT_LEAST_ONE(() => {
        features.push(this.SUBRULE(this.feature))
      })
    })
    return this.ACTION(() => features)
  })

  protected readonly fillFlags = this.RULE("fillFlags", (): { readonly wp: boolean; readonly dontwake: boolean } => {
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

  protected readonly dontwake = this.RULE("dontwake", (): boolean => {
    const found = this.OPTION(() => this.CONSUME(arg.dontwake))
    return this.ACTION(() => found !== undefined)
  })

  /** Statements that may stand on either side of the question whether they give a result. */
  protected readonly mayGive = this.RULE("mayGive", (): P.Operation =>
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

  protected readonly assignment = this.RULE("assignment", (): P.Operation => {
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
  protected withPlaces<N extends object>(from: object, to: N): N {
    const places = this.spans.get(from)
    if (places !== undefined) this.spans.set(to, places)
    return to
  }

  protected readonly gup = this.RULE("gup", (): (result: string) => P.Operation => {
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

  protected readonly plainOperation = this.RULE("plainOperation", (): P.Operation =>
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
}
