/**
 * Runs a thread of a program: each statement is one system call or one memory access of the kernel paths in
 * linux/, between the markers that monitors use to see where operations begin and end.
 */
import {
  ask,
  call,
  chooseNumber,
  joinThread,
  killThread,
  type ModelBuilder,
  type Path,
  settle,
  spawnThread,
  type Thread
} from "@mmrace/core"
import { user_load, user_store } from "../linux/arch/x86/mm/fault.ts"
import {
  userfaultfd_api,
  userfaultfd_copy,
  userfaultfd_read,
  userfaultfd_register,
  userfaultfd_release,
  userfaultfd_unregister,
  userfaultfd_wake,
  userfaultfd_writeprotect,
  userfaultfd_zeropage
} from "../linux/fs/userfaultfd.ts"
import { exit_mm, sys_fork } from "../linux/kernel/fork.ts"
import { fatal_signal_pending } from "../linux/kernel/signal.ts"
import {
  dma_read,
  dma_write,
  get_user_pages,
  get_user_pages_fast,
  pin_user_pages,
  pin_user_pages_fast,
  put_page,
  unpin_user_page
} from "../linux/mm/gup.ts"
import { sys_madvise } from "../linux/mm/madvise.ts"
import { sys_mmap, sys_munmap } from "../linux/mm/mmap.ts"
import { sys_mprotect } from "../linux/mm/mprotect.ts"
import { shrink_page } from "../linux/mm/vmscan.ts"
import { type Call, enter, leave, pin_released, pin_taken } from "../objects/Syscall.ts"
import { type CtxRef, featuresOf, type FolioRef } from "../objects/World.ts"
import type { Operand, Operation, Page, RegisterTest, Statement, Target, UffdRef } from "../program/index.ts"
import { compare } from "./compare.ts"
import { eventNumber, flatten, type Frame, type Held, isHeld, isMessage, type Value } from "./Frame.ts"
import type { Layout, Pages } from "./Layout.ts"

/** What the interpreter needs of the model besides its world. */
export interface Machine {
  readonly layout: Layout
  readonly threads: ReadonlyArray<Thread>
  readonly choice: ModelBuilder["choice"]
  /** The program kills threads. Where it does not, nobody need look for signals. */
  readonly kills: boolean
}

/** The code of program thread `id`; returns its registers as numbers. */
export function* runThread(machine: Machine, id: number): Path<Record<string, number>> {
  const { layout } = machine
  const task = layout.world.tasks[id]!
  const frame: Frame = { task, layout, registers: new Map() }
  yield* runBlock(machine, frame, layout.world.program.threads[id]!.body, "")
  return flatten(frame.registers)
}

/**
 * True: the thread has ended (`exit`, or a fatal signal), what follows the block does not run. `at` says where in the
 * program the block is, rounds of repetitions included: with the registers it decides what is still to come.
 */
function* runBlock(machine: Machine, frame: Frame, block: ReadonlyArray<Statement>, at: string): Path<boolean> {
  for (let i = 0; i < block.length; i++) {
    const statement = block[i]!
    if (statement._tag === "repeat") {
      for (let n = 0; n < statement.count; n++) {
        if (yield* runBlock(machine, frame, statement.body, `${at}${i}r${n}.`)) return true
      }
    } else if (statement._tag === "if") {
      const taken = holds(frame, statement.test) ? statement.then : statement.else
      if (taken !== undefined && (yield* runBlock(machine, frame, taken, `${at}${i}i.`))) return true
    } else {
      settle([`${at}${i}`, ...[...frame.registers].flat()])
      yield* syscall(machine, frame, statement)
      if (statement._tag === "exit") return true
      // exit_to_user_mode_loop(): a fatal signal is taken on the way back to user mode.
      if (machine.kills && (yield* fatal_signal_pending(frame.task))) return true
    }
  }
  return false
}

/** One operation; system calls between their marks. */
function* syscall(machine: Machine, frame: Frame, operation: Operation): Path<void> {
  const mark = callOf(frame, operation)
  if (mark !== undefined) yield* ask(frame.task.syscall, enter, mark)
  const result = yield* call(perform(machine, frame, operation))
  if (mark !== undefined) {
    yield* ask(frame.task.syscall, leave, { name: mark.name, result: typeof result === "number" ? result : 0 })
  }
  setRegister(frame, operation, result)
}

/** The result goes into the register that the operation names; the one that held a page which was given back is empty. */
const setRegister = ({ registers }: Frame, operation: Operation, result: Value): void => {
  if ("result" in operation && operation.result !== undefined) registers.set(operation.result, result)
  if ((operation._tag === "unpin" || operation._tag === "put") && result === 0) registers.set(operation.pin, EBADF)
}

