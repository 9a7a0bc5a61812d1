import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { migrate } from '../../../src/adapters/postgres/migrate.ts';
import { connectPostgres } from '../../../src/adapters/postgres/connection.ts';
import { createDriftStore } from '../../../src/adapters/postgres/drift/drift-store.ts';
import { createPullRequestStore } from '../../../src/adapters/postgres/pull-request-store.ts';
import type { DriftProjectChanges } from '../../../src/core/drift/drift-project.ts';
import { driftContext } from '../../../src/core/sealed-contexts.ts';
import { createSeal } from '../../../src/lib/seal.ts';
import { Secret } from '../../../src/lib/secret.ts';
import type { DriftStore } from '../../../src/ports/drift-store.ts';
import { buildProject, buildRepository, HEAD, keyOf } from '../../support/builders.ts';
import { buildBranchProject, buildStoredFindings, drifting, FINGERPRINT } from '../../support/drift-builders.ts';
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { recordingLogger } from '../../support/recording-logger.ts';

const CLI = join(import.meta.dirname, '../../../src/cli.ts');
const HOLDER = join(import.meta.dirname, '../../support/embedded-postgres-holder.ts');
const KEY = randomBytes(32);
const ACME = 'github.com/acme/infra';
const CHECKED = { lastSuccessAt: new Date(), lastCheckAt: new Date() };

