import { createHmac } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadServerConfig } from '../../src/config/load-server-config.ts';
import { openInfrastructure } from '../../src/infrastructure.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { recordingLogger } from '../support/recording-logger.ts';

const KEYS = { first: Buffer.alloc(32, 1), second: Buffer.alloc(32, 2), strange: Buffer.alloc(32, 3) };
type KeyName = keyof typeof KEYS;

let folder: string;
let database: TestDatabase;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-keys-'));
  database = await createTestDatabase();
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(() => database.db.deleteFrom('settings').execute());

function open(environment: Readonly<Record<string, string>> = {}) {
  const whole = {
    HOLDFAST_DATA_DIR: join(folder, 'data'),
    HOLDFAST_DATABASE_URL: database.url.reveal(),
    HOLDFAST_SANDBOX: 'none',
    ...environment,
  };
  const loaded = loadServerConfig(whole, { readFile: () => '', workingDirectory: folder, purpose: 'look' });
  if ('problems' in loaded) throw new Error(loaded.problems.map(({ message }) => message).join('; '));
  return openInfrastructure(loaded.config, recordingLogger());
}

/** Starts and stops with these encryption keys; answers the key that plans are compared with. */
async function digestKeyWith(current: KeyName, ...previous: readonly KeyName[]): Promise<string> {
  const infrastructure = await open({
    HOLDFAST_ENCRYPTION_KEY: KEYS[current].toString('base64'),
    HOLDFAST_PREVIOUS_ENCRYPTION_KEYS: previous.map((name) => KEYS[name].toString('base64')).join(','),
  });
  await infrastructure.close();
  return Buffer.from(infrastructure.digestKey.reveal()).toString('hex');
}

describe('replacing the encryption key', () => {
  test('leaves what plans are compared with as it is, and needs the former key for what else it sealed', async () => {
    const before = await digestKeyWith('first');
    expect(await digestKeyWith('second', 'first')).toBe(before);
    await expect(digestKeyWith('second')).rejects.toThrow('a former one is no longer named');
    await expect(digestKeyWith('first')).rejects.toThrow('encryption key is not the one');
    expect(await digestKeyWith('second', 'first')).toBe(before);
  });

  test('a digest that an earlier Holdfast made stays valid', async () => {
    const derived = createHmac('sha256', KEYS.first).update('plan digests').digest('hex');
    expect(await digestKeyWith('first')).toBe(derived);
  });

  test('the keys are kept sealed, and a strange one opens nothing', async () => {
    const digestKey = await digestKeyWith('first');
    const kept = await database.db.selectFrom('settings').select('value').execute();
    expect(kept).toHaveLength(2);
    const texts = kept.map(({ value }) => Buffer.from(value, 'base64').toString('hex'));
    for (const text of texts) expect(text).not.toContain(digestKey);
    await expect(digestKeyWith('strange')).rejects.toThrow('encryption key is not the one');
  });
});

test('what a Holdfast that is gone left of its work is removed, whoever has its pid by now', async () => {
  const work = join(folder, 'data/work');
  for (const pid of [1, process.pid, 4_194_305]) {
    await mkdir(join(work, `${pid}-left`), { recursive: true });
    await writeFile(join(work, `${pid}-left`, 'main.tf'), '');
  }
  const infrastructure = await open();
  expect(await readdir(work)).toEqual([basename(infrastructure.workDirectory)]);
  await infrastructure.close();
  expect(await readdir(work)).toEqual([]);
});

test.each(['none', 'bubblewrap'])(
  'what the sandbox %s makes for a moment is in the folder that is removed',
  async (kind) => {
    const infrastructure = await open({ HOLDFAST_SANDBOX: kind });
    try {
      const MIB = 1024 * 1024;
      const limits = { memoryBytes: 512 * MIB, processes: 64, diskBytes: 512 * MIB };
      await using slot = await infrastructure.sandbox.openSlot(limits);
      const command = { argv: ['/bin/true'], cwd: '/', env: {}, mounts: [], network: 'none' } as const;
      await slot.run({ ...command, timeoutMs: 30_000, graceMs: 1_000, outputBytes: 1_000 });
      const fds = await readdir('/proc/self/fd');
      const links = await Promise.all(fds.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
      const pipes = links.filter((link) => link.startsWith(join(folder, 'data')) && link.includes('/pipes-'));
      expect(pipes.some((link) => link.startsWith(infrastructure.workDirectory))).toBe(true);
      expect(pipes.some((link) => link.includes('/slots/'))).toBe(false);
    } finally {
      await infrastructure.close();
    }
  },
);
