/** How ours is set: as it is by default, but for ending at the first failure, as SPIN does. */
import type { ExploreOptions } from "@mmrace/core/explore/Explore"

export const options: ExploreOptions = { onFailure: "stop" }
