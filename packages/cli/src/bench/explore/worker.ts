/** Runs one trial on a thread of its own. */
import { parentPort, workerData } from "node:worker_threads"
import { runTrial, type Trial } from "./cell.ts"

parentPort!.postMessage(runTrial(workerData as Trial))
