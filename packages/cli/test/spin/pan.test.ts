/** Reading what pan says, against text that pan printed. */
import { describe, expect, test } from "vitest"
import { parsePan } from "mmrace/bench/spin/pan"
import { whatIsMissing } from "mmrace/bench/spin/spin"

const complete = `
(Spin Version 6.5.2 -- 6 December 2019)
	+ Partial Order Reduction

Full statespace search for:
	never claim         	- (none specified)
	assertion violations	+
	cycle checks       	- (disabled by -DSAFETY)
	invalid end states	+

State-vector 84 byte, depth reached 79, errors: 0
   689192 states, stored
  1581133 states, matched
  2270325 transitions (= stored+matched)
        0 atomic steps
hash conflicts:    348807 (resolved)

Stats on memory usage (in Megabytes):
   73.614	equivalent memory usage for states (stored*(State-vector + overhead))
   52.890	actual memory usage for states (compression: 71.85%)
         	state-vector as stored = 52 byte + 28 byte overhead
    8.000	memory used for hash table (-w20)
    0.534	memory used for DFS stack (-m10000)
   61.269	total actual memory usage

pan: elapsed time 2.29 seconds
pan: rate 300957.21 states/second
`

const violated = `pan:1: assertion violated exclusive[pinned[2]] (at depth 70)
pan: wrote gup-fast.pml.trail

(Spin Version 6.5.2 -- 6 December 2019)
Warning: Search not completed
	+ Partial Order Reduction

Full statespace search for:
	never claim         	- (none specified)
	assertion violations	+
	cycle checks       	- (disabled by -DSAFETY)
	invalid end states	+

State-vector 96 byte, depth reached 111, errors: 1
     4796 states, stored
     3468 states, matched
     8264 transitions (= stored+matched)
        0 atomic steps
hash conflicts:         3 (resolved)

Stats on memory usage (in Megabytes):
    0.567	equivalent memory usage for states (stored*(State-vector + overhead))
    0.585	actual memory usage for states
    8.000	memory used for hash table (-w20)
    0.534	memory used for DFS stack (-m10000)
    9.120	total actual memory usage
`

describe("parsePan", () => {
  test("a search without error", () => {
    expect(parsePan(complete)).toEqual({
      verdict: "Complete",
      error: undefined,
      states: 689_192,
      transitions: 2_270_325,
      megabytes: 61.269
    })
  })

  test("a search that ends at an error", () => {
    expect(parsePan(violated)).toEqual({
      verdict: "Violated",
      error: "assertion violated exclusive[pinned[2]]",
      states: 4796,
      transitions: 8264,
      megabytes: 9.12
    })
  })

  test("millions are printed in another way", () => {
    const many = complete.replace("   689192 states, stored", "1.2345678e+08 states, stored")
    expect(parsePan(many).states).toBe(123_456_780)
  })

  test.each([
    ["its depth", "error: max search depth too small\n"],
    ["memory", "pan: out of memory\n"],
    ["an unknown reason", "Warning: Search not completed\n"]
  ])("a search that was cut for %s is no verdict", (_, warning) => {
    expect(() => parsePan(warning + complete)).toThrow("did not search everything")
  })

  test("text of something else says what was looked for", () => {
    expect(() => parsePan("Segmentation fault")).toThrow("pan does not say how many errors there are")
  })
})

describe("whatIsMissing", () => {
  test("nothing", () => {
    expect(whatIsMissing(() => true)).toBeUndefined()
  })

  test.each([
    ["spin", "needs spin: install SPIN 6.5 (Debian and Ubuntu: apt-get install spin)"],
    ["cc", "needs cc: install a C compiler (Debian and Ubuntu: apt-get install gcc libc6-dev)"]
  ])("without %s, one line says what to install", (missing, text) => {
    const line = whatIsMissing((tool) => tool !== missing)!
    expect(line).toContain(text)
    expect(line).not.toContain("\n")
  })

  test("without both, it names both", () => {
    expect(whatIsMissing(() => false)).toMatch(/needs spin and cc: install SPIN.*and a C compiler/u)
  })
})
