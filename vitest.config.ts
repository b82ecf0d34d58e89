import { defaultServerConditions } from "vite"
import { defineConfig } from "vitest/config"

/** `source` first: tests run the packages' src, so they never depend on a build. */
const conditions = ["source", ...defaultServerConditions]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "test/**/*.test.ts"],
    // A hang must end; the limit is far from what any test needs, so that a slow machine fails nothing.
    testTimeout: 600_000,
    hookTimeout: 600_000
  }
})
