// Tests in a real browser against a real daemon: `npm run e2e`. They share the machine with nothing else, so they run one after another.

import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { root: import.meta.dirname, include: ["**/*.spec.ts"], fileParallelism: false, testTimeout: 120_000, hookTimeout: 180_000 },
});