const protectionMode = { none: 0, r: 1, rw: 2 } as const

/** The mark of a system call; undefined for plain accesses, `join` and `choose`, which have none. */
const callOf = (frame: Frame, operation: Operation): Call | undefined => {
  const { _tag } = operation
  if (_tag === "load" || _tag === "store" || _tag === "join" || _tag === "choose") return undefined
  const pages = pagesOf(frame, operation)
  return {
    name: _tag === "madvise" ? `madvise_${operation.advice}` : _tag,
    page: pages === undefined ? -1 : pages.start,
    pages: pages === undefined ? 0 : pages.end - pages.start,
    mode: modeOf(operation),
    dontwake: "dontwake" in operation && operation.dontwake,
    ctx: "uffd" in operation ? ctxOf(frame, operation.uffd).id : -1
  }
}

const modeOf = (operation: Operation): number => {
  switch (operation._tag) {
    case "writeprotect":
      return operation.action === "protect" ? 1 : 0
    case "copy":
      return operation.wp ? 1 : 0
    case "pin":
    case "pin_fast":
    case "get":
    case "get_fast":
      return operation.access === "write" ? 1 : 0
    case "mprotect":
      return protectionMode[operation.protection]
    case "register":
      return (operation.modes.missing ? 1 : 0) + (operation.modes.wp ? 2 : 0)
    default:
      return 0
  }
}

/** The pages an operation acts on, as far as it names any. */
const pagesOf = (frame: Frame, operation: Operation): Pages | undefined => {
  const { layout } = frame
  if (operation._tag === "exit") return { start: 0, end: layout.world.pages }
  if (operation._tag === "mmap") {
    const { first, pages } = layout.region(operation.region)
    return { start: first, end: first + pages }
  }
  if ("page" in operation) {
    const page = layout.page(operation.page)
    return { start: page, end: page + 1 }
  }
  if ("range" in operation) return layout.pages(operation.range)
  if ("target" in operation) return targetPages(frame, operation.target)
  return undefined
}

/** The operation itself. It leaves registers alone: what it comes to is its result. */
function* perform(machine: Machine, frame: Frame, op: Operation): Path<Value> {
  const { layout, task } = frame
  switch (op._tag) {
    case "load":
      return yield* user_load(task, layout.page(op.page))
    case "store":
      return yield* user_store(task, layout.page(op.page), valueOf(frame, op.value))
    case "dma_load": {
      const held = heldIn(frame, op.pin)
      return held === undefined ? EBADF : yield* dma_read(held.folio)
    }
    case "dma_store": {
      const held = heldIn(frame, op.pin)
      if (held === undefined) return EBADF
      yield* dma_write(held.folio, valueOf(frame, op.value))
      return 0
    }
    case "pin":
      return yield* take(frame, op.page, "pin", op.access === "write", pin_user_pages)
    case "pin_fast":
      return yield* take(frame, op.page, "pin", op.access === "write", pin_user_pages_fast)
    case "get":
      return yield* take(frame, op.page, "get", op.access === "write", get_user_pages)
    case "get_fast":
      return yield* take(frame, op.page, "get", op.access === "write", get_user_pages_fast)
    case "unpin":
    case "put":
      return yield* release(frame, op.pin, op._tag === "unpin" ? unpin_user_page : put_page)
    case "fork":
      return yield* fork(machine, frame, op.result)
    case "exit":
      yield* exit_mm(task)
      return 0
    case "join":
      yield* ask(machine.threads[layout.thread(op.thread)]!.actor, joinThread)
      return 0
    case "kill":
      yield* ask(machine.threads[layout.thread(op.thread)]!.actor, killThread)
      return 0
    case "reclaim":
      return yield* reclaim(frame, layout.pages(op.range))
    case "mprotect":
      return yield* sys_mprotect(task, layout.pages(op.range).start, layout.pages(op.range).end, op.protection)
    case "madvise":
      return yield* sys_madvise(task, layout.pages(op.range).start, layout.pages(op.range).end, op.advice)
    case "munmap":
      return yield* sys_munmap(task, layout.pages(op.range).start, layout.pages(op.range).end)
    case "mmap":
      return yield* sys_mmap(task, layout.region(op.region))
    case "api":
      return yield* userfaultfd_api(task, ctxOf(frame, op.uffd), featuresOf(op.features))
    case "register": {
      const { end, start } = layout.pages(op.range)
      return yield* userfaultfd_register(task, ctxOf(frame, op.uffd), start, end, op.modes)
    }
    case "unregister": {
      const { end, start } = layout.pages(op.range)
      return yield* userfaultfd_unregister(task, ctxOf(frame, op.uffd), start, end)
    }
    case "wake": {
      const { end, start } = targetPages(frame, op.target)
      return yield* userfaultfd_wake(task, ctxOf(frame, op.uffd), start, end)
    }
    case "copy": {
      const { end, start } = targetPages(frame, op.target)
      return yield* userfaultfd_copy(task, ctxOf(frame, op.uffd), start, end, valueOf(frame, op.value), op)
    }
    case "zeropage": {
      const { end, start } = targetPages(frame, op.target)
      return yield* userfaultfd_zeropage(task, ctxOf(frame, op.uffd), start, end, op)
    }
    case "writeprotect": {
      const { end, start } = targetPages(frame, op.target)
      return yield* userfaultfd_writeprotect(
        task,
        ctxOf(frame, op.uffd),
        start,
        end,
        op.action === "protect",
        op.dontwake
      )
    }
    case "read":
      return yield* userfaultfd_read(task, ctxOf(frame, op.uffd), op.nonblock)
    case "close":
      yield* userfaultfd_release(task, ctxOf(frame, op.uffd))
      return 0
    case "choose":
      return yield* ask(machine.choice, chooseNumber, op.count)
  }
}

