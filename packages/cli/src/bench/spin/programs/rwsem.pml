/* Three readers and two writers of a fair rwsem: see rwsem.ts. */
#define PROCS 5
#include "rwsem.h"

#define ROUNDS 2

byte counter[2];

active [3] proctype reader() {
  byte round, first;
  do
  :: round < ROUNDS ->
     down_read();
     first = counter[0];
     assert(counter[1] == first);
     up_read();
     round++
  :: else -> break
  od
}

active [2] proctype writer() {
  byte round, value;
  do
  :: round < ROUNDS ->
#ifdef BROKEN
     if
     :: round == 0 -> down_write()
     :: else -> down_read()
     fi;
#else
     down_write();
#endif
     value = counter[0];
     counter[0] = value + 1;
     counter[1] = value + 1;
     assert(counter[0] == value + 1);
#ifdef BROKEN
     if
     :: round == 0 -> up_write()
     :: else -> up_read()
     fi;
#else
     up_write();
#endif
     round++
  :: else -> break
  od
}
