import { defineConfig } from 'vitest/config';

/** The unit tests of `src/core` alone: what they do not notice, they do not test. */
// oxlint-disable-next-line import/no-default-export -- Vitest reads nothing else.
export default defineConfig({
  root: new URL('../..', import.meta.url).pathname,
  test: { include: ['test/unit/core/**/*.test.ts'], setupFiles: ['test/mutation/setup.ts'], testTimeout: 10_000 },
});
