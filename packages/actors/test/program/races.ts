/** One program for each bug of the first corpus slice, in canonical form: the language must be able to say them all. */
export const races: { readonly [bug: string]: string } = {
  "B-03": `mmrace vmsplice-cow
"A child keeps a page it has unmapped and sees what the parent writes later"
bug B-03
fix 09854ba94c6a
breaks I-08

map A anon rw 1 = 1

thread parent
  pid = fork
  store A 2

thread child in pid
  p = get A read
  munmap A
  r0 = dma_load p
  put p

final forall child:r0 = 1
`,
  "B-04": `mmrace fork-pinned-page
bug B-04
fix 70e806e4e645
breaks I-04

map A anon rw 1 = 1

thread parent
  p = pin A write
  pid = fork
  store A 2
  dma_store p 7
  r0 = load A
  unpin p

final forall parent:r0 = 7
`,
  "B-05": `mmrace gupfast-vs-fork
bug B-05
fix 57efa1fe5957
breaks I-04

map A anon rw 1 = 1

thread parent
  pid = fork
  store A 2

thread dma
  p = pin_fast A write
  dma_store p 7
  r0 = load A
  unpin p
`,
  "B-06": `mmrace odirect-swapout
bug B-06
fix 6c287605fd56 1493a1913e34
breaks I-05 I-09

swap 2
map A anon rw 1 = 1

thread direct-io
  p = get_fast A write
  dma_store p 7
  put p

thread kswapd
  reclaim A

thread app
  r0 = load A
  store A 2

final exists [A] = 7
`,
  "B-08": `mmrace ro-pin-stale
bug B-08
fix a7f226604170 c89357e27f20
breaks I-05

map A anon rw 1 = 1 shared-with child

thread app
  p = pin A read
  store A 2
  r0 = dma_load p
  unpin p

final forall app:r0 = 2
`,
  "B-12": `mmrace madvfree-odirect
bug B-12
fix 6c8e2a256915
breaks I-24 I-09

swap 2
map A anon rw 1 = 1

thread direct-io
  madvise A free
  p = get_fast A write
  dma_store p 7
  put p
  r0 = load A

thread kswapd
  reclaim A

final forall direct-io:r0 = 7
`,
  "B-14": `mmrace fill-vs-event
bug B-14
fix df2cc96e7701
breaks I-41

map A anon rw 1
uffd U features fork
register U A missing

thread parent
  pid = fork

thread toucher
  r0 = load A

thread monitor
  m = read U
  if m.event = pagefault
    e = copy U m.address = 5
    n = read U

thread child in pid
  r0 = load A
`,
  "B-15": `mmrace changing-toctou
bug B-15
fix 5e4c24a57b0c
breaks I-41

map A anon rw 1
uffd U features remove
register U A missing

thread app
  e = madvise A dontneed

thread filler
  e = copy U A = 5

thread monitor
  m = read U
`,
  "B-18": `mmrace changing-bool
bug B-18
fix a759a909d42d
breaks I-40 I-41

map A anon rw 1 = 1
map B anon rw 1 = 1
uffd U features remove
register U A missing
register U B missing

thread t1
  madvise A dontneed

thread t2
  madvise B dontneed

thread monitor
  m = read U
  e = copy U m.address = 5
  n = read U
`,
  "B-20": `mmrace swapcache-skip-aba
bug B-20
fix 13ddaf26be32
breaks I-21 I-09

swap 1 sync
map A anon rw 1 = 1 swapped

thread t1
  r0 = load A

thread t2
  store A 2

thread kswapd
  reclaim A

final forall [A] = 2
`,
  "B-21": `mmrace zram-slot-free
bug B-21
fix e914d8f00391
breaks I-21

swap 2 zram
map A anon rw 1 = 7 swapped

thread t1
  r0 = load A

thread t2
  r0 = load A

final forall t1:r0 = 7 /\\ t2:r0 = 7
`,
  "B-23": `mmrace swapin-identity
bug B-23
fix 4969c1192d15 31c4a3d3a0f8
breaks I-20 I-21

swap 1
map A anon rw 1 = 1 swapped

thread t1
  r0 = load A

thread t2
  store A 2

thread kswapd
  repeat 2
    reclaim A

final forall [A] = 2
`,
  "B-32": `mmrace fork-no-vma-lock
kernel 6.4
bug B-32
fix fb49c455323f
breaks I-15 I-08

map A anon rw 1 = 1
tlb writer A w

thread forker
  pid = fork

thread writer cpu 0
  store A 2

thread faulter cpu 1
  store A 3
`,
  "B-54": `mmrace refile-lost-wakeup
bug B-54
fix 2c5b7e1be74f
breaks I-37

map A anon rw 1
uffd U
register U A missing

thread waiter
  r0 = load A

thread m1
  m = read U
  e = copy U m.address = 5

thread m2
  e = copy U A = 5
`,
  "B-56": `mmrace copy-vs-queue
bug B-56
fix 8d2afd96c203
breaks I-37

map A anon rw 1
uffd U
register U A missing

thread waiter
  r0 = load A

thread prefetcher
  e = copy U A = 5
`,
  "B-58": `mmrace wp-unprotect-deferred-flush
bug B-58
fix 6ce64428d620
breaks I-15 I-51 I-09

map A anon rw 1 = 1
uffd U features wp
register U A wp
tlb writer A w

thread writer cpu 0
  store A 2

thread m1
  e = writeprotect U A protect

thread m2
  e = writeprotect U A resolve

thread faulter cpu 1
  p = get A read
  store A 3
  put p
`,
  "B-71": `mmrace mprotect-vs-batched-unmap
bug B-71
fix 3ea277194daa
breaks I-51 I-12

swap 2
map A anon rw 1 = 1
tlb writer A w

thread writer cpu 0
  r0 = store A 2

thread kswapd cpu 1
  reclaim A

thread protector cpu 2
  e = mprotect A r
  r0 = load A
  r1 = load A

final forall protector:r0 = 1 \\/ protector:r1 = 2
`
}
