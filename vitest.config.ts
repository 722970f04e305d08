import { availableParallelism } from "node:os"
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/globalSetup.ts"],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // Much of the time is spent waiting for commands and servers: one worker for each two processors would be too few.
    maxWorkers: Math.max(2, availableParallelism() - 1)
  }
})
