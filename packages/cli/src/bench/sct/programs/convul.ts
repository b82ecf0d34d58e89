/** The concurrency vulnerabilities of the ConVul suite (Cai et al., ESEC/FSE 2019), reduced to the accesses that race. */
import { type Actor, ask, Cell, type Mutex, type Path } from "@mmrace/core"
import { assert, type Cell as Variable, get, lock, programOf, set, unlock } from "../Program.ts"

type Lock = Actor<Mutex.Owner>

export const pipeOpen = programOf("cve_2009_3547", "fs/pipe.c: opened after the last release", "assertion", (w) => {
  const m = w.mutex("i_mutex")
  const pipe = w.cell("i_pipe", 1)
  w.thread("open", function*(): Path<void> {
    yield* lock(m)
    assert((yield* get(pipe)) !== 0, "inode->i_pipe != NULL")
    yield* unlock(m)
  })
  w.thread("release", function*(): Path<void> {
    yield* lock(m)
    yield* set(pipe, 0)
    yield* unlock(m)
  })
})

export const ksmExit = programOf(
  "cve_2011_2183",
  "mm/ksm.c: the list of mms empties before the scanner has the lock",
  "assertion",
  (w) => {
    const m = w.mutex("ksm_mmlist_lock")
    const listed = w.cell("mm_list", 1)
    // What slot->mm reads when the slot is the head of the list, and when it is a real one.
    const mm = [0, 1].map((value) => w.cell(`slot${value}->mm`, value))
    w.thread("scan", function*(): Path<void> {
      if ((yield* get(listed)) === 0) return
      yield* lock(m)
      const slot = yield* get(listed)
      yield* unlock(m)
      assert((yield* get(mm[slot]!)) !== 0, "slot->mm != NULL")
    })
    w.thread("exit", function*(): Path<void> {
      yield* lock(m)
      yield* set(listed, 0)
      yield* unlock(m)
    })
  }
)

/** install_user_keyrings(), and what its caller does with the session keyring. */
function* installKeyrings(m: Lock, uid: Variable, session: Variable): Path<void> {
  if ((yield* get(uid)) === 0) {
    yield* lock(m)
    if ((yield* get(uid)) === 0) {
      yield* set(uid, 1)
      yield* set(session, 1)
    }
    yield* unlock(m)
  }
  assert((yield* get(session)) !== 0, "user->session_keyring != NULL")
}

export const keyrings = programOf(
  "cve_2013_1792",
  "security/keys/process_keys.c: one keyring is published before the other",
  "assertion",
  (w) => {
    const m = w.mutex("key_user_keyring_mutex")
    const uid = w.cell("uid_keyring")
    const session = w.cell("session_keyring")
    for (const name of ["t1", "t2"]) w.thread(name, () => installKeyrings(m, uid, session))
  }
)

export const keyctlRead = programOf(
  "cve_2015_7550",
  "security/keys/keyctl.c: validated before the semaphore",
  "assertion",
  (w) => {
    const m = w.mutex("key->sem")
    const revoked = w.cell("revoked")
    const payload = w.cell("payload", 1)
    w.thread("read", function*(): Path<void> {
      if ((yield* get(revoked)) !== 0) return
      yield* lock(m)
      assert((yield* get(payload)) !== 0, "the payload is there")
      yield* unlock(m)
    })
    w.thread("revoke", function*(): Path<void> {
      yield* lock(m)
      yield* set(revoked, 1)
      yield* set(payload, 0)
      yield* unlock(m)
    })
  }
)

export const ioprio = programOf("cve_2016_7911", "block/ioprio.c: the context is read twice", "assertion", (w) => {
  const m = w.mutex("task_lock")
  const context = w.cell("io_context", 1)
  w.thread("get", function*(): Path<void> {
    if ((yield* get(context)) === 0) return
    assert((yield* get(context)) !== 0, "p->io_context != NULL")
  })
  w.thread("exit", function*(): Path<void> {
    yield* lock(m)
    yield* set(context, 0)
    yield* unlock(m)
  })
})

