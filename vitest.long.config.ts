import { defineConfig } from 'vitest/config';

/** What takes minutes: run one file at a time, so that the processes of one test do not starve another's. */
export default defineConfig({
  test: {
    include: ['test/**/*.long.test.ts'],
    testTimeout: 3_600_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  },
});
