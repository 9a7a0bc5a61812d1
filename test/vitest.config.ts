import { defineConfig } from 'vitest/config';

/** One project per lane, so that `npm test` can run them by cost and a person can run one alone. */
const lane = (name: string, timeout: number, extra: Record<string, unknown> = {}) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout: timeout, hookTimeout: timeout, ...extra },
});

export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  test: {
    pool: 'forks',
    maxWorkers: 2,
    passWithNoTests: false,
    projects: [
      lane('unit', 10_000),
      lane('meta', 60_000),
      lane('contract', 60_000),
      lane('integration', 120_000),
      lane('attack', 120_000, { fileParallelism: false }),
      lane('e2e', 240_000, { fileParallelism: false }),
    ],
  },
});
