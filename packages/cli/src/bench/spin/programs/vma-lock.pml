/* Faults under the per-VMA lock against those who change and unmap the VMA: see vma-lock.ts. */
#define PROCS 5
#include "rwsem.h"

#ifdef SMALL
#define FAULTS 1
#else
#define FAULTS 3
#endif

#define EXCLUDE_READERS 64

/* Two fields that change together. */
byte vm_start, vm_pgoff;
bool freed;
byte mm_lock_seq;
byte vm_lock_seq = 255;
byte vm_refcnt = 1;

inline check_fields() {
  first = vm_start;
  d_step { assert(vm_pgoff == first); first = 0 }
}

active [FAULTS] proctype fault() {
  byte first;
  /* lock_vma_under_rcu */
  first = vm_lock_seq;
  if
  :: d_step { mm_lock_seq == first -> first = 0 }; goto slow
  :: d_step { mm_lock_seq != first -> first = 0 }
  fi;
  if
  :: d_step { vm_refcnt != 0 && vm_refcnt < EXCLUDE_READERS -> vm_refcnt++ }
  :: vm_refcnt == 0 || vm_refcnt >= EXCLUDE_READERS -> goto slow
  fi;
#ifndef BROKEN
  first = mm_lock_seq;
  if
  :: d_step { vm_lock_seq == first -> first = 0 }; vm_refcnt--; goto slow
  :: d_step { vm_lock_seq != first -> first = 0 }
  fi;
#endif
  assert(!freed);
  check_fields();
  vm_refcnt--;
  goto done;
slow:
  down_read();
  if
  :: freed
  :: !freed -> check_fields()
  fi;
  up_read();
done:
  skip
}

inline begin_write() {
  down_write();
  mm_lock_seq++;
  /* vma_start_write */
  if
  :: vm_refcnt == 0
  :: d_step { vm_refcnt != 0 -> vm_refcnt = vm_refcnt + EXCLUDE_READERS };
     vm_refcnt == EXCLUDE_READERS + 1;
     seq = mm_lock_seq;
     d_step { vm_lock_seq = seq; seq = 0 };
     vm_refcnt = vm_refcnt - EXCLUDE_READERS
  fi
}

inline end_write() {
  mm_lock_seq++;
  up_write()
}

inline change() {
  begin_write();
  if
  :: freed
  :: !freed -> vm_start++; vm_pgoff++
  fi;
  end_write()
}

active proctype mprotect() {
  byte seq;
  change();
  change()
}

active proctype munmap() {
  byte seq;
  change();
  begin_write();
  /* vma_mark_detached */
  if
  :: d_step { vm_refcnt == 1 -> vm_refcnt = 0 }
  :: d_step { vm_refcnt != 1 -> vm_refcnt-- };
     if
     :: vm_refcnt == 0
     :: d_step { vm_refcnt != 0 -> vm_refcnt = vm_refcnt + EXCLUDE_READERS };
        vm_refcnt == EXCLUDE_READERS;
        vm_refcnt = vm_refcnt - EXCLUDE_READERS
     fi
  fi;
  freed = true;
  end_write()
}
