import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { execa } from 'execa';

/**
 * `npm run mutation`: changes `src/core` in every small way there is and counts how many of the changes a unit test notices, per file.
 * Without names, what was found before is not tried again where neither the code nor its tests have changed. With names
 * (`npm run mutation -- run batch`) those files are tried afresh, and what goes unnoticed is listed.
 * Fails when a file is below the threshold. Not part of `npm test`, because from nothing it takes the better part of an hour.
 */
const ROOT = join(import.meta.dirname, '../..');
const REPORT = join(ROOT, 'reports/mutation/incremental.json');
const THRESHOLD_PERCENT = 80;
/** So that an interrupted run loses little: Stryker writes down what it found at its end. */
const FILES_PER_RUN = 3;
const RUN_TIMEOUT_MS = 20 * 60_000;
const NOTICED: ReadonlySet<string> = new Set(['Killed', 'Timeout']);
const IGNORED: ReadonlySet<string> = new Set(['Ignored', 'CompileError', 'RuntimeError']);

/** What is read of the report; its format is the mutation-testing-report-schema. */
interface Report {
  readonly files: Readonly<Record<string, { readonly mutants: readonly Mutant[] }>>;
}

interface Mutant {
  readonly mutatorName: string;
  readonly status: string;
  readonly replacement?: string;
  readonly location: { readonly start: { readonly line: number; readonly column: number } };
}

const names = process.argv.slice(2).map((name) => basename(name, '.ts'));
const all = readdirSync(join(ROOT, 'src/core'), { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
);
const unknown = names.filter((name) => !all.some((file) => basename(file, '.ts') === name));
if (unknown.length > 0) throw new Error(`src/core has no ${unknown.join(', ')}`);
const files = all
  .filter((file) => names.length === 0 || names.includes(basename(file, '.ts')))
  .map((file) => `src/core/${file}`);

for (let at = 0; at < files.length; at += FILES_PER_RUN) await mutate(files.slice(at, at + FILES_PER_RUN));
process.exitCode = printScores(readReport(), files) ? 0 : 1;

async function mutate(group: readonly string[]): Promise<void> {
  const stryker = join(ROOT, 'node_modules/@stryker-mutator/core/bin/stryker.js');
  const afresh = names.length > 0 ? ['--force'] : [];
  await execa(
    process.execPath,
    [stryker, 'run', 'test/mutation/stryker.json', '--mutate', group.join(','), ...afresh],
    {
      cwd: ROOT,
      stdio: 'inherit',
      timeout: RUN_TIMEOUT_MS,
      forceKillAfterDelay: 5_000,
    },
  );
}

function readReport(): Report {
  if (!existsSync(REPORT)) throw new Error(`Stryker left no report at ${REPORT}`);
  return JSON.parse(readFileSync(REPORT, 'utf8')) as Report;
}

/** True when every file reaches the threshold. */
function printScores(report: Report, wanted: readonly string[]): boolean {
  let good = true;
  let [noticed, total] = [0, 0];
  for (const file of wanted) {
    const mutants = (report.files[file]?.mutants ?? []).filter((mutant) => !IGNORED.has(mutant.status));
    const missed = mutants.filter((mutant) => !NOTICED.has(mutant.status));
    if (mutants.length === 0) continue;
    noticed += mutants.length - missed.length;
    total += mutants.length;
    good &&= percent(mutants.length - missed.length, mutants.length) >= THRESHOLD_PERCENT;
    print(file, mutants.length - missed.length, mutants.length);
    if (names.length > 0) for (const mutant of missed) process.stdout.write(`${describe(mutant)}\n`);
  }
  print('together', noticed, total);
  return good && total > 0;
}

function print(what: string, noticed: number, total: number): void {
  process.stdout.write(
    `${percent(noticed, total).toFixed(1).padStart(6)} %  ${what.padEnd(40)} ${noticed} of ${total}\n`,
  );
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 100 : (100 * part) / whole;
}

function describe({ mutatorName, status, replacement = '', location: { start } }: Mutant): string {
  const shown = replacement.replaceAll(/\s+/g, ' ').slice(0, 80);
  return `         ${start.line}:${start.column} ${mutatorName} ${status}: ${shown}`;
}
