/* Filling pages against events that take them away: see mmap-changing.ts. */
#define PROCS 5
#include "rwsem.h"

#define PAGES 4

bool filled[PAGES];
bool pte_lock[PAGES];
byte mmap_changing;
/* Events that the monitor has not read, and of which pages it has read one. */
chan events = [2] of { byte };
bool was_read[PAGES];

inline lock_pte(v) {
  d_step { !pte_lock[v] -> pte_lock[v] = true }
}

inline unlock_pte(v) {
  pte_lock[v] = false
}

inline discard_page(v) {
  down_write();
  mmap_changing++;
  up_write();
  events!v;
  was_read[v];
  mmap_changing--;
  lock_pte(v);
  filled[v] = false;
  unlock_pte(v)
}

active proctype discard_0_1() {
  discard_page(0)
#ifndef SMALL
  ; discard_page(1)
#endif
}

active proctype discard_2_3() {
  discard_page(2)
#ifndef SMALL
  ; discard_page(3)
#endif
}

inline fill_locked(v) {
  lock_pte(v);
  if
  :: filled[v]
  :: !filled[v] ->
     filled[v] = true;
     assert(mmap_changing == 0)
  fi;
  unlock_pte(v)
}

inline fill_page(v) {
  if
  :: mmap_changing != 0
  :: mmap_changing == 0 ->
#ifdef BROKEN
     fill_locked(v)
#else
     down_read();
     if
     :: mmap_changing != 0
     :: mmap_changing == 0 -> fill_locked(v)
     fi;
     up_read()
#endif
  fi
}

active proctype fill_0_2() {
  fill_page(0)
#ifndef SMALL
  ; fill_page(2)
#endif
}

active proctype fill_1_3() {
#ifndef SMALL
  fill_page(1);
#endif
  fill_page(3)
}

active proctype reader() {
  byte v;
end:
  do
  :: d_step { events?v -> was_read[v] = true; v = 0 }
  od
}
