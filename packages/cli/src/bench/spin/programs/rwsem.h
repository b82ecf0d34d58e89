/* A fair reader-writer lock, step for step that of packages/core/src/primitives/Rwsem.ts. Define PROCS before. */
#define NOBODY 255
#define READ 0
#define WRITE 1

byte rw_writer = NOBODY;
byte rw_readers;
bool rw_granted[PROCS];
chan rw_queue = [PROCS] of { byte, bit };
hidden byte rw_next;

inline rw_hand_over() {
  if
  :: rw_writer == NOBODY && rw_readers == 0 && rw_queue?[rw_next, WRITE] ->
     rw_queue?rw_next, WRITE;
     rw_writer = rw_next;
     rw_granted[rw_next] = true
  :: rw_writer == NOBODY && rw_queue?[rw_next, READ] ->
     do
     :: rw_queue?[rw_next, READ] -> rw_queue?rw_next, READ; rw_readers++; rw_granted[rw_next] = true
     :: else -> break
     od
  :: else
  fi
}

inline rw_await() {
  d_step { rw_granted[_pid] -> rw_granted[_pid] = false }
}

inline down_read() {
  if
  :: d_step { rw_writer == NOBODY && empty(rw_queue) -> rw_readers++ }
  :: d_step { (rw_writer != NOBODY || nempty(rw_queue)) -> rw_queue!_pid, READ };
     rw_await()
  fi
}

inline down_write() {
  if
  :: d_step { rw_writer == NOBODY && rw_readers == 0 && empty(rw_queue) -> rw_writer = _pid }
  :: d_step { (rw_writer != NOBODY || rw_readers > 0 || nempty(rw_queue)) -> rw_queue!_pid, WRITE };
     rw_await()
  fi
}

inline up_read() {
  d_step { rw_readers--; rw_hand_over() }
}

inline up_write() {
  d_step { rw_writer = NOBODY; rw_hand_over() }
}
