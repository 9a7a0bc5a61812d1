import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createJobQueue } from '../../src/adapters/bullmq/create-job-queue.ts';
import { Secret } from '../../src/lib/secret.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { until } from '../support/until.ts';
import { createBareTerraform, sideBySide } from './bare-terraform.ts';
import { type BenchDatabase, startBenchDatabase } from './bench-database.ts';
import { type Benchmark, type BenchmarkOptions, exactly, type Figure } from './figure.ts';
import { measurePairs, type Pair, ratioFigure } from './pairs.ts';
import { openStage, type Places, type Stage } from './stage.ts';
import { estimateMedian, median, quantile } from './statistics.ts';

const PROJECTS = 500;
/** Every pair is two sweeps of minutes. */
const MOST_PAIRS = 3;
const GOALS = { ratio: 1.15, calls: 1, writes: 0 };
const PATIENCE_MS = 45 * 60_000;
/** Of a process's times in /proc, see proc_pid_stat(5); 100 on every Linux that Node.js runs on. */
const TICKS_PER_SECOND = 100;

export const driftSweep: Benchmark = {
  name: 'drift-sweep',
  about: `drift checks of ${PROJECTS} projects where nothing has changed / the same plans by xargs -P`,
  long: true,
  run: async (options) => {
    const names = Array.from({ length: options.projects ?? PROJECTS }, (_, at) => `project-${at}`);
    await using database = await startBenchDatabase();
    await using stage = await openStage({
      files: (places) => Object.fromEntries(names.map((name) => [`${name}/main.tf`, projectFile(places, name)])),
      // Drift checks have half of the workers.
      environment: { HOLDFAST_DATABASE_URL: database.url, HOLDFAST_PARALLELISM: String(2 * sideBySide()) },
    });
    await Promise.all(names.map((name) => seedState(stage, name)));
    return await measure({ options, names, database, stage });
  },
};

interface Sweep {
  readonly calls: number;
  readonly writes: number;
  /** Of each check, milliseconds outside of Terraform's steps. */
  readonly own: readonly number[];
  /** Of Holdfast's process for one check, milliseconds of a CPU. */
  readonly cpu: number;
}

interface Bench {
  readonly options: BenchmarkOptions;
  readonly names: readonly string[];
  readonly database: BenchDatabase;
  readonly stage: Stage;
}

async function measure(bench: Bench): Promise<readonly Figure[]> {
  const { options, names, database, stage } = bench;
  const folder = join(stage.folder, 'bare');
  await mkdir(folder);
  const { mirrorDirectory: providerMirror } = stage.fakecloud;
  const bare = await createBareTerraform({ folder, cloneUrl: stage.cloneUrl, providerMirror, ownStates: false });
  const listed = `select count(*)::int as n from holdfast.drift_projects where listed`;
  await until(async () => Number((await database.query(listed))[0]?.['n']) === names.length || undefined, 300_000, 200);
  await stage.quiet();
  const sweeps: Sweep[] = [];
  const pairs = await measurePairs(
    { ...options, pairs: Math.min(options.pairs, MOST_PAIRS) },
    {
      ours: async (round) => {
        const { ms, ...sweep } = await sweepOnce(bench);
        if (round > 0) sweeps.push(sweep);
        return ms;
      },
      bare: () => bare.check(names, sideBySide()),
    },
  );
  stage.github.assertClean();
  return figures(names.length, pairs, sweeps);
}

