/* Swap-in that goes past the swap cache, against reclaim: see swap-aba.ts. */
#define PAGES 2
#define SLOTS 2
/* An entry below SWAP is a mapped page with this content, SWAP + e a page in slot e. */
#define SWAP 16
#define COUNT 2
#define HAS_CACHE 1

byte pte[PAGES];
bool pte_lock[PAGES];
byte slot[SLOTS];
byte disk[SLOTS];

inline lock_pte(v) {
  d_step { !pte_lock[v] -> pte_lock[v] = true }
}

inline unlock_pte(v) {
  pte_lock[v] = false
}

/* do_swap_page of a synchronous device. */
inline swap_in(v) {
#ifdef BROKEN
  !(slot[e] & HAS_CACHE);
#else
  if
  :: d_step { slot[e] == COUNT -> slot[e] = COUNT + HAS_CACHE };
#endif
     data = disk[e];
     lock_pte(v);
     if
     :: pte[v] == SWAP + e ->
        slot[e] = slot[e] - COUNT;
        d_step { pte[v] = data; data = 0 }
     :: d_step { pte[v] != SWAP + e -> data = 0 }
     fi;
     unlock_pte(v);
#ifndef BROKEN
     d_step { slot[e] = slot[e] - HAS_CACHE; e = 0 }
  :: d_step { slot[e] == 0 -> e = 0 }
  fi
#endif
}

inline store_page(v, value) {
  do
  :: d_step { pte[v] < SWAP -> pte[v] = value }; break
  :: d_step { pte[v] >= SWAP -> e = pte[v] - SWAP }; swap_in(v)
  od
}

inline expect_page(v, value) {
  do
  :: d_step { pte[v] < SWAP -> assert(pte[v] == value) }; break
  :: d_step { pte[v] >= SWAP -> e = pte[v] - SWAP }; swap_in(v)
  od
}

active proctype writer() {
  byte e, data;
  store_page(0, 1);
  expect_page(0, 1)
#ifndef SMALL
  ; store_page(0, 2);
  expect_page(0, 2)
#endif
}

active proctype reader() {
  byte e, data;
  do
  :: pte[0] < SWAP -> break
  :: d_step { pte[0] >= SWAP -> e = pte[0] - SWAP }; swap_in(0)
  od;
  expect_page(1, 0)
}

inline swap_out_to(v, s) {
  lock_pte(v);
  if
  :: pte[v] < SWAP ->
     slot[s] = slot[s] + COUNT;
     d_step { data = pte[v]; pte[v] = SWAP + s };
     unlock_pte(v);
     d_step { disk[s] = data; data = 0 }
  :: pte[v] >= SWAP -> unlock_pte(v)
  fi;
  slot[s] = slot[s] - HAS_CACHE
}

/* shrink_folio_list */
inline swap_out(v) {
  if
  :: d_step { slot[0] == 0 -> slot[0] = HAS_CACHE }; swap_out_to(v, 0)
  :: slot[0] != 0 ->
     if
     :: d_step { slot[1] == 0 -> slot[1] = HAS_CACHE }; swap_out_to(v, 1)
     :: slot[1] != 0
     fi
  fi
}

active proctype reclaim() {
  byte data;
  swap_out(0);
  swap_out(1);
  swap_out(0)
}

#ifndef SMALL
active proctype reclaim_one() {
  byte data;
  swap_out(0)
}
#endif
