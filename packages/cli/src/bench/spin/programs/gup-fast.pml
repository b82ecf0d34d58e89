/* GUP-fast against fork and write faults: see gup-fast.ts. */
#define PROCS 4
#include "rwsem.h"

#define PAGES 3
#define WRITABLE 1
#define ENTRY(page) (2 * (page) + WRITABLE)
#define PAGE(entry) ((entry) / 2)

byte pte[PAGES] = { 1, 3, 5 };
bool pte_lock[PAGES];
/* Page v is where v was mapped at first, page PAGES + v what a write fault at v puts there. */
byte refs[6] = 1;
byte pins[6];
bool exclusive[6] = true;
byte write_protect_seq;
bool has_pinned;

inline lock_pte(v) {
  d_step { !pte_lock[v] -> pte_lock[v] = true }
}

inline unlock_pte(v) {
  pte_lock[v] = false
}

inline fork_page(v) {
  lock_pte(v);
  entry = pte[v];
  if
  :: has_pinned ->
     if
     :: d_step { pins[PAGE(entry)] > 0 -> entry = 0 }
     :: pins[PAGE(entry)] == 0 -> goto share
     fi
  :: !has_pinned ->
share:
     refs[PAGE(entry)]++;
     exclusive[PAGE(entry)] = false;
     d_step { pte[v] = entry - WRITABLE; entry = 0 }
  fi;
  unlock_pte(v)
}

active proctype fork() {
  byte entry;
  down_write();
  write_protect_seq++;
  fork_page(0);
#ifndef SMALL
  fork_page(1);
  fork_page(2);
#endif
  write_protect_seq++;
  up_write()
}

inline fault_page(v) {
  down_read();
  lock_pte(v);
  if
  :: pte[v] & WRITABLE
  :: d_step { !(pte[v] & WRITABLE) -> entry = pte[v] };
     if
     :: exclusive[PAGE(entry)] -> pte[v] = entry + WRITABLE
     :: !exclusive[PAGE(entry)] ->
        if
        :: refs[PAGE(entry)] == 1 -> exclusive[PAGE(entry)] = true; pte[v] = entry + WRITABLE
        :: refs[PAGE(entry)] != 1 ->
           unlock_pte(v);
           lock_pte(v);
           if
           :: pte[v] == entry -> pte[v] = ENTRY(PAGES + v); refs[PAGE(entry)]--
           :: pte[v] != entry
           fi
        fi
     fi
  fi;
  d_step { unlock_pte(v); entry = 0 };
  up_read()
}

active proctype fault() {
  byte entry;
  fault_page(0)
#ifndef SMALL
  ; fault_page(1);
  fault_page(2)
#endif
}

/* Not inline: SPIN takes no labels there. */
#define pin(v, stop) \
  if \
  :: d_step { pte[v] & WRITABLE -> entry = pte[v] }; \
     pins[PAGE(entry)]++; \
     if \
     :: d_step { pte[v] == entry -> pinned[v] = PAGE(entry); entry = 0 } \
     :: pte[v] != entry -> d_step { pins[PAGE(entry)]--; entry = 0 }; goto stop \
     fi \
  :: !(pte[v] & WRITABLE) -> goto stop \
  fi

#ifdef BROKEN
#define look_again(changed) skip
#else
#define look_again(changed) \
  if \
  :: d_step { write_protect_seq == seq -> seq = 0 } \
  :: d_step { write_protect_seq != seq -> seq = 0 }; goto changed \
  fi
#endif

inline dma(v) {
  assert(exclusive[pinned[v]]);
  assert(PAGE(pte[v]) == pinned[v])
}

inline unpin_page(v) {
  d_step { pins[pinned[v]]--; pinned[v] = 0 }
}

/* How many pages are pinned is where it is in the program. */
active [2] proctype gup_fast() {
  byte entry, seq;
  byte pinned[PAGES];
  has_pinned = true;
#ifndef BROKEN
  if
  :: d_step { !(write_protect_seq & 1) -> seq = write_protect_seq }
  :: write_protect_seq & 1 -> goto done
  fi;
#endif
  pin(0, none);
#ifndef SMALL
  pin(1, one);
  pin(2, two);
  look_again(unpin_three);
  dma(0);
  dma(1);
  dma(2);
unpin_three:
  unpin_page(0);
  unpin_page(1);
  unpin_page(2);
  goto done;
two:
  look_again(unpin_two);
  dma(0);
  dma(1);
unpin_two:
  unpin_page(0);
  unpin_page(1);
  goto done;
one:
#endif
  look_again(unpin_one);
  dma(0);
unpin_one:
  unpin_page(0);
  goto done;
none:
  look_again(done);
done:
  skip
}