const EBADF = -9

function* take(
  frame: Frame,
  at: Page,
  kind: "pin" | "get",
  write: boolean,
  gup: (task: Frame["task"], page: number, write: boolean) => Path<FolioRef | number>
): Path<Value> {
  const page = frame.layout.page(at)
  const folio = yield* gup(frame.task, page, write)
  if (typeof folio === "number") return folio
  yield* ask(frame.task.syscall, pin_taken, { pin: kind, pfn: folio.pfn, mm: frame.task.mm.id, page, write })
  return { folio, page, kind, write }
}

function* release(
  frame: Frame,
  register: string,
  put: (task: Frame["task"], folio: FolioRef) => Path<void>
): Path<number> {
  const held = heldIn(frame, register)
  if (held === undefined) return EBADF
  const { folio: { pfn }, kind, page, write } = held
  yield* ask(frame.task.syscall, pin_released, { pin: kind, pfn, mm: frame.task.mm.id, page, write })
  yield* put(frame.task, held.folio)
  return 0
}

/** fork(2): when it succeeded, the threads of the child begin. */
function* fork(machine: Machine, frame: Frame, name: string | undefined): Path<number> {
  const { layout, task } = frame
  const child = name === undefined ? undefined : layout.world.mms[layout.process(name)]
  if (child === undefined) return EBADF
  const result = yield* sys_fork(task, child)
  if (result < 0) return result
  const { threads } = layout.world.program
  for (let i = 0; i < threads.length; i++) {
    if (threads[i]!.process === name) yield* ask(machine.threads[i]!.actor, spawnThread)
  }
  return child.id
}

/** kswapd at work on the pages of a range; the number of pages it freed. */
function* reclaim(frame: Frame, { end, start }: Pages): Path<number> {
  let freed = 0
  for (let page = start; page < end; page++) freed += yield* shrink_page(frame.task, frame.task.mm, page)
  return freed
}

const heldIn = (frame: Frame, register: string): Held | undefined => {
  const value = frame.registers.get(register)
  return isHeld(value) ? value : undefined
}

/** A userfaultfd by name (of the main process), or the one that a fork message brought. */
const ctxOf = (frame: Frame, uffd: UffdRef): CtxRef => {
  if (uffd._tag === "uffd") return frame.layout.ctx(uffd.name)
  const message = frame.registers.get(uffd.register)
  const { ctxs } = frame.layout.world
  // A message that brought no descriptor: use the first context's unused place, as a bad descriptor would fail.
  return ctxs[isMessage(message) && message.ctx >= 0 ? message.ctx : ctxs.length - 1]!
}

const targetPages = (frame: Frame, target: Target): Pages => {
  if (target._tag === "range") return frame.layout.pages(target.range)
  const message = frame.registers.get(target.register)
  return isMessage(message)
    ? { start: message.page, end: message.page + Math.max(1, message.pages) }
    : { start: -1, end: 0 }
}

const valueOf = (frame: Frame, operand: Operand): number => {
  if (typeof operand === "number") return operand
  const value = frame.registers.get(operand.register)
  return typeof value === "number" ? value : 0
}

/** A test of a register that was never set is false. */
const holds = (frame: Frame, test: RegisterTest): boolean => {
  const flat = flatten(frame.registers)
  const value = flat[test.field === undefined ? test.register : `${test.register}.${test.field}`]
  return value !== undefined && compare(value, test.compare, literalOf(frame.layout, test.value))
}

/** The number a literal of a test stands for. */
export const literalOf = (layout: Layout, literal: RegisterTest["value"]): number =>
  typeof literal === "number" ? literal : typeof literal === "string" ? eventNumber[literal] : layout.page(literal)
