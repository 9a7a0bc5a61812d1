import { join } from 'node:path';
import { execa } from 'execa';

/** `npm run check`: what needs no test to be seen. Format, lint, types, dead code, and generated files that are fresh. */
const ROOT = join(import.meta.dirname, '..');

const CHECKS: readonly (readonly [string, string, ...string[]])[] = [
  ['format', '@biomejs/biome/bin/biome', 'format', 'src', 'workers', 'test'],
  ['lint', 'oxlint/bin/oxlint', '--type-aware', '--deny-warnings', 'src', 'workers', 'test'],
  ['types', 'typescript/bin/tsc', '-p', '.', '--noEmit'],
  ['dead code', 'knip/bin/knip.js', '--no-progress'],
];

export async function check(): Promise<{ readonly passed: number; readonly failed: number }> {
  process.stdout.write('== check\n');
  let failed = 0;
  const steps = [
    ...CHECKS.map(([name, bin, ...args]) => [name, join(ROOT, 'node_modules', bin), ...args] as const),
    ['generated files', join(ROOT, 'src/config/write-generated.ts'), '--check'] as const,
  ];
  for (const [name, file, ...args] of steps) {
    const result = await execa(process.execPath, ['--disable-warning=ExperimentalWarning', file, ...args], {
      cwd: ROOT,
      reject: false,
      all: true,
    });
    process.stdout.write(`${result.failed ? 'FAILED' : 'ok    '} ${name}\n`);
    if (!result.failed) continue;
    failed += 1;
    process.stdout.write(`${result.all}\n`);
  }
  return { passed: steps.length - failed, failed };
}

if (process.argv[1] === import.meta.filename) {
  const { failed } = await check();
  process.exitCode = failed === 0 ? 0 : 1;
}
