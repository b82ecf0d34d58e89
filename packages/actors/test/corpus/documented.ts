/**
 * The steps by which each race of the corpus is known to break, in their order. More than one list: what comes in which
 * order within each, with any interleaving of the lists. The last step of a race is often missing: the invariant is
 * broken before the data is lost.
 */
import type { Landmark } from "./race.ts"

export const documented: Readonly<Record<string, ReadonlyArray<ReadonlyArray<Landmark>>>> = {
  "B-03": [[
    ["parent", "} fork = 1"],
    ["child", "folio_ref_add(folio 1): 1 = 3"],
    ["child", "ptep_get_and_clear(pid.pte A): was pfn 1 ro"],
    ["child", "folio_add_mapcount(folio 1): -1 = 1"],
    ["parent", "folio_mapcount(folio 1) = 1"],
    ["parent", "page_write(page 1): 2"],
    ["child", "page_read(page 1) = 2"]
  ]],
  "B-04": [[
    ["dma", "folio_ref_add(folio 1): 1024 = 1025"],
    ["parent", "ptep_set_wrprotect(pte A)"],
    ["parent", "} fork = 1"],
    ["parent", "[copy begin pfn 1"],
    ["parent", "set_pte_at(pte A): pfn 2 rw"]
  ]],
  // Fork asks whether the page is pinned, and only then it is: GUP may have read the entry before.
  "B-05": [[
    ["parent", "[fork begin"],
    ["parent", "atomic_read(MMF_HAS_PINNED)"],
    ["dma", "folio_ref_try_add(folio 1): 1024 = true"],
    ["dma", "ptep_get(pte A): pfn 1 rw"],
    ["parent", "ptep_set_wrprotect(pte A)"],
    ["parent", "} fork = 1"],
    ["parent", "[copy begin pfn 1"],
    ["parent", "set_pte_at(pte A): pfn 2 rw"]
  ]],
  "B-06": [[
    ["io", "folio_ref_try_add(folio 1): 1 = true"],
    ["kswapd", "swap_cache_set(swap slot 0): 1"],
    ["kswapd", "set_pte_at(pte A): swap 0"],
    ["io", "swap_cache_get(swap slot 0) = 1"],
    ["io", "set_pte_at(pte A): pfn 1 ro"],
    ["io", "[copy begin pfn 1"],
    ["io", "set_pte_at(pte A): pfn 2 rw"],
    ["io", "page_write(page 1): 7"],
    ["io", "page_read(page 2) = 2"]
  ]],
  "B-08": [[
    ["parent", "ptep_set_wrprotect(pte A)"],
    ["parent", "folio_ref_try_add(folio 1): 1024 = true"],
    ["parent", "[copy begin pfn 1"],
    ["parent", "page_write(page 2): 2"],
    ["parent", "page_read(page 1) = 1"]
  ]],
  "B-12": [
    [
      ["app", "set_pte_at(pte A): pfn 1 rw"],
      ["app", "folio_ref_try_add(folio 1): 1 = true"],
      ["kswapd", "ptep_get_and_clear(pte A): was pfn 1 rw"],
      ["kswapd", "folio_test_dirty(folio 1) = false"],
      ["kswapd", "folio_add_mapcount(folio 1): -1 = 0"],
      ["app", "folio_mark_dirty(folio 1)"],
      ["app", "free_unref_page(page allocator): 1"]
    ],
    [
      ["app", "folio_ref_try_add(folio 1): 1 = true"],
      ["app", "page_write(page 1): 7"],
      ["app", "folio_mark_dirty(folio 1)"]
    ]
  ],
  "B-14": [[
    ["app", "[event begin"],
    ["app", "[fork copied"],
    ["monitor", "set_pte_at(pte A): pfn 1 rw"]
  ]],
  "B-15": [[
    ["filler", "atomic_read(U.mmap_changing) = 0"],
    ["filler", "atomic_read(U.mmap_changing) = 0"],
    ["app", "atomic_add_return(U.mmap_changing): 1 = 1"],
    ["filler", "set_pte_at(pte A): pfn 1 rw"]
  ]],
  "B-18": [
    [
      ["one", "atomic_set(U.mmap_changing): 1"],
      ["two", "atomic_set(U.mmap_changing): 1"],
      ["one", "atomic_set(U.mmap_changing): 0"]
    ],
    [
      ["one", "queue_add(U.event_wqh): thread 0: fork"],
      ["monitor", "queue_mark_waken(U.event_wqh): 0"],
      ["one", "atomic_set(U.mmap_changing): 0"]
    ]
  ],
  "B-20": [[
    ["slow", "swap_map_read(swap slot 0) = {count:1"],
    ["slow", "swap_read_data(swap slot 0) = 1"],
    ["fast", "swap_free(swap slot 0) = 0"],
    ["fast", "set_pte_at(pte A): pfn 2 rw"],
    ["fast", "page_write(page 2): 2"],
    ["kswapd", "slot_try_alloc(swap slot 0) = true"],
    ["kswapd", "set_pte_at(pte A): swap 0"],
    ["kswapd", "swap_write_data(swap slot 0): 2"],
    ["slow", "ptep_get(pte A): swap 0"],
    ["slow", "swap_free(swap slot 0) = 0"],
    ["slow", "set_pte_at(pte A): pfn 1"]
  ]],
  "B-21": [[
    ["one", "swap_read_data(swap slot 0) = 1"],
    ["one", "swap_write_data(swap slot 0): 0"],
    ["two", "swap_read_data(swap slot 0) = 0"],
    ["two", "set_pte_at(pte A): pfn 2"]
  ]],
  "B-23": [[
    ["slow", "swap_cache_set(swap slot 0): 1"],
    ["app", "swap_cache_set(swap slot 0): -1"],
    ["app", "swap_free(swap slot 0) = 0"],
    ["app", "page_write(page 1): 2"],
    ["app", "page_write(page 2): 3"],
    ["kswapd", "slot_try_alloc(swap slot 0) = true"],
    ["kswapd", "set_pte_at(pte A): swap 0"],
    ["slow", "trylock(PG_locked(1)) = true"],
    ["slow", "ptep_get(pte A): swap 0"],
    ["slow", "set_pte_at(pte A): pfn 1"]
  ]],
  "B-32": [[
    ["parent", "ptep_set_wrprotect(pte A)"],
    ["cpu1", "hw_walk(pte A): store: page fault"],
    ["cpu1", "[copy begin pfn 1"],
    ["cpu1", "page_read(page 1)"],
    ["cpu1", "set_pte_at(pte A): pfn 2 rw"]
  ]],
  "B-54": [[
    ["app", "queue_add(U.fault_pending_wqh): thread 0"],
    ["reader", "queue_del(U.fault_pending_wqh): 0"],
    ["filler", "set_pte_at(pte A): pfn 1 rw"],
    ["filler", "queue_read(U.fault_pending_wqh): empty"],
    ["filler", "queue_read(U.fault_wqh): empty"],
    ["reader", "queue_add(U.fault_wqh): thread 0"],
    ["reader", "} read = 0"]
  ]],
  "B-56": [[
    ["app", "ptep_get(pte A): none"],
    ["filler", "set_pte_at(pte A): pfn 1 rw"],
    ["filler", "queue_read(U.fault_pending_wqh): empty"],
    ["filler", "} copy = 0"],
    ["app", "queue_add(U.fault_pending_wqh): thread 0"]
  ]],
  "B-58": [[
    ["protector", "set_pte_at(pte A): pfn 1 ro dirty uffd-wp"],
    ["resolver", "ptep_get_and_clear(pte A): was pfn 1 ro dirty uffd-wp"],
    ["resolver", "set_pte_at(pte A): pfn 1 ro dirty"],
    ["cpu0|cpu1|cpu2", "hw_walk(pte A): store: page fault"],
    ["cpu0|cpu1|cpu2", "[copy begin pfn 1"],
    ["cpu0|cpu1|cpu2", "set_pte_at(pte A): pfn 2 rw"]
  ]],
  "B-71": [[
    ["kswapd", "ptep_get_and_clear(pte A): was pfn 1 rw dirty"],
    ["kswapd", "set_pte_at(pte A): swap 0"],
    ["app", "ptep_get(pte A): swap 0"],
    ["app", "} mprotect = 0"]
  ]]
}