/** Everything is asked for at once; the time ends with the last check on record. */
async function sweepOnce({ names, database, stage }: Bench): Promise<Sweep & { readonly ms: number }> {
  stage.github.clearBooks();
  const cpuBefore = await cpuMs(stage.holdfast.pid);
  const [asked] = await database.query(
    `with asked as (update holdfast.drift_projects set request = jsonb_build_object('kind', 'command', 'at', '2026-11-21T12:00:00.000Z',
       'actor', '{"id": "ops", "login": "ops"}'::jsonb) where listed returning 1)
     select count(*), clock_timestamp()::text as at from asked`,
  );
  await wakeUp(database);
  const open = `select count(*)::int as n from holdfast.drift_projects where request is not null or run_id is not null`;
  await until(async () => Number((await database.query(open))[0]?.['n']) === 0 || undefined, PATIENCE_MS, 250);
  const cpu = ((await cpuMs(stage.holdfast.pid)) - cpuBefore) / names.length;
  const ended = await database.query(
    `select extract(epoch from finished_at - '${String(asked?.['at'])}'::timestamptz) * 1000 as after, state, result ->> 'sync' as sync,
       extract(epoch from finished_at - claimed_at) * 1000
         - (select coalesce(sum((step ->> 'ms')::float), 0) from jsonb_array_elements(phases) as step) as own
     from holdfast.runs where queued_at >= '${String(asked?.['at'])}'::timestamptz`,
  );
  const wrong = ended.find(({ sync }) => sync !== 'in_sync');
  if (ended.length !== names.length || wrong !== undefined)
    throw new Error(`${ended.length} of ${names.length} were checked; one came to ${JSON.stringify(wrong)}`);
  await stage.quiet();
  const { calls, writes } = stage.github.counts;
  const ms = Math.max(...ended.map(({ after }) => Number(after)));
  return { ms, calls, writes, cpu, own: ended.map(({ own }) => Number(own)) };
}

async function wakeUp({ url }: BenchDatabase): Promise<void> {
  const queue = await createJobQueue({
    backend: { kind: 'postgres', url: new Secret(url) },
    logger: recordingLogger(),
  });
  await queue.enqueue('drift', {});
  await queue.close();
}

/** Of the process alone, its children not counted. */
async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}

/** Terraform's own resource, so that the machine is not busy with starting providers. */
function projectFile({ stateDirectory }: Places, name: string): string {
  return `terraform {
  backend "local" {
    path = "${stateDirectory}/${name}.tfstate"
  }
}

resource "terraform_data" "part" {
  count = 3
  input = "${name}-\${count.index}"
}
`;
}

/** As after an apply, written by hand: applying them all first would take as long as a sweep. */
async function seedState({ stateDirectory }: Places, name: string): Promise<void> {
  const text = (value: string) => ({ value, type: 'string' });
  const instances = [0, 1, 2].map((index) => ({
    index_key: index,
    schema_version: 0,
    attributes: {
      id: `${name}-id-${index}`,
      input: text(`${name}-${index}`),
      output: text(`${name}-${index}`),
      triggers_replace: null,
    },
    sensitive_attributes: [],
  }));
  const provider = 'provider["terraform.io/builtin/terraform"]';
  const resources = [{ mode: 'managed', type: 'terraform_data', name: 'part', provider, instances }];
  const state = { version: 4, terraform_version: '1.5.0', serial: 1, lineage: name, outputs: {}, resources };
  const file = join(stateDirectory, `${name}.tfstate`);
  await writeFile(file, JSON.stringify({ ...state, check_results: null }));
  await chmod(file, 0o666);
}

function figures(projects: number, pairs: readonly Pair[], sweeps: readonly Sweep[]): readonly Figure[] {
  const own = sweeps.flatMap((sweep) => sweep.own);
  const of = `sweep of ${projects} projects`;
  const count = (name: string, goal: number, value: (sweep: Sweep) => number): Figure => ({
    name: `${of}: ${name}`,
    unit: 'count',
    goal,
    samples: sweeps.length,
    ...exactly(Math.max(...sweeps.map(value))),
    details: { 'beside them': 'one ls-remote a minute' },
  });
  return [
    ratioFigure(of, GOALS.ratio, pairs, { 'side by side': sideBySide() }),
    {
      name: `${of}: a check outside of Terraform`,
      unit: 'ms',
      samples: own.length,
      ...estimateMedian(own),
      details: { 'p95 ms': quantile(own, 0.95), 'CPU ms of the process': median(sweeps.map(({ cpu }) => cpu)) },
    },
    count('API calls', GOALS.calls, ({ calls }) => calls),
    count('writes', GOALS.writes, ({ writes }) => writes),
  ];
}
