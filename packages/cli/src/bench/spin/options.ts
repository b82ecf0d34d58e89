/**
 * How ours is set, the same for every program: state matching without DPOR, which is for programs in which nearly
 * every step touches what others touch; and an end at the first failure, as SPIN has it.
 */
import type { ExploreOptions } from "@mmrace/core/explore/Explore"

export const options: ExploreOptions = { reduction: "states", onFailure: "stop" }
