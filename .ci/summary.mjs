// The closing line of .ci/run. Usage: summary.mjs VITEST_JSON_REPORT EXIT_OF_NPM_TEST NUMBER_OF_OTHER_STEPS_THAT_FAILED
import { readFileSync } from "node:fs"

const [reportPath, testsExit, failedSteps] = process.argv.slice(2)

/** Without a readable report (install or build failed, vitest crashed) no test counts as passed. */
function readReport() {
  try {
    return JSON.parse(readFileSync(reportPath, "utf8"))
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, testResults: [] }
  }
}

const report = readReport()
/** A test file that did not load has failed, though it has no failed test. */
const brokenFiles = report.testResults.filter((file) =>
  file.status === "failed" && file.assertionResults.every((test) => test.status !== "failed")
)
const failedInTests = report.numFailedTests + brokenFiles.length
/** `npm test` can fail with no failed test: an unhandled error, a crash, no tests at all. */
const testsFailed = Math.max(failedInTests, testsExit === "0" ? 0 : 1)
const failed = testsFailed + Number(failedSteps)

console.log(`\n${report.numPassedTests} passed, ${failed} failed`)
process.exitCode = failed === 0 && report.numPassedTests > 0 ? 0 : 1
