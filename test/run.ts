import { existsSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { check } from './check.ts';

/**
 * `npm test`: first the checks that cost seconds, then every lane, the cheap ones first, and at the end one line with the counts
 * over all of them. With arguments only the lanes (or files) that they name: `npm test -- unit`, `npm test -- test/unit/core`.
 */
const ROOT = join(import.meta.dirname, '..');
const LANES = ['unit', 'meta', 'contract', 'integration', 'attack', 'e2e', 'soak'] as const;
/** A lane that hangs is ended; on two quiet cores none needs half of it. */
const LANE_TIMEOUT_MS = 40 * 60_000;

interface Counts {
  passed: number;
  failed: number;
}

const wanted = process.argv.slice(2);
const lanes = LANES.filter((lane) => wanted.length === 0 || wanted.includes(lane));
const files = wanted.filter((argument) => !(LANES as readonly string[]).includes(argument));
const total: Counts = { passed: 0, failed: 0 };

if (wanted.length === 0) add(await check());
for (const lane of files.length > 0 && lanes.length === 0 ? LANES : lanes) add(await runLane(lane));
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed\n`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;

function add(counts: Counts): void {
  total.passed += counts.passed;
  total.failed += counts.failed;
}

async function runLane(lane: string): Promise<Counts> {
  if (!existsSync(join(ROOT, 'test', lane))) return { passed: 0, failed: 0 };
  const report = join(tmpdir(), `holdfast-test-${process.pid}-${lane}.json`);
  const startedAt = performance.now();
  process.stdout.write(`\n== ${lane}\n`);
  const args = [
    'run',
    '--config',
    'test/vitest.config.ts',
    '--project',
    lane,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ];
  const result = await execa(
    process.execPath,
    [
      join(ROOT, 'node_modules/vitest/vitest.mjs'),
      ...args,
      ...(files.length > 0 ? ['--passWithNoTests', ...files] : []),
    ],
    {
      cwd: ROOT,
      stdio: 'inherit',
      env: process.stdout.isTTY ? {} : { NO_COLOR: '1' },
      reject: false,
      timeout: LANE_TIMEOUT_MS,
      forceKillAfterDelay: 5_000,
    },
  );
  const counts = await readCounts(report, result.exitCode);
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  process.stdout.write(`== ${lane}: ${counts.passed} passed, ${counts.failed} failed in ${seconds} s\n`);
  rmSync(report, { force: true });
  return counts;
}

/** A lane that ended without a report, or badly though no test failed, counts as one failure. */
async function readCounts(report: string, exitCode: number | undefined): Promise<Counts> {
  try {
    const { numPassedTests, numFailedTests, numFailedTestSuites } = JSON.parse(
      await readFile(report, 'utf8'),
    ) as Record<string, number>;
    const failed = numFailedTests || (exitCode === 0 ? 0 : Math.max(1, numFailedTestSuites ?? 1));
    return { passed: numPassedTests ?? 0, failed };
  } catch {
    return { passed: 0, failed: 1 };
  }
}
