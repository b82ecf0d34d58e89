/** All programs, in the order of the table. */
import type { Program } from "../Program.ts"
import * as C from "./conditions.ts"
import * as V from "./convul.ts"
import * as L from "./locks.ts"
import * as M from "./memory.ts"
import * as Q from "./queues.ts"

const slow = 10_000
/** A hundred threads cost a third of a millisecond for one execution. */
const slowest = 2000

export const programs: ReadonlyArray<Program> = [
  M.lostUpdate,
  L.account,
  C.arithmeticProg,
  M.bluetooth,
  L.carter01,
  L.circularBuffer,
  L.deadlock01,
  L.philosophers(3),
  L.philosophers(4),
  L.philosophers(5),
  L.lazy01,
  L.phase01,
  L.queue,
  M.reorder("reorder_3", 2, 1),
  M.reorder("reorder_4", 3, 1),
  M.reorder("reorder_5", 4, 1),
  M.reorder("reorder_10", 9, 1, slow),
  M.reorder("reorder_20", 10, 10, slow),
  M.reorder("reorder_50", 49, 1, slowest),
  M.reorder("reorder_100", 99, 1, slowest),
  L.stack,
  C.sync01,
  C.sync02,
  M.tokenRing,
  L.twostage("twostage", 1),
  L.twostage("twostage_20", 19, slow),
  L.twostage("twostage_50", 49, slowest),
  L.twostage("twostage_100", 99, slowest),
  L.wronglock("wronglock_3", 3),
  L.wronglock("wronglock", 7),
  L.stringbuffer,
  Q.workStealQueue("wsq", 1, "++-++---"),
  Q.workStealQueue("wsq_state", 2, "++++----"),
  Q.safestack,
  M.badFlags,
  M.abaToctou,
  M.doubleFetch,
  L.rwsemRecursiveRead,
  C.lostWakeup,
  C.boundedBuffer,
  V.pipeOpen,
  V.ksmExit,
  V.keyrings,
  V.keyctlRead,
  V.ioprio,
  V.netlinkDump,
  V.once,
  V.refcount,
  V.sequencerPort,
  V.fanout
]
