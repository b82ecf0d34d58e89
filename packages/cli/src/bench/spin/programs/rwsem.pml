/* Readers and two writers of a fair rwsem, two rounds each: see rwsem.ts. */
#define PROCS 5
#include "rwsem.h"

#ifdef SMALL
#define READERS 1
#else
#define READERS 3
#endif

/* Kept twice. */
byte counter[2];

inline read() {
  down_read();
  value = counter[0];
  d_step { assert(counter[1] == value); value = 0 };
  up_read()
}

active [READERS] proctype reader() {
  byte value;
  read();
  read()
}

inline increment() {
  value = counter[0] + 1;
  counter[0] = value;
  counter[1] = value;
  d_step { assert(counter[0] == value); value = 0 }
}

active [2] proctype writer() {
  byte value;
  down_write();
  increment();
  up_write();
#ifdef BROKEN
  down_read();
  increment();
  up_read()
#else
  down_write();
  increment();
  up_write()
#endif
}
