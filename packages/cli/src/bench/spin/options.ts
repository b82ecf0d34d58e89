/** How ours is set, the same for every program. */
import type { ExploreOptions } from "@mmrace/core/explore/Explore"

export const options: ExploreOptions = { reduction: "states", onFailure: "stop" }
