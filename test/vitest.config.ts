import { defineConfig } from 'vitest/config';

/** One project per lane, so that `npm test` can run them by cost and a person can run one alone. */
const lane = (name: string, timeout: number, extra: Record<string, unknown> = {}) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout: timeout, hookTimeout: timeout, ...extra },
});

/** Whole programs on a busy machine meet time-outs of their own; a test that fails is tried again, and the report says so. */
const PROCESSES = { retry: 2 };

export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    pool: 'forks',
    maxWorkers: 2,
    passWithNoTests: false,
    projects: [
      // Pure tests need no process of their own each, which is a quarter of their time.
      lane('unit', 30_000, { isolate: false }),
      lane('meta', 60_000),
      lane('contract', 120_000, PROCESSES),
      lane('integration', 180_000, PROCESSES),
      lane('attack', 180_000, { ...PROCESSES, fileParallelism: false }),
      lane('e2e', 300_000, PROCESSES),
      lane('soak', 1_800_000, { fileParallelism: false }),
    ],
  },
});
