/* Faults that wait for user space, and who wakes them: see userfault.ts. */
#define FAULTS 2
#ifdef SMALL
#define READERS 1
#else
#define READERS 2
#endif

bool present[FAULTS];
bool woken[FAULTS];
/* Who waits, by the address: messages that nobody has read, and those that somebody has. */
chan pending = [FAULTS] of { byte };
byte fault;
bool queue_lock;
byte refile_seq;

inline lock() {
  d_step { !queue_lock -> queue_lock = true }
}

inline unlock() {
  queue_lock = false
}

/* handle_userfault. Its address is its number. */
active [FAULTS] proctype faulter() {
  do
  :: present[_pid] -> break
  :: !present[_pid] ->
     lock();
     woken[_pid] = false;
     pending!_pid;
     unlock();
     if
     :: present[_pid] ->
        if
        :: woken[_pid]
        :: !woken[_pid] ->
           lock();
           if
           :: d_step { pending??[eval(_pid)] -> pending??eval(_pid) }
           :: !pending??[eval(_pid)] ->
              d_step {
                if
                :: fault & (1 << _pid) -> fault = fault & ~(1 << _pid)
                :: else
                fi
              }
           fi;
           unlock()
        fi
     :: !present[_pid] -> woken[_pid]
     fi
  od
}

inline wake_queued(a) {
  lock();
  if
  :: d_step { pending??[eval(a)] -> pending??eval(a) }; woken[a] = true
  :: !pending??[eval(a)]
  fi;
  if
  :: d_step { fault & (1 << a) -> fault = fault & ~(1 << a) }; woken[a] = true
  :: !(fault & (1 << a))
  fi;
  unlock()
}

/* UFFDIO_COPY, then userfaultfd_wake. */
inline copy(a) {
  if
  :: present[a]
  :: d_step { !present[a] -> present[a] = true };
#ifdef BROKEN
     if
     :: nempty(pending) -> wake_queued(a)
     :: empty(pending) ->
        if
        :: fault != 0 -> wake_queued(a)
        :: fault == 0
        fi
     fi
#else
     do
     :: d_step { !(refile_seq & 1) -> seq = refile_seq };
        if
        :: nempty(pending) ->
waiting:
           if
           :: d_step { refile_seq != seq -> seq = 0 }
           :: d_step { refile_seq == seq -> seq = 0 }; wake_queued(a); break
           fi
        :: empty(pending) ->
           if
           :: fault != 0 -> goto waiting
           :: fault == 0 ->
              if
              :: d_step { refile_seq != seq -> seq = 0 }
              :: d_step { refile_seq == seq -> seq = 0 }; break
              fi
           fi
        fi
     od
#endif
  fi
}

active [READERS] proctype reader() {
  byte a, seq;
end:
  do
  :: nempty(pending) ->
     lock();
     if
     :: nempty(pending) ->
        refile_seq++;
        pending?a;
        fault = fault | (1 << a);
        refile_seq++;
        unlock();
        copy(a)
     :: empty(pending) -> unlock()
     fi
  od
}

active proctype prefetcher() {
  byte seq;
  copy(0);
  copy(1)
}