let folder: string;
let database: TestDatabase;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-command-'));
  await chmod(folder, 0o755);
  await mkdir(join(folder, 'data'));
  await writeFile(join(folder, 'data/encryption.key'), KEY.toString('base64'));
  database = await createTestDatabase();
});
afterEach(async () => {
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

async function holdfast(args: readonly string[], changes: Readonly<Record<string, string | undefined>> = {}) {
  const { PATH = '' } = process.env;
  const all = {
    PATH,
    HOME: folder,
    HOLDFAST_DATA_DIR: join(folder, 'data'),
    HOLDFAST_DATABASE_URL: database.url.reveal(),
    ...changes,
  };
  const env = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  const { stdout, stderr, exitCode } = await execa(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', CLI, 'drift', ...args],
    { env, extendEnv: false, reject: false, timeout: 60_000 },
  );
  return { out: stdout, err: stderr, code: exitCode };
}

const PROJECTS = [
  buildProject({ dir: 'prod' }),
  buildProject({ dir: 'stage' }),
  buildProject({ dir: 'stage', workspace: 'blue' }),
];

/** Tracks `acme/infra` with three projects; all of them were checked and are in sync. */
async function track(db = database.db): Promise<DriftStore> {
  await createPullRequestStore(db).saveRepository(buildRepository());
  const drift = createDriftStore(db, () => []);
  await drift.track(buildRepository(), 'main');
  const projects = PROJECTS.map((project) => buildBranchProject(project.dir, { project }));
  const keyed = projects.map((one, index) => ({ ...one, key: index === 2 ? BLUE : one.key }));
  await drift.syncProjects('github.com/42', { tip: HEAD, settingsDigest: 's', projects: keyed }, new Date());
  for (const { key } of keyed)
    await drift.change(key, () => ({ changes: { ...CHECKED, sync: 'in_sync' }, report: false }));
  return drift;
}

const BLUE = keyOf('stage').replace('default', 'blue') as ReturnType<typeof keyOf>;

async function drifts(drift: DriftStore, some: DriftProjectChanges = {}): Promise<void> {
  const seal = createSeal([new Secret(new Uint8Array(KEY))]);
  const key = keyOf('prod');
  const findings = seal.seal(JSON.stringify(buildStoredFindings()), driftContext(key));
  const changes = { ...CHECKED, sync: 'drift', state: drifting(), findings, ...some } as const;
  await drift.change(key, () => ({ changes, report: false }));
}

const projectOf = async (drift: DriftStore, key = keyOf('prod')) => (await drift.find(key))?.project;

describe('holdfast drift status', () => {
  test('lists what is on record, and ends with 0 when nothing drifts', async () => {
    await track();
    const { out, err, code } = await holdfast(['status']);
    expect(err).toBe('');
    expect(out.split('\n').map((line) => line.split('(')[0]?.trim())).toEqual([
      `in sync           ok             ${ACME} prod`,
      `in sync           ok             ${ACME} stage -w blue`,
      `in sync           ok             ${ACME} stage`,
    ]);
    expect(code).toBe(0);
  });

  test('ends with 2 when something drifts, of what was chosen only', async () => {
    await drifts(await track());
    const { out, code } = await holdfast(['status', 'acme/infra', '--json']);
    expect(code).toBe(2);
    const listed = JSON.parse(out) as readonly Record<string, unknown>[];
    expect(listed.map(({ dir, state }) => `${dir} ${state}`)).toEqual(['prod drift', 'stage in_sync', 'stage in_sync']);
    expect(listed[0]).toMatchObject({ repository: ACME, fingerprint: FINGERPRINT, checks: 'ok' });
    expect((await holdfast(['status', 'ACME/infra', 'stage'])).code).toBe(0);
    expect((await holdfast(['status', ACME, 'prod/'])).code).toBe(2);
  });

  test('ends with 1 when it cannot be told', async () => {
    const drift = await track();
    await drift.change(keyOf('prod'), () => ({ changes: { sync: 'error' }, report: false }));
    expect((await holdfast(['status'])).code).toBe(1);
    const { err, code } = await holdfast(['status', 'acme/elsewhere']);
    expect(err).toContain('holdfast: No such project is known.');
    expect(code).toBe(1);
  });

  test('changes nothing on record', async () => {
    await track();
    const before = await database.db.selectFrom('drift_projects').selectAll().execute();
    await holdfast(['status']);
    expect(await database.db.selectFrom('drift_projects').selectAll().execute()).toEqual(before);
  });
});

describe('a command for one project', () => {
  test('asks for a check, in the name of who is at the command line', async () => {
    const drift = await track();
    const { out, err, code } = await holdfast(['run', 'acme/infra', 'prod']);
    expect({ err, code }).toEqual({ err: '', code: 0 });
    expect(out).toContain(`${ACME} prod: It is checked as soon as a worker is free`);
    const request = (await projectOf(drift))?.request;
    expect(request).toMatchObject({ kind: 'command', at: expect.any(Date) });
    expect(request?.actor.login).toMatch(/^\S+ on the command line$/);
  });

  test('suspends and resumes, and says when there is nothing to do', async () => {
    const drift = await track();
    const { out } = await holdfast(['suspend', 'acme/infra', 'prod', '--reason', 'an outage', '--for', '2d', '--json']);
    expect(JSON.parse(out)).toMatchObject({ project: `${ACME} prod`, done: true });
    expect((await projectOf(drift))?.suspension).toMatchObject({ reason: 'an outage', until: expect.any(Date) });
    expect((await holdfast(['status', 'acme/infra', 'prod'])).out).toMatch(/Suspended by \S+ on the command line for /);
    expect((await holdfast(['resume', 'acme/infra', 'prod'])).code).toBe(0);
    const again = await holdfast(['resume', 'acme/infra', 'prod']);
    expect(again).toMatchObject({ out: '', code: 1 });
    expect(again.err).toBe(`holdfast: ${ACME} prod: It is not suspended.`);
    const audit = await database.db.selectFrom('audit_log').select('event').orderBy('id').execute();
    expect(audit.map(({ event }) => event)).toEqual(['suspended', 'resumed']);
  });

  test('acknowledges, snoozes and ignores with what the last check found', async () => {
    const drift = await track();
    await drifts(drift);
    expect((await holdfast(['snooze', 'acme/infra', 'prod', '--for', '1d'])).out).toContain('is not reported until');
    expect((await projectOf(drift))?.state.drift?.quiet).toContain('Snoozed by');
    expect((await holdfast(['status'])).code).toBe(0);
    expect((await holdfast(['ack', 'acme/infra', 'prod', '--reason', 'ours'])).code).toBe(0);
    const ignore = ['ignore', 'acme/infra', 'prod', 'fake_bucket.*', '--reason', 'autoscaled', '--until', '2027-01-31'];
    expect((await holdfast(ignore)).out).toContain('It matches 1 of the differences');
    const project = await projectOf(drift);
    expect(project?.silences.map(({ kind }) => kind)).toEqual(['snooze', 'acknowledge', 'ignore']);
    expect(project?.state.drift).toBeUndefined();
    expect(project?.sync).toBe('in_sync');
  });

  test('without the encryption key keeps the rule, and leaves what cannot be read', async () => {
    const drift = await track();
    await drifts(drift);
    const before = (await projectOf(drift))?.findings;
    await rm(join(folder, 'data/encryption.key'));
    expect((await holdfast(['ack', 'acme/infra', 'prod'])).code).toBe(0);
    const project = await projectOf(drift);
    expect(project?.silences).toHaveLength(1);
    expect(project?.findings).toEqual(before);
  });

  test('names what may be meant when that is not clear', async () => {
    await track();
    const { err, out, code } = await holdfast(['run', 'acme/infra', 'stage']);
    expect(err).toBe(`holdfast: 2 projects are meant by that; say one of:\n  ${ACME} stage -w blue\n  ${ACME} stage`);
    expect({ out, code }).toEqual({ out: '', code: 1 });
    expect((await holdfast(['run', 'acme/infra', 'stage', '-w', 'blue'])).code).toBe(0);
    const unknown = await holdfast(['run', 'acme/infra', 'prd']);
    expect(unknown.err).toContain(`No such project is known; say one of:\n  ${ACME} prod`);
  });

  test.each([
    [['snooze', 'acme/infra', 'prod'], 'write --for or --until'],
    [['snooze', 'acme/infra', 'prod', '--for', '1d', '--until', '2027-01-01'], 'write --for or --until, not both'],
    [['snooze', 'acme/infra', 'prod', '--for', 'soon'], 'is no duration'],
    [['suspend', 'acme/infra', 'prod'], "required option '--reason <text>' not specified"],
    [['ignore', 'acme/infra', 'prod', '--reason', 'r', '--for', '1d'], "missing required argument 'address'"],
    [['runn'], 'Did you mean run?'],
  ])('%j is told what is wrong with it', async (args, problem) => {
    const { err, code } = await holdfast(args);
    expect(err).toContain(problem);
    expect(err).not.toContain('    at ');
    expect(code).toBe(1);
  });
});

describe('a record that cannot be used', () => {
  test('that does not answer, or is empty, is said in words', async () => {
    const nobody = 'postgres://holdfast:data-canary@127.0.0.1:1/holdfast';
    const refused = await holdfast(['status'], { HOLDFAST_DATABASE_URL: nobody });
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/^holdfast: .*ECONNREFUSED/);
    expect(refused.err).not.toContain('canary');
    await using empty = await createEmptyDatabase();
    const nothing = await holdfast(['status'], { HOLDFAST_DATABASE_URL: empty.url.reveal() });
    expect(nothing.err).toBe('holdfast: Nothing is on record yet: no Holdfast was ever started with this config.');
    expect(nothing.code).toBe(1);
  });

  test('of an older Holdfast is left as it is', async () => {
    await using older = await createTestDatabase();
    await older.pool.query(`delete from holdfast.migrations where name = '0011_drift_pages'`);
    const { err } = await holdfast(['run', 'acme/infra', 'prod'], { HOLDFAST_DATABASE_URL: older.url.reveal() });
    expect(err).toContain('The database is of an older Holdfast. Start this one once');
  });
});

test('works beside a Holdfast that is running with its embedded database', async () => {
  const dataDirectory = join(folder, 'data');
  const holder = execa(process.execPath, ['--disable-warning=ExperimentalWarning', HOLDER, dataDirectory], {
    reject: false,
    timeout: 120_000,
  });
  try {
    const [, url = ''] = await new Promise<readonly string[]>((resolve) => {
      holder.stdout.once('data', (chunk: Buffer) =>
        resolve(String(chunk).trim().split('\n')[0]?.split(' ').slice(1) ?? []),
      );
    });
    const connection = connectPostgres({ url: new Secret(url), logger: recordingLogger() });
    await migrate(connection.db);
    const drift = await track(connection.db);
    const embedded = { HOLDFAST_DATABASE_URL: undefined };
    expect(await holdfast(['status'], embedded)).toMatchObject({ code: 0, err: '' });
    expect(await holdfast(['run', 'acme/infra', 'prod'], embedded)).toMatchObject({ code: 0, err: '' });
    expect((await projectOf(drift))?.request).toBeDefined();
    await connection.close();
  } finally {
    holder.kill('SIGTERM');
    await holder;
  }
});
