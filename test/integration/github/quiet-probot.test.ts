import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test } from 'vitest';

const source = (path: string) => fileURLToPath(new URL(`../../../src/${path}`, import.meta.url));

/** Interprets deliveries, good and bad, in a program of its own, and ends when nothing holds it. */
const script = `
import { generateKeyPairSync } from 'node:crypto';
import { createGithubHost } from '${source('adapters/github/github-host.ts')}';
import { Secret } from '${source('lib/secret.ts')}';
const before = JSON.stringify(process.env);
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = new Secret(privateKey.export({ type: 'pkcs1', format: 'pem' }).toString());
const silent = { debug() {}, warn() {} };
for (const auth of [{ kind: 'token', token: new Secret('t') }, { kind: 'app', appId: '1', privateKey: key }]) {
  const host = createGithubHost({ apiUrl: 'http://127.0.0.1:1', cloneUrlTemplate: '', auth, log: silent });
  const repository = { id: 1, full_name: 'a/b' };
  for (const number of [1, 'canary']) {
    const payload = JSON.stringify({ action: 'opened', repository, pull_request: { number, title: 'canary' }, canary: 'canary' });
    await host.interpret({ id: 'd', event: 'pull_request', payload }).catch(() => undefined);
  }
}
if (JSON.stringify(process.env) !== before) console.log('the environment was changed');
`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-quiet-'));
});
afterEach(() => rm(folder, { recursive: true }));

test('Probot reads no .env, logs no payload whatever the environment asks for, and holds no server or timer', async () => {
  await writeFile(join(folder, '.env'), 'WEBHOOK_SECRET=from-a-file\nLOG_LEVEL=trace\n');
  await writeFile(join(folder, 'run.mts'), script);
  const { stdout, stderr } = await execa(process.execPath, ['run.mts'], {
    cwd: folder,
    env: { LOG_LEVEL: 'trace', LOG_FORMAT: 'json', DEBUG: '*', NODE_NO_WARNINGS: '1' },
    timeout: 30_000,
  });
  expect(stdout + stderr).toBe('');
});
