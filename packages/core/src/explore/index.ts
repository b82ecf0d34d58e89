export { bruteForce, type BruteForceOptions, type BruteForceResult } from "./BruteForce.ts"
export type { DependenceOptions } from "./Dependence.ts"
export type { Footprint } from "./Footprint.ts"
export {
  type Checkpoint,
  type Counts,
  explore,
  type Explored,
  type ExploreOptions,
  type Progress,
  type Reduction,
  type Verdict
} from "./Explore.ts"
export type { Final, Outcome } from "./Outcomes.ts"
export { type News, Partner, type Role } from "./Partner.ts"
export { merge } from "./Merge.ts"
export { split, type SplitOptions, type Task, wholeTree } from "./Split.ts"
export type { Cost } from "./States.ts"
export { type Move, type Witness, witnessOf, type WitnessOptions } from "./Witness.ts"
