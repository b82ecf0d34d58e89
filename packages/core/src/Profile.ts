/**
 * What earlier executions of a campaign showed about the program: sizes that strategies such as PCT and SURW
 * need. Updated only between rounds, in execution order, so that it does not depend on the number of workers.
 */
export interface Profile {
  /** Most threads seen in one execution. */
  readonly threads: number
  /** Most steps seen in one execution, and most scheduling points with a real choice (two or more enabled). */
  readonly steps: number
  readonly choices: number
  /** Steps of each thread by thread id (maximum seen). */
  readonly stepsOf: ReadonlyArray<number>
  /** Steps of each thread on each location touched by two or more threads: location -> counts by thread id. */
  readonly sharedSteps: ReadonlyMap<number, ReadonlyArray<number>>
}

/** Nothing known yet. */
export const emptyProfile: Profile = { threads: 0, steps: 0, choices: 0, stepsOf: [], sharedSteps: new Map() }
