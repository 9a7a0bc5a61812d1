import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Benchmark, type Figure, formatTable, isMissed } from './figure.ts';
import { deliveries } from './deliveries.ts';
import { driftClassifier } from './drift-classifier.ts';
import { driftDay } from './drift-day.ts';
import { driftSweep } from './drift-sweep.ts';
import { launch } from './launch.ts';
import { manyProjects } from './many-projects.ts';
import { memoryAtRest, memoryGrowth } from './memory.ts';
import { onePullRequest } from './one-pull-request.ts';
import { secondCheckout } from './second-checkout.ts';

const BENCHMARKS: readonly Benchmark[] = [
  launch,
  secondCheckout,
  onePullRequest,
  manyProjects,
  deliveries,
  driftClassifier,
  driftDay,
  driftSweep,
  memoryAtRest,
  memoryGrowth,
];
const REPORT = join(import.meta.dirname, '../../reports/bench.json');
const ENOUGH_PAIRS = 20;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: String(ENOUGH_PAIRS) },
    runs: { type: 'string', default: '600' },
    projects: { type: 'string' },
    only: { type: 'string', multiple: true },
    all: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function help(): void {
  say('npm run bench -- [--pairs N] [--only NAME]... [--all] [--runs N] [--projects N]\n');
  for (const { name, about, long } of BENCHMARKS)
    say(`  ${name.padEnd(18)} ${about}${long ? ' (only with --all or --only)' : ''}`);
}

function wholeNumber(name: 'pairs' | 'runs' | 'projects', least: number): number {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number >= least) return number;
  throw new Error(`--${name} must be a whole number of ${least} or more, not "${values[name]}".`);
}

function chosen(): readonly Benchmark[] {
  const { only, all } = values;
  if (only === undefined) return BENCHMARKS.filter(({ long }) => all || !long);
  return only.map((name) => {
    const found = BENCHMARKS.find((benchmark) => benchmark.name === name);
    if (found !== undefined) return found;
    throw new Error(`There is no benchmark "${name}"; there are ${BENCHMARKS.map((one) => one.name).join(', ')}.`);
  });
}

async function run(): Promise<void> {
  if (values.help) return help();
  const options = {
    pairs: wholeNumber('pairs', 1),
    runs: wholeNumber('runs', 200),
    ...(values.projects === undefined ? {} : { projects: wholeNumber('projects', 10) }),
    say,
  };
  const figures: Figure[] = [];
  const loadBefore = loadavg();
  for (const benchmark of chosen()) {
    say(`\n${benchmark.name}: ${benchmark.about}`);
    figures.push(...(await benchmark.run(options)));
  }
  say(`\n${formatTable(figures)}`);
  const machine = { cpus: cpus().length, model: cpus()[0]?.model, memory: totalmem(), node: process.version };
  const report = { at: new Date(), machine, loadBefore, loadAfter: loadavg(), ...options, figures };
  await mkdir(join(REPORT, '..'), { recursive: true });
  await writeFile(REPORT, `${JSON.stringify(report, undefined, 2)}\n`);
  say(`\nWritten to reports/bench.json.`);
  if (options.pairs < ENOUGH_PAIRS)
    say(`${options.pairs} pairs are a look, not a measurement: take ${ENOUGH_PAIRS} or more.`);
  if (figures.some(isMissed)) process.exitCode = 1;
}

try {
  await run();
} catch (error) {
  process.stderr.write(`the benchmark failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