function* dump(m: Lock, skb: Variable, freed: Variable, me: number): Path<void> {
  yield* lock(m)
  yield* set(skb, me)
  yield* unlock(m)
  const mine = yield* get(skb)
  assert(((yield* ask(freed, Cell.fetchAdd, mine)) & mine) === 0, "the buffer is freed once")
}

export const netlinkDump = programOf(
  "cve_2016_9806",
  "net/netlink/af_netlink.c: two dumps free one buffer",
  "assertion",
  (w) => {
    const m = w.mutex("cb_mutex")
    const skb = w.cell("cb->skb")
    const freed = w.cell("freed")
    w.thread("dump1", () => dump(m, skb, freed, 1))
    w.thread("dump2", () => dump(m, skb, freed, 2))
  }
)

/** Mozilla's `once`: the last waiter frees the lock, and the count of waiters is not atomic. */
function* callOnce(waiters: Variable, done: Variable, freed: Variable): Path<void> {
  if ((yield* get(done)) === 0) {
    const before = yield* get(waiters)
    yield* set(waiters, before + 1)
    assert((yield* get(freed)) === 0, "the lock is there")
    yield* set(done, 1)
    const left = (yield* get(waiters)) - 1
    yield* set(waiters, left)
    if (left === 0) yield* set(freed, 1)
  }
}

export const once = programOf("cve_2016_1972", "libvpx once(): the last waiter frees the lock", "assertion", (w) => {
  const waiters = w.cell("waiters")
  const done = w.cell("done")
  const freed = w.cell("freed")
  for (const name of ["t1", "t2"]) w.thread(name, () => callOnce(waiters, done, freed))
})

function* addRefAndRelease(singleton: Variable, references: Variable, freed: Variable): Path<void> {
  if ((yield* get(singleton)) === 0) return
  yield* ask(references, Cell.fetchAdd, 1)
  assert((yield* get(freed)) === 0, "the object is there")
  if ((yield* ask(references, Cell.fetchAdd, -1)) === 1) {
    yield* set(freed, 1)
    yield* set(singleton, 0)
  }
}

export const refcount = programOf("cve_2016_1973", "AddRef after the last Release of a singleton", "assertion", (w) => {
  const singleton = w.cell("singleton", 1)
  const references = w.cell("refcnt")
  const freed = w.cell("freed")
  for (const name of ["t1", "t2"]) w.thread(name, () => addRefAndRelease(singleton, references, freed))
})

export const sequencerPort = programOf(
  "cve_2017_15265",
  "sound/core/seq: a port is used after it was published",
  "assertion",
  (w) => {
    const ports = w.mutex("ports_mutex")
    const list = w.mutex("ports_lock")
    const listed = w.cell("port_list")
    const freed = w.cell("freed")
    w.thread("create", function*(): Path<void> {
      yield* lock(ports)
      yield* lock(list)
      yield* set(listed, 1)
      yield* unlock(list)
      yield* unlock(ports)
      assert((yield* get(freed)) === 0, "the port is there")
    })
    w.thread("delete", function*(): Path<void> {
      yield* lock(ports)
      yield* lock(list)
      const port = yield* get(listed)
      if (port !== 0) yield* set(listed, 0)
      yield* unlock(list)
      yield* unlock(ports)
      if (port !== 0) yield* set(freed, 1)
    })
  }
)

/** fanout_add(): rollover is set before the mutex; the error path frees what it finds there. */
function* fanoutAdd(m: Lock, rollover: Variable, freed: ReadonlyArray<Variable>, me: number): Path<void> {
  yield* set(rollover, me + 1)
  yield* lock(m)
  yield* unlock(m)
  const found = yield* get(rollover)
  if (found === 0) return
  assert((yield* ask(freed[found - 1]!, Cell.fetchAdd, 1)) === 0, "kfree(po->rollover) once")
  yield* set(rollover, 0)
}

export const fanout = programOf("cve_2017_6346", "net/packet/af_packet.c: both free po->rollover", "assertion", (w) => {
  const m = w.mutex("fanout_mutex")
  const rollover = w.cell("rollover")
  const freed = w.cells("freed", 2)
  for (const me of [0, 1]) w.thread(`add${me}`, () => fanoutAdd(m, rollover, freed, me))
})
