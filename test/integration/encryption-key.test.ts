import { createHmac } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

/** Starts and stops with these encryption keys; answers the key that plans are compared with. */
async function digestKeyWith(current: KeyName, ...previous: readonly KeyName[]): Promise<string> {
  const environment = {
    HOLDFAST_DATA_DIR: join(folder, 'data'),
    HOLDFAST_DATABASE_URL: database.url.reveal(),
    HOLDFAST_SANDBOX: 'none',
    HOLDFAST_ENCRYPTION_KEY: KEYS[current].toString('base64'),
    HOLDFAST_PREVIOUS_ENCRYPTION_KEYS: previous.map((name) => KEYS[name].toString('base64')).join(','),
  };
  const options = { readFile: () => '', workingDirectory: folder, purpose: 'look' } as const;
  const loaded = loadServerConfig(environment, options);
  if ('problems' in loaded) throw new Error(loaded.problems.map(({ message }) => message).join('; '));
  const infrastructure = await openInfrastructure(loaded.config, recordingLogger());
  await infrastructure.close();
  return Buffer.from(infrastructure.digestKey.reveal()).toString('hex');
}

describe('replacing the encryption key', () => {
  test('leaves what plans are compared with as it is, also when the former key is no longer named', async () => {
    const before = await digestKeyWith('first');
    expect(await digestKeyWith('second', 'first')).toBe(before);
    expect(await digestKeyWith('second')).toBe(before);
    await expect(digestKeyWith('first')).rejects.toThrow('encryption key is not the one');
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
